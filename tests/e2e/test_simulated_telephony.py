"""The specification's cURL example in a stack that rings no phone: each scripted callee, and all that says so."""

import csv
import io
import json
from functools import cache

import httpx
import pytest

from cli.main import app
from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings
from local.tools.demo import RECIPIENT, ROOT
from speechcall.telephony.provider import ProviderName
from tests.e2e.conftest import MANY, Client, finished
from tests.kit.command_line import CliRunner

CURL = (ROOT / "events" / "spec" / "curl.json").read_text(encoding="utf-8")
SPEED = 20
COMPLETED, HUNG_UP = ("answered", "completed"), ("answered", "callerHungUp")
CALLEES: dict[str, tuple[str, tuple[str, str], int]] = {
    "01": ("d1", COMPLETED, 1),
    "09": ("d9 idle", COMPLETED, 0),
    "11": ("d1", COMPLETED, 1),
    "20": ("idle idle", COMPLETED, 0),
    "23": ("d9 d1", COMPLETED, 1),
    "24": ("idle d1", COMPLETED, 1),
    "30": ("", ("busy", "busy"), 0),
    "31": ("", ("noAnswer", "noAnswer"), 0),
    "32": ("", ("busy", "busy"), 0),
    "33": ("", ("invalidNumber", "invalidNumber"), 0),
    "34": ("", ("blocked", "blocked"), 0),
    "35": ("", ("failed", "failed"), 0),
    "36": ("", ("failed", "telephonyMisconfigured"), 0),
    "40": ("", HUNG_UP, 0),
    "41": ("", HUNG_UP, 0),
    "42": ("", HUNG_UP, 0),
    "43": ("d1", ("answered", "callerHungUp completed"), 1),
    "45": ("prompt_error", ("failed", "notPlayed"), 0),
    "9162": ("d9 d1", COMPLETED, 1),
    "99": ("d1", COMPLETED, 1),
}
"""By the end of a number: the path, the outcome with its reason, and how many webhooks arrive.

Menu 0 has 1 and `wrong`, which leads to menu 1; there 1 hangs up, as `wrong` does.
"""
AUTH = (seed.USER, seed.PASSWORD)


@pytest.fixture(scope="module")
def cloud():
    settings = CloudSettings(
        telephony=ProviderName.SIMULATED, parameters=MANY, overrides={"SIMULATION_SPEED": str(SPEED)}
    )
    with Cloud(settings) as made:
        yield made


@pytest.fixture(scope="module")
def calls(cloud):
    """What was answered to the message to a callee, by the end of the number; it is sent when it is first asked for."""

    @cache
    def sent(ending):
        body = RECIPIENT.sub(f'"to": "+38067{list(CALLEES).index(ending):02}{ending:0>5}"', CURL)
        answer = httpx.post(f"{cloud.url}/bat/messagelist", content=body, auth=AUTH, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return sent


def mid_of(call):
    return call["messages"][0]["messageId"]


def webhooks(cloud, mid):
    return [entry for entry in cloud.journal.entries(mid) if entry["kind"] == "webhook"]


@pytest.mark.parametrize("ending", CALLEES)
def test_each_callee_does_what_the_page_says(cloud, calls, ending):
    path, (outcome, reason), count = CALLEES[ending]
    mid = mid_of(calls(ending))
    finished(cloud, mid, 90)
    told = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=AUTH, timeout=30).json()
    heard = " ".join(step["heard"] for step in told["call"]["path"])
    assert (heard, told["call"]["outcome"]) == (path, outcome)
    assert told["call"]["endReason"] in reason.split()  # who hangs up behind a key races with the hangup of its list
    assert told["simulated"] is True
    if count:
        cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 30)
    assert len(webhooks(cloud, mid)) == count
    assert [dict(one["headers"])["webhook-simulated"] for one in webhooks(cloud, mid)] == ["1"] * count


def test_a_list_and_its_export_say_that_it_is_simulated(cloud, calls):
    call = calls("01")
    finished(cloud, mid_of(call), 90)
    place = f"{cloud.url}/bat/messagelist/{call['messagelistId']}"
    assert httpx.get(place, auth=AUTH, timeout=30).json()["simulated"] is True
    (row,) = csv.DictReader(io.StringIO(httpx.get(f"{place}/export", auth=AUTH, timeout=30).text))
    assert row["simulated"] == "true"
    line = httpx.get(f"{place}/export?format=jsonl", auth=AUTH, timeout=30).text
    assert json.loads(line)["simulated"] is True


def test_status_webhooks_say_that_it_is_simulated(cloud):
    message = json.loads(CURL)["messages"][0] | {
        "to": "+380679900030",
        "statusEvents": ["final"],
    }
    envelope = {"messages": [message], "statusUrl": "https://api.example.com/status", "statusEvents": ["final", "list"]}
    answer = httpx.post(f"{cloud.url}/bat/messagelist", json=envelope, auth=AUTH, timeout=60)
    assert answer.status_code == 200, answer.text
    mid = mid_of(answer.json())
    events = {}
    while set(events) != {"final", "list"}:
        found = cloud.journal.wait_for(
            lambda entry: (
                entry["kind"] == "webhook"
                and entry["url"].endswith("/status")
                and json.loads(entry["body"])["event"] not in events
            ),
            60,
        )
        events[json.loads(found["body"])["event"]] = found
    assert json.loads(events["final"]["body"])["messageId"] == mid
    assert [json.loads(one["body"])["simulated"] for one in events.values()] == [True, True]
    assert [dict(one["headers"])["webhook-simulated"] for one in events.values()] == ["1", "1"]


def test_a_call_that_is_up_is_ended_with_its_message(cloud):
    message = json.loads(CURL)["messages"][0] | {"to": "+380679900120"}
    (mid,) = Client(cloud.url).send([message])
    cloud.journal.wait_for(lambda entry: entry["kind"] == "dialled" and entry["mid"] == mid, 40)
    answer = httpx.post(f"{cloud.url}/bat/message/{mid}/cancel", json={"hangup": True}, auth=AUTH, timeout=30)
    assert answer.status_code in (200, 202)
    assert finished(cloud, mid, 60)["reason"] in ("cancelled", "noAnswer", "silence", "completed")


def test_the_page_shows_the_calls_and_lets_nobody_into_them(cloud, calls):
    mid = mid_of(calls("23"))
    finished(cloud, mid, 90)
    kinds = [entry["kind"] for entry in cloud.journal.entries(mid)]
    assert [kind for kind in kinds if kind in ("dialled", "answered", "prompt", "key", "ended")] == [
        *("dialled", "answered", "prompt", "key", "prompt", "key", "ended")
    ]
    assert httpx.get(f"{cloud.url}/phone/", timeout=30).status_code == 200
    assert httpx.post(f"{cloud.url}/phone/calls/simulated-{mid}-1/answer", timeout=30).status_code == 404
    assert cloud.carrier.contacts.live() == ()
    assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []


def test_the_command_makes_one_call_and_follows_it(cloud, monkeypatch):
    monkeypatch.setenv("SPEECHCALL_KEY", seed.KEY)
    where = ("--local", "--port", cloud.url.rsplit(":", 1)[1])
    told = CliRunner().invoke(app, ["selftest", "--to", "+380936670001", "--json", *where])
    steps = json.loads(told.stdout[told.stdout.index("[\n") :])  # behind what the functions log here
    assert [(step["check"], step["verdict"]) for step in steps] == [
        ("accepted", "ok"),
        ("final", "ok"),
        ("outcome", "ok"),
    ], told.output
