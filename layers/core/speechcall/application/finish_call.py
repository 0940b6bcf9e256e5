"""After a call: certainly dead, line given back, message finished."""

from speechcall.application.end_call import end_call
from speechcall.application.look_up import look_until_ended
from speechcall.application.ports import CallStore, Clock, Engine, MessageStore, Telephony
from speechcall.domain.call import Call, Cause
from speechcall.domain.errors import TelephonyUnavailable
from speechcall.domain.outcome import End, Outcome, outcome_of

MAY_RING_SECONDS = 75
"""No phone rings for longer than 60 s (StartOutboundVoiceContact, RingTimeoutInSeconds); the rest is for its start."""


def finish_call(
    mid: str,
    attempt: int,
    end: End,
    *,
    calls: CallStore,
    messages: MessageStore,
    telephony: Telephony,
    engine: Engine,
    clock: Clock,
) -> Outcome:
    """Finishes a call attempt, whatever ended it; returns how it went. Safe to repeat.

    A call that has not been heard to end is stopped and looked up; if even then it cannot be seen to
    have ended, the reason is `unconfirmed`. Raises the leaves of RetryableError; nothing is given
    back then.
    """
    call = calls.get(mid, attempt)
    if call is not None and not call.ended:
        cause = _make_sure(call, telephony, clock)
        call = end_call(mid, attempt, cause, calls=calls, engine=engine, clock=clock)
    outcome = outcome_of(call, end)
    messages.finish(mid, attempt, outcome, clock.now_msec())
    return outcome


def _make_sure(call: Call, telephony: Telephony, clock: Clock) -> Cause:
    """Stops the contact and says how it ended."""
    if call.contact_id is None:
        # The provider may have taken the dial though its answer was lost. Such a phone rings for its
        # time at most, and who answers it is hung up; till then its line is not free.
        if clock.now_msec() < call.dialled_msec + MAY_RING_SECONDS * 1000:
            raise TelephonyUnavailable("whether the call was placed is not known, and its phone may still ring")
        return Cause.FAILED
    telephony.stop(call.contact_id)
    contact = look_until_ended(call.contact_id, telephony, clock)
    return (contact.cause or Cause.STOPPED) if contact.ended else Cause.UNCONFIRMED
