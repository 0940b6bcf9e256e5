"""Several digits in a menu: what an entry is, and that none is lost, doubled, or given to another menu.

The orders are drawn: reports come late, twice, after later ones, from stores that fail before or after they have
written, and go by what they have read some time ago, as invocations that run at once do.
"""

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from speechcall.calls.rules.call import Call, Command, Kind, Ticket
from speechcall.calls.rules.owed import logged_webhooks
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import Heard, Next, Op, Report
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE, OTHER, Entry, Plan
from speechcall.menus.rules.menu import Action, GotoMenu, Menu
from speechcall.menus.rules.walk import table_of, told_entries
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.status.use_cases.replay_webhooks import obstacle
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookTask
from speechcall.webhooks.use_cases.work_webhooks import WebhookWork
from tests.kit.random_menus import random_input
from tests.kit.samples import ASK, CALL, HOOK, MESSAGE, MID, NOW, FakeClock, FakeEngine
from tests.kit.webhook_bench import WebhookBench, task_of

CONTACT = "contact-1"


@pytest.mark.parametrize(
    ("asked", "keys", "entered", "judged"),
    [
        (Input(4, 4), "4071", "4071", COMPLETE),
        (Input(4, 4), "407#", "407", OTHER),
        (Input(1, 4), "407#", "407", COMPLETE),
        (Input(1, 4), "407", "407", COMPLETE),
        (Input(1, 4), "#", "", OTHER),
        (Input(1, 4), "", "", OTHER),
        (Input(1, 4), "4*1", "4*1", OTHER),
        (Input(1, 4, "*"), "41*", "41", COMPLETE),
        (Input(1, 4, "*"), "4#1", "4#1", OTHER),
        (Input(1, 4), "40715", "40715", OTHER),
        (Input(1, 4), "4A\n0७1", "401", COMPLETE),
        (Input(20, 20), "7" * 20, "7" * 20, COMPLETE),
    ],
)
def test_what_was_entered_is_complete_or_not(asked: Input, keys: str, entered: str, judged: str) -> None:
    assert asked.entered(keys) == entered
    assert asked.judged(entered) == judged


class SlowCalls(MemoryCalls):
    """Read as it was some writes ago, now and then; and what writes may fail, before it does or after."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random, self.before = random, list[Call]()
        self.is_quiet = False
        self.floor = 0
        """So long was the log when the report was made: whoever brings it reads no older one."""

    def get(self, mid: str, attempt: int) -> Call | None:
        now = super().get(mid, attempt)
        if self.is_quiet or now is None:
            return now
        older = [one for one in self.before[-3:] if one.log_seq >= self.floor]
        return self.random.choice([*older, now, now, now])

    def append(self, mid: str, attempt: int, contact_id: str, entry: Entry, turn: int = 0) -> tuple[bool, Call | None]:
        fails = 0.0 if self.is_quiet else self.random.random()
        if fails > 0.95:
            raise StoreUnavailable("before it is written")
        if (found := super().get(mid, attempt)) and not self.is_quiet:
            self.before.append(found)
        written = super().append(mid, attempt, contact_id, entry, turn)
        if fails > 0.9:
            raise StoreUnavailable("after it is written")
        return written


class Order:
    """One call by chance, of a callee who only enters digits, each time others."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.menus = tuple(self._menu() for _ in range(random.randint(2, 4)))
        self.calls, self.engine, self.clock = SlowCalls(random), FakeEngine(), FakeClock()
        asks = tuple(ASK._replace(input=menu.input, keeps=told_entries(menu)) for menu in self.menus)
        plan = Plan(table_of(self.menus), 50, NOW + 10**9, 49)
        self.calls.open(CALL._replace(asks=asks, plan=plan), MESSAGE.expires_at)
        self.entered: dict[int, tuple[int, str]] = {}
        """By question: the menu that was asked, and the keys."""
        self.in_flight: list[tuple[Heard, bool]] = []
        """Reports under way; whether the telephony waits for this one."""
        self.visit = 0
        self.unheard: list[Heard] = []
        """What was reported to a store that failed."""

    def _menu(self) -> Menu:
        random = self.random
        lists: dict[str, tuple[Action, ...]] = {"complete": (HOOK, GotoMenu(random.randrange(2)))}
        if random.random() < 0.8:
            lists["wrong"] = (*((HOOK,) if random.random() < 0.7 else ()), GotoMenu(random.randrange(2)))
        else:
            lists["wrong"] = (GotoMenu(0),)
        return Menu("intro", 1000, lists, input=random_input(random))

    def run(self, questions: int) -> None:
        """A telephony that asks so many questions, reports what is entered, and hears its answers in any order."""
        step: Next | None = self._tell(Heard("answered", 0), is_awaited=True)
        while len(self.entered) < questions:
            if step is None:  # the invocation failed: the same report is made again
                step = self._tell(self.last, is_awaited=True)
            elif step.op is Op.HOLD:
                self._machine()
                step = self._tell(Heard("next", step.seq), is_awaited=True)
            else:
                assert step.op is Op.ASK
                step = self._enter(step)
            while self.in_flight and self.random.random() < 0.4:
                self._stray()
            if self.random.random() < 0.6:
                self._machine()
        while self.in_flight:
            self._stray()
        self.calls.is_quiet = True
        for heard in [one for one in self.unheard if one.event == "digits"]:
            self._tell(heard, is_awaited=False)

    def _enter(self, step: Next) -> Next | None:
        menu = step.command.menu if step.command else None
        assert menu is not None
        asked = step.ask.input
        assert asked is not None
        assert step.seq not in self.entered, "no question is asked twice"
        # Unlike what is entered for any other question.
        length = self.random.choice((asked.min_digits, asked.max_digits, max(asked.min_digits - 1, 1)))
        keys = f"{step.seq:02}"[::-1].ljust(length, "5")[: max(length, 2)]
        self.entered[step.seq] = menu, keys
        heard = Heard("digits", step.seq, keys)
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.in_flight.append((heard, False))
        return self._tell(heard, is_awaited=True)

    def _stray(self) -> None:
        heard, _ = self.in_flight.pop(self.random.randrange(len(self.in_flight)))
        self._tell(heard, is_awaited=False)

    def _tell(self, heard: Heard, *, is_awaited: bool) -> Next | None:
        if is_awaited:
            self.last = heard
        self.calls.floor = heard.seq - 1
        ports: Any = {"calls": self.calls, "engine": self.engine, "clock": self.clock}
        try:
            return follow_call(Report(MID, 1, CONTACT, heard), **ports)
        except StoreUnavailable:
            self.unheard = [*self.unheard, heard]
            return None

    def _machine(self) -> None:
        """It comes to the next menu of the log, if there is one."""
        call = MemoryCalls.get(self.calls, MID, 1)
        assert call is not None
        menu = call.menu_asked(call.seq + 1) if call.log_seq >= call.seq else None
        if menu is not None:
            self.visit += 1
            moment = f"2026-09-21T{13 + self.visit // 3600:02}:{self.visit // 60 % 60:02}:{self.visit % 60:02}.000Z"
            self.calls.advance(MID, 1, Command(Kind.ASK, menu), Ticket(moment, 0, f"token-{self.visit}"))

    def check(self) -> None:
        call = MemoryCalls.get(self.calls, MID, 1)
        assert call is not None
        found = {entry.seq: entry for entry in call.log if entry.menu is not None}
        assert sorted(found) == sorted(self.entered) == list(range(2, len(self.entered) + 2)), "none is lost or doubled"
        for seq, (menu, keys) in self.entered.items():
            asked = self.menus[menu].input
            assert asked is not None
            entered = asked.entered(keys)
            entry = found[seq]
            assert (entry.menu, entry.event, entry.key) == (menu, "key", asked.judged(entered))
            is_told = bool(self.menus[menu].list_for(entry.key)) and entry.key in call.asks[menu].keeps
            assert entry.digits == (entered if is_told else None)
        for task in logged_webhooks(call, self.menus):
            menu, keys = self.entered[task.seq]
            asked = self.menus[menu].input
            assert asked is not None
            assert (task.menu, found[task.seq].digits) == (menu, asked.entered(keys))


def hold(seeds: range) -> None:
    for seed in seeds:
        order = Order(seed)
        try:
            order.run(12)
            order.check()
        except AssertionError as error:
            pytest.fail(f"seed {seed}: {error}")


def test_no_digits_are_lost_doubled_or_given_to_another_menu_in_some_orders() -> None:
    hold(range(60))


@pytest.mark.long
def test_no_digits_are_lost_doubled_or_given_to_another_menu_in_a_thousand_orders() -> None:
    hold(range(1000, 2000))


# ------------------------------------------------------------------ sensitive digits
SECRET = Menu("intro", 1000, {"complete": (HOOK, HOOK), "wrong": (HOOK,)}, input=Input(4, 4, sensitive=True))
CARRIES_ONE = replace(MESSAGE, menus=(SECRET,))


def test_sensitive_digits_are_written_into_the_log_only_sealed() -> None:
    calls = MemoryCalls()
    ask = ASK._replace(input=SECRET.input, keeps=told_entries(SECRET))
    calls.open(CALL._replace(asks=(ask,), plan=Plan(table_of((SECRET,)), 50, NOW + 10**9)), MESSAGE.expires_at)
    ports: Any = {"calls": calls, "engine": FakeEngine(), "clock": FakeClock()}
    for heard in (Heard("answered", 0), Heard("digits", 2, "4071")):
        follow_call(Report(MID, 1, CONTACT, heard), **ports)
    call = calls.get(MID, 1)
    assert call is not None
    entry = call.log[1]
    assert (entry.key, entry.digits, entry.sealed) == (COMPLETE, None, calls.seal_digits(MID, "4071"))
    assert "4071" not in repr(call) + str(ports["engine"].answers)


class Entered:
    """What was entered, until it is erased; when it was opened."""

    def __init__(self, bench: WebhookBench) -> None:
        self.bench, self.digits, self.opened, self.erased = bench, "4071", list[int](), list[int]()
        self.fails = 0

    def of(self, _task: WebhookTask) -> str | None:
        self.opened.append(self.bench.clock.msec)
        return None if self.erased else self.digits

    def erase(self, _task: WebhookTask) -> None:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("while it is erased")
        self.erased.append(self.bench.clock.msec)


def told(
    answer: Any, message: Any = CARRIES_ONE, key: str = "complete", fails: int = 0
) -> tuple[WebhookBench, Entered]:
    """All virtual time of both webhooks of a list, whose receiver answers so."""
    bench = WebhookBench(answer, message=message)
    entered = Entered(bench)
    entered.fails = fails
    bench.sending = replace(bench.sending, digits_of=entered.of, erase_digits=entered.erase)
    bench.work = WebhookWork(bench.sending)
    for step in range(len(message.menus[0].actions[key])):
        bench.put(task_of(message, step, key))
    bench.run()
    return bench, entered


@pytest.mark.parametrize("status", [200, 400, 503])
def test_sensitive_digits_are_opened_while_they_are_sent_and_erased_when_the_last_webhook_has_ended(
    status: int,
) -> None:
    bench, entered = told(lambda request: WebhookAnswer(status if request.url else 0))
    assert [json.loads(request.body)["digits"] for _, request in bench.sent] == ["4071"] * len(bench.sent)
    assert entered.opened == [moment for moment, _ in bench.sent]
    last = max(moment for moment, _ in bench.sent)
    assert entered.erased[0] == last
    assert last - NOW > 8 * 3_600_000 or status != 503


def test_what_could_not_be_erased_is_erased_when_the_queue_brings_its_webhook_again() -> None:
    _, entered = told(lambda _request: WebhookAnswer(200), fails=2)
    assert entered.erased


def test_a_webhook_that_has_told_sensitive_digits_is_not_sent_again() -> None:
    bench, _ = told(lambda _request: WebhookAnswer(503))
    delivery = bench.delivery(task_of(CARRIES_ONE, 0, "complete"))
    assert "sensitive digits" in (obstacle(delivery) or "")


def test_digits_that_are_not_sensitive_stay() -> None:
    menu = SECRET._replace(input=Input(4, 4))
    bench, entered = told(lambda _request: WebhookAnswer(200), replace(MESSAGE, menus=(menu,)))
    assert entered.erased == []
    assert obstacle(bench.delivery(task_of(MESSAGE, 0, "complete"))) is None
