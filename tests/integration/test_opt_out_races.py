"""An opt-out against claims of its number, and against its removal, on real tables.

Each request to DynamoDB (moto) lets the others go first, in an order that chance decides; a failure tells its seed. In
each order: no call begins after the answer to the opt-out, and every message ends once.
"""

from collections import Counter
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.callbacks.adapters.called_numbers import DynamoCalledNumbers
from speechcall.callbacks.adapters.uploaded_audio import DynamoUploadedAudio
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk, greet, opt_out
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.use_cases.message_ports import LineTaken, NotQueued, OptedOut
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.requests.use_cases.manage_opt_outs import take_back
from speechcall.shared.rules.errors import ConsentRequired
from speechcall.shared.rules.ids import parse_holder
from tests.kit.races.dialling_order import POOL, DiallingOrder
from tests.kit.races.interleaving import Interleaving
from tests.kit.races.tables import RaceTables
from tests.kit.registry import client_of_kms, dynamodb_client
from tests.kit.samples import ASK, CALL, MESSAGE, NOW

FEW, ORDERS = 2, 200
HOW_MANY = pytest.mark.parametrize(
    "many", [FEW, pytest.param(ORDERS, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
NUMBER = MESSAGE.number


@pytest.fixture(scope="module")
def tables():
    with RaceTables.made() as made:
        kms = client_of_kms()
        # What keeps the digests' key is bytes, which a direct client does not take.
        digests = NumberDigests(dynamodb_client(), made.names[1], lambda: kms, kms.create_key()["KeyMetadata"]["KeyId"])
        digests.of(NUMBER)
        yield made, digests


class Order(DiallingOrder):
    """One order: a message, and who works on it."""

    def __init__(self, tables, seed, **message):
        made, digests = tables
        super().__init__(made, seed)
        self.opt_outs = DynamoOptOuts(made.client, made.names[1], digests)
        self.digest = digests.of(NUMBER)
        called, audio = DynamoCalledNumbers(made.client, made.names[0]), DynamoUploadedAudio(made.client, made.names[1])
        self.desk = CallBackDesk(called, DynamoAccounts(made.client, made.names[1]), audio, self.opt_outs, self)
        self.add(account_id=self.account, number_digest=self.digest, redial=Redial(2, (60,)), **message)
        self.claimed_before = None
        """How many calls had begun when the opt-out was answered."""

    def add(self, mid=MESSAGE.mid, **changed):
        self.messages.add([replace(MESSAGE, mid=mid, **changed)])
        self.messages.queue(self.messages.get(mid), (ASK,), NOW)

    def start(self, _arn, name, _given):
        """The machine writes its call before it is placed."""
        mid, attempt = parse_holder(name)
        call = CALL._replace(mid=mid, attempt=attempt, dialled_msec=self.now_msec(), number_digest=self.digest)
        DynamoCalls(self.tables.client, self.tables.names[0]).open(call, 2**31)
        return True

    def entry(self, by=By.API, list_name=""):
        return OptOut(list_name, self.digest, NUMBER[-2:], self.now_msec(), by)

    def opt_out(self, by=By.API, list_name=""):
        self.opt_outs.add(self.account, self.entry(by, list_name))
        self.claimed_before = len(self.messages.claimed)


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


@HOW_MANY
def test_who_calls_back_opts_out_of_the_account_that_they_heard(tables, many):
    """Two accounts have called them, or are about to: it holds for the one whose greeting they heard, and no other."""
    found = Counter()
    for seed in range(many):
        order = Order(tables, seed)
        other = ("a", "z")[seed % 2]  # of two accounts alike, the first name is dialled first
        accounts = {MESSAGE.mid: order.account, "2": order.account, "3": other, "4": other}
        for mid in "234":
            order.add(mid, account_id=accounts[mid], number_digest=order.digest, redial=Redial(2, (60,)))
        heard = {}
        """How many calls had begun when each account's opt-out was answered."""

        def call_back(order=order, heard=heard, accounts=accounts):
            greeting = greet(NUMBER, order.desk)
            if greeting.mid:
                assert opt_out(NUMBER, greeting.mid, order.desk)
                heard.setdefault(accounts[greeting.mid], len(order.messages.claimed))

        order.run(order.dial, call_back, partial(order.dial, ["3"]), call_back)
        found.update({one == other for one in heard} or {None})
        for one in set(accounts.values()):
            assert (order.opt_outs.find(one, "", order.digest) is not None) == (one in heard), seed
        for _ in range(25):
            end_calls(order, accounts)
            if len(order.messages.ends) == len(accounts):
                break
            order.later(61)
            order.run(order.dial, order.dial)
        for mid, account in accounts.items():
            stored = order.messages.get(mid)
            assert stored.state is State.FINISHED, (seed, mid)
            assert stored.outcome == ("optedOut" if account in heard else "busy"), (seed, mid)
            if account in heard:
                assert mid not in order.messages.claimed[heard[account] :], (seed, mid)
        assert order.messages.ends == dict.fromkeys(accounts, 1), seed
        assert not order.lines.read().held
    if many == ORDERS:
        assert min(found[None], found[True], found[False]) >= many // 20, found


def end_calls(order, accounts):
    """Everybody who is called is busy."""
    for mid in accounts:
        if (message := order.messages.get(mid)).state is State.CALLING:
            order.end_busy(message)


def test_a_claim_and_an_opt_out_in_two_hundred_orders(tables):
    """The requests alone, without a dialer around them: what was claimed was so before the opt-out's answer."""
    made, first = tables[0], Order(tables, 0)
    restore = made.snapshot()
    messages, opt_outs = first.messages, first.opt_outs
    queued = messages.get(MESSAGE.mid)
    found = Counter()
    for seed in range(ORDERS):
        restore()
        play = Interleaving(Random(seed), NOW)
        told = []

        def dial(told=told, play=play):
            told.append(messages.claim_line(queued, "arn:flow", POOL, play.msec))

        def opt_out(told=told, play=play, seed=seed):
            by = (By.KEY, By.API)[seed % 2]
            assert opt_outs.add(first.account, OptOut("", first.digest, "67", play.msec, by, mid="7"))
            told.append(OptOut)

        actors = [play.spawn(f"actor {index}", work) for index, work in enumerate((dial, opt_out, dial))]
        with made.stepping(play.step):
            play.run()
        assert [one.error for one in actors] == [None] * 3, seed
        opted = told.index(OptOut)
        assert LineTaken() not in told[opted:], seed
        assert set(map(type, told)) <= {LineTaken, OptedOut, NotQueued, type}, seed
        assert told.count(LineTaken()) <= 1, seed
        found[LineTaken() in told] += 1
    assert min(found[True], found[False]) >= ORDERS // 10, found
