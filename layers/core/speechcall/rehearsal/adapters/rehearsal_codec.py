"""How a rehearsal that was asked for is written down: its state as an item, its list as packed JSON."""

import json
import zlib
from typing import Any, assert_never

from speechcall.messages.adapters.message_items import dump, load
from speechcall.rehearsal.rules.callees import Between, Callees, Fixed, Measured, Seconds, Spread
from speechcall.rehearsal.rules.rehearsal_job import Failure, JobState, RehearsalJob
from speechcall.rehearsal.use_cases.rehearsal_ports import RehearsedList
from speechcall.shared.adapters.keys import rehearsal_key
from speechcall.shared.adapters.table import Values

FORM = 1
MOST_PACKED_BYTES = 350_000
"""Of a list: DynamoDB's items have at most 400 KB (developer guide, "Quotas")."""
_PLACES = frozenset({"pk", "sk", "due_shard", "due_at"})


def dump_job(job: RehearsalJob) -> Values:
    """The item of a rehearsal."""
    optional = {
        "finished_msec": job.finished_msec,
        "failure": job.failure.value if job.failure else None,
        "result": job.result or None,
    }
    return {
        **rehearsal_key(job.job_id),
        "v": FORM,
        "job_id": job.job_id,
        "account_id": job.account_id,
        "asked_msec": job.asked_msec,
        "messages": job.messages,
        "seeds": job.seeds,
        "ends_by_msec": job.ends_by_msec,
        "state": job.state.value,
        "attempt": job.attempt,
        "until_msec": job.until_msec,
        "expires_at": job.expires_at,
        **{name: value for name, value in optional.items() if value is not None},
    }


def load_job(item: Values) -> RehearsalJob:
    """The rehearsal in an item."""
    return RehearsalJob(
        job_id=item["job_id"],
        account_id=item["account_id"],
        asked_msec=item["asked_msec"],
        messages=item["messages"],
        seeds=item["seeds"],
        ends_by_msec=item["ends_by_msec"],
        state=JobState(item["state"]),
        attempt=item["attempt"],
        until_msec=item["until_msec"],
        finished_msec=item.get("finished_msec"),
        failure=Failure(item["failure"]) if "failure" in item else None,
        result=item.get("result", ""),
    )


def pack_list(given: RehearsedList) -> bytes:
    """A list as it is stored. Its messages are written as those that are sent, but for their places in the indexes."""
    messages = [{name: value for name, value in dump(one).items() if name not in _PLACES} for one in given.messages]
    text = json.dumps({"messages": messages, "callees": _dump_callees(given.callees)}, separators=(",", ":"))
    return zlib.compress(text.encode())


def unpack_list(packed: bytes) -> RehearsedList:
    """The list that `pack_list` wrote."""
    stored = json.loads(zlib.decompress(packed))
    return RehearsedList([load(item) for item in stored["messages"]], _load_callees(stored["callees"]))


def _dump_callees(callees: Callees) -> Values:
    return {
        "outcomes": dict(callees.outcomes),
        "rings": _dump_seconds(callees.ring_seconds),
        "talks": _dump_seconds(callees.talk_seconds),
        "keys": dict(callees.keys),
        "handling": callees.handling_seconds,
    }


def _load_callees(stored: Values) -> Callees:
    return Callees(
        outcomes=stored["outcomes"],
        ring_seconds=_load_seconds(stored["rings"]),
        talk_seconds=_load_seconds(stored["talks"]),
        keys=stored["keys"],
        handling_seconds=stored["handling"],
    )


def _dump_seconds(seconds: Seconds) -> list[Any]:
    match seconds:
        case Fixed(always):
            return ["fixed", always]
        case Between(least, most):
            return ["between", least, most]
        case Spread(median, p95):
            return ["spread", median, p95]
        case Measured(values):
            return ["measured", *values]
        case _:
            assert_never(seconds)


def _load_seconds(stored: list[Any]) -> Seconds:
    match stored:
        case ["fixed", always]:
            return Fixed(always)
        case ["between", least, most]:
            return Between(least, most)
        case ["spread", median, p95]:
            return Spread(median, p95)
        case ["measured", *values]:
            return Measured(tuple(values))
        case _:
            raise ValueError(f"stored callees have unknown seconds {stored[:1]!r}")
