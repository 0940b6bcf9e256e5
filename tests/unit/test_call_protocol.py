"""The conversation of a state machine with a telephony, in every order of steps.

The actors run on the memory store. Before each single operation on store, engine or provider, and in each pause of
the telephony, hypothesis may let another actor run its whole step: so every step is cut at every place.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from speechcall.calls.rules.call import Bounds, Cause, Kind
from speechcall.calls.use_cases.control_call import Control
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.ports import Contact
from speechcall.calls.use_cases.report import Heard, Report
from speechcall.menus.rules.call_log import MOST_AHEAD
from speechcall.menus.rules.menu import GotoMenu, Menu
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.shared.rules.errors import RetryableError, StoreUnavailable, TelephonyUnavailable
from tests.kit.samples import ASK, HOOK, MESSAGE, MID, NOW, FakeClock, FakeEngine
from tests.stores.unlogged_calls import UnloggedCalls

pytestmark = pytest.mark.slow

STEPS = ["machine", "answer", "key 1", "key 2", "idle", "again", "poll", "end", "fail", "zombie", "time out"]
CONTACT = "contact-1"
MOST_VISITS = 6
AGAIN = Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "wrong": (HOOK, GotoMenu(0))})
"""The machine of this world asks it again and again, until it is told to stop."""
both = pytest.mark.parametrize("keeps_log", [True, False], ids=["log", "no log"])


class Interrupted:
    """A double whose every operation gives others the word first."""

    def __init__(self, inner: Any, interrupt: Any) -> None:
        self._inner, self._interrupt = inner, interrupt

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._inner, name)
        if not callable(operation):
            return operation

        def interrupted(*given_arguments: Any, **named: Any) -> Any:
            self._interrupt(name)
            return operation(*given_arguments, **named)

        return interrupted


@dataclass
class Visit:
    """A state of the machine that waits: its try, its token, and what came of it."""

    command: str
    number: int
    retry: int = 0
    answer: dict[str, Any] | None = None
    timed_out: bool = False
    lists_run: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        return f"{self.command}-{self.number}-{self.retry}"

    @property
    def task(self) -> dict[str, Any]:
        given_task = {"command": self.command, "mid": MID, "attempt": 1, "token": self.token, "retry": self.retry}
        menu = {"menu": 0} if self.command == "ask" else {}
        return given_task | menu | {"visit": f"2026-09-21T12:{self.number:02}:00.000Z"}


class World:
    """One call: state machine, telephony, callee, and whatever may go wrong between them."""

    dials_once = has_records = True

    def __init__(self, script: list[str], breaks: set[int], keeps_log: bool = True) -> None:
        self.script, self.breaks = list(reversed(script)), breaks
        self.depth = self.operations = 0
        self.store = MemoryCalls() if keeps_log else UnloggedCalls()
        self.answers, self.clock = FakeEngine(), FakeClock()
        messages = MemoryMessages()
        messages.add([replace(MESSAGE, menus=(AGAIN,))])
        messages.queue(messages.get(MID), (ASK,), NOW)
        messages.claim_line(messages.get(MID), "arn:flow", Pool(1, 1), NOW)
        self.calls: Any = Interrupted(self.store, self.interrupt)
        self.engine: Any = Interrupted(self.answers, self.interrupt)
        sleep = self.clock.sleep
        self.clock.sleep = lambda seconds: (sleep(seconds), self.interrupt("sleep"))[0]
        telephony: Any = Interrupted(self, self.interrupt)
        bounds = Bounds(MOST_VISITS, 900, silent_repeats=49)
        self.control = Control(self.calls, messages, self.engine, telephony, self.clock, bounds, messages.pool)
        self.visits = [Visit("dial", 0)]
        self.zombies: list[dict[str, Any]] = []
        self.placed = self.over = self.rang = False
        self.asked: list[int] = []
        self.asked_menus: list[tuple[int, int | None]] = []
        self.last: Heard | None = None
        self.seq = 1

    # ------------------------------------------------------------ the provider
    def place(self, call: Any, ring_timeout_seconds: int) -> str:
        self.placed = True
        return CONTACT

    def stop(self, contact_id: str) -> None:
        raise AssertionError("nothing is stopped here")

    def look_up(self, contact_id: str) -> Contact:
        return Contact(contact_id, {}, ended=False, answered=True, cause=None)

    # --------------------------------------------------------------- the order
    def interrupt(self, operation: str) -> None:
        self.operations += 1
        if self.depth < 3 and self.script:
            step = self.script.pop()
            if step != "-":
                self.depth += 1
                self.step(step)
                self.depth -= 1
        if self.operations in self.breaks and operation in {"put_command", "open", "set_contact", "place"}:
            raise TelephonyUnavailable("lost") if operation == "place" else StoreUnavailable("lost")

    def step(self, name: str) -> None:
        match name.split():
            case ["machine"]:
                self.go_on()
            case ["answer"] if self.placed and not self.rang and not self.store.get(MID, 1).ended:
                self.rang = True
                self.report(Heard("answered", 0))
            case ["key", key] if self.asked:
                self.report(Heard("key", self.asked[-1], key))
            case ["idle"] if self.asked:
                self.report(Heard("idle", self.asked[-1]))
            case ["again"] if self.last:
                self.report(self.last)
            case ["poll"] if self.rang:
                self.report(Heard("next", self.seq))
            case ["end"]:
                cause = Cause.CALLER_HUNG_UP if self.rang else Cause.BUSY
                end_call(MID, 1, cause, calls=self.calls, engine=self.engine, clock=self.clock)
            case ["fail"]:
                self.fail()
            case ["zombie"] if self.zombies:
                self.handle(self.zombies.pop())
            case ["time", "out"]:
                self.time_out()

    # -------------------------------------------------------- the state machine
    @property
    def visit(self) -> Visit:
        return self.visits[-1]

    @property
    def waits(self) -> bool:
        visit = self.visit
        return not (self.over or visit.answer or visit.timed_out) and visit.token not in self.answers.answers

    def handle(self, task: dict[str, Any]) -> None:
        """A run of control_call; a failure is tried again by the state machine if it is still this try's."""
        try:
            self.control.handle(task)
        except RetryableError:
            if task["token"] == self.visit.token and self.waits:
                self.over = self.visit.retry >= 3  # caught: the machine goes to Failed, and finish_call ends the call
                self.fail()

    def fail(self) -> None:
        """The running try fails, whatever it did; the next one comes with its own token."""
        visit = self.visit
        if not self.waits or visit.retry >= 3:
            return
        self.answers.dead.add(visit.token)
        self.zombies.append(visit.task)
        visit.retry += 1
        self.handle(visit.task)

    def go_on(self) -> None:
        """Takes in the answer of the running state, runs its list, enters the next state."""
        visit = self.visit
        if not self.placed and self.store.get(MID, 1) is None:
            self.handle(visit.task)
            return
        answer = self.answers.answers.get(visit.token)
        if self.over or visit.answer or visit.timed_out or answer is None:
            return
        visit.answer = answer
        self.enter_after(visit, answer)

    def enter_after(self, visit: Visit, heard: dict[str, Any]) -> None:
        if "error" in heard or heard["event"] == "ended" or visit.command == "hang_up":
            self.over = True
            return
        if visit.command == "ask" and heard["event"] in {"key", "idle"}:
            visit.lists_run.append(heard["key"] or "wrong")
        stop = heard["event"] == "limit" or len(self.visits) > 7
        self.visits.append(Visit("hang_up" if stop else "ask", len(self.visits)))
        self.handle(self.visit.task)

    def time_out(self) -> None:
        """The state stops waiting: from here its token answers nothing. Then the contact is looked up."""
        visit = self.visit
        if not self.waits or visit.command != "ask" or self.store.get(MID, 1) is None:
            return
        self.answers.dead.add(visit.token)
        visit.timed_out = True
        heard = self.control.handle({"command": "look_up", "menu": 0, "mid": MID, "attempt": 1})
        self.enter_after(visit, heard)

    # ------------------------------------------------------------- the telephony
    def report(self, heard: Heard) -> None:
        self.last = heard
        report = Report(MID, 1, CONTACT, heard)
        found = follow_call(report, calls=self.calls, engine=self.engine, clock=self.clock)
        self.seq = max(self.seq, found.seq)
        if found.op == "ask":
            assert found.command is not None
            assert found.command.kind is Kind.ASK
            self.asked.append(found.seq)
            self.asked_menus.append((found.seq, found.command.menu))

    def settle(self) -> None:
        """Lets everybody who can do something do it, without interruption and without failures."""
        self.script, self.breaks = [], set()
        for _ in range(20):
            while self.zombies:
                self.handle(self.zombies.pop(0))
            self.go_on()


scripts = st.lists(st.sampled_from(["-", "-", "-", *STEPS, "machine", "answer", "key 1"]), max_size=60)


@both
@settings(max_examples=200)
@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=25),
    script=scripts,
    breaks=st.sets(st.integers(1, 60), max_size=3),
)
def test_whatever_the_order_no_task_is_left_waiting_and_none_is_answered_twice(keeps_log, steps, script, breaks):
    # Given a call whose actors run in any order, each cut at any operation
    world = World(script, breaks, keeps_log)
    world.handle(world.visit.task)
    for step in ["machine", "answer", *steps]:
        world.step(step)
    world.settle()
    call = world.store.get(MID, 1)
    waiting = world.visit if world.waits else None
    note(f"visits {len(world.visits)}, ended {bool(call and call.ended)}, waiting {bool(waiting)}")

    # Then after the end nobody waits
    if call is None or call.ended:
        assert waiting is None, waiting
    # And a task that waits is one that the telephony can still answer: its token is the call's
    if waiting:
        assert call.ticket.token == waiting.token
        assert call.awaits_answer
        assert (waiting.command == "dial") == (call.command.kind is Kind.DIAL)
    # And a phone that was picked up is never waited for
    if waiting and waiting.command == "dial":
        assert call.answered_msec is None
    # And each question ran one list at most: that of the answer which Step Functions took first
    for visit in world.visits:
        assert len(visit.lists_run) <= 1
        if visit.answer and visit.lists_run and not visit.timed_out:
            assert visit.lists_run == [visit.answer["key"] or "wrong"]
    # And the call's path tells one thing a question, and nothing that no list was run for
    if call:
        ahead = MOST_AHEAD if call.goes_by_log else 0
        assert len(call.path) <= call.visits + ahead
        assert call.visits <= MOST_VISITS
        assert call.goes_by_log == keeps_log
        # And the telephony was asked nothing that the log does not say, and never two things under one seq
        for seq, menu in world.asked_menus:
            assert not keeps_log or call.entry(seq - 1).then.menu == menu
    # And no answer went to a try that had been given up
    assert not set(world.answers.answers) & world.answers.dead


@both
@given(moment=st.integers(0, 40), last=st.sampled_from(["key 1", "idle", "poll", "answer"]), script=scripts)
def test_the_end_is_heard_wherever_it_falls(keeps_log, moment, last, script):
    # Given a call that has its first question, and an end at any operation of what comes then
    world = World([], set(), keeps_log)
    for step in ("machine", "answer", "machine", "poll"):
        world.step(step)
    world.script = list(reversed(["-"] * moment + ["end", *script]))
    for step in (last, "machine", "poll", "end"):
        world.step(step)
    world.settle()
    # Then the machine is over, and any later command is told so
    assert world.over
    world.visits.append(Visit("ask", 60))
    world.over = False
    world.control.handle(world.visit.task)
    assert world.answers.answers["ask-60-0"]["event"] == "ended"


@both
@given(
    moment=st.integers(0, 30),
    first=st.sampled_from(["key 1", "key 2", "idle"]),
    others=st.lists(st.sampled_from(["key 1", "key 2", "idle", "again"]), max_size=6),
)
def test_of_many_reports_for_one_question_the_first_counts(keeps_log, moment, first, others):
    # Given a question, and reports that arrive while others are being taken in
    world = World([], set(), keeps_log)
    for step in ("machine", "answer", "machine", "poll"):
        world.step(step)
    world.script = list(reversed(["-"] * moment + others))
    world.step(first)
    # Then one is the answer, and the call's path tells that one
    (answer,) = [given_answer for token, given_answer in world.answers.answers.items() if token.startswith("ask-1")]
    world.settle()
    (told, *_) = world.store.get(MID, 1).path
    assert told.heard == (answer["key"] or answer["event"])


@both
@pytest.mark.parametrize("lost", [None, *range(1, 9)])
@pytest.mark.parametrize("later", range(6))
@pytest.mark.parametrize("moment", range(6))
def test_a_phone_that_is_answered_at_any_moment_of_dialling_is_heard(keeps_log, moment, later, lost):
    # Given tries of dial that fail anywhere, and a callee who is quick: all cases, for one of them alone is the bad one
    world = World(["-"] * moment + ["fail"] + ["-"] * later + ["answer"], {lost} if lost else set(), keeps_log)
    world.handle(world.visit.task)
    world.step("answer")
    world.settle()
    # Then the machine goes on to its first question, if anybody can have answered at all
    call = world.store.get(MID, 1)
    if call and call.answered_msec is not None and world.visits[0].retry < 3:
        assert world.visit.command == "ask"
