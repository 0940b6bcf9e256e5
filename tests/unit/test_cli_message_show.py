"""`speechcall message show`: one story in order, from the stack, with nothing in it that is nobody's business."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import app
from speechcall.calls.rules.call import Cause, Step
from speechcall.messages.rules.message import State
from speechcall.messages.rules.stops import CampaignNumbers
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.ids import last_id
from speechcall.status.use_cases.status import History
from speechcall.webhooks.rules.delivery import Attempt, Delivery, DeliveryState
from tests.kit.command_line import CliRunner
from tests.kit.samples import CALL, CALLING, MESSAGE, MID, NOW
from tests.kit.webhook_bench import task_of
from tests.stores.stops import MemoryStops

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:0a1b2c3d-0123"
HOST = "https://api.example.com"


def finished():
    ended: dict[str, Any] = {"state": State.FINISHED, "outcome": "answered", "reason": "callerHungUp"}
    given: dict[str, Any] = {"campaign": "spring", "customer_id": "order of +380936670003", "flow_arn": MACHINE}
    message = replace(CALLING, **ended, **given, finished_msec=NOW + 30_000, text="for Olena")
    first = CALL._replace(ended_msec=NOW + 2_000, cause=Cause.BUSY)
    second = CALL._replace(
        attempt=2, dialled_msec=NOW + 9_000, answered_msec=NOW + 15_000, ended_msec=NOW + 28_000,
        cause=Cause.CALLER_HUNG_UP, path=(Step(0, "d1", NOW + 20_000),),
    )  # fmt: skip
    attempts = [Attempt(NOW + 21_000, 130, 503, None), Attempt(NOW + 25_000, 90, 200, None)]
    delivery = Delivery(DeliveryState.DELIVERED, attempts=tuple(attempts), destination=HOST)
    return History(message, (first, second), [(task_of(MESSAGE), delivery)])


def show(history, *options, place="--local", paused=(), cancelled=False):
    names = {"LogGroup": "prod-LogGroup-1"}
    messages = MemoryMessages()
    stops = MemoryStops(messages, {("acme", "spring"): CampaignNumbers()})
    for what in paused:
        stops.pause(what, NOW, 0)
    if cancelled:
        stops.cancel_queue("acme", last_id(NOW), NOW)
    deployment = SimpleNamespace(
        history=SimpleNamespace(read=lambda mid: history if mid == MID else None),
        name_of=names.__getitem__,
        stops=stops,
        turns=messages.turns,
    )
    where = [place] if place == "--local" else ["--stack", "prod", "--region", "eu-west-2"]
    return CliRunner().invoke(app, ["message", "show", *options, *where], obj=lambda _place: deployment)


def test_the_story_is_told_in_order_with_every_attempt_and_key():
    shown = show(finished(), MID)
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0] == f"message    {MID} of list 227633266688000006, account acme, campaign spring"
    assert lines[1:3] == ["to         +380…03", "status     delivered, finished: answered (callerHungUp)"]
    told = ["accepted", "call 1: dialled", "call 1: ended, busy", "call 2: dialled", "call 2: answered", "heard d1"]
    told += [f"to {HOST}: attempt 1, 503 in 130 ms", "attempt 2, 200 in 90 ms, delivered"]
    told += ["call 2: ended, callerHungUp", "finished: answered"]
    places = [next(number for number, line in enumerate(lines[3:]) if words in line) for words in told]
    assert places == sorted(places)
    assert f"{MACHINE.replace('stateMachine', 'execution')}:{MID}-2" in shown.output


def test_no_number_no_text_and_no_path_of_a_url_is_shown():
    for options in ((), ("--json",)):
        text = show(finished(), MID, *options).output
        assert [words for words in ("0936670003", "936670003", "Olena", "order", "/callback") if words in text] == []


def test_the_query_of_its_log_is_told():
    assert f"grep {MID} build/functions.log" in show(finished(), MID).output
    text = show(finished(), MID, place="--stack").output
    assert f'filter mid = "{MID}"' in text
    assert "aws logs start-query --log-group-name prod-LogGroup-1" in text
    assert "--region eu-west-2" in text


def test_programs_get_the_same_as_json():
    told = json.loads(show(finished(), MID, "--json").output)
    assert told["recipient"] == "+380…03"
    assert told["account"] == "acme"
    assert told["call"]["path"] == [{"attempt": 2, "menu": 0, "heard": "d1", "at": told["call"]["path"][0]["at"]}]
    assert [one["destination"] for one in told["call"]["webhooks"]] == [HOST]
    assert len(told["executions"]) == 2


LIST = Stopped(Brake.LIST, "acme", MESSAGE.list_id)
CAMPAIGN = Stopped(Brake.CAMPAIGN, "acme", "spring")
ACCOUNT = Stopped(Brake.ACCOUNT, "acme")


def waiting():
    """A message of a campaign that waits for a line."""
    created = SystemClock().now_msec()
    return History(replace(MESSAGE, state=State.QUEUED, campaign="spring", created_msec=created), (), [])


@pytest.mark.parametrize(
    ("paused", "told"),
    [
        ([], []),
        ([LIST], [f"list resume {MESSAGE.list_id}"]),
        ([CAMPAIGN], ["campaign resume acme spring"]),
        ([ACCOUNT], ["account resume acme"]),
        (
            [LIST, CAMPAIGN, ACCOUNT],
            ["account resume acme", "campaign resume acme spring", f"list resume {MESSAGE.list_id}"],
        ),
    ],
)
def test_what_is_paused_is_told_with_what_ends_it(paused, told):
    text = show(waiting(), MID, paused=paused).output
    assert ("queued, paused" in text) is bool(paused)
    lines = [line for line in text.splitlines() if line.startswith("paused ")]
    assert [line.partition("speechcall ")[2].removesuffix(" --local") for line in lines] == told
    assert ("by whom    speechcall audit list --account acme --local\n" in text) is bool(paused)
    text = show(waiting(), MID, place="--stack", paused=paused).output
    assert all(f"speechcall {command} --stack prod --region eu-west-2\n" in text for command in told)
    known = json.loads(show(waiting(), MID, "--json", paused=paused).output)
    assert known.get("pausedBy", []) == [name.split()[0] for name in told]


def test_a_message_that_is_cancelled_and_not_finished_yet_is_told_as_cancelled():
    assert "finished: cancelled" in show(waiting(), MID, cancelled=True).output


def test_what_does_not_wait_is_not_told_as_paused():
    text = show(finished(), MID, paused=[CAMPAIGN, ACCOUNT]).output
    assert "paused" not in text


@pytest.mark.parametrize("state", [State.PREPARING, State.QUEUED, State.CALLING])
def test_a_message_that_is_on_its_way_is_told_as_far_as_it_is(state):
    history = History(replace(MESSAGE, state=state), (), [])
    shown = show(history, MID)
    assert shown.exit_code == 0
    assert state.value in shown.output or "finished: expired" in shown.output


def test_a_message_that_is_not_there_is_said_so():
    shown = show(finished(), "227633266688000099")
    assert shown.exit_code == 3
    assert "There is no message 227633266688000099, or it was deleted after 30 days." in shown.output
