"""A call in progress is ended because its message was cancelled.

      cancel                    call item               telephony              control_call
        │── stop reason, gave_up ──►│                       │   who answers from now on is hung up
        │── stop ───────────────────┼──────────────────────►│
        │                           │◄── ended ─────────────│   its machine is told, and comes to its end by itself
        or, it is about to be dialled
        │── gave_up ───────────────►│                       │
        │                           │X◄── placing ──────────┼─────────────────────│   it is not dialled any more
        or, it is being dialled
        │                           │◄── placing ───────────┼─────────────────────│
        │── gave_up ───────────────►│                       │◄── place ───────────│
        │                           │◄── its contact ───────┼─────────────────────│   finds gave_up: stops it
        or, nothing of it is written yet
        │── written, ended ────────►│                       │
        │                           │X◄── open ─────────────┼─────────────────────│   dials nothing

Not every provider can stop a phone that rings. Such a phone rings for its time at most, and who answers is hung up.
"""

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.forestall import forestall
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.outcome import CANCELLED
from speechcall.shared.use_cases.clock import Clock


def hang_up(message: Message, *, calls: CallStore, telephony: Telephony, engine: Engine, clock: Clock) -> bool:
    """Ends the call of `message.attempt`; True: it is over, or never begins. Safe to repeat.

    False: it is not over yet. The telephony was asked to end it, if its contact is known, and will report the end like
    any other; if it is not known, who notes it stops the call. Raises what telephony, engine and stores raise.
    """
    mid, attempt = message.mid, message.attempt
    call = calls.get(mid, attempt) or forestall(message, calls, clock.now_msec())
    if call.ended:
        return True
    calls.set_stop_reason(mid, attempt, CANCELLED.reason)
    calls.give_up(mid, attempt, clock.now_msec())  # refused where somebody has answered
    call = calls.get(mid, attempt) or call
    if call.ended:
        return True
    if _is_never_placed(call):
        end_call(mid, attempt, Cause.FAILED, calls=calls, engine=engine, clock=clock)
        return True
    if call.contact_id is not None:
        telephony.stop(call.contact_id)
    return False


def _is_never_placed(call: Call) -> bool:
    """Whether no request to dial was made that may have dialled; and none is made of what was given up."""
    return call.gave_up_msec is not None and (call.is_certainly_not_placed or not call.may_have_been_placed)
