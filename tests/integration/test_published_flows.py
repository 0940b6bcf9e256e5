"""State machines are made once a shape, politely, and never in the way of messages whose shape is there."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.cloud.apply_moto_patches import install_guards
from local.cloud.template import read_template
from local.cloud.triggers.event_filter import EventFilter
from speechcall.dialling.use_cases.dial_messages import AGAIN_SECONDS, dial_messages
from speechcall.menus.adapters.published_flows import CREATE_PAUSE_SECONDS, PublishedFlows
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Webhook
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.errors import EngineUnavailable
from tests.kit.random_menus import random_menus
from tests.kit.samples import ASK, MENU, NOW, FakeClock, message
from tests.kit.walk_bench import MemoryFlows

ROOT = Path(__file__).parents[2]
WIRING = Wiring("arn:c", "arn:f", "https://q")


class StepFunctions:
    """CreateStateMachine as its reference describes it: idempotent by name, and throttled; starts are counted.

    With a `clock`, so many creations may come at once as it has tokens, and one more each second.
    """

    def __init__(self, clock=None, tokens=0):
        self.machines, self.creations, self.refusals, self.started = {}, 0, 0, []
        self._clock, self._tokens = clock, tokens
        self._filled_msec = clock.msec if clock else 0

    def create_state_machine(self, *, name, definition, **more):
        if self._clock:
            passed = (self._clock.msec - self._filled_msec) // 1000
            self._tokens, self._filled_msec = self._tokens + passed, self._filled_msec + passed * 1000
            if not self._tokens:
                self.refusals += 1
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, "CreateStateMachine")
            self._tokens -= 1
        self.creations += 1
        assert self.machines.setdefault(name, definition) == definition
        return {"stateMachineArn": f"arn:{name}"}

    def start_execution(self, *, name, **more):
        self.started.append(name)
        return {"startDate": datetime.now(UTC)}


def flows_on(client, registry=None, clock=None):
    seconds = (lambda: clock.msec / 1000) if clock else (lambda: 0.0)
    known: Any = registry or MemoryFlows()
    return PublishedFlows(client, known, WIRING, "arn:role", "0a1b2c3d", monotonic=seconds)


def test_a_machine_has_the_tags_of_the_stack():
    menus = (Menu("intro", 1000, {"d1": (Hangup(),)}),)
    role = "arn:aws:iam::123456789012:role/flow"
    wiring = replace(WIRING, control_call_arn="arn:aws:lambda:eu-central-1:123456789012:function:c")
    with mock_aws():
        client = boto3.client(
            "stepfunctions", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        for tags, prefix in (("team=voice,cost center=a=b", "0a1b2c3d"), ("", "ffffffff")):
            registry: Any = MemoryFlows()
            arn = PublishedFlows(client, registry, wiring, role, prefix, tags=tags).publish(menus)
            found = {one["key"]: one["value"] for one in client.list_tags_for_resource(resourceArn=arn)["tags"]}
            assert found == ({"team": "voice", "cost center": "a=b"} if tags else {})


def test_ten_thousand_messages_of_one_shape_share_one_machine_and_one_creation():
    client = StepFunctions()
    flows = flows_on(client)
    arns = set()
    for number in range(10_000):
        hook = Webhook(f"https://api.example.com/{number}", json.dumps({"n": number}), {"X-Number": str(number)})
        menu = Menu(f"https://cdn.example.com/{number}.wav", number + 1, {"d1": (hook, Hangup()), "wrong": (Hangup(),)})
        arns.add(flows.publish((menu,)))
    assert len(arns) == 1
    assert len(client.machines) == 1
    assert client.creations == 1


def test_there_are_as_many_machines_as_shapes():
    random, client = Random(11), StepFunctions()
    drawn = [random_menus(random) for _ in range(1000)]
    flows = flows_on(client)
    arns = {flows.publish(menus) for menus in drawn for _ in range(2)}
    shapes = {json.dumps(compile_flow(menus, WIRING)) for menus in drawn}
    assert len(arns) == len(client.machines) == client.creations == len(shapes) > 500


def test_two_diallers_that_publish_a_new_shape_at_once_get_one_machine():
    # Given two diallers that have both seen that the registry does not have it, and a Step Functions of moto's
    install_guards()
    both = threading.Barrier(2)

    class Registry(MemoryFlows):
        def find_flow(self, name):
            found = super().find_flow(name)
            both.wait(10)
            return found

    registry: Any = Registry()
    arns: list[str] = []
    wiring = replace(WIRING, control_call_arn="arn:aws:lambda:eu-central-1:123456789012:function:c")
    # The engine that the laptop has; moto's other one keeps machines too, and lets two of a name be made at once.
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client(
            "stepfunctions", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        role = "arn:aws:iam::123456789012:role/flow"
        dialers = [PublishedFlows(client, registry, wiring, role, "0a1b2c3d") for _ in range(2)]
        threads = [
            threading.Thread(target=lambda flows=flows: arns.append(flows.publish((MENU,)))) for flows in dialers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        made = client.list_state_machines()["stateMachines"]
    assert [machine["stateMachineArn"] for machine in made] == sorted(set(arns)) == list(registry.arns.values())
    assert len(arns) == 2


def test_after_a_refusal_no_new_shape_is_asked_for_until_a_second_has_passed():
    clock = FakeClock()
    client = StepFunctions(clock)
    flows = flows_on(client, clock=clock)
    for menus in ((MENU,), new_shape(1), new_shape(2)):
        with pytest.raises(EngineUnavailable):
            flows.publish(menus)
    assert client.refusals == 1
    clock.sleep(CREATE_PAUSE_SECONDS)
    assert flows.publish((MENU,)) == f"arn:{next(iter(client.machines))}"


def test_a_known_shape_does_not_wait_behind_a_refusal():
    clock, registry = FakeClock(), MemoryFlows()
    known = flows_on(StepFunctions(), registry).publish((MENU,))
    flows = flows_on(StepFunctions(clock), registry, clock)
    with pytest.raises(EngineUnavailable):
        flows.publish(new_shape(1))
    assert flows.publish((MENU,)) == known


# ---------------------------------------------------------------------- dialling
def new_shape(number):
    """Menus of a shape that no other number has."""
    bits = f"{number + 1:010b}"
    lists = {f"d{place}": (GotoMenu(int(bit)),) for place, bit in enumerate(bits)}
    return (MENU._replace(actions={**lists, "wrong": (GotoMenu(1),)}), MENU)


class Backlog:
    """New shapes that were due first, messages of one known shape behind them, and a throttled Step Functions."""

    def __init__(self, new, known, tokens):
        self.clock, self.messages, registry = FakeClock(), MemoryMessages(), MemoryFlows()
        flows_on(StepFunctions(), registry).publish((MENU,))
        self.client = StepFunctions(self.clock, tokens)
        self.flows = flows_on(self.client, registry, self.clock)
        for number in range(new + known):
            menus = new_shape(number) if number < new else (MENU,)
            self.messages.add([message(str(number), menus=menus)])
            self.messages.queue(self.messages.get(str(number)), (ASK,) * len(menus), NOW - 10_000 + number)

    def dial(self):
        """One run of the dialler, each minute."""
        done = dial_messages(
            (),
            messages=self.messages,
            turns=self.messages.turns,
            flows=self.flows,
            lines=self.messages.pool,
            stack=Pool(10_000, 1000),
            clock=self.clock,
            time_left=lambda: 55.0,
        )
        self.clock.sleep(60)
        return done.started


def test_messages_whose_shape_is_known_go_out_while_new_shapes_wait_for_their_turn():
    backlog = Backlog(new=180, known=400, tokens=20)
    # The first run: 20 new shapes from the bucket (and what a second or two more bring), and every known message.
    assert 420 <= backlog.dial() <= 425
    assert backlog.client.refusals <= 5
    # Each minute brings about sixty more, although two hundred new shapes were due before all others.
    assert [backlog.dial() >= 55 for _ in range(2)] == [True, True]
    while backlog.dial():
        pass
    assert len(backlog.client.started) == 580
    assert {message.state for message in backlog.messages._messages.values()} == {State.CALLING}
    assert len(backlog.client.machines) == backlog.client.creations == 180


def test_a_message_that_waits_for_its_machine_is_out_of_the_way_and_due_again():
    backlog = Backlog(new=1, known=0, tokens=0)
    assert backlog.dial() == 0
    assert backlog.messages.due(State.QUEUED, NOW + AGAIN_SECONDS * 1000, 10) == ["0"]
    assert backlog.messages.due(State.QUEUED, NOW + AGAIN_SECONDS * 1000 - 1, 10) == []


def test_a_message_that_is_put_off_does_not_wake_the_dialler():
    parameters = {
        "ConnectInstanceArn": "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa",
        "CallerId": "+4930123456",
    }
    dialer = read_template(ROOT / "template.yaml", parameters).functions["DialerFunction"]
    (stream,) = (event for event in dialer.events if event.type == "DynamoDB")
    wakes = EventFilter.of_mapping(stream.properties)
    queued = json.loads((ROOT / "events" / "dynamodb" / "message-queued.json").read_text(encoding="utf-8"))
    (record,) = queued["Records"]
    assert wakes.matches(record)
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"]
    assert not wakes.matches(record)
