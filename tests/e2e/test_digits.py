"""Several digits are entered on each telephony: what ends an entry, and what its webhooks are told."""

import io
import json
import time

import boto3
import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, enter, press, stay_silent
from speechcall.telephony.provider import ProviderName
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

AUTH = (seed.USER, seed.PASSWORD)
SLOW, QUICK, WRONG, SILENT = (f"+38067000000{number}" for number in range(4))
CALLEES = {
    # Typing lasts longer than the first key is awaited: that wait is over with the first key.
    SLOW: Script([answer(), enter("4071", between=0.6), press("1")]),
    # The end key ends an entry at once; behind it a menu with single keys follows, and then digits again.
    QUICK: Script([answer(), enter("40*", between=0.02), press("2"), enter("71*", between=0.02), press("1")]),
    # Too few, of which the wait for the next one is the end; then a key that is no digit.
    WRONG: Script([answer(), enter("4"), enter("4#1*"), stay_silent()]),
    SILENT: Script([answer(), stay_silent()]),
}


def told(cloud, mid):
    """What the receiver was told of a message: which webhook, and the digits, if any."""
    bodies = [json.loads(one.body) for one in cloud.receiver.requests(mid)]
    return [(one["action"]["list"], one.get("digits")) for one in bodies]


@pytest.mark.parametrize("telephony", RINGING)
def test_digits_are_gathered_and_told_however_they_end(telephony):
    asks = {"minDigits": 2, "maxDigits": 4, "endKey": "*", "interDigitMsec": 1000}
    digits = menu(
        complete=[webhook({"list": "complete"}), goto(1)],
        wrong=[webhook({"list": "wrong"}), goto(0)],
        silence=[webhook({"list": "silence"}), HANGUP],
    ) | {"input": asks}
    keys = menu(d1=[HANGUP], d2=[goto(0)])
    with running(telephony=telephony, carrier={"caller_for": CALLEES.get}) as cloud:
        sent = Client(cloud.url).send([message(digits, keys, to=number) for number in CALLEES])
        mids = dict(zip(CALLEES, sent, strict=True))
        expected: dict[str, list[tuple[str, str | None]]] = {
            SLOW: [("complete", "4071")],
            QUICK: [("complete", "40"), ("complete", "71")],
            WRONG: [("wrong", "4"), ("wrong", "4#1"), ("silence", None)],
            SILENT: [("silence", None)],
        }
        for number, mid in mids.items():
            end = finished(cloud, mid)
            assert (end["outcome"], end["reason"]) == ("answered", "completed"), number
        cloud.receiver.wait_for(sum(len(one) for one in expected.values()), 20)
        assert {number: told(cloud, mid) for number, mid in mids.items()} == expected
        assert not [entry for entry in cloud.journal.entries() if entry["kind"] in {"failure", "flow_error"}]


PIN = "9081726354"
SECRET = {"minDigits": 10, "maxDigits": 10, "sensitive": True}
OF_SIMULATED = "+380671234504"
"""Whose callee presses 4, as often as the menu wants digits."""


def places(cloud, log):
    """All that is stored, waits, was logged or is told: each place with its text."""
    dynamodb, sqs, engine = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("stepfunctions")
    for table in dynamodb.list_tables()["TableNames"]:
        yield f"table {table}", json.dumps(dynamodb.scan(TableName=table)["Items"], default=str)
    for url in sqs.list_queues().get("QueueUrls", ()):
        held = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", ())
        yield f"queue {url}", json.dumps(held)
    for machine in engine.list_state_machines()["stateMachines"]:
        for one in engine.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            history = engine.get_execution_history(executionArn=one["executionArn"])
            yield f"execution {one['name']}", json.dumps(history, default=str)
    yield "log", log.getvalue()
    for mid in {entry["mid"] for entry in cloud.journal.entries() if entry.get("mid")}:
        for path in (f"message/{mid}", f"message/{mid}/call"):
            yield path, httpx.get(f"{cloud.url}/bat/{path}", auth=AUTH, timeout=30).text


def stored_entries(cloud, mid):
    """The log of a message's call, as it is stored."""
    table = cloud.template.ref("MessagesTable")
    (entries,) = [
        item["log_entries"]["L"]
        for item in boto3.client("dynamodb").scan(TableName=table)["Items"]
        if "log_entries" in item and item["mid"]["S"] == mid
    ]
    return [json.loads(one["S"]) for one in entries]


def sealed_in(cloud, mid):
    """What is stored sealed of a message's calls."""
    return [sealed for entry in stored_entries(cloud, mid) if (sealed := entry.get("sealed"))]


@pytest.mark.parametrize(
    "telephony",
    [
        ProviderName.CONNECT,
        pytest.param(ProviderName.CHIME, marks=pytest.mark.long),
        pytest.param(ProviderName.SIMULATED, marks=pytest.mark.long),
    ],
)
def test_sensitive_digits_are_sealed_until_their_webhook_has_ended_and_then_erased(telephony):
    is_simulated = telephony is ProviderName.SIMULATED
    number, pin = (OF_SIMULATED, "4" * 10) if is_simulated else (SLOW, PIN)
    callee = (
        {} if is_simulated else {"carrier": {"caller_for": {SLOW: Script([answer(), enter(PIN, between=0.02)])}.get}}
    )
    speed = {"overrides": {"SIMULATION_SPEED": "20"}} if is_simulated else {}
    log = io.StringIO()
    asked = menu(complete=[webhook({"list": "complete"}), HANGUP], wrong=[HANGUP]) | {"input": SECRET}
    with running(telephony=telephony, log=log, **callee, **speed) as cloud:
        # Given a receiver that does not answer when the digits come
        cloud.receiver.hang()
        (mid,) = Client(cloud.url).send([message(asked, to=number)])
        cloud.receiver.wait_for(1, 40)
        finished(cloud, mid)
        # Then they wait sealed, and are plain nowhere but at the receiver
        assert len(sealed_in(cloud, mid)) == 1
        assert [place for place, text in places(cloud, log) if pin in text] == []
        # And when it has them, they are erased
        cloud.receiver.release()
        deadline = time.monotonic() + 60
        while sealed_in(cloud, mid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sealed_in(cloud, mid) == []
        assert {json.loads(one.body)["digits"] for one in cloud.receiver.requests(mid)} == {pin}
        assert [place for place, text in places(cloud, log) if pin in text] == []
        # And no replay can tell them again
        replay, name = f"{cloud.url}/bat/message/{mid}/webhooks/replay", f"{mid}-1-2-m0-complete-0"
        again = httpx.post(replay, params={"webhookId": name}, auth=AUTH, timeout=30)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "NOT_REPLAYABLE")


OF_PLAIN, OF_SECRET = "+380671234511", "+380671234611"


@pytest.mark.parametrize("telephony", [ProviderName.CONNECT, pytest.param(ProviderName.CHIME, marks=pytest.mark.long)])
def test_a_receiver_decides_by_the_digits_and_sensitive_ones_are_erased_with_the_call(telephony):
    looks_up = {"action": "lookup", "url": "https://shop.example/lookup?case=paid", "cases": {"paid": 1}, "else": 2}
    ends = [menu(d1=[HANGUP]), menu(d2=[HANGUP])]
    asked = {
        number: menu(complete=[*before, looks_up | {"timeoutMsec": 5000}], wrong=[HANGUP]) | {"input": entry}
        for number, before, entry in (
            (OF_PLAIN, [webhook({"list": "complete"})], {"minDigits": 10, "maxDigits": 10}),
            (OF_SECRET, [], SECRET),
        )
    }
    entered, log = {OF_PLAIN: "4071407140", OF_SECRET: PIN}, io.StringIO()
    callees = {
        number: Script([answer(), enter(keys, between=0.02), press("1", after=0.1)]) for number, keys in entered.items()
    }
    with running(telephony=telephony, log=log, carrier={"caller_for": callees.get}) as cloud:
        mids = Client(cloud.url).send([message(first, *ends, to=number) for number, first in asked.items()])
        for mid, keys in zip(mids, entered.values(), strict=True):
            assert finished(cloud, mid)["reason"] == "completed"
            path = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=AUTH, timeout=30).json()["call"]["path"]
            assert [step.get("case") for step in path] == ["paid", None]
            (told_lookup,) = [one for one in cloud.receiver.requests(mid) if "/lookup" in one.url]
            assert json.loads(told_lookup.body)["digits"] == keys
        # Of the sensitive ones nothing is left when the call is over, and they were plain nowhere but at the receiver
        secret = stored_entries(cloud, mids[1])
        assert [entry["key"] for entry in secret if "key" in entry] == ["complete", "d1"]
        assert [entry for entry in secret if "sealed" in entry] == []
        assert [place for place, text in places(cloud, log) if PIN in text] == []
