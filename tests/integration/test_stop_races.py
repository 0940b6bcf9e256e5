"""What is cancelled or paused against a claim, the end of a call and the activation of messages, on real tables.

Each request to DynamoDB (moto) lets the others go first, in an order that chance decides; a failure tells its seed. In
each order: no call begins after the answer, every message ends once, and nothing is stranded.
"""

import itertools
from collections import Counter
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from local.cloud.account import ACCOUNT
from local.cloud.template import Template
from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Cause
from speechcall.calls.use_cases.leave_call import leave_call
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, LineTaken
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.shared.adapters.keys import campaign_key, campaign_lists_partition, campaign_lists_place, list_key
from speechcall.shared.adapters.table import to_wire
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import last_id, new_ids
from speechcall.shared.rules.outcome import Outcome
from speechcall.stopping.use_cases.carry_out_stops import SETTLED_MSEC, StopWork
from speechcall.stopping.use_cases.stop_many import cancel_queue, resume_account, resume_campaign, resume_list
from speechcall.stopping.use_cases.stop_message import cancel_message
from tests.kit.races.interleaving import Interleaving
from tests.kit.registry import dynamodb_client, requests_for_tables
from tests.kit.samples import ASK, CALL, MESSAGE, NOW
from tests.kit.store_samples import CONNECT_ARN, TEMPLATE

FEW, ORDERS = 4, 200
HOW_MANY = pytest.mark.parametrize(
    "many", [FEW, pytest.param(ORDERS, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
POOL = Pool(lines=50, calls_per_second=1000)
BUSY = Outcome("busy", "busy")
MANY = (Brake.LIST, Brake.CAMPAIGN, Brake.ACCOUNT)


@pytest.fixture(scope="module")
def tables():
    """The template's tables, which each order finds empty."""
    with mock_aws():
        client = dynamodb_client()
        requests = requests_for_tables(
            Template(TEMPLATE, {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
        )
        for name, request in requests.items():
            client.create_table(TableName=name, **request)
        yield client, *requests


class Counted(DynamoMessages):
    """The store, which counts the ends of each message and the claims of it."""

    def __init__(self, *given):
        super().__init__(*given)
        self.ends, self.claims = Counter(), Counter()

    def finish(self, message, outcome, now_msec, heard=None):
        done = super().finish(message, outcome, now_msec, heard)
        self.ends[message.mid] += done
        return done

    def refuse(self, message, outcome, cause, now_msec):
        done = super().refuse(message, outcome, cause, now_msec)
        self.ends[message.mid] += done
        return done

    def claim_line(self, message, *given):
        claim = super().claim_line(message, *given)
        self.claims[message.mid] += isinstance(claim, LineTaken)
        return claim


class Order:
    """One order: some messages, and who works on them. It is the clock and the flows of everybody too."""

    count = itertools.count()

    def __init__(self, tables, seed, number=2):
        client, *names = tables
        for name in names:
            dynamodb_backends[ACCOUNT][client.meta.region_name].tables[name].items.clear()
        self.random = Random(seed)
        self.play = Interleaving(self.random, NOW + next(self.count) * 10_000_000)
        self.account, self.client, self.registry = f"acme{seed}", client, names[1]
        client.meta.events.unregister("before-call.dynamodb", unique_id="steps")
        self.messages, self.stops = Counted(client, *names), DynamoStops(client, names[1])
        self.lines, self.upto = DynamoPool(client, names[1]), None
        self.list_id, *self.mids = new_ids(number + 1, self.play.msec, self.random.getrandbits)
        base = replace(MESSAGE, account_id=self.account, campaign="spring", list_id=self.list_id)
        base = replace(base, created_msec=self.play.msec, redial=Redial(2, (60,)))
        self.messages.add([replace(base, mid=mid, number=f"+{mid[-14:]}") for mid in self.mids])
        place = campaign_lists_partition(self.account, "spring"), campaign_lists_place(self.list_id)
        self._put(list_key(self.list_id) | {"order_pk": place[0], "order_sk": place[1]})
        self._put(campaign_key(self.account, "spring"))
        self.in_calls = {}

    def _put(self, item):
        self.client.put_item(TableName=self.registry, Item=to_wire(item))

    # -------------------------------------------------------------- everybody
    def now_msec(self):
        return self.play.msec

    def sleep(self, seconds):
        if self.play.current:
            self.play.sleep(seconds)
        else:
            self.later(seconds)

    def publish(self, _menus):
        return "arn:flow"

    def start(self, _arn, _name, _given):
        return True

    def message_ids(self, list_id):
        return self.mids if list_id == self.list_id else []

    def step(self, **_event):
        self.play.step()

    # ---------------------------------------------------------------- actors
    def activate(self):
        for mid in self.mids:
            self.messages.queue(self.messages.get(mid), (ASK,), self.now_msec())

    def dial(self, named=()):
        end = self.now_msec() + 30_000
        dial_messages(
            named,
            messages=self.messages,
            turns=self.messages.turns,
            flows=self,
            lines=self.lines,
            stack=POOL,
            clock=self,
            time_left=lambda: (end - self.now_msec()) / 1000,
            calls_back=not named,
        )

    def end_calls(self):
        """Everybody who is called is busy."""
        for mid in self.mids:
            message = self.messages.get(mid)
            if message.state is State.CALLING:
                self._end(message)

    def _end(self, message):
        call = CALL._replace(mid=message.mid, attempt=message.attempt, ended_msec=self.now_msec(), cause=Cause.BUSY)
        account = Account(self.account, ("*",))
        while True:
            try:
                leave_call(message, call, BUSY, self.messages, self.now_msec(), lambda _: account)
            except StoreUnavailable:
                continue
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
        client = self.client
        client.meta.events.unregister("before-call.dynamodb", unique_id="steps")
        self.in_calls = {mid: self.messages.get(mid).attempt for mid in self.mids}
        client.meta.events.register("before-call.dynamodb", self.step, unique_id="steps")

    # ------------------------------------------------------------------ a run
    def run(self, *actors):
        """All of them at once, each beginning a little later or sooner."""
        self.client.meta.events.register("before-call.dynamodb", self.step, unique_id="steps")
        done = []
        for actor in actors:
            delay = self.random.choice((0, 0, 0.01, 0.05, 0.2))
            self.play.after(delay, partial(self._begin, actor, done))
        self.play.run()
        self.client.meta.events.unregister("before-call.dynamodb", unique_id="steps")
        for one in done:
            if one.error:
                raise one.error
        assert len(done) == len(actors)

    def _begin(self, actor, done):
        done.append(self.play.spawn(str(actor), actor))

    def later(self, seconds):
        self.play.msec += round(seconds * 1000)

    def attempts(self, mids=None):
        return {mid: self.messages.get(mid).attempt for mid in mids or self.mids}

    def check_ended(self):
        found = [self.messages.get(mid) for mid in self.mids]
        assert [message.state for message in found] == [State.FINISHED] * len(found)
        assert self.messages.ends == dict.fromkeys(self.mids, 1)
        assert not self.lines.read().held
        assert not self.messages.turns.find(self.account, False).live
        return [(message.outcome, message.reason) for message in found]


def orders(kinds, many):
    return [(seed, kinds[seed % len(kinds)]) for seed in range(many)]


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
        for _ in range(3):
            order.later(120)
            order.dial()
            order.end_calls()
    assert not [job for job in order.stops.jobs(9) if job.what.account_id == order.account]
    return order.check_ended()


@HOW_MANY
def test_cancel_against_claim(tables, many):
    for seed, kind in orders((*MANY, Brake.MESSAGE), many):
        order = Order(tables, seed)
        order.activate()
        order.run(order.dial, partial(order.cancel, kind), partial(order.dial, order.mids))
        after_a_cancellation(order, kind)


@HOW_MANY
def test_pause_and_resume_against_claim(tables, many):
    for seed, kind in orders(MANY, many):
        order = Order(tables, 10_000 + seed)
        order.activate()
        order.run(order.dial, partial(order.pause, kind))
        order.dial()
        order.dial(order.mids)
        assert order.attempts() == order.in_calls
        order.run(partial(order.resume, kind), order.dial, order.end_calls)
        for _ in range(4):  # without a sweeper, and not after a quarter of an hour
            order.later(61)
            order.dial()
            order.end_calls()
        assert order.check_ended() == [("busy", "busy")] * 2
        assert order.messages.claims == dict.fromkeys(order.mids, 3)


@HOW_MANY
def test_requeue_after_a_call_against_cancel(tables, many):
    for seed, kind in orders((*MANY, Brake.MESSAGE), many):
        order = Order(tables, 20_000 + seed)
        order.activate()
        order.dial()
        order.run(order.end_calls, partial(order.cancel, kind), order.carry_out)
        order.later(90)
        outcomes = after_a_cancellation(order, kind)
        assert {reason for _, reason in outcomes[: 1 if kind is Brake.MESSAGE else 2]} == {"cancelled"}


@HOW_MANY
def test_activation_against_cancel_and_pause(tables, many):
    for seed, (kind, is_final) in orders([(kind, is_final) for kind in MANY for is_final in (True, False)], many):
        order = Order(tables, 30_000 + seed)
        stop = order.cancel if is_final else order.pause
        order.run(order.activate, order.dial, partial(stop, kind))
        if is_final:
            after_a_cancellation(order, kind)
            continue
        order.dial()
        assert order.attempts() == order.in_calls
        order.run(partial(order.resume, kind), order.dial)
        for _ in range(4):
            order.later(61)
            order.dial()
            order.end_calls()
        assert order.messages.claims == dict.fromkeys(order.mids, 3)
        order.check_ended()
