"""A rehearsal over HTTP on the laptop: asked for, done by its function behind the queue, told; and nobody is called."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings
from speechcall_client import Client, Menu, Message, hangup

AUTH = (seed.USER, seed.PASSWORD)
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}
CALLEES = {
    "outcomes": {"answered": 0.6, "noAnswer": 0.3, "busy": 0.1},
    "ringSeconds": {"from": 3, "to": 15},
    "talkSeconds": {"median": 30, "p95": 90},
    "keys": {"1": 0.4},
}
PARAMETERS = {"Lines": "10", "CallsPerSecond": "5"}


@pytest.fixture(scope="module")
def cloud():
    with Cloud(CloudSettings(parameters=PARAMETERS)) as made:
        yield made


REDIAL = {"redial": {"attempts": 1, "afterSec": [60], "on": ["busy", "noAnswer"]}}


def body_of(count=60, fields=None, **members):
    one = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": [MENU], **(fields or {})}
    return {
        "messages": [{**one, "to": f"+38067{at:07}"} for at in range(count)],
        "callees": CALLEES,
        "seeds": 3,
        **members,
    }


def begin(cloud, **members):
    answer = httpx.post(f"{cloud.url}/bat/rehearsal", json=body_of(**members), auth=AUTH, timeout=30, trust_env=False)
    assert answer.status_code == 202, answer.text
    return answer.json()["rehearsalId"]


def ask(cloud, rehearsal_id):
    answer = httpx.get(f"{cloud.url}/bat/rehearsal/{rehearsal_id}", auth=AUTH, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(cloud, rehearsal_id, within=60):
    until = time.monotonic() + within
    while (told := ask(cloud, rehearsal_id))["state"] in ("waiting", "running"):
        assert time.monotonic() < until, told
        time.sleep(0.1)
    return told


def test_a_list_is_rehearsed_by_its_function_and_nobody_is_called(cloud):
    told = ended(cloud, begin(cloud, fields=REDIAL))
    assert told["state"] == "done", told
    figures = told["figures"]
    assert (figures["seeds"], told["messages"]) == (3, 60)
    assert sum(one["p50"] for one in figures["outcomes"].values()) == pytest.approx(60, abs=6)
    assert figures["calls"]["p50"] > 60
    assert sum(figures["callsBegun"]["mean"]) == pytest.approx(figures["calls"]["p50"], rel=0.2)
    assert cloud.journal.entries() == []


def test_a_second_list_is_refused_while_the_first_is_rehearsed_and_taken_when_that_has_ended(cloud):
    first = begin(cloud, count=400, seeds=5)
    refused = httpx.post(f"{cloud.url}/bat/rehearsal", json=body_of(), auth=AUTH, timeout=30, trust_env=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "REHEARSAL_RUNNING")
    assert ended(cloud, first)["state"] == "done"
    assert ended(cloud, begin(cloud, count=1, seeds=1))["state"] == "done"


def test_the_python_client_asks_and_is_told(cloud):
    with Client(cloud.url, user=seed.USER, password=seed.PASSWORD) as client:
        message = Message(to="+380670000001", sender="Shop", menus=[Menu(audio="ivr_651854").on(1, hangup())])
        asked = client.rehearse(message, CALLEES, seeds=2)
        until = time.monotonic() + 60
        while not (told := client.rehearsal(asked.rehearsal_id)).has_ended:
            assert time.monotonic() < until
            time.sleep(0.1)
    assert told.figures.seeds == 2
    assert told.figures.end.p50 > told.figures.from_


def test_what_the_account_has_waiting_is_read_by_its_function(cloud):
    in_three_days = datetime.now(UTC) + timedelta(days=3)
    windows = [{"from": "09:00", "to": "10:00", "days": [f"{in_three_days:%a}".lower()]}]
    one = {"from": "Shop", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
    body = {"messages": [{**one, "windows": windows, "timeZone": "UTC"}]}
    sent = httpx.post(f"{cloud.url}/bat/messagelist", json=body, auth=AUTH, timeout=30, trust_env=False).json()
    mid = sent["messages"][0]["messageId"]
    queued = {"mid": mid, "kind": "state", "state": "queued"}
    cloud.journal.wait_for(lambda entry: entry.items() >= queued.items(), 30)
    told = ended(cloud, begin(cloud))
    assert told["state"] == "done", told
    assert mid not in str(told)
