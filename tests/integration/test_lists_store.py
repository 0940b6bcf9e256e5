"""One contract for the list stores: DynamoDB and memory do the same. The bucket and the day."""

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speechcall.accounts.rules.account import Account
from speechcall.api.rules.answers import Accepted
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.errors import RateLimited
from tests.kit.samples import NOW
from tests.stores.lists import MemoryLists

ANSWER: Accepted = {"messages": [], "messagelistId": "100"}
KEPT_SECONDS = 30 * 86_400
LIST = MessageList("100", "acme", ("101",), NOW, NOW // 1000 + KEPT_SECONDS, "f", ANSWER)
ACCOUNT = Account("acme", ("*",), rate=7, burst=100, calls_per_day=10_000)
MIDNIGHT = int(datetime(2026, 9, 22, tzinfo=UTC).timestamp() * 1000)
few = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Stores:
    """A store of one kind, empty each time that it is asked for."""

    kind: str
    api: Any

    def new(self):
        if self.kind == "memory":
            return MemoryLists()
        self.api.reset()
        return self.api.lists


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request, made):
    return Stores(request.param, made)


@pytest.fixture
def lists(stores):
    return stores.new()


def refused(lists, messages, now, account=ACCOUNT):
    """None if the messages were taken; else the seconds to wait."""
    try:
        lists.spend(account, messages, now)
    except RateLimited as error:
        return error.retry_after
    return None


# ---------------------------------------------------------------------- lists
def test_a_list_is_found_by_its_id_and_its_key_as_it_was_written(lists):
    assert lists.find_list("100") is None
    assert lists.find_list_by_key("acme", "k") is None
    assert lists.add_list(LIST, "k") == LIST
    assert lists.find_list("100") == lists.find_list_by_key("acme", "k") == LIST
    assert lists.find_list_by_key("acme", "K") is None


def test_the_first_list_keeps_its_key(lists):
    lists.add_list(LIST, "k")
    second = LIST._replace(list_id="200")
    assert lists.add_list(second, "k") == LIST
    assert lists.find_list("200") is None
    assert lists.find_list_by_key("acme", "k") == LIST


def test_a_key_is_an_accounts_own(lists):
    lists.add_list(LIST, "k")
    other = LIST._replace(list_id="200", account_id="other")
    assert lists.add_list(other, "k") == other
    assert lists.find_list_by_key("other", "k") == other
    assert lists.find_list_by_key("acme", "k") == LIST


@pytest.mark.parametrize("key", [None, "k"])
def test_an_id_that_is_taken_is_told_so_and_changes_nothing(lists, key):
    lists.add_list(LIST, None)
    assert lists.add_list(LIST._replace(fingerprint="g"), key) is None
    assert lists.find_list("100") == LIST
    assert lists.find_list_by_key("acme", "k") is None


def test_a_key_is_free_again_when_its_list_has_expired(lists):
    lists.add_list(LIST, "k")
    later = LIST._replace(list_id="200", created_msec=LIST.expires_at * 1000, expires_at=LIST.expires_at + KEPT_SECONDS)
    assert lists.add_list(later, "k") == later
    assert lists.find_list_by_key("acme", "k") == later


@pytest.mark.parametrize("key", ["k" * 255, "ключ", "#", "a b", "\U0001f4de"])
def test_any_printable_key_is_one(lists, key):
    assert lists.add_list(LIST, key) == lists.find_list_by_key("acme", key) == LIST


# --------------------------------------------------------------------- bucket
spends = st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 100)), min_size=1, max_size=12)


@few
@given(st.sampled_from([1, 3, 7, 50, 999]), st.sampled_from([100, 101, 250]), spends)
def test_both_stores_take_and_refuse_the_same(made, rate, burst, drawn):
    made.reset()
    account, now, memory = replace(ACCOUNT, rate=rate, burst=burst), NOW, MemoryLists()
    for wait, messages in drawn:
        now += wait
        assert refused(made.lists, messages, now, account) == refused(memory, messages, now, account)


@few
@given(spends)
def test_who_waits_as_told_is_taken(stores, drawn):
    lists, now = stores.new(), NOW
    for wait, messages in drawn:
        now += wait
        seconds = refused(lists, messages, now)
        if seconds is not None:
            now += seconds * 1000
            assert refused(lists, messages, now) is None


def test_a_bucket_that_is_never_full_is_never_forgotten(made):
    made.reset()
    days = 24 * 3600 * 1000
    account = replace(ACCOUNT, rate=1, burst=100_000, calls_per_day=10**9)
    for day in range(4):
        made.lists.spend(account, 100_000 if day == 0 else 86_000, NOW + day * days)
    key = {"pk": "BUCKET#acme#1", "sk": "BUCKET"}
    item: Any = boto3.resource("dynamodb").Table(made.tables[1]).get_item(Key=key)["Item"]
    assert item["full_at"] / 1000 <= item["expires_at"]
    assert (NOW + 3 * days) / 1000 < item["expires_at"]


@pytest.mark.parametrize("messages", [1, 7, 60])
def test_of_many_who_ask_at_once_no_more_are_taken_than_there_is_room_for(stores, messages):
    lists, taken = stores.new(), []
    together = threading.Barrier(12)

    def ask():
        together.wait()
        times = 3 if messages > 1 else 12
        taken.extend(messages for _ in range(times) if refused(lists, messages, NOW) is None)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == ACCOUNT.burst // messages * messages


def test_what_another_request_gives_back_between_the_two_writes_can_be_taken(made, monkeypatch):
    made.reset()
    store = made.lists
    assert refused(store, 1, NOW) is None
    update, writes = store._update, []

    def slow_update(key, expression, condition, values):
        writes.append(expression)
        if len(writes) == 2:
            store._refill(ACCOUNT, 1)
        return update(key, expression, condition, values)

    monkeypatch.setattr(store, "_update", slow_update)
    assert refused(store, 1, NOW) is None
    monkeypatch.undo()
    # And only what is there
    assert refused(store, ACCOUNT.burst - 1, NOW) is None
    assert refused(store, 1, NOW) is not None


# ------------------------------------------------------------------------ day
@few
@given(st.integers(0, 24 * 3600 * 1000 - 1))
def test_the_day_is_over_when_it_was_said_to_be(stores, before_midnight):
    lists, now = stores.new(), MIDNIGHT - 1 - before_midnight
    account = replace(ACCOUNT, rate=1000, burst=1000, calls_per_day=100)
    assert refused(lists, 100, now, account) is None
    seconds = refused(lists, 1, now, account)
    assert seconds >= 1
    assert now + (seconds - 1) * 1000 < MIDNIGHT <= now + seconds * 1000
    assert refused(lists, 100, now + seconds * 1000, account) is None


def test_a_day_has_no_more_calls_than_the_account(lists):
    account = replace(ACCOUNT, rate=1000, burst=1000, calls_per_day=150)
    assert refused(lists, 100, NOW, account) is None
    assert refused(lists, 51, NOW, account) is not None
    assert refused(lists, 50, NOW, account) is None
    assert refused(lists, 1, NOW, account) is not None


def test_what_the_day_refuses_spends_nothing_of_the_bucket(lists):
    # Given a full bucket of 100, and a day that has room for 30
    account = replace(ACCOUNT, calls_per_day=30)
    for _ in range(5):
        assert refused(lists, 31, NOW, account) is not None
    # Then all of both is there still, and no more
    assert refused(lists, 30, NOW, account) is None
    rich = replace(account, calls_per_day=10**6)
    assert refused(lists, 70, NOW, rich) is None
    assert refused(lists, 1, NOW, rich) is not None


def test_what_the_bucket_refuses_spends_nothing_of_the_day(lists):
    account = replace(ACCOUNT, calls_per_day=130)
    assert refused(lists, 100, NOW, account) is None
    for _ in range(5):
        assert refused(lists, 30, NOW, account) is not None
    assert refused(lists, 30, NOW + 3_600_000, account) is None
    assert refused(lists, 1, NOW + 3_600_000, account) is not None


@few
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=12))
def test_what_is_given_back_was_never_spent(stores, drawn):
    lists, kept = stores.new(), 0
    account = replace(ACCOUNT, rate=1, burst=100, calls_per_day=100)
    for messages, stays in drawn:
        if refused(lists, messages, NOW, account) is not None:
            assert kept + messages > 100
        elif stays:
            kept += messages
        else:
            lists.give_back(account, messages, NOW)
    left = 100 - kept
    assert left == 0 or refused(lists, left, NOW, account) is None
    assert refused(lists, 1, NOW, account) is not None


def test_giving_back_what_nobody_has_taken_gives_nothing(lists):
    lists.give_back(ACCOUNT, 50, NOW)
    assert refused(lists, 100, NOW) is None
    assert refused(lists, 1, NOW) is not None


def test_an_accounts_days_are_its_own(lists):
    account = replace(ACCOUNT, calls_per_day=100)
    assert refused(lists, 100, NOW, account) is None
    assert refused(lists, 100, NOW, replace(account, account_id="other")) is None


def test_who_asks_for_more_than_a_day_has_is_told_that_waiting_does_not_help(made):
    made.reset()
    with pytest.raises(RateLimited, match=r"5 calls a day \(UTC\); send at most 5 messages"):
        made.lists.spend(replace(ACCOUNT, calls_per_day=5), 6, NOW)
