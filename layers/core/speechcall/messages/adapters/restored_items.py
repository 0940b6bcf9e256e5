"""A message out of a copy of the table that is some minutes old, as it may stand in the live one.

What happened since then is lost, but not that an attempt began: Step Functions keeps the name of each execution
("<mid>-<attempt>") for 90 days, and takes no name twice on one machine. So an attempt that was begun is known, and is
not begun once more; what was heard in it is not known.

      copy: queued, attempt 0        lost: claimed, 1 ── dials ── answered ── key      restored: calling, attempt 1
      copy: calling, attempt 1       lost: ── answered ── key ── finished              restored: calling, attempt 1
                                                         neither is dialled again: `redial` is gone

Source: Step Functions API reference, StartExecution (`name`: unique for the account, Region and machine for 90 days).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from speechcall.messages.adapters.message_items import SETTLING_END, state_of
from speechcall.messages.rules.message import State
from speechcall.shared.adapters.keys import MESSAGE, due_shard, mid_of

SWEPT_AFTER_MSEC = 600_000
"""After which the sweeper ends what the one that restores did not come to end."""
_OF_ITS_PLACE = ("order_pk", "order_sk", "held_back")
_OF_ITS_LINE = ("flow_arn", "limits", "line_share", "charged_msec", "has_limit")
_OF_ITS_END = (SETTLING_END, "outcome", "reason", "cause", "finished_msec")


class Fate(Enum):
    """What the time between the copy and now means for a message."""

    AS_IT_WAS = "asItWas"
    """It is as it was: finished, or no attempt began since."""
    IN_CALL = "inCall"
    """It was in a call then. That call ends by what the copy knows of it, and is not dialled again."""
    CALLED_SINCE = "calledSince"
    """An attempt began since, of which nothing else is known: it ends as failed, unconfirmed."""


class Begun(NamedTuple):
    """The latest attempt of a message that Step Functions knows."""

    attempt: int
    machine_arn: str


def mid_in(item: Mapping[str, Any]) -> str | None:
    """The message of an item, by its key; None: it is something else."""
    return mid_of(item["pk"]) if item["sk"] == MESSAGE else None


def restored(item: Mapping[str, Any], begun: Begun | None, now_msec: int) -> tuple[dict[str, Any], Fate]:
    """A message's item as it is put back, and what the time since the copy means for it.

    `item`: as it is in the copy, in plain values. `begun`: the latest attempt that was begun; None: none is known.
    """
    state = state_of(dict(item))
    if state is State.FINISHED:
        return dict(item), Fate.AS_IT_WAS
    attempt = int(item["attempt"])
    is_called_since = begun is not None and begun.attempt > attempt
    if not is_called_since and state in (State.PREPARING, State.QUEUED):
        return dict(item), Fate.AS_IT_WAS
    gone = {"redial"}
    if begun is None or not is_called_since:
        return {name: value for name, value in item.items() if name not in gone}, Fate.IN_CALL
    gone |= {*_OF_ITS_PLACE, *_OF_ITS_LINE, *_OF_ITS_END}
    return {
        **{name: value for name, value in item.items() if name not in gone},
        "state": State.CALLING.value,
        "attempt": begun.attempt,
        "machine_arn": begun.machine_arn,
        "claimed_msec": now_msec,
        "due_shard": due_shard(State.CALLING.value, item["mid"]),
        "due_at": now_msec + SWEPT_AFTER_MSEC,
    }, Fate.CALLED_SINCE


def is_left(live: Mapping[str, Any], item: Mapping[str, Any], begun: Begun | None) -> bool:
    """Whether a live item is one that an interrupted run has put back as CALLED_SINCE, and has not come to end.

    `live`: the message's item in the live table. `item`: the one in the copy. `begun`: as `restored` takes it. A call
    that is not lost is never taken for one: its claim writes `line_share` and `charged_msec`, which are put back for
    none of these. What has been changed since, such as by a cancellation, is left to the sweeper.
    """
    if begun is None:
        return False
    put_back, fate = restored(item, begun, int(live.get("claimed_msec", 0)))
    return fate is Fate.CALLED_SINCE and put_back == dict(live)
