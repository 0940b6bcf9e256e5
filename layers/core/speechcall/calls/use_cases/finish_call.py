"""After a call: certainly dead, what it owes queued, line given back, message finished or dialled again later.

Dead and why are two facts. A provider's record may not say for minutes why a call has ended; if the message's
outcome depends on it, the line is given back all the same, and the message settles: it is asked again, here for some
seconds and then each minute by the sweeper, and after five minutes the guess is final.

      finish_call                      message                     sweeper
          │── the record: why? nothing yet ──►│                       │
          │── calling → settling, the line is free ──►│               │
          │── why? after 0.5, 1, 2 s ──► settling → finished          │
          or                                  │◄── why? each minute ──│  settling → finished, or queued again
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import hangs_on_cause, may_have_heard, outcome_of
from speechcall.calls.rules.heard import heard_in
from speechcall.calls.rules.owed import entries_of_lookups, owed_opt_outs, owed_webhooks
from speechcall.calls.use_cases.ask_why import ask_why, ask_why_for_seconds, is_final, is_last_time_to_ask
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.forestall import forestall
from speechcall.calls.use_cases.leave_call import RateAt, leave_call, no_rate
from speechcall.calls.use_cases.look_up import look_until_ended
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.menus.rules.menu import OptOutStep
from speechcall.messages.rules.attempts import best_outcome
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.shared.rules.errors import TelephonyUnavailable
from speechcall.shared.rules.outcome import CANCELLED, NOT_PLACED, End, Outcome
from speechcall.shared.rules.time_bounds import GIVE_UP_SECONDS, MAY_RING_SECONDS
from speechcall.shared.rules.unforeseen import told
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.webhook import WebhookTask

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
    opt_out: Callable[[Message, OptOutStep], object],
    forget: Callable[[Message, WebhookTask], object],
    find_account: Callable[[str], Account | None],
    tell_end: Callable[[Outcome], object] = lambda _outcome: None,
    rate_at: RateAt = no_rate,
) -> Outcome | None:
    """Finishes a call attempt, whatever ended it; returns its outcome, None while it settles. Safe to repeat: where the
    message has left this call before, or is gone, nothing of it changes.

    `end`: the word with which its state machine, or who heard that it died, finishes it. A call that has not been heard
    to end is stopped and looked up; if even then it cannot be seen to have ended, the reason is `unconfirmed`.

    `owe` queues a webhook of a key to which the state machine did not come, under the id that the machine would have
    given it; `opt_out` keeps an opt-out of such a key. `forget` erases the sensitive digits of a list with a
    lookup, if no webhook has yet to tell them. `find_account`: None for one that is gone. `tell_end` is given
    the outcome, and only by the run that takes the message out of this call, of however many run. `rate_at`: as in
    `leave_call`.

    An error before the message has left the call is raised and the line is not given back, so that a repeat finishes
    the call; but 70 minutes after the line was taken the message is finished, whatever error there is. After that
    opt-outs are kept and webhooks are queued as far as that works, once, each whatever becomes of the others.
    """
    message = messages.get(mid)
    is_this_call = message is not None and message.attempt == attempt

    def leave(message: Message, call: Call | None, outcome: Outcome) -> bool:
        return leave_call(message, call, outcome, messages, clock.now_msec(), find_account, rate_at)

    is_open = is_this_call and message is not None and message.state in (State.CALLING, State.SETTLING)
    call: Call | None = None
    outcome: Outcome | None = None
    try:
        call = calls.get(mid, attempt)
        if message is not None and is_open and message.state is State.SETTLING:
            return _settle(message, call, calls, telephony, clock, leave, tell_end)
        if call is None and message is not None and is_open:
            call = forestall(message, calls, clock.now_msec())
        if call is not None and not call.ended:
            cause, is_guess = _ensure_ended(call, end, calls, telephony, clock)
            call = end_call(mid, attempt, cause, calls=calls, engine=engine, clock=clock, is_guess=is_guess)
        if call is not None and is_open and call.cause_is_guess:
            call = ask_why(call, calls, telephony)
        outcome = _outcome_of(message, call, end)
        if message is not None and is_open:
            _pay_debts(message, call, end, owe, opt_out, forget)
            if call is not None and hangs_on_cause(call, end):
                # Its line is free from here on, and nothing of the rest is done twice: the message is not calling.
                messages.settle(message, end, outcome, clock.now_msec())
                settling = replace(message, state=State.SETTLING, settling_end=end)
                call = ask_why_for_seconds(call, end, calls, telephony, clock)
                return _settle(settling, call, calls, telephony, clock, leave, tell_end, is_asked=True)
            if leave(message, call, outcome):
                tell_end(outcome)
    except Exception:
        now = clock.now_msec()
        if message is None or not is_open or now < give_up_msec(message):
            raise
        # Nothing of it is up any more, and no machine runs: whatever is wrong must not keep its line, and its outcome.
        fields: dict[str, object] = {"mid": mid, "attempt": attempt, "account": message.account_id}
        logger.exception("call %s-%s is given up: it cannot be finished as it should", mid, attempt, extra=fields)
        outcome = outcome or _outcome_of_what_is_given_up(mid, attempt, call, calls, now)
        heard = heard_in(call) if call and message.campaign else None
        if messages.finish(message, best_outcome(message, outcome), now, heard):
            tell_end(outcome)
        # Last, because it may take long where it cannot be done; and behind the end of the call, as in every other run.
        with suppress(Exception):
            _pay_debts(message, call, end, *(_if_possible(do, fields) for do in (owe, opt_out, forget)))
    return outcome


def _settle(
    message: Message,
    call: Call | None,
    calls: CallStore,
    telephony: Telephony,
    clock: Clock,
    leave: Callable[[Message, Call | None, Outcome], bool],
    tell_end: Callable[[Outcome], object],
    *,
    is_asked: bool = False,
) -> Outcome | None:
    """Finishes a message that settles, if it is known why its call has ended, or too late to ask; the outcome of the
    call. None: it settles still. `is_asked`: the provider's record was asked just now. `leave`: `leave_call`.
    """
    end = message.settling_end or End.FAILED
    now = clock.now_msec()
    if call is not None and not is_asked and hangs_on_cause(call, end) and not is_final(call, now):
        call = ask_why(call, calls, telephony)
    if call is not None and hangs_on_cause(call, end) and not is_last_time_to_ask(call, clock.now_msec()):
        return None
    if call is not None and call.cause_is_guess:
        # From now on the cause is final, whatever comes later.
        final = calls.explain(call.mid, call.attempt, call.cause or Cause.FAILED, None)
        call = final or calls.get(call.mid, call.attempt)
    outcome = outcome_of(call, end)
    if leave(message, call, outcome):
        tell_end(outcome)
    return outcome


def _if_possible(do: Callable[..., object], fields: dict[str, object]) -> Callable[..., None]:
    """Does it; what goes wrong is logged with `fields`, and does not keep others from being done."""

    def tried(*given: object) -> None:
        try:
            do(*given)
        except Exception as error:  # noqa: BLE001 - a call that is given up ends whatever goes wrong
            logger.error("of a call that is given up something could not be done: %s", told(error), extra=fields)

    return tried


def _pay_debts(
    message: Message,
    call: Call | None,
    end: End,
    owe: Callable[[WebhookTask], object],
    opt_out: Callable[[Message, OptOutStep], object],
    forget: Callable[[Message, WebhookTask], object],
) -> None:
    """Does what the keys of a call ask for and its state machine did not come to; the opt-outs first. Then sensitive
    digits are erased that only a lookup was waiting for. To do it twice changes nothing. `call` None: there is
    none, or it could not be read; nothing is done.
    """
    if call is None:
        return
    for step in owed_opt_outs(call, message.menus, end):
        opt_out(message, step)
    for task in owed_webhooks(call, message.menus, end):
        owe(task)
    for task in entries_of_lookups(call, message.menus):
        forget(message, task)


def _outcome_of(message: Message | None, call: Call | None, end: End) -> Outcome:
    """`outcome_of`; but a call that was made sure never to be placed is `cancelled` where its message was cancelled
    with its call.
    """
    outcome = outcome_of(call, end)
    is_cancelled = message is not None and message.hangup_msec is not None and outcome.reason == NOT_PLACED
    return CANCELLED if is_cancelled else outcome


def give_up_msec(message: Message) -> int:
    """From when on a message that is being called is finished whatever goes wrong."""
    return (message.claimed_msec or message.dial_until_msec) + GIVE_UP_SECONDS * 1000


def _outcome_of_what_is_given_up(mid: str, attempt: int, call: Call | None, calls: CallStore, now_msec: int) -> Outcome:
    """The outcome of a call that is given up: `answered` if somebody may have heard a menu, else `failed`.

    The call itself is marked ended too, if that can be written, so that a callee in it is hung up.
    """
    with suppress(Exception):
        call = calls.end(mid, attempt, Cause.UNCONFIRMED, now_msec) or call
    was_heard = call is not None and call.answered_msec is not None and may_have_heard(call)
    return Outcome("answered" if was_heard else "failed", Cause.UNCONFIRMED.value)


def _ensure_ended(call: Call, end: End, calls: CallStore, telephony: Telephony, clock: Clock) -> tuple[Cause, bool]:
    """Makes sure that a call whose end nobody has reported is over; why it ended, and whether that is a guess.

    Its contact is stopped and looked up. Raises TelephonyUnavailable while its phone may still ring, and what
    `telephony` and `calls` raise.
    """
    may_ring = clock.now_msec() < call.asked_msec + MAY_RING_SECONDS * 1000
    if call.contact_id is None:
        # The provider may have taken the dial though its answer was lost. Such a phone rings for its
        # time at most, and who answers it is hung up; till then its line is not free.
        if may_ring and not call.is_certainly_not_placed:
            raise TelephonyUnavailable("whether the call was placed is not known, and its phone may still ring")
        if call.refused:
            calls.set_stop_reason(call.mid, call.attempt, call.refused.reason)
            return call.refused.cause, False
        return (Cause.THROTTLED if end is End.THROTTLED else Cause.FAILED), False
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
    if not contact.ended:
        # A guess only where a provider keeps records: one may yet show the end.
        return Cause.UNCONFIRMED, telephony.has_records
    return contact.cause or Cause.STOPPED, contact.cause_is_guess
