"""How a message ended, from what is known of its call."""

from dataclasses import dataclass
from enum import StrEnum

from speechcall.domain.call import Call, Cause


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

_UNANSWERED = {Cause.BUSY, Cause.NO_ANSWER, Cause.INVALID_NUMBER, Cause.BLOCKED}


def outcome_of(call: Call | None, end: End) -> Outcome:
    """The outcome of a call that has ended (or was never placed) and the reason to show for it."""
    if call is None:
        return Outcome("failed", NOT_PLACED)
    if call.answered_msec is None:
        known = call.cause if call.cause in _UNANSWERED else Cause.FAILED
        return Outcome(known.value, call.stop_reason or (call.cause or Cause.FAILED).value)
    if call.cause is Cause.UNCONFIRMED:
        return Outcome("answered", "unconfirmed")
    if end is End.NOT_ANSWERED:  # somebody answered, and was gone before the first menu
        return Outcome("answered", (call.cause or Cause.CALLER_HUNG_UP).value)
    return Outcome("answered", call.stop_reason or end.value)
