"""The messages of what was cancelled are finished, whatever is killed; calls are ended if that was asked for."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.stops import CampaignNumbers, Stop
from speechcall.messages.use_cases.message_ports import Brake, LineTaken
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.rehearsal.adapters.memory_turns import MemoryTurns
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED
from speechcall.stopping.use_cases.carry_out_stops import DONE, SETTLED_MSEC, StopWork
from speechcall.stopping.use_cases.stop_many import resume_campaign
from speechcall.stopping.use_cases.stop_message import Cancelled, cancel_message, cancel_waiting
from tests.kit.samples import ASK, NOW, FakeClock, message
from tests.stores.stops import MemoryStops

LISTS, EACH = 3, 4
POOL = Pool(99, 1000)
CAMPAIGN = Stopped(Brake.CAMPAIGN, "acme", "spring")


class Killed(BaseException):
    """As a function that has run out of time."""


class Bench:
    """A campaign of three lists with four messages each."""

    def __init__(self):
        self.clock, self.messages = FakeClock(), MemoryMessages()
        self.lists = {
            str(100 * number): [str(100 * number + place) for place in range(1, EACH + 1)] for number in (1, 2, 3)
        }
        self.stops = MemoryStops(
            self.messages, {("acme", "spring"): CampaignNumbers()}, {("acme", "spring"): [*self.lists]}
        )
        self.mids = [mid for mids in self.lists.values() for mid in mids]
        for list_id, mids in self.lists.items():
            self.messages.add([message(mid, list_id=list_id, campaign="spring") for mid in mids])
        for mid in self.mids:
            self.messages.queue(self.messages.get(mid), (ASK,), NOW)
        self.ends, self.hung_up, self.counts = Counter(), Counter(), Counter()
        self.left, self.still_up = 10**9, set()

    def message_ids(self, list_id):
        return self.lists.get(list_id, [])

    def call(self, mid):
        assert self.messages.claim_line(self.messages.get(mid), "arn:flow", POOL, self.clock.msec) == LineTaken()
        self.clock.msec += 10

    def cancel(self, found, hangs_up):
        done = cancel_waiting(found.mid, hangs_up, messages=self.messages, clock=self.clock)
        self.ends[found.mid] += done is Cancelled.CANCELLED
        if done is Cancelled.HANGING_UP:
            self.hung_up[found.mid] += 1
            return Cancelled.HANGING_UP if found.mid in self.still_up else Cancelled.HUNG_UP
        return done

    def time_left(self):
        self.left -= 1
        return self.left

    def work(self):
        StopWork(
            stops=self.stops,
            messages=self.messages,
            turns=self.messages.turns,
            lists=self,
            cancel=self.cancel,
            clock=self.clock,
            count=lambda name, number: self.counts.update({name: number}),
            time_left=self.time_left,
        ).do()

    def jobs(self):
        return [(job.what.kind, job.cursor) for job in self.stops.jobs(99)]


@pytest.fixture
def bench():
    return Bench()


def test_a_campaign_is_finished_at_once_and_looked_through_once_more_a_minute_later(bench):
    bench.stops.cancel(CAMPAIGN, bench.clock.msec, 0, hangs_up=False)
    bench.work()
    assert bench.ends == dict.fromkeys(bench.mids, 1)
    assert bench.counts["MessagesCancelled"] == len(bench.mids)
    assert bench.jobs() == [(Brake.CAMPAIGN, DONE)]
    # What was just being accepted, and that no index showed.
    late = message("399", list_id="300", campaign="spring")
    bench.messages.add([late])
    bench.lists["300"].append("399")
    bench.work()
    assert bench.messages.get("399").state is State.PREPARING
    bench.clock.msec += SETTLED_MSEC
    bench.work()
    assert bench.messages.get("399").outcome == CANCELLED.outcome
    assert bench.jobs() == []


@pytest.mark.parametrize("after", range(LISTS * EACH + LISTS))
def test_a_run_without_time_goes_on_at_its_cursor_and_loses_nothing(bench, after):
    bench.stops.cancel(CAMPAIGN, bench.clock.msec, 0, hangs_up=False)
    bench.left = after
    for _ in range(2):
        bench.work()
        bench.left = 10**9
    bench.clock.msec += SETTLED_MSEC
    bench.work()
    assert bench.ends == dict.fromkeys(bench.mids, 1)
    assert bench.jobs() == []


@pytest.mark.parametrize("after", range(LISTS * EACH))
def test_what_is_killed_is_taken_up_by_the_next_worker(bench, after, monkeypatch):
    bench.stops.cancel(CAMPAIGN, bench.clock.msec, 0, hangs_up=False)
    get, seen = bench.messages.get, []

    def dying(mid):
        seen.append(mid)
        if len(seen) > after:
            raise Killed
        return get(mid)

    with monkeypatch.context() as patch:
        patch.setattr(bench.messages, "get", dying)
        with pytest.raises(Killed):
            bench.work()
    bench.work()  # the job is still the killed one's
    done = sum(bench.ends.values())
    assert done <= after
    bench.clock.msec += 2 * SETTLED_MSEC
    for _ in range(2):  # the rest of the pass that was broken off, and another
        bench.work()
    assert bench.ends == dict.fromkeys(bench.mids, 1)
    assert bench.jobs() == []


def test_calls_in_progress_go_on_unless_they_are_to_be_ended(bench):
    for mid in ("101", "202"):
        bench.call(mid)
    bench.stops.cancel(CAMPAIGN, bench.clock.msec, 0, hangs_up=False)
    bench.work()
    assert not bench.hung_up
    assert bench.messages.get("101").cancelled_msec is None
    bench.still_up = {"202"}
    bench.stops.cancel(CAMPAIGN, bench.clock.msec, 0, hangs_up=True)
    bench.work()
    assert bench.hung_up == {"101": 1, "202": 1}
    assert (Brake.CAMPAIGN, "") in bench.jobs()  # from its beginning, as one call is still up
    bench.still_up = set()
    bench.clock.msec += SETTLED_MSEC
    for _ in range(2):
        bench.work()
    assert bench.jobs() == []
    assert bench.hung_up["202"] >= 2


def test_an_accounts_queue_is_emptied_up_to_the_id_and_no_further(bench):
    bench.stops.cancel_queue("acme", 299, bench.clock.msec)
    bench.work()
    assert sorted(bench.ends) == [*bench.lists["100"], *bench.lists["200"]]
    assert {bench.messages.get(mid).state for mid in bench.lists["300"]} == {State.QUEUED}
    bench.clock.msec += SETTLED_MSEC
    bench.work()
    assert bench.jobs() == []


def test_trouble_with_one_job_does_not_hold_up_the_others(bench, monkeypatch):
    for list_id in ("100", "200"):
        bench.stops.cancel(Stopped(Brake.LIST, "acme", list_id), bench.clock.msec, 0, hangs_up=False)
    get = bench.messages.get

    def failing(mid):
        if mid == "101":
            raise StoreUnavailable("throttled")
        return get(mid)

    with monkeypatch.context() as patch:
        patch.setattr(bench.messages, "get", failing)
        bench.work()
    assert sorted(bench.ends) == bench.lists["200"]
    bench.clock.msec += 2 * SETTLED_MSEC
    bench.work()
    assert bench.ends == dict.fromkeys([*bench.lists["100"], *bench.lists["200"]], 1)


# ---------------------------------------------------------------- one message
def test_a_message_that_leaves_its_state_while_it_is_cancelled_is_read_again(bench):
    before = bench.messages.get("101")
    bench.call("101")
    ports = dict.fromkeys(("calls", "telephony", "engine"))
    done = cancel_message(before, False, messages=bench.messages, clock=bench.clock, **ports)
    assert done is Cancelled.TOO_LATE
    assert bench.messages.get("101").cancelled_msec == bench.clock.msec


def test_a_message_whose_time_is_up_has_expired_and_is_not_cancelled(bench):
    bench.clock.msec = bench.messages.get("101").dial_until_msec
    done = cancel_waiting("101", False, messages=bench.messages, clock=bench.clock)
    assert (done, bench.messages.get("101").outcome) == (Cancelled.TOO_LATE, EXPIRED.outcome)


def test_a_message_that_always_moves_is_given_up(bench, monkeypatch):
    monkeypatch.setattr(bench.messages, "refuse", lambda *_given: False)
    with pytest.raises(StoreUnavailable):
        cancel_waiting("101", False, messages=bench.messages, clock=bench.clock)
    assert replace(bench.messages.get("101"), due_msec=None).state is State.QUEUED


class Resumed:
    """A store in which everything can be resumed."""

    def resume(self, _what):
        return Stop()


def test_a_campaign_that_is_resumed_has_all_its_queues_in_the_order_but_those_whose_hours_are_shut():
    turns: Any = MemoryTurns()
    for window, opens_msec in (("", 0), ("day", 0), ("night", NOW + 3_600_000)):
        turns.wake("acme", "spring", False, NOW, window=window, opens_msec=opens_msec)
    turns.wake("acme", "autumn", False, NOW, window="day")
    for queue in turns.all_of("acme")[1]:
        if not queue.opens_msec:
            assert turns.rest(turns.find("acme", False), queue)
    stops: Any = Resumed()
    resume_campaign(Stopped(Brake.CAMPAIGN, "acme", "spring"), stops=stops, turns=turns, clock=FakeClock())
    found = {one.name for one in turns.queues(turns.find("acme", False), 9)}
    assert found == {("spring", ""), ("spring", "day")}
    assert turns.find_queue("acme", "spring", False, "night").opens_msec == NOW + 3_600_000
