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
    unknown, has ended, or belongs to another contact is told to hang up.
    """
    call = _take_in(mid, attempt, contact_id, heard, calls, engine, clock)
    after = 1 if heard.event == "answered" else heard.seq
    for pause in (0.0, *_pauses()):
        if pause:
            clock.sleep(pause)
            call = calls.get(mid, attempt)
        if call is None or call.ended or call.contact_id != contact_id:
            return HANG_UP
        if call.seq > after:
            op = "hangup" if call.command.kind is Kind.HANG_UP else "ask"
            return Next(op, call.seq, call.command, call)
    return Next("hold", after)


def _take_in(
    mid: str, attempt: int, contact_id: str, heard: Heard, calls: CallStore, engine: Engine, clock: Clock
) -> Call | None:
    if heard.event == "answered":
        call = calls.set_answered(mid, attempt, contact_id, clock.now_msec())
        if call and call.command.kind is Kind.DIAL and call.awaits_answer:
            answer = {"event": "answered", "key": "", "seq": call.seq}
            if engine.succeed(call.ticket.token, answer):
                calls.set_done(mid, attempt, call.seq, None)
        return call
    call = calls.get(mid, attempt)
    if call is None or call.ended or heard.event == "next" or not _answers(heard, call):
        return call
    menu = call.command.menu or 0
    if heard.event == "prompt_error":
        calls.set_stop_reason(mid, attempt, "promptUnavailable")
    word = f"d{heard.key}" if heard.event == "key" else ""
    if engine.succeed(call.ticket.token, {"event": heard.event, "key": word, "seq": call.seq}):
        calls.set_done(mid, attempt, call.seq, Step(menu, word or heard.event, clock.now_msec()))
    return call


def _answers(heard: Heard, call: Call) -> bool:
    return call.command.kind is Kind.ASK and heard.seq == call.seq and call.awaits_answer


def _pauses() -> Iterator[float]:
    """When the mailbox is looked into: every 50 ms for a second, then every 150 ms."""
    waited = 0.0
    while waited < MAILBOX_SECONDS:
        pause = 0.05 if waited < 1 else 0.15
        waited += pause
        yield pause
