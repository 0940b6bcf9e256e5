"""The audit trail: who has changed what, and when. Pure.

A record holds no secret and no telephone number: what it tells of a change is passed through `masked`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

KEPT_SECONDS = 400 * 86_400
"""A record does not go before that."""
_OWN_IDS = frozenset({"messageId", "messagelistId", "erasureId", "exportId", "webhookId"})
"""Of these the digits are ours, and tell nothing of a person."""
_ADDRESSES = frozenset({"fromIps"})
_DATE_OR_NUMBER = re.compile(r"(?<!\d)(20\d\d-\d\d-\d\d)(?!\d)|\d(?:[\s().-]{0,2}\d){6,}")
_SHOWN_DIGITS = 4
_MOST_CHARACTERS = 256


class By(StrEnum):
    """Which kind of caller has changed something."""

    OPERATOR = "operator"
    """Somebody with rights in AWS, by the command; the name is the end of their ARN."""
    LOCAL = "local"
    """The command, with `make run` on the same machine."""
    KEY = "key"
    """A key with a name, by the API."""
    ACCOUNT = "account"
    """The account's password, or its key without a name, by the API."""


class Actor(NamedTuple):
    """Who has changed something."""

    by: By
    name: str = ""


class Change(NamedTuple):
    """What a command or a request is about to do. `asked`: what it was told, as far as it is no secret."""

    action: str
    actor: Actor
    account_id: str = ""
    """Empty: of the whole stack."""
    asked: Mapping[str, Any] = {}


class AuditRecord(NamedTuple):
    """What was changed. `before`, `after`: what the change replaced, and by what."""

    record_id: str
    at_msec: int
    change: Change
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def actor_of_arn(arn: str) -> Actor:
    """Who calls AWS: `user/jane` or `assumed-role/Admin/jane`, without partition and account.

    Source: IAM user guide, "IAM identifiers": what stands behind the sixth colon names the identity.
    """
    return Actor(By.OPERATOR, arn.split(":", 5)[-1])


def actor_of_key(key_name: str | None) -> Actor:
    """Who asks the API. None: the credentials that every account has."""
    return Actor(By.ACCOUNT) if key_name is None else Actor(By.KEY, key_name)


def masked(value: Any) -> Any:
    """A value as it may be kept: seven digits or more in a text become the first four and `…`; long texts are cut.

    Dates stay; so do ids of ours and IP addresses, by the names of their members. Lists and mappings are masked
    throughout.
    """
    if isinstance(value, str):
        return _DATE_OR_NUMBER.sub(_shorten, value[:_MOST_CHARACTERS])
    if isinstance(value, Mapping):
        return {
            masked(name): inner if name in _OWN_IDS or name in _ADDRESSES else masked(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value


def _shorten(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return "".join(character for character in found[0] if character.isdigit())[:_SHOWN_DIGITS] + "…"
