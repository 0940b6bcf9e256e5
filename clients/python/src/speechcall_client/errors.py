"""What can go wrong, as exceptions.

SpeechCallError
├─ ApiError            the API has answered, and refused
│  ├─ Invalid          400, 413, 415, 422: the request itself
│  ├─ Unauthorized     401: the credentials
│  ├─ Forbidden        403: the key may not do this, or not from here
│  ├─ NotFound         404
│  ├─ Conflict         409
│  ├─ RateLimited      429, and the wait is longer than the client waits; `retry_after`
│  └─ ServerError      5xx, after all tries
├─ Unreachable         no answer, after all tries; nothing was sent, or it can be sent again
└─ OutcomeUnknown      no answer, or 5xx: whether it was done is not known
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class SpeechCallError(Exception):
    """Base of all."""


class Problem(NamedTuple):
    """What is wrong at one place of the request: `messages[0].to`."""

    code: str
    path: str
    message: str


class ApiError(SpeechCallError):
    """The API has refused. `code` is for programs, `message` for people; `problems` say where."""

    def __init__(
        self, status: int, code: str, message: str, problems: Sequence[Problem] = (), retry_after: float | None = None
    ) -> None:
        places = "".join(f"\n  {one.path}: {one.message}" for one in problems)
        super().__init__(f"{status} {code}: {message}{places}")
        self.status, self.code, self.message = status, code, message
        self.problems = tuple(problems)
        self.retry_after = retry_after
        """Seconds after which the request can be taken, where the API said so."""


class Invalid(ApiError):
    """The request itself: 400, 413, 415 or 422."""


class Unauthorized(ApiError):
    """401: no credentials, or wrong ones."""


class Forbidden(ApiError):
    """403: the key has not got the scope, or may not be used from here."""


class NotFound(ApiError):
    """404: there is no such thing in this account, or it has expired."""


class Conflict(ApiError):
    """409: not now, or not any more."""


class RateLimited(ApiError):
    """429: too many messages a second or a day. Nothing of the request was accepted."""


class ServerError(ApiError):
    """5xx to a request that changes nothing, or may be repeated, after all tries."""


class Unreachable(SpeechCallError):
    """There was no answer, after all tries. What was asked for changes nothing, or was never sent."""


class OutcomeUnknown(SpeechCallError):
    """Whether it was done is not known. For messages: send the same again with `idempotency_key`, as often as needed.

    Without a key (another webhook secret, webhooks sent again) look before you repeat it.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        again = f"; send the same again with idempotency_key={idempotency_key!r}" if idempotency_key else ""
        super().__init__(f"{message}{again}")
        self.idempotency_key = idempotency_key


_KINDS: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: RateLimited,
}


def error_of(status: int, content: Any, retry_after: float | None = None) -> ApiError:
    """The exception for an answer; `content` is its JSON, whatever that is.

    The gateway before the service answers some requests by itself, with `{"message": …}`.
    """
    kind = _KINDS.get(status, ServerError if status >= 500 else ApiError)
    given = content.get("error") if isinstance(content, dict) else None
    if isinstance(given, dict):
        problems = [
            Problem(str(one.get("code", "")), str(one.get("path", "")), str(one.get("message", "")))
            for one in given.get("details", [])
            if isinstance(one, dict)
        ]
        return kind(status, str(given.get("code", "")), str(given.get("message", "")), problems, retry_after)
    text = str(content.get("message", "")) if isinstance(content, dict) else ""
    return kind(status, "", text or "The answer is not one of SpeechCall's.", (), retry_after)
