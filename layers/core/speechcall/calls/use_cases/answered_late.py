"""What has become of a dial without a report in time.

the callee            call item             state machine          provider
│                     │                  Dial's time is up         │
│                     │                     │──── the contact? ───►│   over: its cause; answered: Menu 0
│                     │◄── gave_up ─────────│
│── answers ─────────X│                     │── stop ─────────────►│   no line is given back before it is dead
or
│── answers ─────────►│                     │
│                     │X◄─ gave_up ─────────│                          Menu 0
"""

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.use_cases.end_call import end_as_recorded
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.menus.rules.call_log import ANSWERED
from speechcall.shared.use_cases.clock import Clock


def conclude_dial(
    mid: str, attempt: int, *, calls: CallStore, telephony: Telephony, engine: Engine, clock: Clock
) -> tuple[str, Call | None]:
    """Concludes a dial whose time is up; what it has come to, `answered` or `ended`, and the call as it is now.

    If nothing of that is noted and its contact is known, the contact's record is read, and what it says is written.
    Then the ringing is given up, unless somebody has answered or the call has ended: who answers from now on is hung
    up. The ringing itself is stopped by `finish_call`. Raises what telephony, engine and stores raise.
    """
    call = calls.get(mid, attempt)
    if call and call.contact_id and not (is_over(call) or call.answered_msec is not None):
        contact = telephony.look_up(call.contact_id)
        if contact.answered:
            # The flow's report is still on its way, or being made again.
            _note_answer(call, call.contact_id, calls, clock.now_msec())
        if contact.ended and not contact.missing:
            end_as_recorded(call, contact, Cause.NO_ANSWER, calls=calls, engine=engine, clock=clock)
    calls.give_up(mid, attempt, clock.now_msec())
    call = calls.get(mid, attempt)
    if call and call.goes_by_log and call.entry(1):
        return "answered", call  # also if it has ended since: what was heard in it counts
    if call is None or is_over(call) or call.answered_msec is None:
        return "ended", call
    if call.awaits_answer:  # the machine is told by this result: its token has timed out
        calls.set_done(mid, attempt, call.seq, None, call.known_reply)
    return "answered", call


def _note_answer(call: Call, contact_id: str, calls: CallStore, now_msec: int) -> None:
    entry = call.would_log(1, ANSWERED, "", now_msec)
    if entry:
        calls.append(call.mid, call.attempt, contact_id, entry)
    else:
        calls.set_answered(call.mid, call.attempt, contact_id, now_msec)
