"""A call that was never written is made sure never to be placed."""

from speechcall.calls.rules.call import Call, Cause, Command, Kind, Ticket
from speechcall.calls.use_cases.ports import CallStore
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.outcome import NOT_PLACED


def forestall(message: Message, calls: CallStore, now_msec: int) -> Call:
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
