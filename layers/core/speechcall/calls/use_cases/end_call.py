"""The end of a call: one write, then the answer to the task that waits for it.

      control_call                call item                 end
          │                           │◄── ended ────────────│  (returns the new image)
          │── ask, token 2 ──X refused│                      │  ask is answered `ended` at once
          or
          │── ask, token 2 ──────────►│◄── ended ────────────│  finds token 2 and answers it

Either the command fails, or the end sees its token: no task waits for a dead call. What is in the log for the
command was heard while the call was up, silence too, and is the answer in both.
"""

from typing import assert_never

from speechcall.calls.rules.call import Call, Cause, Kind
from speechcall.calls.use_cases.give_reply import give_reply, tell_task
from speechcall.calls.use_cases.ports import CallStore, Contact, Engine
from speechcall.shared.rules.errors import NOT_ANSWERED
from speechcall.shared.use_cases.clock import Clock


def end_call(
    mid: str,
    attempt: int,
    cause: Cause,
    *,
    calls: CallStore,
    engine: Engine,
    clock: Clock,
    at_msec: int | None = None,
    is_guess: bool = False,
) -> Call | None:
    """Marks a call ended (`at_msec`; None: now) and answers its waiting task; returns the call, None if there is none.

    `is_guess`: it is certain that it has ended, and not yet why. A cause that is known already stays; a guess of before
    gives way to what is no guess. A repeat answers again, for the first one may have died between its two steps.
    Raises StoreUnavailable; and EngineUnavailable, but then the end is written.
    """
    call = calls.end(mid, attempt, cause, clock.now_msec() if at_msec is None else at_msec, is_guess=is_guess)
    if call and call.cause_is_guess and not is_guess:
        call = calls.explain(mid, attempt, cause, None) or call
    if call:
        tell_end(call, calls, engine, clock)
    return call


def end_as_recorded(
    call: Call, contact: Contact, otherwise: Cause, *, calls: CallStore, engine: Engine, clock: Clock
) -> Call | None:
    """Ends a call by its contact's record (see `end_call`); `otherwise` is the cause where the record has none."""
    cause, is_guess = contact.cause or otherwise, contact.cause_is_guess
    return end_call(call.mid, call.attempt, cause, calls=calls, engine=engine, clock=clock, is_guess=is_guess)


def tell_end(call: Call, calls: CallStore, engine: Engine, clock: Clock) -> None:
    """Answers the task that waits in a call that has ended, if one does: with what was heard before, else with the end.

    Safe to repeat: the first answer counts. Raises EngineUnavailable; StoreUnavailable of a call without a log.
    """
    if call.goes_by_log and call.entry(call.seq) and (reply := call.known_reply):
        tell_task(reply, call.ticket.token, engine)
    elif call.awaits_answer:
        match call.command.kind:
            case Kind.DIAL:
                engine.fail(call.ticket.token, NOT_ANSWERED, (call.cause or Cause.FAILED).value)
            case Kind.ASK | Kind.HANG_UP:
                if key := call.known_key:
                    give_reply(key, call, calls=calls, engine=engine, clock=clock)
                else:
                    engine.succeed(call.ticket.token, {"event": "ended", "key": "", "seq": call.seq})
            case _:
                assert_never(call.command.kind)
