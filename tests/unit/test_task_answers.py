"""Every answer to a task has `event`, `key` and `seq`, by each of the four ways in which a task is answered.

`FakeEngine` holds the answers of every other unit test to it, too. Neither moto nor its kin shows one that lacks a
field: they take a Choice's Default, where AWS ends the execution for good.
"""

from typing import Any, get_type_hints

import pytest

from speechcall.calls.rules.call import Bounds, Cause
from speechcall.calls.use_cases.control_call import Control
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.ports import Contact, Engine
from speechcall.calls.use_cases.report import Heard, Report
from speechcall.menus.rules.call_log import Plan
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.shared.use_cases.tasks import TaskAnswer
from tests.kit.samples import ASK, CALL, CALLING, MESSAGE, MID, NOW, FakeClock, FakeEngine, hold_to_shape

PLAN = Plan(({"d1": 0, "d2": "end", "wrong": 0},), 50, NOW + 900_000, 2)
BY_LOG = pytest.mark.parametrize("plan", [PLAN, None], ids=["with a log", "without"])
IS_THERE = Contact("contact-1", {}, ended=False, answered=True, cause=None)
IS_GONE = IS_THERE._replace(ended=True, cause=Cause.CALLER_HUNG_UP)


class Bench:
    """A call that has been answered; `contact` is what the provider knows of it."""

    def __init__(self, plan, contact=IS_THERE, *, answered=True, max_visits=50):
        self.calls, self.engine, self.clock, self.contact = MemoryCalls(), FakeEngine(), FakeClock(), contact
        self.calls.open(CALL._replace(asks=(ASK,), plan=plan, contact_id="contact-1"), MESSAGE.expires_at)
        messages = MemoryMessages()
        messages.add([CALLING])
        bounds = Bounds(max_visits, 900)
        telephony: Any = self
        self.control = Control(self.calls, messages, self.engine, telephony, self.clock, bounds, messages.pool)
        if answered:
            self.report("answered")

    def report(self, event, seq=0, key=""):
        ports: Any = {"calls": self.calls, "engine": self.engine, "clock": self.clock}
        follow_call(Report(MID, 1, "contact-1", Heard(event, seq, key)), **ports)

    def command(self, command, visit, **more):
        ticket = {"token": f"{command}-{visit}", "visit": f"2026-09-21T12:00:{visit + 1:02}.000Z", "retry": 0}
        return self.control.handle({"command": command, "mid": MID, "attempt": 1, **ticket, **more})

    def end(self):
        end_call(MID, 1, Cause.CALLER_HUNG_UP, calls=self.calls, engine=self.engine, clock=self.clock)

    def look_up(self, contact_id):
        return self.contact

    def told(self, token):
        hold_to_shape(self.engine.answers[token])
        return self.engine.answers[token]["event"]


def test_the_types_say_it_of_every_engine():
    assert get_type_hints(Engine.succeed)["output"] is TaskAnswer
    assert TaskAnswer.__required_keys__ == {"event", "key", "seq"}


@pytest.mark.parametrize("answer", [{}, {"event": "key", "seq": 1}, {"event": "key", "key": None, "seq": 1},
                                    {"event": "ended", "key": "", "seq": "2"}])  # fmt: skip
def test_an_answer_that_lacks_one_is_found_out(answer):
    with pytest.raises(AssertionError, match="would end the call"):
        FakeEngine().succeed("token", answer)


@BY_LOG
@pytest.mark.parametrize("event", ["key", "idle", "prompt_error"])
def test_what_the_telephony_reports(plan, event):
    bench = Bench(plan)
    assert bench.told("dial-0") == "answered"
    bench.command("ask", 1, menu=0)
    bench.report(event, 2, "1" if event == "key" else "")
    assert bench.told("ask-1") == event


@BY_LOG
@pytest.mark.parametrize("command", ["ask", "hang_up"])
def test_a_command_that_is_answered_at_once(plan, command):
    ended = Bench(plan)
    ended.end()
    ended.command(command, 1, **({"menu": 0} if command == "ask" else {}))
    assert ended.told(f"{command}-1") == "ended"
    if command == "ask":
        limited = Bench(plan and plan._replace(max_visits=0), max_visits=0)
        limited.command("ask", 1, menu=0)
        assert limited.told("ask-1") == "limit"


@BY_LOG
@pytest.mark.parametrize("command", ["ask", "hang_up"])
def test_the_end_of_the_call(plan, command):
    bench = Bench(plan)
    bench.command(command, 1, **({"menu": 0} if command == "ask" else {}))
    bench.end()
    assert bench.told(f"{command}-1") == "ended"


@BY_LOG
@pytest.mark.parametrize(("contact", "event"), [(IS_THERE, "idle"), (IS_GONE, "ended")])
def test_a_look_up(plan, contact, event):
    bench = Bench(plan, contact)
    bench.command("ask", 1, menu=0)
    found = bench.control.handle({"command": "look_up", "mid": MID, "attempt": 1, "menu": 0})
    hold_to_shape(found)
    assert found["event"] == event


@BY_LOG
@pytest.mark.parametrize("answered", [True, False])
def test_a_look_up_after_the_dial(plan, answered):
    bench = Bench(plan, IS_THERE if answered else IS_GONE._replace(answered=False), answered=answered)
    found = bench.control.handle({"command": "look_up", "mid": MID, "attempt": 1})
    hold_to_shape(found)
    assert found["event"] == ("answered" if answered else "ended")
