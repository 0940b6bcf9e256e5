"""`speechcall list watch` and `list compare`, on lists in memory."""

import json
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from cli.main import app
from speechcall.calls.rules.call import Step
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Webhook
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_pool import MemoryPool
from speechcall.rehearsal.adapters.memory_turns import MemoryTurns
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.use_cases.status import History, Summary
from tests.kit.command_line import CliRunner
from tests.kit.samples import CALL, MESSAGE

LATER = 10**15


class Deployment:
    """A list of three messages and one of one; each look finds the next of `looks`."""

    def __init__(self, *looks):
        self.looks, self.asked = list(looks), []
        self.lines = MemoryPool()
        self.lines.tell_stack(Pool(1, 1))
        self.history = self.lists = self.campaigns = self
        self.turns = MemoryTurns()

    def find_list(self, list_id):
        ids = {"7": ("1", "2", "3"), "8": ("4",)}.get(list_id)
        return MessageList(list_id, "acme", ids, 0, 0, "", {"messages": [], "messagelistId": list_id}) if ids else None

    def summaries(self, mids):
        self.asked.append(list(mids))
        look = self.looks.pop(0)
        return [look[mid] for mid in mids if mid in look]

    def waiting_before(self, account_id, campaign, mid):
        return 1

    def count_open(self, account_id):
        return 0


def one(mid, state, outcome=None, until=LATER):
    return Summary(mid, "+380671234567", State(state), outcome, outcome, until)


QUEUED = {mid: one(mid, "queued") for mid in "1234"}
SOME = QUEUED | {"1": one("1", "finished", "answered"), "2": one("2", "calling")}
ALL = QUEUED | {
    "2": one("2", "finished", "busy"),
    "3": one("3", "finished", "answered"),
    "4": one("4", "finished", "busy"),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, _seconds: None)


def watch(deployment, *ids):
    return CliRunner().invoke(app, ["list", "watch", *ids, "--local"], obj=lambda _place: deployment)


def test_each_change_is_a_line_and_it_ends_with_the_last_message():
    deployment = Deployment(QUEUED, QUEUED, SOME, ALL)
    result = watch(deployment, "7")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "0 of 3 done: waiting 3, about 3 min left",
        "1 of 3 done: answered 1, waiting 1, in calls 1, about 2 min left",
        "3 of 3 done: answered 2, busy 1",
    ]
    # What has ended is not read again.
    assert deployment.asked == [["1", "2", "3"]] * 3 + [["2", "3"]]


def test_a_message_whose_call_is_over_does_not_wait_until_its_outcome_is_known():
    """As in a list's cancellation and a message's status: it is in progress (state `settling`)."""
    look = SOME | {"2": one("2", "settling"), "3": one("3", "preparing")}
    result = watch(Deployment(look, ALL), "7")
    assert result.output.splitlines()[0].startswith("1 of 3 done: answered 1, waiting 1, in calls 1, ")
    options = ["list", "watch", "7", "--local", "--json"]
    told = CliRunner().invoke(app, options, obj=lambda _place: Deployment(look, ALL))
    first = json.loads(told.stdout.splitlines()[0])
    assert (first["waiting"], first["inCalls"], first["finished"]) == (1, 1, 1)


def test_several_lists_are_watched_as_one():
    result = watch(Deployment(SOME, ALL), "7", "8", "7")
    assert result.output.splitlines()[-1] == "4 of 4 done: answered 2, busy 2"


def test_what_has_expired_or_was_deleted_is_no_longer_waited_for():
    look = {"1": one("1", "queued", until=1), "2": one("2", "finished", "answered")}
    assert watch(Deployment(look), "7").output == "3 of 3 done: answered 1, deleted 1, expired 1\n"


def test_without_lines_there_is_no_estimate():
    deployment = Deployment(QUEUED, ALL | {"1": one("1", "finished", "failed")})
    deployment.lines.choose({"lines": 0})
    assert watch(deployment, "7").output.splitlines()[0] == "0 of 3 done: waiting 3, no lines: paused"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal to watch in: what it shows in the end."""
    shown, theirs = os.openpty()
    written = []

    def read():
        with suppress(OSError):  # Linux's end of a terminal
            while piece := os.read(shown, 1000):
                written.append(piece)

    def watched(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reader = threading.Thread(target=read)
        reader.start()
        with os.fdopen(theirs, "w") as out:
            monkeypatch.setattr(sys, "stdout", out)
            try:
                app(
                    ["list", "watch", "7", "--local"],
                    obj=lambda _: Deployment(QUEUED, SOME, ALL),
                    standalone_mode=False,
                )
            finally:
                monkeypatch.undo()
        reader.join()
        return b"".join(written).decode()

    yield watched
    os.close(shown)


def test_in_a_terminal_it_is_a_bar(terminal):
    shown = terminal(TERM="xterm", COLUMNS="100")
    assert "3/3" in shown
    assert "answered 2, busy 1" in shown
    assert "━" in shown
    assert "\x1b[" in shown


FORCED = [{"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "TERM": "xterm"}, {"TTY_COMPATIBLE": "1"}]
LINES = [
    "0 of 3 done: waiting 3, about 3 min left",
    "1 of 3 done: answered 1, waiting 1, in calls 1, about 2 min left",
    "3 of 3 done: answered 2, busy 1",
]


@pytest.mark.parametrize("term", ["dumb", "unknown"])
@pytest.mark.parametrize("force", [{}, {"FORCE_COLOR": "1"}])
def test_a_terminal_that_can_do_nothing_gets_lines(terminal, term, force):
    assert terminal(TERM=term, COLUMNS="100", **force).splitlines() == LINES


@pytest.mark.parametrize(
    "force", [{"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "TERM": "xterm"}, {"TTY_COMPATIBLE": "1"}]
)
def test_a_file_gets_lines_whatever_is_said_of_colours(monkeypatch, force):
    for name, value in force.items():
        monkeypatch.setenv(name, value)
    assert watch(Deployment(QUEUED, SOME, ALL), "7").output.splitlines() == LINES


@pytest.mark.parametrize(
    ("given", "status", "said"), [("9", 3, "There is no message list 9"), ("x", 2, "up to 19 digits")]
)
def test_a_list_that_is_none_is_told_so(given, status, said):
    result = watch(Deployment(), given)
    assert result.exit_code == status
    assert said in result.output


def test_no_number_is_shown():
    assert "380" not in watch(Deployment(QUEUED, SOME, ALL), "7").output


# ------------------------------------------------------------------ compare
YES = Webhook("https://shop.example/yes")
OLD = (Menu("intro", 10_000, {"d1": (YES, Hangup()), "wrong": (GotoMenu(0),)}),)


class Made:
    """A list of four messages: two calls with keys, one in silence, one that was not answered, one deleted."""

    def __init__(self):
        self.lists = self.history = self

    def find_list(self, list_id):
        if list_id != "7":
            return None
        mids = ("1", "2", "3", "4", "5")
        return MessageList(list_id, "acme", mids, 0, 0, "", {"messages": [], "messagelistId": list_id})

    def read(self, mid):
        heard = {"1": ["d1"], "2": ["idle", "d1"], "3": ["idle"] * 3, "4": []}.get(mid)
        path = tuple(Step(0, one, 0) for one in heard or ())
        call = CALL._replace(mid=mid, path=path)
        return None if heard is None else History(replace(MESSAGE, mid=mid, menus=OLD), [call], [])


def compared(tmp_path, lists, *options):
    """What becomes of the list's calls with a menu of these lists."""
    file = tmp_path / "new.json"
    file.write_text(json.dumps([{"introUrl": "intro", "dtmfActions": lists}]))
    return CliRunner().invoke(app, ["list", "compare", "7", str(file), "--local", *options], obj=lambda _: Made())


SENDS = {"action": "webhook", "url": YES.url, "body": {}}
AGAIN, ENDS = {"action": "gotoMenu", "menu": 0}, {"action": "hangup"}


def test_the_calls_of_a_list_go_through_other_menus(tmp_path):
    result = compared(tmp_path, {"d1": [SENDS, ENDS], "wrong": [AGAIN]})
    assert (result.exit_code, result.output) == (0, "All 3 calls would have gone as they did.\n")
    result = compared(tmp_path, {"d1": [SENDS, ENDS], "wrong": [ENDS]})
    assert result.output.splitlines() == [
        "Of 3 calls 2 would have gone otherwise:",
        "  1 webhooks would not have been sent",
        "  0 other webhooks would have been sent",
        "  2 calls would have been ended before their last key",
        "  0 calls would have been asked one menu more",
    ]
    result = compared(tmp_path, {"d1": [AGAIN], "wrong": [AGAIN]}, "--json")
    expected = {"calls": 2, "lost": 2, "added": 0, "shorter": 0, "longer": 2}
    assert json.loads(result.output) == {"calls": 3, "otherwise": expected}


def test_a_list_is_compared_with_the_menus_of_one_message(tmp_path):
    file = tmp_path / "new.json"
    menu = {"menu": [{"introUrl": "intro", "dtmfActions": {}}]}
    for given, list_id, told in (
        ({"messages": [menu, menu]}, "7", "MENUS_NOT_COMPARABLE: new.json has the menus of 2 messages"),
        ({"messages": []}, "7", "holds no message"),
        (menu, "9", "There is no message list 9"),
    ):
        file.write_text(json.dumps(given))
        command = ["list", "compare", list_id, str(file), "--local"]
        result = CliRunner().invoke(app, command, obj=lambda _: Made())
        assert result.exit_code == 3
        assert told in result.output
