"""Compiled menus on an engine that shares no code with moto's: aws-local-stepfunctions.

What it reads otherwise than moto, and as AWS does: a Choice on a missing path ends the execution and cannot be caught.
Tokens, EnteredTime and RetryCount are the adapter's (tests/kit/node_engine), so it says nothing about these.
Where there is no Node its tests are skipped and say so.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from speechcall.menus.adapters.published_flows import PublishedFlows
from speechcall.menus.rules.compile_flow import compile_flow
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.rules.errors import NOT_ANSWERED, TelephonyThrottled, retryable_error_names
from speechcall.shared.rules.outcome import End
from speechcall.shared.rules.time_bounds import COMMAND_RETRIES, FINISH_RETRIES, WEBHOOK_RETRIES
from tests.golden.flows import NAMES, WIRING, example_menus
from tests.kit.compiled_pairs import MISTAKES, SEVERAL, compiled_with, hold_against_the_walk
from tests.kit.node_engine.client import Ended, NodeEngine, node_engine
from tests.kit.npm import node_package
from tests.kit.races.machine import DEATHS
from tests.kit.random_menus import random_pair
from tests.kit.scripted_calls import SILENCE, Script, ScriptedCalls
from tests.kit.walk_bench import ROLE, WalkBench, walk_bench

PACKAGE = "aws-local-stepfunctions@3.0.0"
PAIRS = int(os.environ.get("COMPILED_WALK_PAIRS", "300"))
SHARDS = 6
CALLS_AN_EXAMPLE = 10


class OtherEngineBench(WalkBench):
    """The calls of `WalkBench`, with another engine between the product's two sides."""

    def use(self, engine: NodeEngine) -> None:
        client: Any = engine
        self.engine_client, self.engine = client, TaskEngine(client)
        self.flows = PublishedFlows(client, self.registry, self.wiring, ROLE, "0a1b2c3d")  # type: ignore[arg-type]

    def send(self, parameters: dict[str, Any]) -> Any:
        return self.sqs.send_message(**parameters)


@pytest.fixture(scope="module")
def home() -> Path:
    return node_package(PACKAGE, "compiled menus have run on moto's engine alone")


@pytest.fixture(scope="module")
def bench(home) -> Iterator[OtherEngineBench]:
    with ExitStack() as stack:
        made = stack.enter_context(walk_bench(OtherEngineBench))
        made.use(stack.enter_context(node_engine(home, made.invoke, made.send, made.hear_of_end)))
        yield made


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_compiled_machine_does_what_the_walk_says(bench, shard):
    hold_against_the_walk(bench, PAIRS // SHARDS)


@pytest.mark.parametrize("name", NAMES)
def test_the_specifications_examples_do_what_the_walk_says(bench, name):
    menus = example_menus(name)
    pairs = [random_pair(Random(seed), menus) for seed in range(CALLS_AN_EXAMPLE)]
    assert bench.differences(pairs) == [None] * CALLS_AN_EXAMPLE


def test_several_calls_are_as_they_must_be(bench):
    assert bench.differences(SEVERAL) == [None] * len(SEVERAL)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_compiler_that_makes_a_mistake_is_found_out(bench, mistake):
    with compiled_with(mistake):
        assert any(bench.differences(SEVERAL))


# ------------------------------------------------------------ failures under their real names
COMMANDS = ("dial", "ask 0", "hang_up")
TRIED_AGAIN = [*DEATHS, *retryable_error_names()]
FOR_GOOD = ["KeyError", "Runtime.ImportModuleError", "Runtime.UserCodeSyntaxError", "Lambda.ResourceNotFoundException"]
SQS = ["SQS.AmazonSQSException", "SQS.SdkClientException"]


def command_failures(names: list[str], times: int, told: bool) -> Iterator[Script]:
    """One command of a call fails so often."""
    for place in COMMANDS:
        for name in names:
            put_off = place == "dial" and name == TelephonyThrottled.__name__
            lasts = times > COMMAND_RETRIES
            tries = 1 if put_off else min(times, COMMAND_RETRIES) + 1
            end = End.THROTTLED if put_off else End.FAILED if lasts else End.COMPLETED
            yield Script({place: [name] * times}, {place: tries}, end, told)


def test_a_failure_is_tried_again_under_each_of_its_names(home):
    scripts = [*command_failures(TRIED_AGAIN, 1, told=False), *command_failures(TRIED_AGAIN, 1, told=True)]
    scripts += [Script({"webhook": [name]}, {"webhook": 2}, End.COMPLETED) for name in SQS]
    scripts += [Script({place: [name]}, {place: 1}, End.FAILED) for place in COMMANDS for name in FOR_GOOD]
    scripts.append(Script({"dial": [NOT_ANSWERED]}, {"dial": 1}, End.NOT_ANSWERED))
    scripts.append(Script({}, dict.fromkeys((*COMMANDS, "ask 1", "webhook", "finish"), 1), End.COMPLETED))
    assert ScriptedCalls().run(home, scripts, 40) == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_failures_that_come_again_and_again(home):
    scripts = [
        script for times in (2, 3, 4) for told in (False, True) for script in command_failures(TRIED_AGAIN, times, told)
    ]
    # Nothing is heard: the state's own time is up, and it is asked what has become of the call.
    scripts.append(Script({"dial": [SILENCE]}, {"dial": 1, "look_up": 1, "ask 0": 1}, End.COMPLETED))
    scripts.append(Script({"ask 1": [SILENCE]}, {"ask 1": 1, "look_up": 1, "hang_up": 1}, End.COMPLETED))
    scripts.append(Script({"hang_up": [SILENCE]}, {"hang_up": 1, "look_up": 0, "finish": 1}, End.COMPLETED))
    for place in ("dial", "ask 1"):
        for name in TRIED_AGAIN:
            for times, end in ((3, End.COMPLETED), (4, End.LOST)):
                fails = {place: [SILENCE], "look_up": [name] * times}
                scripts.append(Script(fails, {place: 1, "look_up": 4}, end))
    for name in SQS:
        for times in (2, WEBHOOK_RETRIES, WEBHOOK_RETRIES + 1):
            end = End.COMPLETED if times <= WEBHOOK_RETRIES else End.FAILED
            scripts.append(Script({"webhook": [name] * times}, {"webhook": min(times, WEBHOOK_RETRIES) + 1}, end))
    for_good_too = (*TRIED_AGAIN, *FOR_GOOD)
    scripts += [Script({"finish": [name] * 2}, {"finish": 3}, End.COMPLETED) for name in for_good_too]
    scripts.append(Script({"finish": ["StoreUnavailable"] * FINISH_RETRIES}, {"finish": 9}, End.COMPLETED))
    never = Script({"finish": ["StoreUnavailable"] * 20}, {"finish": FINISH_RETRIES + 1}, "", status="FAILED")
    assert ScriptedCalls().run(home, [*scripts, never], 240) == []


def test_an_answer_without_a_key_ends_the_call_for_good(home):
    # The reason why each answer has its three fields: on AWS as here this is States.Runtime, which nothing catches.
    ends: list[Ended] = []
    over = threading.Event()

    def ended(end):
        ends.append(end)
        over.set()

    def invoke(_function, event):
        heard = {"event": "answered", "key": "", "seq": 1} if event["command"] == "dial" else {"event": "key", "seq": 2}
        engine.send_task_success(taskToken=event["token"], output=json.dumps(heard))

    with node_engine(home, invoke, lambda _: None, ended) as engine:
        definition = json.dumps(compile_flow(example_menus("simple"), WIRING))
        arn = engine.create_state_machine(name="m", definition=definition)["stateMachineArn"]
        given = {"mid": "1", "attempt": 1, "waits": {"dial": 60, "m0": 60}}
        engine.start_execution(stateMachineArn=arn, name="1", input=json.dumps(given))
        assert over.wait(20)
    assert [(end.status, end.error) for end in ends] == [("FAILED", "States.Runtime")]
