"""What a check finds, and how it is run so that one that cannot look does not hold up the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from speechcall.shared.rules.errors import RetryableError

_DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"),
        *("UnauthorizedOperation", "UnauthorizedException", "NotAuthorized"),
        "403",  # S3's answer to HEAD, which has no body
    }
)
_ACTIONS = {
    "HeadObject": "GetObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
}
"""The action that allows an operation, where its name is another. (IAM's service authorization reference, "Actions,
resources, and condition keys for Amazon S3".)"""


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should know of it."""
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True)
class Finding:
    """Something that a check has found: in one sentence, and the command or the place that repairs it."""

    text: str
    repair: str
    verdict: Verdict = Verdict.PROBLEM


@dataclass(frozen=True)
class Check:
    """One question. `holds` is what is true where nothing is found; `look` yields what is wrong."""

    name: str
    holds: str
    look: Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Result:
    """What a check came to: findings, or none where its sentence holds."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        order = (Verdict.PROBLEM, Verdict.UNKNOWN, Verdict.WARNING)
        return next((one for one in order if any(found.verdict is one for found in self.findings)), Verdict.OK)


def examine(checks: Iterable[Check]) -> Iterator[Result]:
    """The result of each check, as it comes. Raises nothing that AWS or a store says."""
    for check in checks:
        yield Result(check, tuple(_look(check)))


def _look(check: Check) -> Iterator[Finding]:
    """What a check finds. That it could not look is a finding too, and does not end the others."""
    try:
        yield from check.look()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _DENIED:
            action = _ACTIONS.get(error.operation_name, error.operation_name)
            yield Finding(
                f"It could not be looked at: you may not {error.operation_name}.",
                f"Give the role or user that you are the action …:{action} (docs/cli.md, doctor).",
                Verdict.UNKNOWN,
            )
        else:
            yield Finding(f"AWS refuses {error.operation_name}: {code}.", "Look again in a minute.", Verdict.UNKNOWN)
    except (BotoCoreError, RetryableError, OSError) as error:
        yield Finding(f"It could not be asked: {type(error).__name__}.", _what_helps(error), Verdict.UNKNOWN)


def _what_helps(error: Exception) -> str:
    """What repairs that AWS or a store could not be asked: credentials where these are missing, else time."""
    lacks_credentials = isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError))
    return (
        "Say as whom: credentials of AWS in the environment, or --profile."
        if lacks_credentials
        else "Look again in a minute."
    )
