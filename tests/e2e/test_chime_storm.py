"""Calls over the Chime SDK at its documented quotas, with everything going wrong at once that it may do wrong."""

import threading
from random import Random

import pytest

from local.network.chime.settings import CREATE, DOCUMENTED_CALLS, DOCUMENTED_QUOTAS, UPDATE, Fault
from local.network.shared.scripted_callees import Script, answer, busy, hang_up, press, stay_silent
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

CALLS, LINES = 60, DOCUMENTED_CALLS
PARTS = (
    (Script([answer(), press("1"), press("1")]), ("answered", "completed"), 2),
    (Script([answer(), press("9"), press("1")]), ("answered", "completed"), 1),
    (Script([answer(), stay_silent(), stay_silent()]), ("answered", "completed"), 0),
    (Script([answer(), hang_up(0.1)]), ("answered", "callerHungUp"), 0),
    (Script([busy()]), ("busy", "busy"), 0),
)
"""Who answers, how the message ends, and how many webhooks go out."""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_message_ends_once_and_right_whatever_the_service_does():
    random, lock = Random(7), threading.Lock()

    def fault(_kind, attempt):
        with lock:
            luck = random.random()
        if luck < 0.05 and attempt == 1:  # the service asks again after 5 s
            return Fault(())
        if luck < 0.25:
            return Fault((0.0, 0.0), echo=0.5)
        return Fault((random.uniform(0, 0.5),)) if luck < 0.4 else Fault()

    carrier = {
        "caller_for": lambda number: PARTS[int(number[-3:]) % len(PARTS)][0],
        "fault": fault,
        "quotas": DOCUMENTED_QUOTAS,
        "concurrent_calls": LINES,
    }
    # Long enough for the report of a key that has to be asked for again: silence is not believed before it.
    menus = (
        menu(idle=9000, d1=[webhook({"menu": 0}), goto(1)], wrong=[goto(1)]),
        menu(idle=9000, d1=[webhook({"menu": 1}), HANGUP], wrong=[HANGUP]),
    )
    parameters = {"Lines": str(LINES), "CallsPerSecond": "1"}
    with running(None, telephony="chime", parameters=parameters, carrier=carrier) as cloud:
        cloud.carrier.api.fail(CREATE, "ServiceFailureException", 2, after_doing=True)
        cloud.carrier.api.fail(CREATE, "ServiceFailureException", 1)
        cloud.carrier.api.fail(CREATE, "ThrottledClientException", 2)
        cloud.carrier.api.fail(UPDATE, "ServiceUnavailableException", 2)
        numbers = [f"+380671000{n:03}" for n in range(CALLS)]
        mids = Client(cloud.url).send([message(*menus, to=number) for number in numbers])
        ends = [finished(cloud, mid, 300) for mid in mids]
        for mid, number, end in zip(mids, numbers, ends, strict=True):
            _, expected, webhooks = PARTS[int(number[-3:]) % len(PARTS)]
            told = [entry["kind"] for entry in cloud.journal.entries(mid)]
            assert (end["outcome"], end["reason"]) == expected, told
            assert told.count("dialled") == 1, told
            if webhooks:
                sent = lambda mid=mid: len(cloud.receiver.requests(mid))  # noqa: E731
                cloud.journal.wait_for(lambda _, sent=sent, wanted=webhooks: sent() >= wanted, 60)
            assert told.count("webhook") <= webhooks
        assert cloud.carrier.contacts.live() == []
        failures = [entry["function"] for entry in cloud.journal.entries() if entry["kind"] == "failure"]
        assert "ChimeEventsFunction" not in failures
