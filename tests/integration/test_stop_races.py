"""What is cancelled or paused against a claim, the end of a call and the activation of messages, on real tables.

Each request to DynamoDB (moto) lets the others go first, in an order that chance decides. In each order: no call
begins after the answer, every message ends once, and nothing is stranded. 200 orders of each race here, 1,000 in
`make test-long`; a failure tells its RACE_SEED, which repeats it.
"""

import os
import re
import secrets
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from botocore.exceptions import ClientError

from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.shared.adapters.keys import campaign_key, campaign_lists_partition, campaign_lists_place, list_key
from speechcall.shared.adapters.table import to_wire
from speechcall.shared.rules.ids import last_id, new_ids
from speechcall.shared.rules.outcome import Outcome
from speechcall.stopping.use_cases.carry_out_stops import SETTLED_MSEC, StopWork
from speechcall.stopping.use_cases.stop_many import cancel_queue, resume_account, resume_campaign, resume_list
from speechcall.stopping.use_cases.stop_message import cancel_message
from tests.kit.races.dialling_order import DiallingOrder
from tests.kit.races.tables import RaceTables
from tests.kit.samples import ASK, MESSAGE

ORDERS, MANY_ORDERS = 200, 1000
POOL = Pool(lines=50, calls_per_second=1000)
BUSY = Outcome("busy", "busy")
MANY = (Brake.LIST, Brake.CAMPAIGN, Brake.ACCOUNT)


@pytest.fixture(scope="module")
def tables():
    with RaceTables.made() as made:
        yield made


class Order(DiallingOrder):
    """One order: some messages, and who works on them."""

    def __init__(self, tables, seed, number=2):
        super().__init__(tables, seed)
        self.registry = tables.names[1]
        self.stops, self.upto = DynamoStops(tables.client, self.registry), None
        self.list_id, *self.mids = new_ids(number + 1, self.play.msec, self.random.getrandbits)
        base = replace(MESSAGE, account_id=self.account, campaign="spring", list_id=self.list_id)
        base = replace(base, created_msec=self.play.msec, redial=Redial(1, (60,)))
        self.messages.add([replace(base, mid=mid, number=f"+{mid[-14:]}") for mid in self.mids])
        place = campaign_lists_partition(self.account, "spring"), campaign_lists_place(self.list_id)
        self._put(list_key(self.list_id) | {"order_pk": place[0], "order_sk": place[1]})
        self._put(campaign_key(self.account, "spring"))
        self.in_calls = {}

    def _put(self, item):
        self.tables.client.put_item(TableName=self.registry, Item=to_wire(item))

    def message_ids(self, list_id):
        return self.mids if list_id == self.list_id else []

    # ---------------------------------------------------------------- actors
    def activate(self):
        for mid in self.mids:
            self.messages.queue(self.messages.get(mid), (ASK,), self.now_msec())

    def end_calls(self):
        """Everybody who is called is busy; whether all messages had ended before."""
        found = [self.messages.get(mid) for mid in self.mids]
        for message in found:
            if message.state is State.CALLING:
                self.end_busy(message)
        return all(message.state is State.FINISHED for message in found)

    def call_until_all_have_ended(self):
        """Without a sweeper, and not after a quarter of an hour."""
        for _ in range(4):
            self.later(61)
            self.dial()
            if self.end_calls():
                return

    def cancel(self, kind):
        if kind is Brake.ACCOUNT:
            self.upto = last_id(self.now_msec())
            cancel_queue(self.account, stops=self.stops, clock=self)
        elif kind is Brake.MESSAGE:
            self.cancel_one(self.messages.get(self.mids[0]), False)
        else:
            self.stops.cancel(self._what(kind), self.now_msec(), 2**31, hangs_up=False)
        self._note_calls()

    def pause(self, kind):
        self.stops.pause(self._what(kind), self.now_msec(), 2**31)
        self._note_calls()

    def pause_for_a_moment(self, kind):
        """It is resumed as soon as somebody has found it paused, who is about to say so."""
        self.pause(kind)
        self.play.until(lambda: self.messages.refused > 0, self.random.random())
        self.resume(kind)

    def resume(self, kind):
        what = self._what(kind)
        if kind is Brake.LIST:
            held = (mid for mid in self.mids if self.messages.get(mid).is_held)
            resume_list(what, held, stops=self.stops, messages=self.messages, clock=self)
        elif kind is Brake.CAMPAIGN:
            resume_campaign(what, stops=self.stops, turns=self.messages.turns, clock=self)
        else:
            resume_account(self.account, stops=self.stops, turns=self.messages.turns, clock=self)

    def cancel_one(self, message, hangs_up):
        ports = dict.fromkeys(("calls", "telephony", "engine"))
        return cancel_message(message, hangs_up, messages=self.messages, clock=self, **ports)

    def carry_out(self):
        StopWork(
            stops=self.stops,
            messages=self.messages,
            turns=self.messages.turns,
            lists=self,
            cancel=self.cancel_one,
            clock=self,
            count=lambda _name, _number: None,
            time_left=lambda: 60.0,
        ).do()

    def _what(self, kind):
        return Stopped(kind, self.account, {Brake.LIST: self.list_id, Brake.CAMPAIGN: "spring"}.get(kind, ""))

    def _note_calls(self):
        """The calls that began before the answer, at the moment of the answer."""
        with self.tables.stepping(lambda: None):
            self.in_calls = {mid: self.messages.get(mid).attempt for mid in self.mids}

    # ------------------------------------------------------------------ a run
    def attempts(self, mids=None):
        return {mid: self.messages.get(mid).attempt for mid in mids or self.mids}

    def check_ended(self):
        found = [self.messages.get(mid) for mid in self.mids]
        assert [message.state for message in found] == [State.FINISHED] * len(found)
        assert self.messages.ends == dict.fromkeys(self.mids, 1)
        assert not self.lines.read().held
        assert not self.messages.turns.find(self.account, False).live
        return [(message.outcome, message.reason) for message in found]


def after_a_cancellation(order, kind):
    """Whatever happens then: no call begins of what was cancelled, and all that is left ends once."""
    cancelled = order.mids[:1] if kind is Brake.MESSAGE else order.mids
    for _ in range(2):
        order.dial()
        order.end_calls()
        order.carry_out()
        order.later(SETTLED_MSEC / 1000 + 1)
    assert order.attempts(cancelled) == {mid: order.in_calls[mid] for mid in cancelled}
    if kind is Brake.MESSAGE:
        order.call_until_all_have_ended()
    assert not [job for job in order.stops.jobs(9) if job.what.account_id == order.account]
    return order.check_ended()


def after_a_pause(order, kind, *meanwhile):
    """No call begins until what is paused is resumed; then each message is called as often as it was to be."""
    order.dial()
    order.dial(order.mids)
    assert order.attempts() == order.in_calls
    order.run(partial(order.resume, kind), order.dial, *meanwhile)
    called_as_often_as_it_was_to_be(order)


def called_as_often_as_it_was_to_be(order):
    order.call_until_all_have_ended()
    assert order.check_ended() == [("busy", "busy")] * 2
    assert Counter(order.messages.claimed) == dict.fromkeys(order.mids, 2)


# ------------------------------------------------------------------- the races
def cancel_against_claim(order, kind):
    order.activate()
    order.run(order.dial, partial(order.cancel, kind), partial(order.dial, order.mids))
    after_a_cancellation(order, kind)


def pause_and_resume_against_claim(order, kind):
    order.activate()
    if order.random.random() < 0.3:
        order.run(order.dial, partial(order.pause_for_a_moment, kind))
        called_as_often_as_it_was_to_be(order)
        return
    order.run(order.dial, partial(order.pause, kind))
    after_a_pause(order, kind, order.end_calls)


def requeue_after_a_call_against_cancel(order, kind):
    order.activate()
    order.dial()
    order.run(order.end_calls, partial(order.cancel, kind), order.carry_out)
    order.later(90)
    outcomes = after_a_cancellation(order, kind)
    assert {reason for _, reason in outcomes[: 1 if kind is Brake.MESSAGE else 2]} == {"cancelled"}


def activation_against_cancel(order, kind):
    order.run(order.activate, order.dial, partial(order.cancel, kind))
    after_a_cancellation(order, kind)


def activation_against_pause(order, kind):
    order.run(order.activate, order.dial, partial(order.pause, kind))
    after_a_pause(order, kind)


RACES = {
    "cancel against claim": (cancel_against_claim, (*MANY, Brake.MESSAGE), ORDERS),
    "pause and resume against claim": (pause_and_resume_against_claim, MANY, ORDERS),
    "requeue after a call against cancel": (requeue_after_a_call_against_cancel, (*MANY, Brake.MESSAGE), ORDERS),
    "activation against cancel": (activation_against_cancel, MANY, ORDERS // 2),
    "activation against pause": (activation_against_pause, MANY, ORDERS // 2),
}
"""Each race, what is stopped in it, and its number of orders in `make test`."""


def hold(tables, name, orders, first=None):
    """Runs one race in so many orders. RACE_SEED=… runs that one alone."""
    race, kinds, _ = RACES[name]
    given = os.environ.get("RACE_SEED")
    first = int(given) if given else secrets.randbits(32) if first is None else first
    for seed in range(first, first + (1 if given else orders)):
        try:
            race(Order(tables, seed), kinds[seed % len(kinds)])
        except Exception as error:
            error.add_note(f"RACE_SEED={seed}, {name}")
            raise


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RACES)
def test_whatever_the_order(tables, name):
    hold(tables, name, RACES[name][2])


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", RACES)
def test_whatever_the_order_at_length(tables, name):
    hold(tables, name, MANY_ORDERS)


# -------------------------------------------------------------- the bench itself
def test_one_seed_is_one_order(tables):
    found = []
    for _ in range(2):
        order = Order(tables, 7)
        cancel_against_claim(order, Brake.LIST)
        found.append((order.play.msec, order.play.steps, order.in_calls, Counter(order.messages.claimed)))
    assert found[0] == found[1]


NOT_PAUSED, NOT_CANCELLED = "attribute_not_exists(paused_msec)", "attribute_not_exists(cancelled_msec)"
NOT_CANCELLED_UPTO = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :mid)"
ANYTHING = "(attribute_exists(pk) OR attribute_not_exists(pk))"


def forget(request, clause, other):
    """A request with something else in the place of a clause, and without the values that nothing names then."""
    if isinstance(request, list):
        return [forget(one, clause, other) for one in request]
    if not isinstance(request, dict):
        return request
    request = {name: forget(value, clause, other) for name, value in request.items()}
    condition = request.get("ConditionExpression", "")
    if clause in condition:
        request["ConditionExpression"] = condition.replace(clause, other)
        texts = f"{request['ConditionExpression']} {request.get('UpdateExpression', '')}"
        if values := request.get("ExpressionAttributeValues"):
            request["ExpressionAttributeValues"] = {n: v for n, v in values.items() if re.search(rf"{n}\b", texts)}
            if not request["ExpressionAttributeValues"]:
                del request["ExpressionAttributeValues"]
    return request


@pytest.mark.parametrize(
    ("name", "clause", "other"),
    [
        ("cancel against claim", f"{NOT_PAUSED} AND {NOT_CANCELLED}", NOT_PAUSED),
        ("cancel against claim", f" AND {NOT_CANCELLED_UPTO}", ""),
        ("cancel against claim", "#state = :from AND attempt = :before", "attempt = :before"),
        ("cancel against claim", "#state = :from", "attribute_exists(#state)"),
        ("pause and resume against claim", f"{NOT_PAUSED} AND {NOT_CANCELLED}", NOT_CANCELLED),
        ("pause and resume against claim", f"{NOT_PAUSED} AND {NOT_CANCELLED_UPTO}", NOT_CANCELLED_UPTO),
        ("pause and resume against claim", "attribute_exists(paused_msec)", ANYTHING),
        ("requeue after a call against cancel", "#state = :from AND attempt = :attempt", "attempt = :attempt"),
        ("requeue after a call against cancel", NOT_CANCELLED, ANYTHING),
        ("requeue after a call against cancel", NOT_CANCELLED_UPTO, ANYTHING),
        ("activation against cancel", f"{NOT_PAUSED} AND {NOT_CANCELLED}", NOT_PAUSED),
        ("activation against cancel", f" AND {NOT_CANCELLED_UPTO}", ""),
        ("activation against pause", f"{NOT_PAUSED} AND {NOT_CANCELLED}", NOT_CANCELLED),
    ],
)
def test_a_clause_that_is_forgotten_is_found_out(tables, name, clause, other, monkeypatch):
    stock = tables.client._make_api_call
    monkeypatch.setattr(tables.client, "_make_api_call", lambda what, given: stock(what, forget(given, clause, other)))
    with pytest.raises((AssertionError, ClientError)) as found:
        hold(tables, name, ORDERS, first=0)
    assert found.value.__notes__[0].startswith("RACE_SEED=")
