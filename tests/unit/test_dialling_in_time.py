"""A long backlog goes through a small pool, whatever goes wrong on the way: on a clock that nobody waits for.

`make test-long` does it with 100,000 messages.
"""

import logging
from collections import Counter
from dataclasses import replace

import pytest

from speechcall.calls.rules.call import Call, Cause
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.errors import TelephonyUnavailable
from speechcall.shared.rules.ids import holder
from tests.kit.dialling_calls import Line
from tests.kit.dialling_world import BATCH, KILL_POINTS, NONE, TROUBLES, World, mixed, overtaken
from tests.kit.samples import NOW

pytestmark = pytest.mark.slow

POOL = Pool(lines=10, calls_per_second=2)
FAIR = 150
"""How many messages may overtake one at most: those of the minute for which a refused one is put off, and more."""


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Of what goes wrong here each thing is logged."""
    caplog.set_level(logging.CRITICAL, "speechcall")


BAD_LINE = Line(throttled=0.1, throttled_again=0.5, failed=0.1, lost=0.3)


def flow_through(messages, seed, troubles=TROUBLES, *, dials_once=True):
    """The world after a backlog has gone through."""
    world = World(seed, POOL, troubles, dials_once=dials_once)
    world.accept(messages, mixed)
    world.run()
    return world


def assert_that_all_went_well(world, messages):
    ledger, found, rung, executions = world.ledger, world.all(), world.phones.rung, world.machines.executions
    assert ledger.wrong == []
    # No phone rings twice for one attempt, no two for one number at a time, and who was served is left alone.
    assert rung.wrong == []
    assert set(rung.times.values()) == {1}
    # Nobody answers to be hung up on, but where the machine itself has died.
    assert [name for name in rung.hung_up_on if executions[name] != "unheard"] == []
    # Every message ends, once.
    assert len(found) == messages
    assert Counter(one.state for one in found) == {State.FINISHED: messages}
    assert set(ledger.ends.values()) == {1}
    assert len(ledger.ends) == messages
    # Who sent it is told of each end, of each attempt and of each list, once.
    told = Counter(event.event_id for event in world.messages.told)
    assert set(told.values()) == {1}
    attempts = {f"{one.mid}-a{number + 1}" for one in found for number in range(one.attempt)}
    assert set(told) == attempts | {f"{one.mid}-final" for one in found} | {f"{one.list_id}-list" for one in found}
    # What is told of a message is how its last call has ended, however late its record says so.
    last = {one.mid: world.phones.cause_of(holder(one.mid, one.attempt)) for one in found}
    unanswered = [one for one in found if last[one.mid] not in (None, Cause.CALLER_HUNG_UP)]
    assert [(one.mid, one.outcome, last[one.mid]) for one in unanswered if one.outcome != last[one.mid]] == []
    # No line is lost, and no more are in use than there are.
    assert world.messages.held == set()
    assert rung.live == {}
    assert rung.most_live <= POOL.lines
    # Never more than two calls begin in a second.
    moments = [moment for moment, _ in ledger.claims]
    assert moments == sorted(moments)
    assert all(third - first >= 1000 for first, third in zip(moments, moments[2:], strict=False))
    # Every attempt that has a line has an execution, and a number is called as often as was asked for.
    assert Counter(mid for _, mid in ledger.claims) == Counter(name.partition("-")[0] for name in executions)
    throttled = Counter(name.partition("-")[0] for name, end in executions.items() if end == "throttled")
    for one in found:
        assert one.redials <= (one.redial.attempts if one.redial else 0)
        assert one.attempt <= 1 + one.redials + throttled[one.mid], one.mid
        assert one.attempt or one.outcome == "expired"


def test_a_backlog_flows_through_whatever_goes_wrong():
    world = flow_through(2000, 1)
    assert_that_all_went_well(world, 2000)
    # What can go wrong has gone wrong, and was repaired.
    assert len(world.ledger.kills) >= 40
    for trouble in ("dialers failed", "ExecutionsStartedLate", "CallsFinishedLate"):
        assert world.ledger.counts[trouble], trouble
    assert {"unheard", "throttled"} < set(world.machines.executions.values())
    assert min(world.phones.rung.requests[word] for word in ("throttled", "failed", "lost")) >= 50
    assert {one.outcome for one in world.all()} == {
        *("answered", "busy", "noAnswer", "failed", "invalidNumber", "expired"),
    }
    # Nobody starves behind busy numbers.
    alone = Counter(one.number for one in world.all())
    waited = [one.mid for one in world.all() if alone[one.number] == 1]
    assert max(overtaken(world.ledger.claims, waited).values()) <= FAIR


@pytest.mark.parametrize("dials_once", [True, False])
def test_on_a_bad_line_no_phone_rings_twice_and_who_is_served_is_left_alone(dials_once):
    # Given a provider that loses every third answer and throttles every second repeat
    troubles = replace(TROUBLES, line=BAD_LINE)
    world = flow_through(400, 5, troubles, dials_once=dials_once)
    assert_that_all_went_well(world, 400)
    assert min(world.phones.rung.requests[word] for word in ("throttled", "failed", "lost")) >= 20


def _takes_a_throttle_for_nothing_placed(monkeypatch):
    def place(call, seconds, *, telephony, calls, clock):
        for _ in range(2):  # as an SDK asks again by itself
            try:
                return telephony.place(call, seconds)
            except TelephonyUnavailable:
                continue
        raise TelephonyUnavailable("twice")

    monkeypatch.setattr("speechcall.calls.use_cases.control_call.place_once", place)
    only_try = property(lambda call: call.contact_id is None and call.ticket.retry == 0)
    monkeypatch.setattr(Call, "is_certainly_not_placed", only_try)


def _forgets_an_earlier_request(monkeypatch):
    monkeypatch.setattr(Call, "may_have_been_placed", False)
    begin = MemoryCalls.begin_placing
    far_away = 10**15
    monkeypatch.setattr(MemoryCalls, "begin_placing", lambda self, mid, a, now, _: begin(self, mid, a, now, far_away))


@pytest.mark.parametrize(
    ("mistake", "dials_once", "first_seed"),
    [
        (_takes_a_throttle_for_nothing_placed, True, 5),
        (_forgets_an_earlier_request, True, 20),  # one story in about twenty comes to it
        (_forgets_an_earlier_request, False, 5),
    ],
)
def test_a_product_that_makes_a_mistake_is_found_out(mistake, dials_once, first_seed, monkeypatch):
    mistake(monkeypatch)
    troubles, seeds = replace(TROUBLES, line=BAD_LINE, died=0.3), range(first_seed, first_seed + 6)
    assert any(flow_through(300, seed, troubles, dials_once=dials_once).phones.rung.wrong for seed in seeds)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_messages_flow_through_whatever_goes_wrong():
    world = flow_through(100_000, 2)
    assert_that_all_went_well(world, 100_000)
    assert min(world.ledger.kills[point] for point in KILL_POINTS) >= 5
    hours, counts = (world.now_msec() - NOW) / 3_600_000, dict(world.ledger.counts)
    print(f"100,000 messages, {len(world.ledger.claims)} calls, {world.runs} runs of dialers, {hours:.1f} h: {counts}")


def test_first_come_first_served():
    # Given no trouble but a lagging index, and newcomers that their records name while a backlog waits
    world = World(4, POOL, replace(NONE, lag_msec=3000), call_seconds=(1, 2, 3))
    world.accept(1500)
    world.run()
    order = overtaken(world.ledger.claims, [one.mid for one in world.all()])
    assert len(order) == 1500
    # While the index is behind, what its records name comes first: a batch of them at most.
    assert max(order.values()) <= BATCH
    # The pool is never idle while somebody waits: two a second, from the first to the last.
    moments = [moment for moment, _ in world.ledger.claims]
    assert (moments[-1] - moments[0]) / 1000 <= 1.1 * 1500 / POOL.calls_per_second
