"""When a request is sent again, and how long is waited before. No network and no clock here."""

import email.utils
import random
import time
from dataclasses import dataclass
from typing import Any

import httpx

from speechcall_client.errors import ApiError, OutcomeUnknown, SpeechCallError, Unreachable, error_of
from speechcall_client.operations import Again, Operation

_PASSING = (500, 502, 503, 504)
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Nothing has left this machine."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a request is tried."""

    tries: int = 5
    first_wait: float = 0.5
    """Seconds before the second try; each further wait is twice as long, and all vary by a quarter."""
    longest_wait: float = 30.0
    """A longer `Retry-After` is not waited for: RateLimited says how long it is."""


class Trial:
    """The tries of one request: after each, `wait` has the seconds until the next, or raises what the caller gets."""

    def __init__(self, operation: Operation[Any], patience: Patience) -> None:
        self._operation, self._patience = operation, patience
        self._made = 0
        self._maybe_done = False

    def after_error(self, error: httpx.TransportError) -> float:
        """There was no answer."""
        unsent = isinstance(error, _UNSENT)
        self._maybe_done = self._maybe_done or not unsent
        text = f"{self._operation.method} {self._operation.path}: no answer ({type(error).__name__})"
        may = unsent or self._operation.again is Again.ALWAYS
        if (wait := self._next(may)) is not None:
            return wait
        raise self._unknown(text) if self._matters() else Unreachable(text)

    def after_answer(self, response: httpx.Response) -> float | None:
        """None: it is an answer to go by."""
        if response.status_code < 400:
            return None
        if response.status_code == 404 and self._operation.gone_is_done and self._maybe_done:
            return None
        error = error_of(response.status_code, _json(response), _retry_after(response))
        if response.status_code == 429:
            asked = error.retry_after or 0.0
            wait = self._next(asked <= self._patience.longest_wait)
            if wait is None:
                raise error
            return max(wait, asked)
        if response.status_code not in _PASSING:
            raise error
        self._maybe_done = True
        if (wait := self._next(self._operation.again is Again.ALWAYS)) is not None:
            return wait
        raise self._unknown(str(error), error) if self._matters() else error

    def _next(self, may: bool) -> float | None:
        self._made += 1
        if not may or self._made >= self._patience.tries:
            return None
        wait: float = self._patience.first_wait * 2 ** (self._made - 1)
        return min(wait, self._patience.longest_wait) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret

    def _matters(self) -> bool:
        """Whether it may have been done, and that is not the same as not done."""
        changes = self._operation.again is Again.UNSENT or self._operation.idempotency_key is not None
        return self._maybe_done and changes

    def _unknown(self, text: str, cause: ApiError | None = None) -> SpeechCallError:
        error = OutcomeUnknown(text, self._operation.idempotency_key)
        error.__cause__ = cause
        return error


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, however they are written (RFC 9110, 10.2.3)."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time()) if given else None
    except ValueError:
        return None
