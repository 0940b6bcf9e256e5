"""POST /bat/message/{messageId}/cancel: a message is not dialled any more, and its call is ended if that is asked for.

waits      ──► finished, `cancelled`
in a call  ──► not dialled again; its call goes on (`tooLate`) or is ended (`hangingUp`, later `hungUp`)
finished   ──► as before: `cancelled` or `hungUp` if that was it, else `tooLate`
"""

import logging
from enum import StrEnum
from typing import assert_never

from speechcall.calls.use_cases.hang_up import hang_up
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

TRIES = 10
"""How often a message is read at most. It may leave its state each time, but not for ever: its calls are few."""


class Cancelled(StrEnum):
    """What has become of a message that was to be cancelled."""

    CANCELLED = "cancelled"
    """It waited, and does not any more."""
    HANGING_UP = "hangingUp"
    """Its call is to be ended, and is not over yet."""
    HUNG_UP = "hungUp"
    """Its call was ended, and is over."""
    TOO_LATE = "tooLate"
    """It is in a call, or just after one, and not dialled again; or it was finished before."""


def cancel_message(
    message: Message | None,
    hangs_up: bool,
    *,
    messages: MessageStore,
    calls: CallStore,
    telephony: Telephony,
    engine: Engine,
    clock: Clock,
) -> Cancelled | None:
    """Cancels a message; with `hangs_up` its call is ended. Out: what has become of it; None: there is none.

    Safe to repeat, and a repeat is answered the same. That a call is to be ended is written down first, with a job of
    it: what fails at the telephony is logged, and done by the next tick. Raises StoreUnavailable.
    """
    for _ in range(TRIES):
        if message is None:
            return None
        done = _cancel_as_read(message, hangs_up, messages, clock)
        if done is Cancelled.HANGING_UP and _hang_up_now(message, calls, telephony, engine, clock):
            return Cancelled.HUNG_UP
        if done:
            return done
        message = messages.get(message.mid)
    raise StoreUnavailable("the message left its state each time that it was read")


def cancel_waiting(mid: str, hangs_up: bool, *, messages: MessageStore, clock: Clock) -> Cancelled | None:
    """Cancels a message, in a call too, where there is no telephony: the job of it ends a call that is to be ended.

    Returns what has become of the message; None: there is none. Safe to repeat. Raises StoreUnavailable.
    """
    for _ in range(TRIES):
        message = messages.get(mid)
        if message is None:
            return None
        if done := _cancel_as_read(message, hangs_up, messages, clock):
            return done
    raise StoreUnavailable("the message left its state each time that it was read")


def _cancel_as_read(message: Message, hangs_up: bool, messages: MessageStore, clock: Clock) -> Cancelled | None:
    """Cancels a message that is still as it was read; out: what has become of it. None: it has changed meanwhile, or
    was ended here because its time is up; the caller reads it again.

    HANGING_UP: its call is to be ended, since this or an earlier request asks for it. Nothing is done about it here.
    """
    now = clock.now_msec()
    match message.state:
        case State.PREPARING | State.QUEUED:
            if message.dial_until_msec <= now:
                refuse_message(message, EXPIRED, None, now, messages=messages)
                return None  # the next try finds it finished
            is_done = refuse_message(message, CANCELLED, None, now, messages=messages)
            return Cancelled.CANCELLED if is_done else None
        case State.CALLING:
            asks_more = message.cancelled_msec is None or (hangs_up and message.hangup_msec is None)
            if asks_more and not messages.stop_redials(message, now, hangs_up=hangs_up):
                return None
            return Cancelled.HANGING_UP if hangs_up or message.hangup_msec is not None else Cancelled.TOO_LATE
        case State.SETTLING:
            if not messages.stop_redials(message, now, hangs_up=False):  # its call is over
                return None
            return Cancelled.TOO_LATE if message.hangup_msec is None else Cancelled.HUNG_UP
        case State.FINISHED:
            if message.reason != CANCELLED.reason:
                return Cancelled.TOO_LATE
            if message.hangup_msec is not None:
                return Cancelled.HUNG_UP
            # With a call's outcome: that call was not ended by us, it only was the last.
            return Cancelled.CANCELLED if message.outcome == CANCELLED.outcome else Cancelled.TOO_LATE
        case _:
            assert_never(message.state)


def _hang_up_now(message: Message, calls: CallStore, telephony: Telephony, engine: Engine, clock: Clock) -> bool:
    """Ends a message's call, by `hang_up`; False: it is not over yet. What goes wrong is logged; its job goes on."""
    try:
        return hang_up(message, calls=calls, telephony=telephony, engine=engine, clock=clock)
    except Exception:
        fields = {"mid": message.mid, "attempt": message.attempt, "account": message.account_id}
        logger.exception("the call of message %s could not be ended yet", message.mid, extra=fields)
        return False
