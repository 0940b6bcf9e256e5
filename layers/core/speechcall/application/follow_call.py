"""The telephony's side of the conversation: what it heard, and what it is to do next.

      control_call                 call item                telephony
          │  seq 2, ask menu 0, token ──►│                        │
          │                              │◄── anything after 1? ──│
          │                              │─── ask menu 0, seq 2 ─►│  plays, listens
          │                              │◄── key 1, seq 2 ───────│
          │        SendTaskSuccess(token, key 1)                  │
          │                              │◄── seq 2 is done       │
          │  seq 3, hang up, token ─────►│─── hang up, seq 3 ────►│

The task is answered before the command is marked done: Step Functions decides which answer was
first, and tells the others so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from speechcall.application.ports import CallStore, Clock, Engine
from speechcall.domain.call import Call, Command, Kind, Step

MAILBOX_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Heard:
    """What the telephony reports: `answered`, `next`, `key` (with key), `idle` or `prompt_error`."""

    event: str
    seq: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What the telephony is to do: a command with its seq, or to hold, or (no call) to hang up."""

    op: str
    seq: int
    command: Command | None = None
    call: Call | None = None


HANG_UP = Next("hangup", 0)


def follow_call(
    mid: str, attempt: int, contact_id: str, heard: Heard, *, calls: CallStore, engine: Engine, clock: Clock
) -> Next:
    """Takes in what was heard and returns what to do next, waiting up to 2.5 s for it.

    Safe to repeat: a report for a command that was answered changes nothing. A contact whose call is
    unknown, has ended, or belongs to another contact is told to hang up, whatever it reports.
    """
    after = max(1, heard.seq)
    call = (
        calls.set_answered(mid, attempt, contact_id, clock.now_msec())
        if heard.event == "answered"
        else calls.get(mid, attempt)
    )
    tried = None
    for pause in _pauses(clock):
        if pause:
            clock.sleep(pause)
            call = calls.get(mid, attempt)
        if call is None or call.ended or call.contact_id != contact_id:
            return HANG_UP
        if call.seq > after:
            op = "hangup" if call.command.kind is Kind.HANG_UP else "ask"
            return Next(op, call.seq, call.command, call)
        # A token that was in vain is followed by another, if its task's try had failed.
        if _answers(heard, call) and call.ticket.token != tried:
            tried = call.ticket.token
            _answer(heard, call, calls, engine, clock)
    return Next("hold", after)


def _answers(heard: Heard, call: Call) -> bool:
    """Whether a report is what the call's command waits for."""
    if heard.event == "answered":
        return call.command.kind is Kind.DIAL and call.awaits_answer
    is_question = call.command.kind is Kind.ASK and heard.seq == call.seq
    return is_question and heard.event != "next" and call.awaits_answer


def _answer(heard: Heard, call: Call, calls: CallStore, engine: Engine, clock: Clock) -> None:
    if heard.event == "prompt_error":
        calls.set_stop_reason(call.mid, call.attempt, "promptUnavailable")
    word = f"d{heard.key}" if heard.event == "key" else ""
    if engine.succeed(call.ticket.token, {"event": heard.event, "key": word, "seq": call.seq}):
        is_question = call.command.kind is Kind.ASK
        step = Step(call.command.menu or 0, word or heard.event, clock.now_msec()) if is_question else None
        calls.set_done(call.mid, call.attempt, call.seq, step)


def _pauses(clock: Clock) -> Iterator[float]:
    """When the mailbox is looked into: at once, every 50 ms for a second, then every 150 ms.

    By the clock, not by the pauses: a slow store must not make the contact flow wait in vain.
    """
    begin = clock.now_msec()
    yield 0.0
    while (waited := clock.now_msec() - begin) < MAILBOX_SECONDS * 1000:
        yield 0.05 if waited < 1000 else 0.15
