"""Many calls through a new account's ten lines, at the quotas that Amazon Connect documents, with every fault at once.

Each number says by its last digit what its callee does, so that each message has one right outcome. 200 calls in
`make test-long`, some here.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pytest

from local.carrier import DOCUMENTED_QUOTAS, Faults, Script, answer, fail, hang_up, press, stay_silent
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, webhook

LINES, CALLS_PER_SECOND = 10, 2
FAULTS: dict[str, Any] = {
    "events_doubled": 0.3,
    "events_late": 0.3,
    "late_seconds": (0.1, 3.0),
    "requests_failed": 0.1,
    "requests_lost": 0.1,
    "answers_lost": 0.1,
    "record_lag_seconds": 0.3,
}
NOT_CALLABLE = "+1"


@dataclass(frozen=True)
class Kind:
    """What a callee does, and what must come of it: the outcome, and which keys' webhooks arrive."""

    outcome: str
    reason: str
    script: Script
    keys: tuple[str, ...] = ()
    prefix: str = "+38067"


KINDS = (
    Kind("answered", "completed", Script([answer(), press("1")]), ("d1",)),
    Kind("answered", "completed", Script([answer(), press("#")]), ("wrong",)),
    Kind("answered", "completed", Script([answer(), stay_silent()]), ("wrong",)),
    Kind("answered", "callerHungUp", Script([answer(), hang_up(0.3)])),
    Kind("busy", "busy", Script([fail("TELECOM_BUSY", 0.1)])),
    Kind("noAnswer", "noAnswer", Script([fail("TELECOM_UNANSWERED", 0.3)])),
    Kind("invalidNumber", "invalidNumber", Script([fail("TELECOM_NUMBER_INVALID")])),
    Kind("blocked", "blocked", Script([fail("TELECOM_POTENTIAL_BLOCKING")])),
    Kind("failed", "failed", Script([fail("TELECOM_PROBLEM")])),
    Kind("blocked", "destinationNotAllowed", Script([]), prefix=NOT_CALLABLE),
)


def number_of(index: int) -> str:
    return f"{KINDS[index % len(KINDS)].prefix}{1_000_000 + index}{index % len(KINDS)}"


def hold(count: int, faults: Faults, timeout: float) -> None:
    """Sends so many messages and holds each to the outcome that its callee makes."""
    carrier = {
        "caller_for": lambda number: KINDS[int(number[-1])].script,
        "quotas": DOCUMENTED_QUOTAS,
        "concurrent_calls": LINES,
        "allowed_prefixes": ("+38",),
        "faults": faults,
    }
    parameters = {"Lines": str(LINES), "CallsPerSecond": str(CALLS_PER_SECOND), "GraceSeconds": "5"}
    with running(parameters=parameters, carrier=carrier, schedule_seconds=5.0) as cloud:
        lists = {key: [webhook({"key": key}), HANGUP] for key in ("d1", "wrong")}
        asked = [
            {**message(menu(idle=3000, **lists), to=number_of(index)), "ringTimeoutSec": 15} for index in range(count)
        ]
        mids: list[str] = []
        for first in range(0, count, 100):
            mids += Client(cloud.url).send(asked[first : first + 100])
        wrong = []
        for index, mid in enumerate(mids):
            kind, end = KINDS[index % len(KINDS)], finished(cloud, mid, timeout)
            if (end["outcome"], end["reason"]) != (kind.outcome, kind.reason):
                wrong.append((number_of(index)[-1], end["outcome"], end["reason"]))
            for key in kind.keys:
                cloud.journal.wait_for(lambda e, mid=mid: e["kind"] == "webhook" and e["mid"] == mid, timeout)
                assert f'"key":"{key}"' in _bodies(cloud, mid)[0].replace(" ", "")
        # Every message has ended once, with the right outcome
        assert wrong == []
        states = Counter(e["mid"] for e in cloud.journal.entries() if e["kind"] == "state" and e["state"] == "finished")
        assert states == Counter(mids)
        # No phone has rung twice, none is up, and one list has run for each key
        dialled = Counter(e["mid"] for e in cloud.journal.entries() if e["kind"] == "dialled")
        assert set(dialled.values()) == {1}
        assert cloud.carrier.contacts.live() == []
        for index, mid in enumerate(mids):
            ids = {dict(e["headers"])["webhook-id"] for e in cloud.journal.entries(mid) if e["kind"] == "webhook"}
            assert len(ids) == len(KINDS[index % len(KINDS)].keys)
        # And never were more calls up at once than there are lines
        moments = sorted(
            (entry["at"], 1 if entry["kind"] == "dialled" else -1)
            for entry in cloud.journal.entries()
            if entry["kind"] in {"dialled", "ended"}
        )
        assert max(accumulate(change for _, change in moments)) <= LINES


def _bodies(cloud, mid: str) -> list[str]:
    return [entry["body"] for entry in cloud.journal.entries(mid) if entry["kind"] == "webhook"]


def test_with_every_fault_at_once_each_message_ends_once_with_its_outcome() -> None:
    hold(10, Faults(seed=11, **FAULTS), timeout=90)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_hundred_calls_with_every_fault_at_once() -> None:
    hold(200, Faults(seed=12, events_dropped=0.1, **FAULTS), timeout=600)
