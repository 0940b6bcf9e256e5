"""Many calls through a new account's ten lines, at the quotas that the telephony documents, with every fault at once.

Each number says by its last digit what its callee does, so that each message has one right outcome. 200 calls in
`make test-long`, some here. FAULT_SEEDS=10 has ten seeds tried on each telephony.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

import pytest

from local.network.chime.settings import CREATE, Fault
from local.network.chime.settings import DOCUMENTED_QUOTAS as CHIME_QUOTAS
from local.network.connect.api import START
from local.network.shared.faults import DOCUMENTED_QUOTAS, Faults
from local.network.shared.scripted_callees import Script, answer, fail, hang_up, press, stay_silent
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, webhook

LINES = 10
FAULTS: dict[str, Any] = {
    "events_doubled": 0.3,
    "events_late": 0.3,
    "late_seconds": (0.1, 3.0),
    "requests_failed": 0.1,
    "requests_lost": 0.1,
    "answers_lost": 0.1,
    "record_lag_seconds": 0.3,
    "record_late_seconds": 0.5,
    "reason_lag_seconds": 0.5,
}
CHIME_FAULTS: dict[str, Any] = {"requests_failed": 0.05, "requests_lost": 0.15}
"""Of a request that failed and did nothing nobody hears for 22 s."""
NOT_CALLABLE = "+1212"
LONG_IDLE = 9000
"""Enough for a key whose report has to be asked for again, also on a machine that has much else to do."""
SEEDS = range(12, 12 + int(os.environ.get("FAULT_SEEDS", "1")))


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
)
NOT_ALLOWED = Kind("blocked", "destinationNotAllowed", Script([]), prefix=NOT_CALLABLE)


@dataclass(frozen=True)
class Telephony:
    """One provider with its faults."""

    kinds: tuple[Kind, ...]
    calls_per_second: int
    settings: dict[str, Any]
    """For `running`, but for the carrier's settings."""
    dial: str
    """The operation that dials, and what it answers in trouble and when it is asked too often."""
    broken: str
    throttled: str

    def number_of(self, index: int) -> str:
        """The number of a message, whose last digit tells the kind of its callee."""
        kind = index % len(self.kinds)
        return f"{self.kinds[kind].prefix}{100_000 + index}{kind}"


CONNECT = Telephony((*KINDS, NOT_ALLOWED), 2, {}, START, "InternalServiceException", "TooManyRequestsException")
CHIME = Telephony(KINDS, 1, {"telephony": "chime"}, CREATE, "ServiceFailureException", "ThrottledClientException")


def events_of(seed: int) -> Callable[[str, int], Fault]:
    """What befalls the events of the Chime SDK: lost at first, doubled, late."""
    random, lock = Random(seed), threading.Lock()

    def fault(_kind: str, attempt: int) -> Fault:
        with lock:
            luck = random.random()
        if luck < 0.03 and attempt == 1:  # the service asks again after 5 s
            return Fault(())
        if luck < 0.3:
            return Fault((0.0, 0.0), echo=0.5)
        return Fault((luck - 0.3,)) if luck < 0.6 else Fault()

    return fault


def hold(
    telephony: Telephony,
    count: int,
    carrier: dict[str, Any],
    timeout: float,
    *,
    prepare: Callable[[Any], None] = lambda _api: None,
    calls_per_second: int | None = None,
    idle: int = 3000,
) -> None:
    """Sends so many messages and holds each to the outcome that its callee makes."""
    kinds = telephony.kinds
    carrier = {"caller_for": lambda number: kinds[int(number[-1])].script, "concurrent_calls": LINES, **carrier}
    pace = str(calls_per_second or telephony.calls_per_second)
    parameters = {"Lines": str(LINES), "CallsPerSecond": pace, "GraceSeconds": "5"}
    with running(parameters=parameters, carrier=carrier, schedule_seconds=5.0, **telephony.settings) as cloud:
        prepare(cloud.carrier.api)
        lists = {key: [webhook({"key": key}), HANGUP] for key in ("d1", "wrong")}
        asked = [
            {**message(menu(idle=idle, **lists), to=telephony.number_of(index)), "ringTimeoutSec": 15}
            for index in range(count)
        ]
        mids: list[str] = []
        for first in range(0, count, 100):
            mids += Client(cloud.url).send(asked[first : first + 100])
        wrong = []
        for index, mid in enumerate(mids):
            kind, end = kinds[index % len(kinds)], finished(cloud, mid, timeout)
            if (end["outcome"], end["reason"]) != (kind.outcome, kind.reason):
                wrong.append((telephony.number_of(index)[-1], end["outcome"], end["reason"]))
            for key in kind.keys:
                cloud.journal.wait_for(lambda e, mid=mid: e["kind"] == "webhook" and e["mid"] == mid, timeout)
                assert f'"key":"{key}"' in _bodies(cloud, mid)[0].replace(" ", "")
        # No phone has rung twice, and none is up
        dialled = Counter(e["mid"] for e in cloud.journal.entries() if e["kind"] == "dialled")
        assert [mid for mid, times in dialled.items() if times > 1] == []
        assert cloud.carrier.contacts.live() == []
        # Every message has ended once, with the right outcome, and one list has run for each key
        assert wrong == []
        states = Counter(e["mid"] for e in cloud.journal.entries() if e["kind"] == "state" and e["state"] == "finished")
        assert states == Counter(mids)
        for index, mid in enumerate(mids):
            ids = {dict(e["headers"])["webhook-id"] for e in cloud.journal.entries(mid) if e["kind"] == "webhook"}
            assert len(ids) == len(kinds[index % len(kinds)].keys)
        # And never were more calls up at once than there are lines
        moments = sorted(
            (entry["at"], 1 if entry["kind"] == "dialled" else -1)
            for entry in cloud.journal.entries()
            if entry["kind"] in {"dialled", "ended"}
        )
        assert max(accumulate(change for _, change in moments)) <= LINES


def _bodies(cloud, mid: str) -> list[str]:
    return [entry["body"] for entry in cloud.journal.entries(mid) if entry["kind"] == "webhook"]


def connect_carrier(seed: int, **more: Any) -> dict[str, Any]:
    """Amazon Connect as it is at its worst."""
    faults = Faults(seed=seed, **FAULTS, **more)
    return {"quotas": DOCUMENTED_QUOTAS, "allowed_prefixes": ("+38",), "faults": faults}


def chime_carrier(seed: int) -> dict[str, Any]:
    """The Chime SDK at its worst."""
    return {"quotas": CHIME_QUOTAS, "faults": Faults(seed=seed, **CHIME_FAULTS), "fault": events_of(seed)}


@pytest.mark.timeout(300)
def test_with_every_fault_at_once_each_message_ends_once_with_its_outcome() -> None:
    # A dial whose answer was lost, and whose repeat is refused, may ring for 75 s; it is looked up again until then.
    hold(CONNECT, 10, connect_carrier(11), timeout=240)


@pytest.mark.parametrize("telephony", [CONNECT, CHIME], ids=["connect", "chime"])
def test_a_dial_whose_answer_is_lost_and_whose_repeats_are_throttled_rings_once(telephony: Telephony) -> None:
    # Given a provider that dials, loses its answer, and will not be asked again so soon
    def prepare(api: Any) -> None:
        api.fail(telephony.dial, telephony.broken, after_doing=True)
        api.fail(telephony.dial, telephony.throttled, 2)

    # When the callee is quick, then that call is the message's only one, and whole
    hold(telephony, 1, {}, timeout=60, prepare=prepare)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_calls_with_every_fault_at_once(seed: int) -> None:
    hold(CONNECT, 200, connect_carrier(seed, events_dropped=0.1), timeout=600, idle=LONG_IDLE)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_hundred_calls_over_the_chime_sdk_with_every_fault_at_once(seed: int) -> None:
    hold(CHIME, 100, chime_carrier(seed), timeout=600, idle=LONG_IDLE)
