"""What becomes of a message when its call is over: another one inside its time, or its end."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import cannot_have_rung, key_was_pressed, talked_msec
from speechcall.calls.rules.heard import heard_in
from speechcall.campaigns.rules.funnel import Heard
from speechcall.messages.rules.attempts import best_outcome, has_key
from speechcall.messages.rules.dial_times import throttled_again_seconds
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.opening import redial_at_msec
from speechcall.messages.use_cases.message_ports import MessageStore, Redialled
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, Outcome

if TYPE_CHECKING:
    from speechcall.money.rules.rate import Rate

RateAt = Callable[[str, int], "Rate | None"]
"""The rate of a number (E.164) at a moment; None: it has none."""


def no_rate(_number: str, _at_msec: int) -> None:
    """The `RateAt` of a caller without rates: no number has one."""


def leave_call(
    message: Message,
    call: Call | None,
    outcome: Outcome,
    messages: MessageStore,
    now_msec: int,
    find_account: Callable[[str], Account | None],
    rate_at: RateAt = no_rate,
) -> bool:
    """The message leaves its state: for another call inside its time, or for good. False: it had left it before.

    `outcome`: of this call, which is not that of the message if an earlier one was answered. `call` None: it was never
    written. `rate_at`: asked only for accounts that have a limit of what they spend in a day.
    """
    heard = heard_in(call) if call and message.campaign else None
    if message.limits:
        message = replace(message, was_not_placed=cannot_have_rung(call), talked_msec=talked_msec(call))
    if "spend" in message.limits and call is not None and call.ended:
        from speechcall.calls.rules.cost import cost_of_call  # noqa: PLC0415, few accounts have this limit

        message = replace(message, spent=cost_of_call(call, rate_at(call.number, call.dialled_msec)))
    if message.fallback is not None:
        message = replace(message, key_pressed=call is not None and key_was_pressed(call))
    if outcome.outcome == "failed" and call is not None and call.cause is Cause.THROTTLED:
        # A call that was not placed counts neither among the account's calls of the day nor as a redial. So of the
        # attempts before this one those that were no redials were put off like it.
        put_offs = message.attempt - 1 - message.redials
        again = redial_at_msec(message, now_msec + throttled_again_seconds(put_offs) * 1000, now_msec)
        if again is not None:
            queued = messages.requeue(message, message.redials, again, now_msec, heard)
            cancelled = best_outcome(message, CANCELLED)
            return _finish_unless_queued(queued, message, cancelled, cancelled, heard, messages, now_msec)
        return messages.finish(message, best_outcome(message, EXPIRED), now_msec, heard)
    redialled = _redial(message, call, outcome, heard, messages, now_msec, find_account)
    key_pressed = call is not None and key_was_pressed(call)
    best = best_outcome(message, outcome, key_pressed=key_pressed)
    cancelled = best_outcome(message, replace(outcome, reason=CANCELLED.reason), key_pressed=key_pressed)
    return _finish_unless_queued(redialled, message, best, cancelled, heard, messages, now_msec)


def _finish_unless_queued(
    queued: Redialled | None,
    message: Message,
    outcome: Outcome,
    cancelled: Outcome,
    heard: Heard | None,
    messages: MessageStore,
    now_msec: int,
) -> bool:
    """Finishes a message that was not queued again: with `outcome`, or with `cancelled` if it was cancelled meanwhile.

    `queued`: what came of queueing it again; None: that was not tried. Out: whether the message has left its state,
    for the queue or for good; False: it had left it before.
    """
    match queued:
        case Redialled.QUEUED:
            return True
        case Redialled.DONE_BEFORE:
            return False
        case Redialled.DAY_FULL | None:
            return messages.finish(message, outcome, now_msec, heard)
        case Redialled.CANCELLED:
            # It stops an SMS in place of the call too, although the outcome may be that of an earlier call.
            stopped = replace(message, cancelled_msec=message.cancelled_msec or now_msec)
            return messages.finish(stopped, cancelled, now_msec, heard)
        case _:
            assert_never(queued)


def _redial(
    message: Message,
    call: Call | None,
    outcome: Outcome,
    heard: Heard | None,
    messages: MessageStore,
    now_msec: int,
    find_account: Callable[[str], Account | None],
) -> Redialled | None:
    """Queues the message for another call, inside its time and its hours, as one of its account's calls of that day;
    what became of that. None: it asks for none after this outcome, has had them all, or has no time for it.
    """
    # The time until a redial counts from now; of a message that has settled from the end of the call, however long it
    # was asked why that ended.
    ended_msec = call.ended_msec if call and message.state is State.SETTLING else None
    if message.redial is None:
        return None
    without_key = not (call and key_was_pressed(call)) and has_key(message.menus)
    again = message.redial.next_msec(message.redials, outcome.outcome, ended_msec or now_msec, without_key=without_key)
    if again is None:
        return None
    # After its time, or above a limit, it would not be dialled but expire, and its outcome would be lost.
    again = redial_at_msec(message, again, now_msec, messages.caps_of(message, now_msec))
    if again is None:
        return None
    if outcome.outcome == "answered":
        message = replace(message, answered_reason=outcome.reason)
    account = find_account(message.account_id)  # one that is gone has no more calls a day: 0
    return messages.redial(message, again, account.calls_per_day if account else 0, now_msec, heard)
