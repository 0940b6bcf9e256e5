"""After a call: certainly dead, what it owes queued, line given back, message finished or dialled again later."""

from collections.abc import Callable

from speechcall.application.end_call import end_call
from speechcall.application.look_up import look_until_ended
from speechcall.application.message_ports import MessageStore
from speechcall.application.ports import CallStore, Clock, Engine, Telephony
from speechcall.domain.call import Call, Cause, Command, Kind, Ticket
from speechcall.domain.dialling import THROTTLED_AGAIN_SECONDS
from speechcall.domain.end_of_call import outcome_of
from speechcall.domain.errors import TelephonyUnavailable
from speechcall.domain.message import Message, State
from speechcall.domain.outcome import EXPIRED, NOT_PLACED, End, Outcome
from speechcall.domain.owed import owed_webhooks
from speechcall.domain.webhook import WebhookTask

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
    owe: Callable[[WebhookTask], object],
) -> Outcome:
    """Finishes a call attempt, whatever ended it; returns how it went. Safe to repeat.

    A call that has not been heard to end is stopped and looked up; if even then it cannot be seen to
    have ended, the reason is `unconfirmed`. `owe` queues a webhook of a key to which the state machine
    did not come, under the id that the machine would have given it. Raises the leaves of RetryableError; nothing is
    given back then.
    """
    message = messages.get(mid)
    is_calling = message is not None and message.state is State.CALLING and message.attempt == attempt
    call = calls.get(mid, attempt)
    if call is None and message is not None and is_calling:
        call = _forestall(message, calls, clock.now_msec())
    if call is not None and not call.ended:
        cause = _make_sure(call, end, telephony, clock)
        call = end_call(mid, attempt, cause, calls=calls, engine=engine, clock=clock)
    outcome = outcome_of(call, end)
    if message is None or not is_calling:
        return outcome
    for task in owed_webhooks(call, message.menus, end) if call else ():
        owe(task)
    is_throttled = outcome.outcome == "failed" and call is not None and call.cause is Cause.THROTTLED
    _leave(message, outcome, is_throttled, messages, clock.now_msec())
    return outcome


def _forestall(message: Message, calls: CallStore, now_msec: int) -> Call:
    """Sees to it that a call which was never written is never placed; returns it, or the one that was quicker.

    control_call  open ──► written, places         finish_call   open ──X is there: a call like any other
    or
    finish_call   open ──► written, ended          control_call  open ──X is there, of another visit: places nothing
    """
    never = Call(
        mid=message.mid,
        attempt=message.attempt,
        number=message.number,
        asks=(),
        seq=1,
        done_seq=1,
        command=Command(Kind.DIAL),
        ticket=Ticket("", 0, ""),
        visits=0,
        dialled_msec=now_msec,
    )
    call = calls.open(never, message.expires_at)
    if call.ticket != never.ticket or call.ended:
        return call
    calls.set_stop_reason(message.mid, message.attempt, NOT_PLACED)
    return calls.end(message.mid, message.attempt, Cause.FAILED, now_msec) or call


def _leave(message: Message, outcome: Outcome, is_throttled: bool, messages: MessageStore, now_msec: int) -> None:
    """The message leaves the state of calling: for another try inside its time, or for good."""
    again: int | None = None
    redials = message.redials
    if is_throttled:
        again = now_msec + THROTTLED_AGAIN_SECONDS * 1000
    elif message.redial:
        again = message.redial.next_msec(message.redials, outcome.outcome, now_msec)
        redials += 1
    if again is not None and again < message.dial_until_msec:
        messages.requeue(message, redials, again)
    else:
        messages.finish(message, EXPIRED if is_throttled else outcome, now_msec)


def _make_sure(call: Call, end: End, telephony: Telephony, clock: Clock) -> Cause:
    """Stops the contact and says how it ended."""
    may_ring = clock.now_msec() < call.dialled_msec + MAY_RING_SECONDS * 1000
    if call.contact_id is None:
        if end is End.THROTTLED and call.ticket.retry == 0:  # the only try: nothing was placed
            return Cause.THROTTLED
        # The provider may have taken the dial though its answer was lost. Such a phone rings for its
        # time at most, and who answers it is hung up; till then its line is not free.
        if may_ring:
            raise TelephonyUnavailable("whether the call was placed is not known, and its phone may still ring")
        return Cause.THROTTLED if end is End.THROTTLED else Cause.FAILED
    telephony.stop(call.contact_id)
    contact = look_until_ended(call.contact_id, telephony, clock)
    if contact.ended:
        return contact.cause or Cause.STOPPED
    if call.answered_msec is None and may_ring:
        # Not every provider can stop a phone that rings: it rings for its time at most.
        raise TelephonyUnavailable("the call could not be stopped, and its phone may still ring")
    return Cause.UNCONFIRMED
