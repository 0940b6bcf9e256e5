"""Many messages end in every way and in any order, whatever goes wrong: one `final` for each, and one `list` a list.

Calls, redials, time that is up, opt-outs, messages and whole lists that are cancelled while they wait, ring or settle.
The real dialer, sweeper, finish_call, cancel and worker of stops, on a clock that nobody waits for.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from greenlet import GreenletExit

from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.stopping.use_cases.carry_out_stops import StopWork
from speechcall.stopping.use_cases.stop_message import Cancelled, cancel_waiting
from tests.kit.dialling_world import Stepping, World, mixed
from tests.kit.samples import MESSAGE
from tests.stores.stops import MemoryStops

POOL = Pool(lines=10, calls_per_second=2)
ACCOUNT = MESSAGE.account_id


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Of what goes wrong here each thing is logged."""
    caplog.set_level(logging.CRITICAL, "speechcall")


class Ending(World):
    """A world in which some of the messages are stopped, and some of the people have had enough."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, POOL)
        self.stops = MemoryStops(self.messages)
        self.lists: dict[str, list[str]] = {}

    def message_ids(self, list_id: str) -> Sequence[str]:
        return self.lists[list_id]

    def _arrive(self, count: int, make: Callable[[Message, Random], Message]) -> None:
        known = len(self._ids)
        super()._arrive(count, make)
        mids = self._ids[known:]
        list_id = self.messages._messages[mids[0]].list_id
        self.lists[list_id] = mids
        # A backlog is as long as it has messages: what is to meet a message in a call comes at any time of that.
        whole = 600 + len(self._ids)
        for mid in mids:
            if self.random.random() < 0.08:
                self.play.after(self.random.uniform(0, whole), lambda mid=mid: self._spawn(lambda: self._cancel(mid)))  # type: ignore[misc]
            if self.random.random() < 0.04:
                self.play.after(self.random.uniform(0, whole), lambda mid=mid: self._opt_out(mid))  # type: ignore[misc]
        if self.random.random() < 0.2:
            self.play.after(self.random.uniform(0, whole), lambda: self._cancel_list(list_id))

    def _spawn(self, work: Callable[[], object]) -> None:
        """A run that may be refused or die; nobody asks again then, but for the next minute's tick."""

        def run() -> None:
            try:
                work()
            except StoreUnavailable:
                self.ledger.counts["requests refused"] += 1

        self.play.spawn("request", run, limit_seconds=60)

    def _mortal(self, port: Any) -> Any:
        """A port of one run: each of its steps may be refused, or the last thing that the run does."""

        def before() -> None:
            self.play.step()
            if self.random.random() < self.troubles.refused:
                raise StoreUnavailable("in trouble")

        def after() -> None:
            if self.random.random() < 0.05:
                self.ledger.counts["runs killed"] += 1
                raise GreenletExit

        return Stepping(port, before, after)

    def _cancel(self, mid: str) -> None:
        done = cancel_waiting(mid, False, messages=self._mortal(self.messages), clock=self)
        self.ledger.counts[f"cancel: {done}"] += 1

    def _opt_out(self, mid: str) -> None:
        digest = self.messages._messages[mid].number_digest
        self.messages.opt_outs.add(ACCOUNT, OptOut("", digest, "00", self.now_msec(), By.API))

    def _cancel_list(self, list_id: str) -> None:
        self.stops.cancel(Stopped(Brake.LIST, ACCOUNT, list_id), self.now_msec(), 0, hangs_up=False)

    def _tick(self) -> None:
        super()._tick()
        self._spawn(self._carry_out)

    def _carry_out(self) -> None:
        def cancel(message: Message, hangs_up: bool) -> Cancelled | None:
            return cancel_waiting(message.mid, hangs_up, messages=self._mortal(self.messages), clock=self)

        StopWork(
            stops=self._mortal(self.stops),
            messages=self._mortal(self.messages),
            turns=self.messages.turns,
            lists=self,
            cancel=cancel,
            clock=self,
            count=self._count,
            time_left=lambda: 1,
        ).do()


def varied(message: Message, random: Random) -> Message:
    return replace(mixed(message, random), number_digest=f"digest of {message.mid}")


def flow_through(messages: int, seed: int) -> Ending:
    world = Ending(seed)
    world.accept(messages, varied)
    world.run()
    return world


def assert_that_each_end_is_told_once(world: Ending, messages: int) -> None:
    found = world.all()
    assert world.ledger.wrong == []
    assert Counter(one.state for one in found) == {State.FINISHED: messages}
    assert (len(world.ledger.ends), set(world.ledger.ends.values())) == (messages, {1})
    told = Counter(event.event_id for event in world.messages.told)
    # As many finals as messages: the id is the message's own, so a second one of another id would be one too many.
    assert {name for name in told if name.endswith("-final")} == {f"{one.mid}-final" for one in found}
    assert {name for name in told if name.endswith("-list")} == {f"{name}-list" for name in world.lists}
    attempts = {f"{one.mid}-a{number + 1}" for one in found for number in range(one.attempt)}
    assert {name for name in told if "-a" in name} == attempts
    assert set(told.values()) == {1}
    assert len(told) == messages + len(world.lists) + len(attempts)
    # The list is told behind the last of its messages.
    place = {event.event_id: number for number, event in enumerate(world.messages.told)}
    for list_id, mids in world.lists.items():
        assert place[f"{list_id}-list"] > max(place[f"{mid}-final"] for mid in mids)
    assert world.messages.held == set()
    assert set(world.phones.rung.times.values()) <= {1}


@pytest.mark.slow
def test_each_of_five_hundred_messages_has_one_final_and_each_list_one_end() -> None:
    world = flow_through(500, 7)
    assert_that_each_end_is_told_once(world, 500)
    outcomes = {one.outcome for one in world.all()}
    assert outcomes >= {"answered", "busy", "noAnswer", "cancelled", "optedOut"}
    assert world.ledger.counts["runs killed"] >= 5
    assert {f"cancel: {Cancelled.CANCELLED}", f"cancel: {Cancelled.TOO_LATE}"} <= set(world.ledger.counts)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_of_a_hundred_thousand_messages_has_one_final_and_each_list_one_end() -> None:
    world = flow_through(100_000, 8)
    assert_that_each_end_is_told_once(world, 100_000)
    outcomes = Counter(one.outcome for one in world.all())
    print(f"100,000 messages, {len(world.messages.told)} events, {outcomes}: {dict(world.ledger.counts)}")
    assert min(outcomes[name] for name in ("cancelled", "optedOut", "expired", "failed", "answered")) > 100
