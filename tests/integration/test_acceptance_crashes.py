"""A request that is cut off anywhere loses nothing and, repeated with its key, doubles nothing; nor do two at once."""

import itertools
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from speechcall.api.rules import answers
from speechcall.dialling.use_cases.sweep_campaigns import withdraw_lists
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.errors import IdempotencyKeyReused
from tests.kit.http_api import ACME, specification
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

ERROR: TypeAdapter[Any] = TypeAdapter(answers.Error)
ENTRY = specification("complex")["messages"][0]
BODY = json.dumps({"messages": [ENTRY, {"to": "12"}, ENTRY | {"to": "+380936670004"}]}).encode()
OTHER_BODY = BODY.replace(b"YourSender", b"Other")
STEPS = ("find_list_by_key", "find_prompt", "spend", "admit_shapes", "add_list", "add")


class Crash(BaseException):
    """The end of the process: nothing in the product can catch it."""


# --------------------------------------------------------- at every call of AWS, through the handler
@contextmanager
def cut(at, when, error):
    """Ends the call of AWS number `at` with an error, before or after it has had its effect; the calls made."""
    calls: list[str] = []
    client: Any = BaseClient
    real = client._make_api_call

    def cutting(this, operation, parameters):
        calls.append(operation)
        mine = len(calls) - 1 == at
        if mine and when == "before":
            raise error
        result = real(this, operation, parameters)
        if mine:
            raise error
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", cutting)
        yield calls


CALLS = [
    *("GetItem credential", "GetItem account", "GetItem key", "GetItem prompt", "BatchGetItem opt-outs"),
    *("UpdateItem bucket", "UpdateItem day", "BatchGetItem shapes", "UpdateItem new shapes", "PutItem shape"),
    *("TransactWriteItems list", "TransactWriteItems messages"),
]


def test_these_are_the_calls_of_an_acceptance(api):
    with cut(-1, "before", Crash()) as calls:
        assert api.post(BODY, idempotency_key="k").status == 200
    assert calls == [name.split()[0] for name in CALLS]


def stored_lists(api):
    return [pk for _, pk, sk in api.stored() if sk == "LIST"]


def assert_accepted_once(api):
    """However it began, a repeat with the key is accepted, once, and any more say the same."""
    answer = api.post(BODY, idempotency_key="k")
    assert answer.status == 200, answer
    ids = [one["messageId"] for one in answer.json["messages"] if one["status"] == "sent"]
    assert len(ids) == 2
    assert api.message_ids() == set(ids)
    assert stored_lists(api) == [f"LIST#{answer.json['messagelistId']}"]
    before = api.stored()
    assert api.post(BODY, idempotency_key="k").text == answer.text
    assert api.stored() == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(len(CALLS)), ids=CALLS)
def test_a_crash_anywhere_loses_nothing_and_doubles_nothing(api, at, when):
    with cut(at, when, Crash()), pytest.raises(Crash):
        api.post(BODY, idempotency_key="k")
    assert_accepted_once(api)


KEYLESS = [name for name in CALLS if name != "GetItem key"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(len(KEYLESS)), ids=KEYLESS)
def test_a_crash_without_a_key_leaves_all_messages_or_none(api, at, when):
    with cut(at, when, Crash()), pytest.raises(Crash):
        api.post(BODY)
    assert len(api.message_ids()) == (2 if (at, when) == (len(KEYLESS) - 1, "after") else 0)


CAMPAIGN_BODY = BODY.replace(b'{"messages"', b'{"campaign": "spring", "messages"', 1)
CAMPAIGN_CALLS = [*CALLS[:-2], "GetItem campaign", *CALLS[-2:], "UpdateItem list of campaign"]


def test_these_are_the_calls_of_an_acceptance_in_a_campaign(api):
    with cut(-1, "before", Crash()) as calls:
        assert api.post(CAMPAIGN_BODY, idempotency_key="k").status == 200
    assert calls == [name.split()[0] for name in CAMPAIGN_CALLS]


def counts(api):
    """Of the campaign: lists, messages, unfinished ones; and how many campaigns are open."""
    found = api.lists.campaigns.find("acme", "spring")
    numbers = (found.lists, found.messages, found.unfinished) if found else (0, 0, 0)
    return *numbers, api.lists.campaigns.count_open("acme")


def swept(api, after_seconds=301):
    """What the sweeper makes of lists that were cut off."""
    clock = FakeClock(SystemClock().now_msec() + after_seconds * 1000)
    withdraw_lists(lists=api.lists.campaigns, messages=api.messages, clock=clock, count=lambda _name, _number: None)


@pytest.mark.parametrize("sweeps", [False, True], ids=["", "swept"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(10, len(CAMPAIGN_CALLS)), ids=CAMPAIGN_CALLS[10:])
def test_a_crash_anywhere_leaves_a_campaign_counted_exactly(api, at, when, sweeps):
    """Counted are the messages that are there, as soon as the sweeper has looked; and each once, behind a repeat."""
    with cut(at, when, Crash()), pytest.raises(Crash):
        api.post(CAMPAIGN_BODY, idempotency_key="k")
    if sweeps:
        swept(api)
        there = len(api.message_ids())
        assert counts(api) == ((1, 2, 2, 1) if there else (0, 0, 0, 0))
        swept(api, 9999)
    answer = api.post(CAMPAIGN_BODY, idempotency_key="k")
    assert answer.status == 200, answer
    assert len(api.message_ids()) == 2
    assert counts(api) == (1, 2, 2, 1)
    page, _ = api.lists.campaigns.lists_page("acme", "spring", 10, None)
    assert [one.list_id for one in page] == [answer.json["messagelistId"]]
    before = api.stored()
    assert api.post(CAMPAIGN_BODY, idempotency_key="k").text == answer.text
    swept(api)
    assert api.stored() == before


@pytest.mark.parametrize("at", [6, 7], ids=["TransactWriteItems counted again", "TransactWriteItems messages"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_repeat_of_a_withdrawn_list_that_is_cut_off_too_is_counted_exactly(api, at, when):
    with cut(11, "after", Crash()), pytest.raises(Crash):
        api.post(CAMPAIGN_BODY, idempotency_key="k")
    swept(api)
    assert counts(api) == (0, 0, 0, 0)
    with cut(at, when, Crash()), pytest.raises(Crash):
        api.post(CAMPAIGN_BODY, idempotency_key="k")
    swept(api, 999)
    assert counts(api) == ((1, 2, 2, 1) if api.message_ids() else (0, 0, 0, 0))
    assert api.post(CAMPAIGN_BODY, idempotency_key="k").status == 200
    assert counts(api) == (1, 2, 2, 1)


def test_a_request_that_is_cut_off_before_its_messages_without_a_key_is_withdrawn(api):
    with cut(10, "after", Crash()), pytest.raises(Crash):  # without a key it is not looked for
        api.post(CAMPAIGN_BODY)
    assert counts(api) == (1, 2, 2, 1)
    swept(api, 299)
    assert counts(api) == (1, 2, 2, 1)
    swept(api)
    assert counts(api) == (0, 0, 0, 0)


DOWN = {
    "unreachable": EndpointConnectionError(endpoint_url="https://dynamodb"),
    "silent": ReadTimeoutError(endpoint_url="https://dynamodb"),
    "throttled": ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem"),
    "failing": ClientError(
        {"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}},  # type: ignore[typeddict-item]
        "GetItem",
    ),
    "forbidden": ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem"),
}


@pytest.mark.parametrize("at", range(len(CALLS)), ids=CALLS)
@pytest.mark.parametrize("error", DOWN)
def test_with_the_store_down_the_answer_is_500_as_documented_and_a_repeat_is_right(api, error, at):
    with cut(at, "before", DOWN[error]):
        answer = api.post(BODY, idempotency_key="k")
    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/json"
    told = ERROR.validate_json(answer.text, strict=True)["error"]
    assert told["code"] == "INTERNAL_ERROR"
    assert "Idempotency-Key" in told["message"]
    assert_accepted_once(api)


@pytest.mark.parametrize("path", ["/bat/message/1", "/bat/messagelist/1"])
def test_with_the_store_down_asking_is_500_as_documented(api, path):
    with cut(2, "before", DOWN["unreachable"]):
        answer = api.get(path)
    assert answer.status == 500
    assert ERROR.validate_json(answer.text, strict=True)["error"]["code"] == "INTERNAL_ERROR"


# ------------------------------------------------------------------ many at once, against moto
def at_once(*works):
    """What each returns, begun together."""
    found: list[Any] = [None] * len(works)
    together = threading.Barrier(len(works))

    def run(index):
        together.wait()
        found[index] = works[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_many_with_one_key_one_is_accepted_and_all_are_given_its_answer(api):
    for turn in range(4):
        api.reset()
        # Not through the handlers: on the laptop they take one request after the other
        first, *others = at_once(*[lambda turn=turn: accept(api, f"k{turn}")] * 6)
        assert others == [first] * 5
        assert api.message_ids() == {one["messageId"] for one in first["messages"] if one["status"] == "sent"}
        assert stored_lists(api) == [f"LIST#{first['messagelistId']}"]


def accept(api, key):
    stores = {"messages": api.messages, "lists": api.lists}
    return accept_messages(ACME, BODY, key, **stores, clock=SystemClock(), random_bits=secrets.randbits)


def test_requests_at_the_same_time_are_each_answered_for_themselves(api):
    numbers = [f"+38067000{number:04}" for number in range(8)]
    for _ in range(3):
        api.reset()
        found = at_once(*[lambda to=to: api.post({"messages": [ENTRY | {"to": to}]}) for to in numbers])
        assert [answer.json["messages"][0]["recipient"] for answer in found] == numbers
        assert len(api.message_ids()) == len(numbers)


# --------------------------------------------------- each order of two, each crash, in memory
class Turns:
    """Lets two threads do their steps in a given order; who has ended is passed over."""

    def __init__(self, order):
        self.order, self.ended = list(order), set()
        self.changed = threading.Condition()

    def _next(self):
        while self.order and self.order[0] in self.ended:
            self.order.pop(0)
        return self.order[0] if self.order else None

    @contextmanager
    def turn(self, name):
        with self.changed:
            assert self.changed.wait_for(lambda: self._next() in (name, None), timeout=20)
            try:
                yield
            finally:
                if self.order:
                    self.order.pop(0)
                self.changed.notify_all()

    def end(self, name):
        with self.changed:
            self.ended.add(name)
            self.changed.notify_all()


class Stepping:
    """A store whose steps wait for their turn, and one of which may crash before or after its effect."""

    def __init__(self, store, name, turns=None, crash=None):
        self._store, self._name, self._turns, self._crash = store, name, turns, crash

    def __getattr__(self, method):
        real = getattr(self._store, method)

        def step(*arguments):
            if self._turns is None:
                return self._do(method, real, arguments)
            with self._turns.turn(self._name):
                return self._do(method, real, arguments)

        return step

    def _do(self, method, real, arguments):
        if self._crash == (method, "before"):
            raise Crash
        result = real(*arguments)
        if self._crash == (method, "after"):
            raise Crash
        return result


class World:
    """One account's stores, and the requests that come to them."""

    def __init__(self):
        self.lists, self.messages = MemoryLists({("acme", "ivr_651854")}), MemoryMessages()
        self.clock = FakeClock()
        self._drawn: Iterator[int] = itertools.count()

    def post(self, name="A", turns=None, crash=None, body=BODY, key="k"):
        """The answer, or the error that it ended with."""
        try:
            return accept_messages(
                ACME,
                body,
                key,
                messages=Stepping(self.messages, name, turns, crash),
                lists=Stepping(self.lists, name, turns, crash),
                clock=self.clock,
                random_bits=lambda bits: next(self._drawn) % (1 << bits),
            )
        except (Crash, IdempotencyKeyReused) as error:
            return error
        finally:
            if turns:
                turns.end(name)

    @property
    def spent(self):
        """Of the account's day."""
        return sum(self.lists.calls.values())

    def assert_once(self, answer):
        sent = {one["messageId"] for one in answer["messages"] if one["status"] == "sent"}
        assert set(self.messages._messages) == sent
        assert list(self.lists.lists) == [answer["messagelistId"]]


ORDERS = [
    "".join("A" if index in chosen else "B" for index in range(2 * len(STEPS)))
    for chosen in itertools.combinations(range(2 * len(STEPS)), len(STEPS))
]


def both(world, order, **options):
    turns = Turns(order)
    return at_once(
        lambda: world.post("A", turns, **options.get("a", {})), lambda: world.post("B", turns, **options.get("b", {}))
    )


def test_in_every_order_of_two_with_one_key_one_is_accepted():
    for order in ORDERS[::3]:
        world = World()
        first, second = both(world, order)
        assert first == second, order
        world.assert_once(first)
        assert world.post() == first
        assert world.spent == 2, order


def test_in_every_order_of_two_with_one_key_and_two_bodies_one_is_accepted_and_one_refused():
    winners = set()
    for order in ORDERS[::3]:
        world = World()
        found = both(world, order, b={"body": OTHER_BODY})
        accepted = [answer for answer in found if isinstance(answer, dict)]
        assert [type(answer) for answer in found if not isinstance(answer, dict)] == [IdempotencyKeyReused], order
        world.assert_once(accepted[0])
        winners.add(found.index(accepted[0]))
    assert winners == {0, 1}


@pytest.mark.parametrize("crash", list(itertools.product(STEPS, ["before", "after"])), ids="-".join)
def test_in_every_order_a_crash_of_one_is_made_good_by_the_other_or_by_its_repeat(crash):
    for order in ORDERS[::7]:
        world = World()
        first, second = both(world, order, a={"crash": crash})
        assert isinstance(second, dict), order
        assert isinstance(first, Crash) or first == second, order
        assert world.post() == second
        world.assert_once(second)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(["before", "after"])), max_size=6))
def test_any_number_of_crashes_is_made_good_by_the_repeat_that_comes_through(crashes):
    world = World()
    for crash in crashes:
        world.post(crash=crash)
        assert len(world.lists.lists) <= 1
        assert len(world.messages._messages) in (0, 2)
    answer = world.post()
    world.assert_once(answer)
    # Who crashed before the list was written has spent, nothing else is counted
    spent = sum(world.lists.calls.values())
    assert 2 <= spent <= 2 * (1 + len(crashes))


# ----------------------------------------------------------------- what a key means in time
def test_a_key_is_kept_as_long_as_its_list_and_then_begins_anew():
    world = World()
    first = world.post()
    (made,) = world.lists.lists.values()
    assert made.expires_at * 1000 > world.clock.msec + 30 * 86_400_000
    world.clock.msec = made.expires_at * 1000 - 1000
    # Given that the store has deleted the messages: the answer is the same, and nobody is called a second time
    world.messages._messages.clear()
    assert world.post() == first
    assert not world.messages._messages
    world.clock.msec += 1000
    second = world.post()
    assert second["messagelistId"] != first["messagelistId"]
    assert set(world.messages._messages) == {m["messageId"] for m in second["messages"] if m["status"] == "sent"}
    assert world.post() == second


def test_an_expired_key_begins_anew_in_the_real_store_too(api):
    first = api.post(BODY, idempotency_key="k")
    table = boto3.resource("dynamodb").Table(api.tables[1])
    for _, pk, sk in api.stored():
        if sk in ("LIST", "KEY"):
            past: Any = {":then": 1}
            key = {"pk": pk, "sk": sk}
            table.update_item(Key=key, UpdateExpression="SET expires_at = :then", ExpressionAttributeValues=past)
    second = api.post(BODY, idempotency_key="k")
    assert second.status == 200
    assert second.json["messagelistId"] != first.json["messagelistId"]
    assert api.post(BODY, idempotency_key="k").text == second.text


def test_ids_that_are_taken_are_drawn_again():
    world = World()
    world._drawn = iter([7, 0, 7, 0, 8, 0])
    first, second = world.post(key="a"), world.post(key="b")
    assert first["messagelistId"] != second["messagelistId"]
    assert len(world.messages._messages) == 4
