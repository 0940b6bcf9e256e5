"""How a call ended: its outcome, and the reason to show for it."""

from speechcall.domain.call import Call, Cause
from speechcall.domain.outcome import NOT_PLACED, End, Outcome

_UNANSWERED = {Cause.BUSY, Cause.NO_ANSWER, Cause.INVALID_NUMBER, Cause.BLOCKED}


def is_over(call: Call) -> bool:
    """Whether nothing more may be done in a call: it has ended, or was given up (`gave_up_msec`) when its phone had
    rung for as long as it may. Who answers after that is hung up.
    """
    return call.ended or call.gave_up_msec is not None


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
