"""Asking a provider's record why a call has ended, when the end itself is certain."""

import logging

from speechcall.calls.rules.call import Call
from speechcall.calls.rules.end_of_call import better_guess, hangs_on_cause
from speechcall.calls.use_cases.look_up import LOOK_AGAIN_SECONDS
from speechcall.calls.use_cases.ports import CallStore, Telephony
from speechcall.shared.rules.outcome import End
from speechcall.shared.rules.time_bounds import SETTLING_SECONDS, SWEEP_SECONDS
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)


def ask_why(call: Call, calls: CallStore, telephony: Telephony) -> Call:
    """Asks the provider's record once why a call has ended, and writes what it says; the call as it is then.

    `call`: one whose cause is a guess. Any error of the provider means that it has not said why: the call stays as it
    is, and is asked about again.
    """
    if call.contact_id is None:
        return call
    try:
        contact = telephony.look_up(call.contact_id)
    except Exception as error:  # noqa: BLE001 - it may be better the next time, and there is a last one
        said, fields = type(error).__name__, {"mid": call.mid, "attempt": call.attempt}
        logger.warning("why call %s-%s ended could not be asked: %s", call.mid, call.attempt, said, extra=fields)
        return call
    # An answer that was never reported has no known moment: that of the end stands for it, so nothing is talked.
    answered_msec = call.ended_msec if contact.answered and call.answered_msec is None else None
    explained: Call | None
    if contact.ended and contact.cause and not contact.cause_is_guess:
        explained = calls.explain(call.mid, call.attempt, contact.cause, answered_msec)
    else:
        has_ended = contact.ended and not contact.missing
        guess = better_guess(call, answered=contact.answered, has_ended=has_ended)
        if guess is call.cause and answered_msec is None:
            return call
        explained = calls.explain(call.mid, call.attempt, guess, answered_msec, is_guess=True)
    return explained or calls.get(call.mid, call.attempt) or call


def ask_why_for_seconds(call: Call, end: End, calls: CallStore, telephony: Telephony, clock: Clock) -> Call:
    """Asks why a call has ended after 0.5, 1.5 and 3.5 s, until its outcome and reason do not depend on that any more;
    the call as it is then.
    """
    for pause in LOOK_AGAIN_SECONDS:
        clock.sleep(pause)
        call = ask_why(call, calls, telephony)
        if not hangs_on_cause(call, end):
            break
    return call


def is_last_time_to_ask(call: Call, now_msec: int) -> bool:
    """Whether it is not asked again why a call has ended: when the next sweep comes, its time to settle is over."""
    return is_final(call, now_msec + SWEEP_SECONDS * 1000)


def is_final(call: Call, now_msec: int) -> bool:
    """Whether the call's time to settle is over, and the guess of its cause is final.

    Also if the telephony was in trouble and could not be asked in time: to ask later would hold up all other messages
    that settle.
    """
    return now_msec > (call.ended_msec or 0) + SETTLING_SECONDS * 1000
