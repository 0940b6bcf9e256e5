"""Limits for calls and hours that shut, against claims, ends of calls and each other, on real tables.

Each request to DynamoDB (moto) lets the others go first, in an order that chance decides; a failure tells its seed. In
each order: no call begins above a limit, or after the answer to what limits it; and what is counted is what was called.
The requests alone, without a dialer around them: an order of two requests takes some 25 ms.
"""

from collections import Counter
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.caps_store import OPEN_AGAIN_MSEC
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.dial_times import Caps, Counted
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import (
    Capped,
    LineTaken,
    NotQueued,
    NumberBusy,
    QueueShut,
    Redialled,
    TooSoon,
    TurnMoved,
)
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.outcome import Outcome
from tests.kit.races.interleaving import Interleaving
from tests.kit.races.tables import RaceTables
from tests.kit.samples import ASK, MESSAGE, NOW

FEW, ORDERS = 20, 200
HOW_MANY = pytest.mark.parametrize("many", [FEW, pytest.param(ORDERS, marks=pytest.mark.long)])
POOL = Pool(lines=50, calls_per_second=1000)
BUSY = Outcome("busy", "busy")
ACME = Account("acme", ("*",), calls_per_number=2, minutes_per_day=90)
OPEN = (Hours((Window(0, 1439),), ("UTC",)),)


@pytest.fixture(scope="module")
def tables():
    with RaceTables.made() as made:
        yield made


class Orders:
    """Messages of an account that wait for a line, the third urgent. Each order finds them as the first one did."""

    def __init__(self, tables, account=ACME, number="+4930123", **fields):
        tables.clear()
        self.tables = tables
        self.messages = DynamoMessages(tables.client, *tables.names)
        self.turns = self.messages.turns
        self.accounts = DynamoAccounts(tables.client, tables.names[1])
        self.accounts.add(account, {})
        for mid in "123":
            fields |= {"number": number or f"+49301{mid}", "is_urgent": mid == "3"}
            self.messages.add([replace(MESSAGE, mid=mid, account_id="acme", **fields)])
            self.messages.queue(self.messages.get(mid), (ASK,), NOW)
        self.told = []
        self.reads()

    def reads(self):
        """What is read now is what dialers have read."""
        self.read = {mid: self.messages.get(mid) for mid in "123"}
        self.charges = {mid: self._charge(message) for mid, message in self.read.items()}

    def each(self, many=ORDERS):
        """The seed of each order."""
        restore = self.tables.snapshot()
        self.reads()
        for seed in range(many):
            restore()
            self.told = []
            yield seed

    def _charge(self, message):
        lane = message.is_urgent
        return Charge(self.turns.find("acme", lane), self.turns.find_queue("acme", "", lane, message.window))

    def run(self, seed, *actors):
        play = Interleaving(Random(seed), NOW)
        begun = [play.spawn(f"actor {index}", work) for index, work in enumerate(actors)]
        with self.tables.stepping(play.step):
            play.run()
        assert [one.error for one in begun] == [None] * len(actors), seed

    def claim(self, mid, now=NOW + 100):
        claim = self.messages.claim_line(self.read[mid], "arn:flow", POOL, now, self.charges[mid])
        self.told.append((mid, claim))
        return claim

    def taken(self, since=0):
        return [mid for mid, claim in self.told[since:] if claim == LineTaken()]

    def counted(self):
        """The call attempts that count, and the minutes."""
        items = self.tables.of_registry()
        calls = items.get("CALLS", {}).get("calls", {}).get("SS", [])
        return {one.split()[1] for one in calls}, int(items.get("MINUTES", {}).get("used_msec", {}).get("N", 0))


def test_a_call_that_ends_against_claims_for_its_number(tables):
    # Given a number that may have one call, which is up; it turns out that it was placed, or that it never was
    orders, found = Orders(tables, replace(ACME, calls_per_number=1)), Counter()
    assert orders.claim("1", NOW) == LineTaken()
    for seed in orders.each():
        was_placed = bool(seed % 2)
        called = replace(orders.read["1"], was_not_placed=not was_placed, talked_msec=1000)

        def end(called=called):
            again = orders.messages.requeue(called, 0, NOW + 10_000, NOW + 20)
            assert again is Redialled.QUEUED

        orders.run(seed, end, partial(orders.claim, "2"))
        ((_, claim),) = orders.told
        if claim == NumberBusy():
            claim = orders.claim("2")
        found[was_placed, len(orders.told)] += 1
        calls, _ = orders.counted()
        assert calls == ({"1-1"} if was_placed else {"2-1"}), seed
        assert claim == (Capped(Caps((Counted(1, (NOW,)),))) if was_placed else LineTaken()), seed
    assert min(found.values()) >= ORDERS // 20, found
    assert len(found) == 4


@HOW_MANY
def test_two_dialers_of_one_moment_do_not_go_above_the_minutes_together(tables, many):
    # Given minutes for one call more, and two messages that share nothing else: their numbers and lanes are different
    orders, found = Orders(tables, replace(ACME, minutes_per_day=1), number=""), Counter()
    for seed in orders.each(many):
        # Their clocks are not quite alike, so one may be too early for the rate.
        nows = (NOW + 100, NOW + 105)
        orders.run(seed, *(partial(orders.claim, mid, now) for mid, now in zip("13", nows, strict=True)))
        (taken,) = orders.taken()
        ((other, claim),) = [one for one in orders.told if one[1] != LineTaken()]
        if isinstance(claim, TooSoon):
            claim = orders.claim(other, NOW + 200)
        assert isinstance(claim, Capped), seed
        assert NOW < claim.caps.spent_until_msec <= NOW + 200 + OPEN_AGAIN_MSEC, seed  # the other call is up
        assert orders.counted() == ({f"{taken}-1"}, orders.charges["1"].line_msec), seed
        found[taken] += 1
    assert min(found["1"], found["3"]) >= many // 10, found


@HOW_MANY
def test_two_dialers_and_the_end_of_a_call_spend_no_more_than_a_day_allows(tables, many):
    """10 may be spent. One call is up, which may cost 6 and has cost 2 when it ends; two may cost 4 each."""
    orders, found = Orders(tables, Account("acme", ("*",), spend_per_day=10), number=""), Counter()
    orders.charges["2"] = orders.charges["2"]._replace(most_price=6)
    assert orders.claim("2", NOW) == LineTaken()
    for seed in orders.each(many):
        called = replace(orders.read["2"], spent=2)
        for mid in "13":
            orders.charges[mid] = orders.charges[mid]._replace(most_price=4)

        def end(called=called):
            assert orders.messages.finish(called, BUSY, NOW + 300)

        nows = (NOW + 100, NOW + 105)
        orders.run(seed, end, *(partial(orders.claim, mid, now) for mid, now in zip("13", nows, strict=True)))
        for mid, claim in list(orders.told):
            if isinstance(claim, TooSoon | TurnMoved):
                orders.told.remove((mid, claim))
                turn = claim.turn if isinstance(claim, TurnMoved) else orders.charges[mid].turn
                orders.charges[mid] = orders.charges[mid]._replace(turn=turn)
                orders.claim(mid, NOW + 400)
        refused = [claim for _, claim in orders.told if claim != LineTaken()]
        assert all(isinstance(claim, Capped) for claim in refused), (seed, refused)
        spent = int(orders.tables.of_registry()["SPEND"]["spent_amount"]["N"])
        assert spent == 2 + 4 * len(orders.taken()) <= 10, seed
        found[len(orders.taken())] += 1
    assert set(found) == {1, 2}, found


@HOW_MANY
def test_no_call_begins_by_the_old_limit_after_the_new_one_was_answered(tables, many):
    # Given a number that has had one of two calls
    orders, found = Orders(tables), Counter()
    assert orders.claim("1", NOW) == LineTaken()
    assert orders.messages.finish(replace(orders.messages.get("1"), talked_msec=1000), BUSY, NOW + 5)
    stricter, moved = replace(ACME, calls_per_number=1), None
    for seed in orders.each(many):

        def change():
            assert orders.accounts.save(stricter, ACME)
            orders.told.append(("", "changed"))

        orders.run(seed, partial(orders.claim, "2"), change)
        changed = orders.told.index(("", "changed"))
        assert not orders.taken(changed), seed
        found[bool(orders.taken())] += 1
        if not orders.taken():
            # It learns of the new limit, and that the number has had its call.
            (moved,) = [claim for _, claim in orders.told if isinstance(claim, TurnMoved)]
            assert moved.turn.calls_per_number == 1, seed
    assert min(found[True], found[False]) >= many // 20, found
    assert moved
    charge = Charge(moved.turn, orders.charges["2"].queue)
    late = orders.messages.claim_line(orders.read["2"], "arn:flow", POOL, NOW + 100, charge)
    assert isinstance(late, Capped | NotQueued)


def test_no_call_begins_after_its_hours_have_shut_and_what_waits_comes_back_when_they_open(tables):
    orders, found = Orders(tables, hours=OPEN), Counter()
    opens, queue = NOW + 3_600_000, orders.charges["1"].queue
    for seed in orders.each():

        def shut():
            orders.turns.shut(queue, opens)
            orders.told.append(("", "shut"))

        orders.run(seed, partial(orders.claim, "1"), shut)
        assert not orders.taken(orders.told.index(("", "shut"))), seed
        found[bool(orders.taken())] += 1
        if not orders.taken():
            assert ("1", QueueShut()) in orders.told, seed
    assert min(found[True], found[False]) >= ORDERS // 20, found
    # What is left waits for the opening, and two dialers that open it at once do no harm.
    shut_queue = orders.turns.find_queue("acme", "", False, queue.window)
    assert (shut_queue.is_waiting, shut_queue.opens_msec) == (False, opens)
    assert orders.turns.open_due(opens - 1) == 0
    orders.run(0, partial(orders.turns.open_due, opens), partial(orders.turns.open_due, opens))
    assert orders.turns.find_queue("acme", "", False, queue.window).is_waiting
