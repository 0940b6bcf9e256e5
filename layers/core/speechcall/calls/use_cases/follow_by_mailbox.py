"""The telephony's side of a call that keeps no log: one that was dialled under the release before.

Such a call continues as it began: what was heard is told to the waiting task, and the next command is awaited.
To be removed in the release after this one, when no such call can be in progress.

      control_call                 call item                telephony
          │  seq 2, ask menu 0, token ──►│                        │
          │                              │◄── anything after 1? ──│
          │                              │─── ask menu 0, seq 2 ─►│  plays, listens
          │                              │◄── key 1, seq 2 ───────│
          │        SendTaskSuccess(token, key 1)                  │
          │                              │◄── seq 2 is done       │
          │  seq 3, hang up, token ─────►│─── hang up, seq 3 ────►│

A key whose token had expired (its task's try had failed) is kept in the call item: the next try
finds it there when it writes its token, or the telephony's next question finds that token.

A provider that numbers its events may bring a second one while the first is still being answered. What
each reports counts; but only the latest is told what to do next, the others to continue as they are.
"""

from collections.abc import Iterator

from speechcall.calls.rules.call import Call, Reply
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.use_cases.give_reply import give_reply
from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.calls.use_cases.report import DIGITS, HANG_UP, Heard, Next, Op, Report, op_of
from speechcall.menus.rules.call_log import KEY
from speechcall.shared.rules.errors import EngineUnavailable
from speechcall.shared.use_cases.clock import Clock

MAILBOX_SECONDS = 2.5
"""How long the next command is waited for before the telephony is told to hold and ask again."""


def follow_by_mailbox(
    call: Call | None,
    report: Report,
    *,
    calls: CallStore,
    engine: Engine,
    clock: Clock,
    patience_seconds: float = MAILBOX_SECONDS,
) -> Next:
    """Takes in what was heard and returns what to do next, waiting up to `patience_seconds` for it. `call`: just read;
    None: there is none, and the contact is to hang up.

    Safe to repeat: a report for a command that was answered changes nothing. Step Functions in trouble is tried
    again, at the latest with the next report.
    """
    heard, contact_id, turn = report.heard, report.contact_id, report.turn
    after = max(1, heard.seq)
    # A key is kept before anything else is done with it: the end of its call may overtake what follows.
    key = heard.reply(call) if call and heard.event in {KEY, DIGITS} else None
    if call and turn:
        call = calls.take_turn(call.mid, call.attempt, contact_id, turn, key)
    if call and heard.event == "answered":
        call = calls.set_answered(call.mid, call.attempt, contact_id, clock.now_msec())
    tried: str | None = None
    for pause in _pauses(clock, patience_seconds):
        if pause and call:
            clock.sleep(pause)
            call = calls.get(call.mid, call.attempt)
        if call is None or is_over(call) or call.contact_id != contact_id:
            return HANG_UP
        is_overtaken = call.turn > turn > 0
        if call.seq > after and not is_overtaken:
            return Next(op_of(call.command), call.seq, call.command, call)
        reply = (call.known_reply or _reply_in(heard, call)) if call.awaits_answer else None
        # A token that has expired is followed by another, if its task's try had failed.
        if reply and call.ticket.token != tried:
            if turn and reply == key and call.kept_reply != reply:
                calls.keep_reply(call.mid, call.attempt, reply)
            tried = _tell(reply, call, calls, engine, clock)
        if is_overtaken:
            return Next(Op.GO_ON, after)
    return Next(Op.HOLD, after)


def _reply_in(heard: Heard, call: Call) -> Reply | None:
    """The reply in a report, if it is one to the question that waits."""
    reply = heard.reply(call)
    return reply if reply and call.command.asks and reply.seq == call.seq else None


def _tell(reply: Reply, call: Call, calls: CallStore, engine: Engine, clock: Clock) -> str | None:
    """Gives the reply to the waiting task, or keeps it for the next try. Returns the token that is not to be tried
    again; None: there is none, since Step Functions did not answer.
    """
    try:
        if give_reply(reply, call, calls=calls, engine=engine, clock=clock):
            return call.ticket.token
        token: str | None = call.ticket.token
    except EngineUnavailable:
        token = None
    if call.kept_reply != reply and call.command.asks:
        calls.keep_reply(call.mid, call.attempt, reply)
    return token


def _pauses(clock: Clock, patience_seconds: float) -> Iterator[float]:
    """The pauses before the looks into the mailbox: none, then 50 ms for a second, then 150 ms.

    By the clock, not by the pauses: a slow store must not make the contact flow wait too long.
    """
    begin = clock.now_msec()
    yield 0.0
    while (waited := clock.now_msec() - begin) < patience_seconds * 1000:
        yield 0.05 if waited < 1000 else 0.15
