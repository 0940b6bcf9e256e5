"""How a message ended."""

from dataclasses import dataclass, field
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
    prompt_failed: bool = field(default=False, compare=False)
    """An introduction could not be played in the call. It is counted, and not stored."""


NOT_PLACED = "notPlaced"
"""The reason of a call that nobody has dialled: its state machine ended before."""
NOT_PLAYED = "notPlayed"
"""The reason of a call that was answered, and that we ended before anything of it could be heard."""

SETTLING = Outcome("settling", "settling")
"""The answer to a state machine whose call has freed its line, while it is not known yet why it ended."""
EXPIRED = Outcome("expired", "expired")
MENUS_REFUSED = Outcome("menusRefused", "menusRefused")
PROMPT_UNAVAILABLE = Outcome("promptUnavailable", "promptUnavailable")
