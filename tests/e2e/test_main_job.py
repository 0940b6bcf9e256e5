"""The whole chain over HTTP: a client's request, a telephone, the webhooks that arrive."""

import json
import statistics
import sys
import time
from pathlib import Path

import boto3
import httpx
import pytest
from standardwebhooks import Webhook

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.chime.settings import CREATE
from local.network.shared.faults import Faults
from local.network.shared.scripted_callees import Script, answer, busy, press, stay_silent
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook
from tests.kit.audio_host import audio_host

TELEPHONIES = pytest.mark.parametrize("telephony", RINGING)
PRODUCT = ("layers/core/speechcall", "functions/")
CLOCK = "adapters/clock.py"


def kinds(cloud, mid):
    return [entry["kind"] for entry in cloud.journal.entries(mid)]


def history(mid):
    """Names of the states that an execution entered, and the types of its other events, in order."""
    sfn = boto3.client("stepfunctions")
    (machine,) = sfn.list_state_machines()["stateMachines"]
    arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{mid}-1"
    events = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return [event.get("stateEnteredEventDetails", {}).get("name") or event["type"] for event in events]


def test_the_webhook_arrives_as_the_specification_says():
    nested = "[" * 20 + '"🙂"' + "]" * 20
    given = f'{{"z":true,"price":1.10,"big":1180591620717411303424,"a":"Зоя 👋🏽","nested":{nested},"m":[-0.0,1E+5]}}'
    with running(Script([answer(), press("1")])) as cloud:
        sent = message(menu(d1=[webhook({"@": 0}, headers={"X-Custom-Header": "value"}), HANGUP]))
        body = json.dumps({"messages": [sent]}).replace('{"@": 0}', given).encode()
        mid = post_raw(cloud, body)
        finished(cloud, mid)
        arrived = cloud.journal.wait_for(lambda e: e["kind"] == "webhook" and e["mid"] == mid, 10)
    headers = {name.lower(): value for name, value in arrived["headers"]}
    assert arrived["method"] == "POST"
    assert arrived["url"] == "https://api.example.com/hook"
    assert arrived["body"] == f'{{"from":"BazarCOM","to":"+380671234567","mid":"{mid}","action":{given}}}'
    assert headers["content-type"] == "application/json"
    assert headers["x-custom-header"] == "value"
    assert headers["host"] == "api.example.com"
    assert headers["webhook-id"] == f"{mid}-1-2-m0-d1-0"
    Webhook(seed.WEBHOOK_SECRET).verify(arrived["body"], headers)
    assert arrived["signature"] == "valid"


def post_raw(cloud, body):

    sent = httpx.post(f"{cloud.url}/bat/messagelist", content=body, auth=(seed.USER, seed.PASSWORD), timeout=30)
    return sent.json()["messages"][0]["messageId"]


@TELEPHONIES
def test_a_silent_telephony_ends_a_menu_by_its_timeout_and_leads_to_wrong(telephony):
    """The carrier's own input timer is off, so nothing but the state machine's wait can end the menu."""
    # Prompt 1 s (rounded up), idle 1 s, grace 1 s.
    settings = {"parameters": {"GraceSeconds": "1"}, "carrier": {"input_timer": False}}
    with running(Script([answer()]), telephony=telephony, **settings) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(wrong=[webhook({"wrong": True}), HANGUP]))])
        cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 20)
        assert finished(cloud, mid)["outcome"] == "answered"
        entered = history(mid)
        states = [name for name in entered if not name[0].isupper() or " " in name or name in ("Dial", "Completed")]
        machine = boto3.client("stepfunctions")
        arn = machine.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        asked = json.loads(machine.describe_state_machine(stateMachineArn=arn)["definition"])["States"]["Menu 0"]
    assert asked["TimeoutSecondsPath"] == "$.waits.m0"
    assert "TaskTimedOut" in entered
    assert entered.index("TaskTimedOut") < entered.index("Menu 0 silent?")
    assert states == [
        "Dial",
        "Menu 0",
        "Menu 0 silent?",
        "Menu 0 key?",
        "Menu 0 wrong 1 webhook",
        "Hang up",
        "Completed",
    ]


def test_fifty_calls_at_once_end_right_and_nothing_in_the_product_sleeps(monkeypatch):
    slept, real = [], time.sleep

    def only_the_clock_sleeps(seconds):
        caller = Path(sys._getframe(1).f_code.co_filename).as_posix()
        if any(part in caller for part in PRODUCT) and not caller.endswith(CLOCK):
            slept.append(caller)
            raise AssertionError(f"{caller} sleeps")
        real(seconds)

    monkeypatch.setattr(time, "sleep", only_the_clock_sleeps)
    with running(Script([answer(), press("1")])) as cloud:
        menus = (menu(d1=[webhook(), HANGUP], wrong=[HANGUP]),)
        mids = Client(cloud.url).send([message(*menus, to=f"+3806700000{n:02}") for n in range(50)])
        ends = [finished(cloud, mid, 60) for mid in mids]
        for mid in mids:
            cloud.journal.wait_for(lambda entry, mid=mid: entry["kind"] == "webhook" and entry["mid"] == mid, 20)
        took = [end["at"] - cloud.journal.entries(mid)[0]["at"] for mid, end in zip(mids, ends, strict=True)]
        webhooks = [entry["mid"] for entry in cloud.journal.entries() if entry["kind"] == "webhook"]
        visited = {mid: [e["menu"] for e in cloud.journal.entries(mid) if e["kind"] == "menu"] for mid in mids}
        held = boto3.client("dynamodb").get_item(
            TableName=cloud.template.ref("RegistryTable"), Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
        )["Item"]
        failures = [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"]
    assert slept == []
    assert {(end["outcome"], end["reason"]) for end in ends} == {("answered", "completed")}
    assert sorted(webhooks) == sorted(mids)
    assert set(map(tuple, visited.values())) == {(0,)}
    assert not {"held", "numbers"} & set(held)
    assert failures == []
    assert max(took) <= 3 * statistics.median(took), (max(took), statistics.median(took))


@pytest.mark.parametrize("many", [20, pytest.param(100, marks=pytest.mark.long)])
def test_messages_with_as_many_bodies_share_one_state_machine(many):
    """As do ten thousand, without their calls: `test_published_flows.py`."""
    with running(Script([busy()])) as cloud:
        mids = Client(cloud.url).send(
            [message(menu(d1=[webhook({"order": n}), HANGUP]), to=f"+3806700001{n:02}") for n in range(many)]
        )
        ends = [finished(cloud, mid, 90) for mid in mids]
        machines = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    assert {end["outcome"] for end in ends} == {"busy"}
    assert len(machines) == 1


def test_a_busy_number_is_busy_and_its_line_free_though_its_record_says_so_later():
    with running(Script([busy()]), carrier={"faults": Faults(reason_lag_seconds=1)}) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(d1=[HANGUP]))])
        end = finished(cloud, mid)
        states = [entry["state"] for entry in cloud.journal.entries(mid) if entry["kind"] == "state"]
        key = {"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
        pool = boto3.client("dynamodb").get_item(TableName=cloud.template.ref("RegistryTable"), Key=key)["Item"]
    assert end["outcome"] == "busy"
    assert end["reason"] == "busy"
    assert states[-3:] == ["calling", "settling", "finished"]
    assert not {"held", "numbers"} & set(pool)


def test_a_callee_never_waits_for_a_receiver():
    with running(Script([answer(), press("1"), press("1")])) as cloud:
        cloud.receiver.hang()
        menus = (menu(d1=[webhook(), goto(1)]), menu(d1=[HANGUP]))
        (mid,) = Client(cloud.url).send([message(*menus)])
        cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 20)
        # The receiver holds the request all the while, and the call goes on to its end.
        assert finished(cloud, mid)["reason"] == "completed"
        item = {"pk": {"S": f"M#{mid}"}, "sk": {"S": f"HOOK#{mid}-1-2-m0-d1-0"}}
        delivery = boto3.client("dynamodb").get_item(TableName=cloud.template.ref("MessagesTable"), Key=item)["Item"]
        assert delivery["delivery"] == {"S": "pending"}
        assert delivery["attempts"] == {"L": []}
        assert [e["menu"] for e in cloud.journal.entries(mid) if e["kind"] == "menu"] == [0, 1]
        cloud.receiver.release()


@pytest.mark.parametrize("status", [500, 404])
def test_a_webhook_that_is_refused_is_tried_again_only_where_that_may_help(status):
    with running(Script([answer(), press("1")])) as cloud:
        cloud.receiver.answer_with(status)
        (mid,) = Client(cloud.url).send([message(menu(d1=[webhook(), HANGUP]))])
        cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 20)
        finished(cloud, mid)
        cloud.receiver.answer_with(200)
        if status == 500:  # the second attempt is due after 5 s
            cloud.journal.wait_for(
                lambda _: len(cloud.receiver.requests(mid)) == 2, 20, after=cloud.journal.entries(mid)[-1]["id"]
            )
            first, second = cloud.receiver.requests(mid)
            assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"]
        (hook,) = webhooks_of(cloud, mid, "delivered" if status == 500 else "failed")
    assert [attempt["status"] for attempt in hook["attempts"]] == ([500, 200] if status == 500 else [404])
    assert hook["nextAttemptAt"] is None


def webhooks_of(cloud, mid, state):
    """The message's webhooks as its status shows them, as soon as all are in `state`."""
    deadline = time.monotonic() + 20
    while True:
        answer = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=(seed.USER, seed.PASSWORD), timeout=30).json()
        hooks = answer["call"]["webhooks"]
        if hooks and all(hook["state"] == state for hook in hooks):
            return hooks
        assert time.monotonic() < deadline, hooks
        time.sleep(0.05)


@TELEPHONIES
def test_a_call_that_stays_silent(telephony):
    with running(Script([answer(), stay_silent()]), telephony=telephony) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(wrong=[webhook({"silent": True})]))])
        assert finished(cloud, mid)["reason"] == "completed"
        assert kinds(cloud, mid).count("silence") == 1


def test_a_message_whose_prompt_cannot_be_had_is_never_dialled():
    with audio_host() as host, running(Script([answer()]), webhooks="real") as cloud:
        intro = host.url("/not-there.wav", host="localhost")
        (mid,) = Client(cloud.url).send([message(menu(intro=intro, wrong=[]))])
        end = finished(cloud, mid)
        assert end["outcome"] == "promptUnavailable"
        assert end["reason"] == "promptUnavailable"
        assert "dialled" not in kinds(cloud, mid)


def test_a_dial_whose_answer_is_lost_rings_once_and_the_call_goes_on():
    with running(Script([answer(), press("1")]), telephony="chime") as cloud:
        cloud.carrier.api.fail(CREATE, "ServiceFailureException", after_doing=True)
        (mid,) = Client(cloud.url).send([message(menu(idle=10_000, d1=[webhook(), HANGUP]))])
        assert finished(cloud, mid)["reason"] == "completed"
        cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 20)
        assert kinds(cloud, mid).count("dialled") == 1
