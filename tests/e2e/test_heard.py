"""What nobody has heard is not `delivered`: introductions that the telephony cannot play, functions that fail."""

import io
import json
import threading

import boto3
import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, fail, hang_up, press, stay_silent
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.shared.rules.errors import StoreUnavailable
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, telephone_wav

TELEPHONIES = pytest.mark.parametrize("telephony", RINGING)
FIRST, SECOND, WHOLE = "+380670000001", "+380670000002", "+380670000003"
CALLEES = {
    FIRST: Script([answer(), stay_silent()]),
    SECOND: Script([answer(), press("1")]),
    WHOLE: Script([answer(), press("5")]),
}


def status_of(cloud, mid):
    return httpx.get(f"{cloud.url}/bat/message/{mid}", auth=(seed.USER, seed.PASSWORD), timeout=30).json()


def counted(log, name):
    """What functions have written of a metric: its dimension's value (None: it has none), how often."""
    found = {}
    for line in log.getvalue().splitlines():
        if f'"{name}"' in line and "_aws" in line:
            one = json.loads(line)
            value = one.get("reason")
            found[value] = found.get(value, 0) + 1
    return found


def object_of(cloud, name):
    """The object in S3 that an identifier stands for."""
    table = cloud.template.ref("RegistryTable")
    key = {"pk": {"S": f"PROMPT#{seed.ACCOUNT_ID}"}, "sk": {"S": f"ID#{name}"}}
    found = boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return found["uri"]["S"].rpartition("/")[2]


@TELEPHONIES
def test_a_call_whose_introduction_cannot_be_played_is_not_delivered(telephony):
    log, unplayable = io.StringIO(), set()
    carrier = {"unplayable": lambda uri: uri.rpartition("/")[2] in unplayable, "caller_for": CALLEES.get}
    with running(telephony=telephony, carrier=carrier, log=log) as cloud:
        # Given that of two introductions the telephony can play one
        seed.put_prompt(cloud.template, "mute", telephone_wav(0.3))
        unplayable.add(object_of(cloud, "mute"))
        mute, loud = menu("mute", d1=[HANGUP]), menu(d1=[goto(1)], wrong=[HANGUP])
        first, second, whole = Client(cloud.url).send(
            [
                message(mute, to=FIRST),
                message(loud, mute, to=SECOND),
                message(menu(d1=[HANGUP], wrong=[HANGUP]), to=WHOLE),
            ]
        )
        # When the first menu cannot be played, then the callee has heard nothing
        end = finished(cloud, first)
        assert end["outcome"] == "failed"
        assert end["reason"] == "notPlayed"
        told = status_of(cloud, first)
        assert told["deliverystatus"] == "undeliverable"
        assert told["call"]["keyPressed"] is False
        assert told["call"]["answeredAt"] is not None
        assert "played" in told["call"]["cause"]
        # And where a later one cannot, something was heard
        end = finished(cloud, second)
        assert end["outcome"] == "answered"
        assert end["reason"] == "promptUnavailable"
        told = status_of(cloud, second)
        assert told["deliverystatus"] == "delivered"
        assert told["call"]["keyPressed"] is True
        # And a key without a list is a key
        end = finished(cloud, whole)
        assert end["outcome"] == "answered"
        assert end["reason"] == "completed"
        assert status_of(cloud, whole)["call"]["keyPressed"] is True
    assert counted(log, "PromptsNotPlayed") == {None: 2}
    assert counted(log, "CallEndReasons") == {"notPlayed": 1, "promptUnavailable": 1, "completed": 1}


class AnswersWhen:
    """A callee who takes the call as soon as a test lets it, and then only listens."""

    def __init__(self):
        self.may_answer = threading.Event()

    def take(self, phone):
        assert phone.wait_until_ringing(20)
        assert self.may_answer.wait(20)
        phone.answer()


GONE, UNSERVED, REJECTS, BARRED, FORBIDDEN = (f"+38067000001{number}" for number in range(5))
"""Who hangs up in the midst of the first menu; whom our function cannot serve; who rejects; two that cannot be had."""


def test_what_connect_says_of_an_end_is_told_as_what_it_was(monkeypatch):
    unserved, cannot_be_served, append = AnswersWhen(), set(), DynamoCalls.append

    def fails(calls, mid, *given):
        if mid in cannot_be_served:
            raise StoreUnavailable("the table is away")
        return append(calls, mid, *given)

    monkeypatch.setattr(DynamoCalls, "append", fails)
    callees = {
        # An introduction of a quarter of a second: a hang-up within its idle time is one in the midst of the block
        GONE: Script([answer(), hang_up(0.1)]),
        UNSERVED: unserved,
        REJECTS: Script([fail("CUSTOMER_DISCONNECT")]),
        BARRED: Script([fail("OUTBOUND_DESTINATION_ENDPOINT_ERROR")]),
    }
    log = io.StringIO()
    carrier = {
        "caller_for": callees.get,
        "input_fails_on_hang_up": True,
        "not_permitted": lambda number: number == FORBIDDEN,
    }
    with running(carrier=carrier, log=log) as cloud:
        mids = Client(cloud.url).send(
            [message(menu(idle=9000, d1=[HANGUP]), to=to) for to in (GONE, UNSERVED, REJECTS, BARRED, FORBIDDEN)]
        )
        cannot_be_served.add(mids[1])
        unserved.may_answer.set()
        ends = [finished(cloud, mid) for mid in mids]
        calls = [status_of(cloud, mid) for mid in mids]
    assert [(end["outcome"], end["reason"]) for end in ends] == [
        # Though its input block has failed, by the simulator's switch, nobody's introduction was at fault
        ("answered", "callerHungUp"),
        ("failed", "notPlayed"),
        ("busy", "busy"),
        ("blocked", "blocked"),
        ("failed", "telephonyMisconfigured"),
    ]
    assert calls[0]["deliverystatus"] == "delivered"
    assert [call["deliverystatus"] for call in calls[1:]] == [
        "undeliverable",
        "undeliverable",
        "permanenterror",
        "undeliverable",
    ]
    assert calls[0]["call"]["path"] == []
    assert counted(log, "PromptsNotPlayed") == {}
    assert counted(log, "DialsRefused") == {"telephonyMisconfigured": 1}


ONCE, DEAF, NO_PAUSE = (f"+38067000002{number}" for number in range(3))
"""Whose first menu cannot listen, once or ever; and the first pause behind whose introduction fails."""


def test_a_chime_action_that_fails_is_a_failed_introduction_only_if_it_played_it():
    failed = []

    def fails(action, number):
        fault = {ONCE: ("ReceiveDigits", 1), DEAF: ("ReceiveDigits", 99), NO_PAUSE: ("Pause", 1)}[number]
        if action != fault[0] or failed.count(number) >= fault[1]:
            return None
        failed.append(number)
        return "SystemException"

    log = io.StringIO()
    callees = {
        ONCE: Script([answer(), press("1")]),
        DEAF: Script([answer()]),
        NO_PAUSE: Script([answer(), press("1", after=0.5)]),
    }
    with running(telephony="chime", carrier={"action_fails": fails, "caller_for": callees.get}, log=log) as cloud:
        mids = Client(cloud.url).send(
            [message(menu(idle=2000, d1=[HANGUP], wrong=[HANGUP]), to=to) for to in (ONCE, DEAF, NO_PAUSE)]
        )
        assert {finished(cloud, mid)["reason"] for mid in mids} == {"completed"}
        paths = [[step["heard"] for step in status_of(cloud, mid)["call"]["path"]] for mid in mids]
        played = [[one["kind"] for one in cloud.journal.entries(mid)].count("prompt") for mid in mids]
    assert failed.count(DEAF) == 2
    # Each has heard the menu, once
    assert played == [1, 1, 1]
    assert paths == [["d1"], ["idle"], ["d1"]]
    assert counted(log, "PromptsNotPlayed") == {}
