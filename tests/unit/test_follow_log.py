"""The telephony's side of a call that keeps a log."""

from typing import Any

import pytest

from speechcall.calls.rules.call import Cause, Command, Kind, Reply, Ticket
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import HANG_UP, Heard, Next, Op, Report
from speechcall.menus.rules.call_log import HOLD_SECONDS, Plan, Then, ThenKind
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, FakeClock, FakeEngine

PLAN = Plan(({"d1": 1, "d2": "end", "d3": "wait", "wrong": 0}, {"wrong": 0}), 50, NOW + 900_000, 2)


class Bench:
    """A dialled call whose clock nobody may stop."""

    def __init__(self, plan=PLAN):
        self.calls, self.engine, self.clock = MemoryCalls(), FakeEngine(), FakeClock()
        self.calls.open(CALL._replace(asks=(ASK, ASK), plan=plan), MESSAGE.expires_at)

    def hear(self, event, seq=0, key="", contact="contact-1", began=None, turn=0):
        heard = Heard(event, seq, key, began)
        ports: Any = {"calls": self.calls, "engine": self.engine, "clock": self.clock}
        step = follow_call(Report(MID, 1, contact, heard, turn), **ports)
        assert self.clock.slept == []
        return step

    def machine(self, visit, kind=Kind.ASK, menu=0):
        command = Command(kind, menu if kind is Kind.ASK else None)
        ticket = Ticket(f"2026-09-21T13:33:{visit:02}.000Z", 0, f"token-{visit}")
        assert self.calls.advance(MID, 1, command, ticket)[0]

    @property
    def call(self):
        return self.calls.get(MID, 1)


def told(step):
    return step.op, step.seq, step.command.menu if step.command else None


def test_the_report_of_an_answer_returns_the_first_menu_though_the_machine_has_not_asked():
    bench = Bench()
    step = bench.hear("answered")
    assert told(step) == ("ask", 2, 0)
    assert step.call.asks == (ASK, ASK)
    assert bench.engine.answers == {"dial-0": {"event": "answered", "key": "", "seq": 1}}
    assert bench.call.seq == 1
    assert bench.call.answered_msec == NOW
    assert bench.call.contact_id == "contact-1"


@pytest.mark.parametrize(
    ("event", "key", "word", "menu"), [("key", "1", "d1", 1), ("key", "9", "d9", 0), ("key", "A", "other", 0)]
)
def test_a_key_returns_the_menu_that_it_leads_to(event, key, word, menu):
    bench = Bench()
    bench.hear("answered")
    bench.machine(1)
    assert told(bench.hear(event, 2, key)) == ("ask", 3, menu)
    assert bench.engine.answers["token-1"] == {"event": event, "key": word, "seq": 2}
    assert bench.call.path[0].heard == word


def test_three_entries_ahead_it_holds_and_goes_on_when_the_machine_does():
    bench = Bench()
    steps = [bench.hear("answered"), *(bench.hear("key", seq, "1") for seq in (2, 3, 4))]
    assert [told(step) for step in steps] == [("ask", 2, 0), ("ask", 3, 1), ("ask", 4, 0), ("hold", 4, None)]
    assert bench.call.log_seq == 4
    assert told(bench.hear("next", 4)) == ("hold", 4, None)
    bench.machine(1)
    assert told(bench.hear("next", 4)) == ("ask", 5, 1)


@pytest.mark.parametrize(("key", "then"), [("2", Then(ThenKind.END)), ("3", Then(ThenKind.WAIT))])
def test_an_end_and_what_only_the_machine_knows_are_not_told_ahead(key, then):
    bench = Bench()
    bench.hear("answered")
    bench.machine(1)
    assert told(bench.hear("key", 2, key)) == ("hold", 2, None)
    assert bench.call.log[-1].then == then
    bench.machine(2, Kind.HANG_UP if key == "2" else Kind.ASK, menu=1)
    assert told(bench.hear("next", 2)) == (("hangup", 3, None) if key == "2" else ("ask", 3, 1))
    # What it hears in a menu that only the machine knew counts as everywhere
    if key == "3":
        assert told(bench.hear("key", 3, "1")) == ("ask", 4, 0)
        assert bench.engine.answers["token-2"] == {"event": "key", "key": "d1", "seq": 3}


def test_a_repeat_is_told_the_same_whatever_it_says_and_tells_the_task_again():
    bench = Bench()
    bench.engine.failures = 1
    first = bench.hear("answered")
    assert bench.engine.answers == {}
    assert told(bench.hear("answered")) == told(first)
    assert bench.engine.answers == {"dial-0": {"event": "answered", "key": "", "seq": 1}}
    bench.machine(1)
    assert told(bench.hear("key", 2, "1")) == told(bench.hear("key", 2, "2")) == told(bench.hear("idle", 2))
    assert [entry.key for entry in bench.call.log] == ["", "d1"]


@pytest.mark.parametrize("seq", [0, 1, 4, 9])
def test_what_answers_no_open_question_is_not_written(seq):
    bench = Bench()
    bench.hear("answered")
    bench.machine(1)
    bench.hear("key", seq, "1")
    assert bench.call.log_seq == 1


def test_an_introduction_that_cannot_be_played_ends_the_call():
    bench = Bench()
    bench.hear("answered")
    bench.machine(1)
    assert bench.hear("prompt_error", 2).op == "hold"
    assert bench.engine.answers["token-1"]["event"] == "prompt_error"
    assert bench.call.stop_reason == "promptUnavailable"
    assert bench.call.log[-1].then.kind == ThenKind.END


def test_silence_ends_the_call_after_its_repeats_and_a_key_without_a_list_is_no_silence():
    bench = Bench(PLAN._replace(silent_repeats=1))
    bench.hear("answered")
    for number, heard in enumerate(("idle", "key", "idle", "idle"), 1):
        bench.machine(number)
        bench.hear(heard, number + 1, "9" if heard == "key" else "")
    assert bench.hear("next", 5).op == "hold"
    assert bench.call.log[-1].then == Then(ThenKind.END, reason="silence")


def test_a_hold_without_a_command_ends_as_lost():
    bench = Bench()
    bench.hear("answered")
    bench.machine(1)
    bench.hear("key", 2, "2")
    waits_since = bench.clock.msec
    bench.clock.msec = waits_since + HOLD_SECONDS * 1000 - 1
    assert bench.hear("next", 2).op == "hold"
    assert bench.call.stop_reason is None
    bench.clock.msec += 1
    step = bench.hear("next", 2)
    assert step.op == "hangup"
    assert step.lost is True
    assert bench.call.stop_reason == "lost"


def test_a_machine_that_is_slow_but_comes_is_waited_for():
    bench = Bench()
    for heard in (("answered",), ("key", 2, "1"), ("key", 3, "1"), ("key", 4, "2")):
        bench.hear(*heard)
    bench.clock.msec += 40_000
    # Given that it gives a command 40 s later, then the hold begins again with it
    command = Command(Kind.ASK, 0)
    bench.calls.advance(MID, 1, command, Ticket("2026-09-21T14:13:59.000Z", 0, "token-1"))
    assert bench.hear("next", 4).op == "hold"
    assert not bench.hear("next", 4).lost


@pytest.mark.parametrize("event", ["answered", "next", "key", "idle", "prompt_error"])
def test_a_call_that_has_ended_and_another_contact_are_hung_up_and_nothing_is_written(event):
    bench = Bench()
    bench.hear("answered")
    assert bench.hear(event, 2, "1", contact="contact-2") == HANG_UP
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert bench.hear(event, 2, "1") == HANG_UP
    assert bench.call.log_seq == 1


def test_an_earlier_event_counts_and_is_told_to_go_on():
    bench = Bench()
    bench.hear("answered", turn=1)
    bench.machine(1)
    assert told(bench.hear("idle", 2, turn=9))[0] == "ask"
    assert bench.hear("key", 2, "1", turn=8) == Next(Op.GO_ON, 2)
    assert bench.call.known_reply == Reply(2, "idle")


def test_for_how_long_the_callee_has_waited_is_on_record():
    bench = Bench()
    bench.hear("answered", began=NOW - 340)
    assert bench.call.log[0].waited_msec == 340
