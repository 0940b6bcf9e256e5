"""Lists, campaigns and calls are stopped over HTTP, and no phone rings that must not."""

import threading
import time

import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, busy, stay_silent
from speechcall.telephony.provider import ProviderName
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running

TELEPHONIES = pytest.mark.parametrize("telephony", RINGING)
AUTH = (seed.USER, seed.PASSWORD)


def post(cloud, path, body=None):
    return httpx.post(f"{cloud.url}{path}", json=body, auth=AUTH, timeout=30) if body is not None else bare(cloud, path)


def bare(cloud, path):
    return httpx.post(f"{cloud.url}{path}", auth=AUTH, timeout=30)


def get(cloud, path):
    return httpx.get(f"{cloud.url}{path}", auth=AUTH, timeout=30).json()


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


class Ringing:
    """A telephone that rings until its test lets it go; `rings` once it does."""

    def __init__(self, *steps):
        self.rings, self._script = threading.Event(), Script(list(steps))

    def take(self, phone):
        self.rings.set()
        self._script.take(phone)


@TELEPHONIES
def test_a_call_is_hung_up_while_its_phone_rings(telephony):
    callee = Ringing(answer(6), stay_silent())
    with running(callee, telephony=telephony, carrier={"no_answer_seconds": 30.0}) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(d1=[HANGUP]))])
        assert callee.rings.wait(40)
        asked = post(cloud, f"/bat/message/{mid}/cancel", {"hangup": True})
        assert (asked.status_code, asked.json()["state"]) in ((202, "hangingUp"), (200, "hungUp"))
        ended = finished(cloud, mid, 60)
        assert (ended["outcome"], ended["reason"]) == ("cancelled", "cancelled")
        assert get(cloud, f"/bat/message/{mid}")["deliverystatus"] == "undeliverable"
        assert get(cloud, f"/bat/message/{mid}")["call"]["path"] == []
        assert bare(cloud, f"/bat/message/{mid}/cancel").json()["state"] == "hungUp"


@TELEPHONIES
def test_a_call_is_hung_up_in_a_menu(telephony):
    with running(Script([answer(0), stay_silent()]), telephony=telephony) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(idle=60_000, d1=[HANGUP]))])
        until(lambda: get(cloud, f"/bat/message/{mid}")["call"]["attempts"][:1] and is_answered(cloud, mid))
        late = bare(cloud, f"/bat/message/{mid}/cancel")
        assert (late.status_code, late.json()["state"]) == (200, "tooLate")
        asked = post(cloud, f"/bat/message/{mid}/cancel", {"hangup": True})
        assert (asked.status_code, asked.json()["state"]) == (202, "hangingUp")
        ended = finished(cloud, mid, 60)
        assert (ended["outcome"], ended["reason"]) == ("answered", "cancelled")
        assert bare(cloud, f"/bat/message/{mid}/cancel").json()["state"] == "hungUp"


def is_answered(cloud, mid):
    (attempt,) = get(cloud, f"/bat/message/{mid}")["call"]["attempts"]
    return attempt["answeredAt"] is not None


@pytest.mark.parametrize("telephony", [ProviderName.CONNECT, pytest.param(ProviderName.CHIME, marks=pytest.mark.long)])
@pytest.mark.timeout(400)
def test_two_hundred_messages_are_paused_at_20_calls_and_cancelled_at_60(telephony):
    parameters = {"Lines": "4", "CallsPerSecond": "20"}
    with running(Script([busy()]), telephony=telephony, parameters=parameters) as cloud:
        lists = [
            Client(cloud.url).post(
                [message(menu(d1=[HANGUP]), to=f"+38067{first + number:07}") for number in range(100)]
            )
            for first in (0, 100)
        ]
        ids = [sent.json()["messagelistId"] for sent in lists]

        def dialled():
            return {entry["mid"] for entry in cloud.journal.entries() if entry["kind"] == "dialled"}

        def counted(status):
            return sum(get(cloud, f"/bat/messagelist/{one}")["statuses"].get(status, 0) for one in ids)

        until(lambda: len(dialled()) >= 20, 120)
        for one in ids:
            assert post(cloud, f"/bat/messagelist/{one}/pause").json()["state"] == "paused"
        waiting = counted("scheduled")
        until(lambda: counted("processing") == 0, 120)
        assert counted("scheduled") == waiting
        assert len(dialled()) == 200 - waiting
        for one in ids:
            assert post(cloud, f"/bat/messagelist/{one}/resume").json()["state"] == "active"
        until(lambda: len(dialled()) >= 60, 120)
        answers = [post(cloud, f"/bat/messagelist/{one}/cancel").json() for one in ids]
        for answered in answers:
            assert answered["notDialled"] + answered["inProgress"] + answered["finished"] == 100
        not_dialled = sum(answered["notDialled"] for answered in answers)
        # From the answer on each says that it is cancelled, whatever is done behind it.
        assert counted("scheduled") == 0
        until(lambda: counted("processing") == 0, 120)
        outcomes = [get(cloud, f"/bat/messagelist/{one}")["outcomes"] for one in ids]
        assert sum(one.get("cancelled", 0) for one in outcomes) == not_dialled
        assert sum(one.get("busy", 0) for one in outcomes) == len(dialled()) == 200 - not_dialled
