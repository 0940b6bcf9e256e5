"""Several digits in a menu: what an entry is, and that none is lost, doubled, or given to another menu.

The orders are drawn: reports come late, twice, after later ones, from stores that fail before or after they have
written, and go by what they have read some time ago, as invocations that run at once do.
"""

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
from speechcall.shared.rules.errors import StoreUnavailable
from tests.kit.random_menus import random_input
from tests.kit.samples import ASK, CALL, HOOK, MESSAGE, MID, NOW, FakeClock, FakeEngine
from tests.stores.memory import MemoryCalls

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
