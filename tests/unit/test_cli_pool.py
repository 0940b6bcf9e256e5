"""`speechcall pool …`, on a pool in memory."""

import json
from dataclasses import dataclass, field

import pytest

from cli.main import app
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_pool import MemoryPool
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.adapters.history_store import Backlog
from tests.kit.command_line import CliRunner


@dataclass
class Deployment:
    lines: MemoryPool = field(default_factory=MemoryPool)
    waiting: Backlog = field(default_factory=lambda: Backlog(7, is_all=True))

    @property
    def history(self):
        return self

    def backlog(self):
        return self.waiting


@pytest.fixture
def deployment():
    found = Deployment()
    found.lines.tell_stack(Pool(10, 2))
    return found


@pytest.fixture
def run(deployment):
    def invoke(*arguments):
        return CliRunner().invoke(app, ["pool", *arguments, "--local"], obj=lambda _place: deployment)

    return invoke


def rows(output):
    return [line.split() for line in output.splitlines()[:3]]


def test_what_is_deployed_holds_until_something_is_chosen(run, deployment):
    assert rows(run("show").output) == [
        ["SETTING", "IN", "EFFECT", "DEPLOYED", "CHOSEN"],
        ["lines", "10", "10", "-"],
        ["callsPerSecond", "2", "2", "-"],
    ]
    assert rows(run("set", "--lines", "20").output)[1:] == [
        ["lines", "20", "10", "20"],
        ["callsPerSecond", "2", "2", "-"],
    ]
    assert run("set", "--calls-per-second", "5").exit_code == 0
    assert deployment.lines.read().in_effect(Pool(10, 2)) == Pool(20, 5)
    assert rows(run("set", "--as-deployed").output)[1:] == [
        ["lines", "10", "10", "-"],
        ["callsPerSecond", "2", "2", "-"],
    ]
    assert deployment.lines.read().in_effect(Pool(10, 2)) == Pool(10, 2)


def test_what_goes_on_is_told_without_numbers(run, deployment):
    deployment.lines.take("1-1", "+380671234567", Pool(10, 2), SystemClock().now_msec(), is_urgent=False)
    deployment.lines.slow_down(SystemClock().now_msec() + 60_000)
    shown = run("show")
    assert "In calls: 1 (paused: the telephony asked for fewer). Waiting for a line: 7." in shown.output
    found = json.loads(run("show", "--json").output)
    assert 50_000 < found.pop("nextCallInMsec") <= 60_000
    assert found == {
        "lines": 10,
        "callsPerSecond": 2,
        "deployed": {"lines": 10, "callsPerSecond": 2},
        "chosen": {"lines": None, "callsPerSecond": None},
        "inCalls": 1,
        "waiting": 7,
        "waitingOrMore": False,
    }
    assert "380671234567" not in shown.output


def test_a_backlog_that_was_not_counted_to_its_end_is_told_as_so_many_or_more(run, deployment):
    deployment.waiting = Backlog(4000, is_all=False)
    assert run("show").output.splitlines()[-1] == "In calls: 0. Waiting for a line: 4000 or more."
    for command in (("show",), ("set", "--lines", "3")):
        found = json.loads(run(*command, "--json").output)
        assert (found["waiting"], found["waitingOrMore"]) == (4000, True)


def test_no_lines_is_a_pause_and_says_so(run, deployment):
    assert "No call is begun" in run("set", "--lines", "0").output
    assert deployment.lines.read().lines == 0


def test_a_stack_in_which_nothing_has_run_yet_can_be_told_too(run, deployment):
    deployment.lines = MemoryPool()
    assert rows(run("show").output)[1] == ["lines", "-", "-", "-"]
    assert rows(run("set", "--lines", "3").output)[1] == ["lines", "3", "-", "3"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--lines", "-1"),
        ("--calls-per-second", "0"),
        ("--lines", "many"),
        ("--lines", "10001"),
        ("--as-deployed", "--lines", "20", "--calls-per-second", "5"),
    ],
)
def test_what_cannot_be_is_refused(run, deployment, arguments):
    before = deployment.lines.read()
    assert run("set", *arguments).exit_code == 2
    assert deployment.lines.read() == before
