"""After a call: certainly dead, what it owes queued, line given back, message finished or dialled again later."""

import logging
from collections.abc import Callable
from contextlib import suppress

from speechcall.application.end_call import end_call
from speechcall.application.look_up import look_until_ended
from speechcall.application.message_ports import MessageStore, Redialled
from speechcall.application.ports import CallStore, Clock, Engine, Telephony
from speechcall.domain.account import Account
from speechcall.domain.call import Call, Cause, Command, Kind, Ticket
from speechcall.domain.dialling import throttled_again_seconds
from speechcall.domain.end_of_call import may_have_heard, outcome_of
from speechcall.domain.errors import TelephonyUnavailable
from speechcall.domain.message import Message, State
from speechcall.domain.outcome import EXPIRED, NOT_PLACED, End, Outcome
from speechcall.domain.owed import owed_webhooks
from speechcall.domain.time_bounds import GIVE_UP_SECONDS, MAY_RING_SECONDS
from speechcall.domain.webhook import WebhookTask

logger = logging.getLogger(__name__)


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
    find_account: Callable[[str], Account | None],
) -> Outcome:
    """Finishes a call attempt, whatever ended it; returns how it went. Safe to repeat.

    A call that has not been heard to end is stopped and looked up; if even then it cannot be seen to
    have ended, the reason is `unconfirmed`. `owe` queues a webhook of a key to which the state machine did
    not come, under the id that the machine would have given it. Raises what keeps it from that, and nothing is given
    back then; but 70 minutes after its line was taken the message is finished, whatever is raised.
    """
    message = messages.get(mid)
    is_calling = message is not None and message.state is State.CALLING and message.attempt == attempt
    call: Call | None = None
    outcome: Outcome | None = None
    try:
        call = calls.get(mid, attempt)
        if call is None and message is not None and is_calling:
            call = _forestall(message, calls, clock.now_msec())
        if call is not None and not call.ended:
            cause = _make_sure(call, end, calls, telephony, clock)
            call = end_call(mid, attempt, cause, calls=calls, engine=engine, clock=clock)
        outcome = outcome_of(call, end)
        if message is not None and is_calling:
            for task in owed_webhooks(call, message.menus, end) if call else ():
                owe(task)
            is_throttled = outcome.outcome == "failed" and call is not None and call.cause is Cause.THROTTLED
            _leave(message, outcome, is_throttled, messages, clock.now_msec(), find_account)
    except Exception:
        now = clock.now_msec()
        if message is None or not is_calling or now < give_up_msec(message):
            raise
        # Nothing of it is up any more, and no machine runs: whatever is wrong must not keep its line, and its outcome.
        logger.exception("call %s-%s is given up: it cannot be finished as it should", mid, attempt)
        outcome = outcome or _outcome_of_what_is_given_up(mid, attempt, call, calls, now)
        messages.finish(message, outcome, now)
    return outcome


def give_up_msec(message: Message) -> int:
    """From when on a message that is being called is finished whatever goes wrong."""
    return (message.claimed_msec or message.dial_until_msec) + GIVE_UP_SECONDS * 1000


def _outcome_of_what_is_given_up(mid: str, attempt: int, call: Call | None, calls: CallStore, now_msec: int) -> Outcome:
    """Whether somebody may have heard it. The call ends too, if it can, so that no callee is kept."""
    with suppress(Exception):
        call = calls.end(mid, attempt, Cause.UNCONFIRMED, now_msec) or call
    was_heard = call is not None and call.answered_msec is not None and may_have_heard(call)
    return Outcome("answered" if was_heard else "failed", Cause.UNCONFIRMED.value)


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


def _leave(
    message: Message,
    outcome: Outcome,
    is_throttled: bool,
    messages: MessageStore,
    now_msec: int,
    find_account: Callable[[str], Account | None],
) -> None:
    """The message leaves the state of calling: for another call inside its time, or for good."""
    if is_throttled:
        # A call that was not placed is neither one of the account's nor a redial.
        put_offs = message.attempt - 1 - message.redials
        again = now_msec + throttled_again_seconds(put_offs) * 1000
        if again < message.dial_until_msec:
            messages.requeue(message, message.redials, again)
        else:
            messages.finish(message, EXPIRED, now_msec)
    elif not _redial(message, outcome, messages, now_msec, find_account):
        messages.finish(message, outcome, now_msec)


def _redial(
    message: Message,
    outcome: Outcome,
    messages: MessageStore,
    now_msec: int,
    find_account: Callable[[str], Account | None],
) -> bool:
    """Whether it is dialled again: inside its time, and as one of its account's calls of that day."""
    again = message.redial.next_msec(message.redials, outcome.outcome, now_msec) if message.redial else None
    if again is None or again >= message.dial_until_msec:
        return False
    account = find_account(message.account_id)
    redialled = messages.redial(message, again, account.calls_per_day if account else 0)
    return redialled is not Redialled.DAY_FULL


def _make_sure(call: Call, end: End, calls: CallStore, telephony: Telephony, clock: Clock) -> Cause:
    """Stops the contact and says how it ended."""
    may_ring = clock.now_msec() < call.asked_msec + MAY_RING_SECONDS * 1000
    if call.contact_id is None:
        # The provider may have taken the dial though its answer was lost. Such a phone rings for its
        # time at most, and who answers it is hung up; till then its line is not free.
        if may_ring and not call.is_certainly_not_placed:
            raise TelephonyUnavailable("whether the call was placed is not known, and its phone may still ring")
        if call.refused:
            calls.set_stop_reason(call.mid, call.attempt, call.refused.reason)
            return call.refused.cause
        return Cause.THROTTLED if end is End.THROTTLED else Cause.FAILED
    telephony.stop(call.contact_id)
    contact = look_until_ended(call.contact_id, telephony, clock, is_new=may_ring)
    if may_ring and contact.missing:
        raise TelephonyUnavailable("the provider does not know the call, which may be too new to be known")
    if may_ring and call.answered_msec is None and not contact.ended:
        # Not every provider can stop a phone that rings: it rings for its time at most.
        raise TelephonyUnavailable("the call could not be stopped, and its phone may still ring")
    if not contact.ended:
        # A provider that did not know it yet has stopped nothing.
        telephony.stop(call.contact_id)
        contact = look_until_ended(call.contact_id, telephony, clock)
    return (contact.cause or Cause.STOPPED) if contact.ended else Cause.UNCONFIRMED
