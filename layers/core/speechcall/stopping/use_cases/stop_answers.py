"""What the API answers to who has stopped something. Pure: from what is known to an answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from speechcall.messages.rules.message import State
from speechcall.messages.rules.stops import Stop, StopCounts, StopState
from speechcall.shared.rules.outcome import CANCELLED
from speechcall.status.use_cases.status import Summary
from speechcall.stopping.use_cases.stop_message import Cancelled

if TYPE_CHECKING:
    from speechcall.api.rules import answers

TTL_RUNS_ON: "answers.StopNote" = {
    "code": "TTL_RUNS_ON",
    "message": "The ttl of its messages runs on while it is paused: one whose time is up expires.",
}


def count_of(summaries: Sequence[Summary]) -> StopCounts:
    """How a list's messages stand after its cancellation; those that this has finished already count as not dialled."""
    waits = (State.PREPARING, State.QUEUED)
    not_dialled = sum(one.state in waits or _was_cancelled(one) for one in summaries)
    in_progress = sum(one.state in (State.CALLING, State.SETTLING) for one in summaries)
    return StopCounts(not_dialled, in_progress, len(summaries) - not_dialled - in_progress)


def _was_cancelled(one: Summary) -> bool:
    return one.state is State.FINISHED and one.outcome == CANCELLED.outcome and not one.was_hung_up


def describe_message_cancel(mid: str, done: Cancelled) -> "answers.MessageCancelled":
    """The answer to the cancellation of a message."""
    return {"messageId": mid, "state": done.value}


def describe_list_stop(list_id: str, stop: Stop) -> "answers.ListStopped":
    """The answer to a pause of a list, or to the end of one."""
    if stop.state is StopState.PAUSED:
        return {"messagelistId": list_id, "state": "paused", "warnings": [TTL_RUNS_ON]}
    return {"messagelistId": list_id, "state": "active"}


def describe_campaign_stop(name: str, stop: Stop) -> "answers.CampaignStopped":
    """The answer to a pause of a campaign, or to the end of one."""
    if stop.state is StopState.PAUSED:
        return {"campaign": name, "state": "paused", "warnings": [TTL_RUNS_ON]}
    return {"campaign": name, "state": "active"}


def describe_list_cancel(list_id: str, counts: StopCounts) -> "answers.ListCancelled":
    """The answer to the cancellation of a list."""
    return {
        "messagelistId": list_id,
        "state": "cancelled",
        "notDialled": counts.not_dialled,
        "inProgress": counts.in_progress,
        "finished": counts.finished,
    }


def describe_campaign_cancel(name: str, counts: StopCounts) -> "answers.CampaignCancelled":
    """The answer to the cancellation of a campaign."""
    return {
        "campaign": name,
        "state": "cancelled",
        "notDialled": counts.not_dialled,
        "inProgress": counts.in_progress,
        "finished": counts.finished,
    }
