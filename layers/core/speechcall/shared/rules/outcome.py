"""How a message ended."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, get_args


class End(StrEnum):
    """With which words a state machine, or who heard that it died, finishes a call."""

    COMPLETED = "completed"
    NOT_ANSWERED = "notAnswered"
    CALLER_HUNG_UP = "callerHungUp"
    LOST = "lost"
    THROTTLED = "throttled"
    FAILED = "failed"


OutcomeName = Literal[
    "answered",
    "busy",
    "noAnswer",
    "failed",
    "expired",
    "invalidNumber",
    "blocked",
    "promptUnavailable",
    "menusRefused",
    "cancelled",
    "optedOut",
]
"""How a message ended; `expired`, `promptUnavailable`, `menusRefused`, `cancelled` and `optedOut` are of messages that
no call reached: they were never dialled, or not again.

A new one is a type error at each place that has to know it. What is stored is a text: another release's may be among
it, see `known_outcome`.
"""
OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)


def known_outcome(stored: str | None) -> OutcomeName | None:
    """The outcome that a stored text names; None for none, and for one that only another release knows."""
    return next((name for name in OUTCOMES if name == stored), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended, and why it ended so."""

    outcome: OutcomeName
    reason: str
    prompt_failed: bool = field(default=False, compare=False)
    """An introduction could not be played in the call. It is counted, and not stored."""


NOT_PLACED = "notPlaced"
"""The reason of a call that was never dialled: its state machine ended before."""
NOT_PLAYED = "notPlayed"
"""The reason of a call that was answered, and that we ended before anything of it could be heard."""

EXPIRED = Outcome("expired", "expired")
HOURS_SHUT = Outcome("expired", "window")
"""Its hours do not open any more before its time is up."""
CAPPED = Outcome("expired", "capped")
"""Its number had as many calls as may be, until its time was up."""
SPEND_LIMIT = Outcome("expired", "spendLimit")
"""Its call could cost more than its account may spend in a day, or nobody has given a price for its number."""
CANCELLED = Outcome("cancelled", "cancelled")
OPTED_OUT = Outcome("optedOut", "optedOut")
MENUS_REFUSED = Outcome("menusRefused", "menusRefused")
PROMPT_UNAVAILABLE = Outcome("promptUnavailable", "promptUnavailable")
