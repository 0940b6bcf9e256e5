"""What the API answers to who has stopped something. Pure: from what is known to an answer."""

from collections.abc import Sequence
from typing import Any

from speechcall.messages.rules.message import State
from speechcall.messages.rules.stops import Stop, StopCounts, StopState
from speechcall.shared.rules.outcome import CANCELLED
from speechcall.status.use_cases.status import Summary

TTL_RUNS_ON = {
    "code": "TTL_RUNS_ON",
    "message": "The ttl of its messages runs on while it is paused: one whose time is up expires.",
}


def count_of(summaries: Sequence[Summary]) -> StopCounts:
    """A list's messages as they are behind its cancellation. Those that it has finished are not dialled either."""
    waits = (State.PREPARING, State.QUEUED)
    not_dialled = sum(one.state in waits or _was_cancelled(one) for one in summaries)
    in_progress = sum(one.state in (State.CALLING, State.SETTLING) for one in summaries)
    return StopCounts(not_dialled, in_progress, len(summaries) - not_dialled - in_progress)


def _was_cancelled(one: Summary) -> bool:
    return one.state is State.FINISHED and one.outcome == CANCELLED.outcome and not one.was_hung_up


def describe_stop(named: dict[str, str], stop: Stop) -> dict[str, Any]:
    """The answer to a pause or a resume. `named`: what was stopped."""
    warnings = {"warnings": [TTL_RUNS_ON]} if stop.state is StopState.PAUSED else {}
    return {**named, "state": stop.state.value, **warnings}


def describe_cancel(named: dict[str, str], counts: StopCounts) -> dict[str, Any]:
    """The answer to a cancellation."""
    numbers = {"notDialled": counts.not_dialled, "inProgress": counts.in_progress, "finished": counts.finished}
    return {**named, "state": StopState.CANCELLED.value, **numbers}
