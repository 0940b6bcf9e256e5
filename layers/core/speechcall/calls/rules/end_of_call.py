"""How a call ended: its outcome, and the reason to show for it."""

from typing import assert_never

from speechcall.calls.rules.call import Call, Cause, Kind
from speechcall.menus.rules.call_log import IDLE, PROMPT_ERROR, ThenKind
from speechcall.shared.rules.outcome import (
    CANCELLED,
    NOT_PLACED,
    NOT_PLAYED,
    PROMPT_UNAVAILABLE,
    End,
    Outcome,
    OutcomeName,
)

_UNANSWERED = {Cause.BUSY, Cause.NO_ANSWER, Cause.INVALID_NUMBER, Cause.BLOCKED}
_NOT_OURS = {Cause.CALLER_HUNG_UP, *_UNANSWERED}
"""An answered call that ended so was not ended by us, nor for a fault."""
_ANSWERED = {Cause.CALLER_HUNG_UP, Cause.HUNG_UP, Cause.STOPPED}


def is_over(call: Call) -> bool:
    """Whether nothing more may be done in a call: it has ended, or was given up (`gave_up_msec`) when its phone had
    rung for as long as it may. Who answers after that is hung up.
    """
    return call.ended or call.gave_up_msec is not None


def awaits_report(call: Call) -> bool:
    """Whether a question is open in a call that is up, so that an answer to it may just be on its way to us."""
    if call.ended:
        return False
    if call.goes_by_log:  # the state machine may be far behind
        return bool(call.log) and call.log[-1].then.kind is ThenKind.ASK
    return call.command.asks and call.awaits_answer and call.known_reply is None


def may_have_heard(call: Call) -> bool:
    """Whether a menu may have been heard in a call: at least one was handed to the telephony, and if it was just one,
    nothing says that it could not be played.

    What is handed out may have been heard, although nothing was reported of it. The log may be ahead of `visits`, and
    calls of earlier releases have no log.
    """
    was_handed_out = call.visits > 0 or any(entry.then.kind is ThenKind.ASK for entry in call.log)
    only_one_failed = len(call.path) == 1 and call.path[0].heard == PROMPT_ERROR and call.visits <= 1
    return was_handed_out and not only_one_failed


def key_was_pressed(call: Call) -> bool:
    """Whether any key was heard in a call, one without a list too."""
    return any(step.heard not in {IDLE, PROMPT_ERROR} for step in call.path)


def was_cut_short(call: Call) -> bool:
    """Whether an introduction that "could not be played" is one that the callee cut short by hanging up.

    Perhaps a telephony takes the one for the other. Who has hung up decides: news may lag, so when we hear of the
    two says nothing of which was first.
    """
    return call.stop_reason == PROMPT_UNAVAILABLE.reason and call.cause is Cause.CALLER_HUNG_UP


def guessed_cause(call: Call, *, answered: bool) -> Cause:
    """A guess why a call has ended, from whether it was answered, as its news or its record says. An end that we had
    asked for is ours.
    """
    if not answered:
        return Cause.NO_ANSWER
    return Cause.HUNG_UP if call.command.kind is Kind.HANG_UP else Cause.CALLER_HUNG_UP


def better_guess(call: Call, *, answered: bool, has_ended: bool) -> Cause:
    """The next guess for a call whose cause is a guess, when the provider says more of it, and still not why it ended.

    `answered`, `has_ended`: what the provider says now; it may not know yet of an answer that we know of.
    """
    if call.cause is Cause.UNCONFIRMED:  # we have stopped it, and no record had shown its end
        return Cause.STOPPED if has_ended else Cause.UNCONFIRMED
    is_news = answered and call.answered_msec is None
    return guessed_cause(call, answered=True) if is_news else call.cause or Cause.FAILED


def hangs_on_cause(call: Call, end: End) -> bool:
    """Whether the outcome or the reason of the call may change when it is known why it ended.

    They always may where no answer is known: the provider's record may yet say that somebody answered.
    """
    if not call.cause_is_guess:
        return False
    possible = (call, *(call._replace(cause=cause) for cause in _ANSWERED))
    return call.answered_msec is None or len({outcome_of(one, end) for one in possible}) > 1


def cannot_have_rung(call: Call | None) -> bool:
    """Whether no phone can have rung for a call: each request to dial was refused, or none was made.

    A call that may have been placed, although nothing is known of it (None: not even that it was written), is counted
    as one that has rung.
    """
    if call is None or call.contact_id is not None:
        return False
    return call.is_certainly_not_placed or call.stop_reason == NOT_PLACED


def talked_msec(call: Call | None) -> int | None:
    """For how long a call that has ended was up; 0: it was not answered. None: its end is not known."""
    if call is None or call.ended_msec is None:
        return None
    return 0 if call.answered_msec is None else max(call.ended_msec - call.answered_msec, 0)


def outcome_of(call: Call | None, end: End) -> Outcome:
    """The outcome of a call that has ended and the reason to show for it. `call` None: it was never written, so never
    placed. `end`: the word with which its state machine, or who heard that it died, has finished it.

    Somebody who answered and may have heard a menu is `answered`, and so never dialled again for a failure. Where
    nothing was heard and the end was ours, the call has failed: `notPlayed`. One that was ended because its message was
    cancelled is `cancelled`, or `answered` where somebody may have heard a menu.
    """
    if call is None:
        return Outcome("failed", NOT_PLACED)
    if call.stop_reason == CANCELLED.reason and (call.answered_msec is None or not may_have_heard(call)):
        return CANCELLED
    if call.answered_msec is None:
        # Who hangs up before the answer has rejected the call: a network tells that as busy.
        cause = Cause.BUSY if call.cause is Cause.CALLER_HUNG_UP else call.cause
        return Outcome(_outcome_of_unanswered(cause), call.stop_reason or (cause or Cause.FAILED).value)
    if was_cut_short(call):
        return Outcome("answered", Cause.CALLER_HUNG_UP.value)
    no_prompt = call.stop_reason == PROMPT_UNAVAILABLE.reason
    if call.cause not in _NOT_OURS and not may_have_heard(call):
        reason = call.cause.value if call.cause is Cause.UNCONFIRMED else NOT_PLAYED
        return Outcome("failed", reason, no_prompt)
    if call.cause is Cause.UNCONFIRMED:
        return Outcome("answered", "unconfirmed", no_prompt)
    if call.stop_reason == CANCELLED.reason:
        return Outcome("answered", CANCELLED.reason)
    if end is End.NOT_ANSWERED:  # somebody answered, and was gone before the first menu
        return Outcome("answered", (call.cause or Cause.CALLER_HUNG_UP).value)
    # A state machine takes the end of a call in a menu for the callee's.
    is_ours_all_the_same = end is End.CALLER_HUNG_UP and call.cause not in _NOT_OURS
    reason = call.cause if is_ours_all_the_same and call.cause else end
    return Outcome("answered", call.stop_reason or reason.value, no_prompt)


def _outcome_of_unanswered(cause: Cause | None) -> OutcomeName:
    """The outcome of a call that was not answered, by the provider's cause."""
    match cause:
        case Cause.BUSY | Cause.CALLER_HUNG_UP:
            return "busy"
        case Cause.NO_ANSWER:
            return "noAnswer"
        case Cause.INVALID_NUMBER:
            return "invalidNumber"
        case Cause.BLOCKED:
            return "blocked"
        case Cause.FAILED | Cause.HUNG_UP | Cause.STOPPED | Cause.UNCONFIRMED | Cause.THROTTLED | None:
            return "failed"
        case _:
            assert_never(cause)
