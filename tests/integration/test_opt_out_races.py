"""An opt-out against claims of its number, and against its removal, on real tables.

Each request to DynamoDB (moto) lets the others go first, in an order that chance decides; a failure tells its seed. In
each order: no call begins after the answer to the opt-out, and every message ends once.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from local.cloud.account import ACCOUNT
from local.cloud.template import Template
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken, NotQueued, OptedOut
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.requests.use_cases.manage_opt_outs import take_back
from speechcall.shared.rules.errors import ConsentRequired
from tests.kit.races.interleaving import Interleaving
from tests.kit.registry import client_of_kms, dynamodb_client, requests_for_tables
from tests.kit.samples import ASK, MESSAGE, NOW
from tests.kit.store_samples import CONNECT_ARN, TEMPLATE

FEW, ORDERS = 2, 200
HOW_MANY = pytest.mark.parametrize(
    "many", [FEW, pytest.param(ORDERS, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
POOL = Pool(lines=50, calls_per_second=1000)
NUMBER = MESSAGE.number


@pytest.fixture(scope="module")
def tables():
    """The template's tables, which each order finds empty."""
    with mock_aws():
        client, kms = dynamodb_client(), client_of_kms()
        requests = requests_for_tables(
            Template(TEMPLATE, {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
        )
        for name, request in requests.items():
            client.create_table(TableName=name, **request)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        digests = NumberDigests(client, [*requests][1], lambda: kms, key)
        digests.of(NUMBER)
        yield client, digests, *requests


class Counted(DynamoMessages):
    """The store, which counts the ends of each message, and notes its claims."""

    def __init__(self, *given):
        super().__init__(*given)
        self.ends, self.claimed = Counter(), []

    def refuse(self, message, outcome, cause, now_msec):
        done = super().refuse(message, outcome, cause, now_msec)
        self.ends[message.mid] += done
        return done

    def claim_line(self, message, *given):
        claim = super().claim_line(message, *given)
        if isinstance(claim, LineTaken):
            self.claimed.append(message.mid)
        return claim


class Order:
    """One order: a message, and who works on it. It is the clock and the flows of everybody too."""

    def __init__(self, tables, seed, **message):
        self.client, digests, *names = tables
        for name in names:
            dynamodb_backends[ACCOUNT][self.client.meta.region_name].tables[name].items.clear()
        self.random = Random(seed)
        self.play = Interleaving(self.random, NOW)
        self.account = f"acme{seed}"
        self.messages, self.opt_outs = Counted(self.client, *names), DynamoOptOuts(self.client, names[1], digests)
        self.lines = DynamoPool(self.client, names[1])
        self.digest = digests.of(NUMBER)
        changed = {"account_id": self.account, "number_digest": self.digest, "redial": Redial(2, (60,)), **message}
        self.messages.add([replace(MESSAGE, **changed)])
        self.messages.queue(self.messages.get(MESSAGE.mid), (ASK,), NOW)
        self.claimed_before = None
        """How many calls had begun when the opt-out was answered."""

    def now_msec(self):
        return self.play.msec

    def sleep(self, seconds):
        self.play.sleep(seconds)

    def publish(self, _menus):
        return "arn:flow"

    def start(self, _arn, _name, _given):
        return True

    # ---------------------------------------------------------------- actors
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

    def entry(self, by=By.API, list_name=""):
        return OptOut(list_name, self.digest, NUMBER[-2:], self.now_msec(), by)

    def opt_out(self, by=By.API, list_name=""):
        self.opt_outs.add(self.account, self.entry(by, list_name))
        self.claimed_before = len(self.messages.claimed)

    def run(self, *actors):
        """All of them at once, each beginning a little later or sooner."""
        self.client.meta.events.register("before-call.dynamodb", partial(step, self.play), unique_id="steps")
        done = []
        for number, actor in enumerate(actors):
            delay = self.random.choice((0, 0, 0.01, 0.05, 0.2))
            self.play.after(delay, partial(self._begin, f"actor {number}", actor, done))
        self.play.run()
        self.client.meta.events.unregister("before-call.dynamodb", unique_id="steps")
        for one in done:
            if one.error:
                raise one.error
        assert len(done) == len(actors)

    def _begin(self, name, actor, done):
        done.append(self.play.spawn(name, actor))


@HOW_MANY
def test_no_call_begins_after_the_answer_and_a_redial_ends_the_message(tables, many):
    found = Counter()
    for seed in range(many):
        name = ("", "news")[seed % 2]
        order = Order(tables, seed, opt_out_lists=("sales", "news"))
        order.run(order.dial, partial(order.opt_out, list_name=name), partial(order.dial, [MESSAGE.mid]))
        stored = order.messages.get(MESSAGE.mid)
        if stored.state is State.CALLING:  # the call was first; it is busy, and would be dialled again
            assert len(order.messages.claimed) == order.claimed_before == 1, seed
            assert order.messages.requeue(stored, 1, order.now_msec(), order.now_msec())
        found[stored.state] += 1
        order.run(order.dial, partial(order.dial, [MESSAGE.mid]))
        stored = order.messages.get(MESSAGE.mid)
        assert (stored.state, stored.outcome) == (State.FINISHED, "optedOut"), seed
        assert len(order.messages.claimed) == order.claimed_before, seed
        assert order.messages.ends == {MESSAGE.mid: 1}, seed
        assert not order.lines.read().held
    if many == ORDERS:
        assert min(found[State.CALLING], found[State.FINISHED]) >= many // 10, found


@HOW_MANY
def test_a_removal_never_takes_back_what_the_callee_has_just_done(tables, many):
    for seed in range(many):
        order = Order(tables, seed)
        order.opt_outs.add(order.account, order.entry())

        def remove(order=order):
            try:
                take_back(order.account, "", order.digest, None, store=order.opt_outs, now_msec=order.now_msec())
            except ConsentRequired:
                return

        order.run(remove, partial(order.opt_out, By.KEY), partial(order.opt_out, By.IMPORT))
        kept = order.opt_outs.find(order.account, "", order.digest)
        assert (kept.by, kept.holds) == (By.KEY, True), seed


def test_a_claim_and_an_opt_out_in_two_hundred_orders(tables):
    """The requests alone, without a dialer around them: what was claimed was so before the opt-out's answer."""
    client, _, *names = tables
    first = Order(tables, 0)
    stored = [dynamodb_backends[ACCOUNT][client.meta.region_name].tables[name].items for name in names]
    begun = [deepcopy(dict(table)) for table in stored]
    messages, opt_outs = first.messages, first.opt_outs
    queued = messages.get(MESSAGE.mid)
    found = Counter()
    for seed in range(ORDERS):
        for table, items in zip(stored, begun, strict=True):
            table.clear()
            table.update(deepcopy(items))  # moto changes an item in its place
        play = Interleaving(Random(seed), NOW)
        told = []

        def dial(told=told, play=play):
            told.append(messages.claim_line(queued, "arn:flow", POOL, play.msec))

        def opt_out(told=told, play=play, seed=seed):
            by = (By.KEY, By.API)[seed % 2]
            assert opt_outs.add(first.account, OptOut("", first.digest, "67", play.msec, by, mid="7"))
            told.append(OptOut)

        client.meta.events.register("before-call.dynamodb", partial(step, play), unique_id="steps")
        actors = [play.spawn(f"actor {index}", work) for index, work in enumerate((dial, opt_out, dial))]
        play.run()
        client.meta.events.unregister("before-call.dynamodb", unique_id="steps")
        assert [one.error for one in actors] == [None] * 3, seed
        opted = told.index(OptOut)
        assert LineTaken() not in told[opted:], seed
        assert set(map(type, told)) <= {LineTaken, OptedOut, NotQueued, type}, seed
        assert told.count(LineTaken()) <= 1, seed
        found[LineTaken() in told] += 1
    assert min(found[True], found[False]) >= ORDERS // 10, found


def step(play, **_event):
    """One request of an actor's is about to be made: the others have the word."""
    if play.current:
        play.step()
