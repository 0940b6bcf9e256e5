"""What was heard is given to the task that waits for it."""

from speechcall.calls.rules.call import Call, Reply, Step
from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.shared.use_cases.clock import Clock


def tell_task(reply: Reply, token: str, engine: Engine) -> bool:
    """Tells a waiting task what was heard. False: it was told before, or does not wait any more.

    Raises EngineUnavailable; whether the task was told is then not known.
    """
    return engine.succeed(token, {"event": reply.event, "key": reply.key, "seq": reply.seq})


def give_reply(reply: Reply, call: Call, *, calls: CallStore, engine: Engine, clock: Clock) -> bool:
    """For a call without a log, which the release before has dialled (see `follow_by_mailbox`): tells its waiting task
    what was heard, then marks the command done and adds the step to the call's path.

    A prompt error is first written down as the reason for the end, whatever becomes of the task. False: the task had an
    answer or has timed out, and nothing is marked done. The task is answered first: Step Functions decides which answer
    was first, and tells the others so. Raises EngineUnavailable; whether the task was answered is then not known.
    """
    if reply.event == "prompt_error":
        calls.set_stop_reason(call.mid, call.attempt, "promptUnavailable")
    if not tell_task(reply, call.ticket.token, engine):
        return False
    calls.set_done(call.mid, call.attempt, reply.seq, step_of(reply, call, clock.now_msec()), reply)
    return True


def step_of(reply: Reply, call: Call, now_msec: int) -> Step | None:
    """The step that a reply to the latest command puts on the call's path; None if that asked nothing."""
    if not call.command.asks:
        return None
    return Step(call.command.menu or 0, reply.key or reply.event, now_msec)
