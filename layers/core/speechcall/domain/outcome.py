"""How a message ended."""

from dataclasses import dataclass
from enum import StrEnum


class End(StrEnum):
    """With which words a state machine, or who heard that it died, finishes a call."""

    COMPLETED = "completed"
    NOT_ANSWERED = "notAnswered"
    CALLER_HUNG_UP = "callerHungUp"
    LOST = "lost"
    THROTTLED = "throttled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`outcome`: answered, busy, noAnswer, invalidNumber, blocked, failed, and for what was never dialled expired,
    promptUnavailable, menusRefused. `reason`: why it ended so.
    """

    outcome: str
    reason: str


NOT_PLACED = "notPlaced"
"""The reason of a call that nobody has dialled: its state machine ended before."""

EXPIRED = Outcome("expired", "expired")
MENUS_REFUSED = Outcome("menusRefused", "menusRefused")
PROMPT_UNAVAILABLE = Outcome("promptUnavailable", "promptUnavailable")
