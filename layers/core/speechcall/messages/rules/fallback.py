"""What is sent in place of a call that reached nobody, or in which no key was pressed; and what has become of it."""

from enum import StrEnum
from typing import Literal, NamedTuple, assert_never, get_args

from speechcall.shared.rules.outcome import OutcomeName

FallbackCause = Literal["noAnswer", "busy", "failed", "expired", "promptUnavailable", "noKey"]
CAUSES: tuple[FallbackCause, ...] = get_args(FallbackCause)
NO_KEY: FallbackCause = "noKey"
"""Somebody answered and pressed no key, though a menu had one to press."""
DEFAULT_CAUSES: tuple[FallbackCause, ...] = ("noAnswer", "busy", "failed", "expired", "promptUnavailable")
WAITS_SECONDS = 86_400
"""For how long after the end of its message it may wait: for its hours, for a pause to end, for the service."""


class FallbackStatus(StrEnum):
    """What has become of a fallback, in the words of the API this is modelled on."""

    NOT_USED = "not_used"
    """The message did not end so, or nobody wants it any more: the callee has opted out, its sender has cancelled."""
    PENDING = "pending"
    SENT = "sent"
    """The service has taken it."""
    FAILED = "failed"
    """It was wanted and was not sent."""
    UNKNOWN = "unknown"
    """The service was asked and its answer was lost. It is never asked again: that might be a second one."""


FallbackReason = Literal[
    "optedOut", "cancelled", "notAllowed", "window", "paused", "smsPerDay", "refused", "unavailable", "lost", "internal"
]
"""Why it was not sent, or why nothing is known of it. What is stored may be another release's."""
REASONS: tuple[FallbackReason, ...] = get_args(FallbackReason)


class Fallback(NamedTuple):
    """What a message says about it. `on` has outcomes, and `noKey`."""

    text: str
    on: tuple[str, ...] = DEFAULT_CAUSES


class FallbackState(NamedTuple):
    """Where it stands."""

    status: FallbackStatus
    reason: str | None = None
    at_msec: int | None = None
    """When it came to its end."""


def calls_for(fallback: Fallback, outcome: OutcomeName, *, without_key: bool) -> bool:
    """Whether a message that has ended so is followed by its fallback.

    `without_key`: it is known that no key was pressed, though a menu has one. A number that cannot be called, is
    blocked or has opted out gets nothing; nor does what was cancelled, or has menus that can never be played.
    """
    match outcome:
        case "noAnswer" | "busy" | "failed" | "expired" | "promptUnavailable":
            return outcome in fallback.on
        case "answered":
            return without_key and NO_KEY in fallback.on
        case "invalidNumber" | "blocked" | "menusRefused" | "cancelled" | "optedOut":
            return False
        case _:
            assert_never(outcome)
