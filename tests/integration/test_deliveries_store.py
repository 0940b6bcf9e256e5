"""One contract for the deliveries and places of webhooks: DynamoDB and memory do the same."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.places_store import LEASE_MSEC, DynamoPlaces
from speechcall.webhooks.rules.delivery import (
    INTERNAL_ERROR,
    MAX_WAKES,
    PATIENCE_MSEC,
    Attempt,
    Delivery,
    DeliveryState,
    Wait,
)
from tests.kit.registry import empty_tables
from tests.kit.samples import MESSAGE, MID, NOW
from tests.kit.webhook_bench import task_of
from tests.stores.webhooks import MemoryDeliveries, MemoryPlaces

PLACE = "https://api.example.com"
TASK = task_of(MESSAGE)
FAILED, RECEIVED = Attempt(NOW, 12, 503, None), Attempt(NOW + 5000, 7, 200, None)
PENDING, DELIVERED, DEAD = DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.DEAD


@dataclass
class Stores:
    deliveries: Any
    places: Any
    client: Any = None
    table: str = ""


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[Any, str, str]]:
    with empty_tables() as tables:
        yield tables


@pytest.fixture
def dynamodb(moto) -> Iterator[Stores]:
    client, messages, registry = moto
    yield Stores(DynamoDeliveries(client, messages), DynamoPlaces(client, registry, 2), client, messages)
    for table in (messages, registry):
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request) -> Stores:
    if request.param == "memory":
        return Stores(MemoryDeliveries(), MemoryPlaces(2))
    return request.getfixturevalue("dynamodb")


@pytest.fixture
def deliveries(stores) -> Any:
    return stores.deliveries


@pytest.fixture
def places(stores) -> Any:
    return stores.places


def begin(deliveries, task=TASK, now=NOW) -> Delivery:
    return deliveries.begin(task, MESSAGE, PLACE, now)


def later(task, version):
    return replace(task, version=version)


# ----------------------------------------------------------------- deliveries
def test_a_delivery_begins_once_and_keeps_its_attempts(deliveries):
    assert begin(deliveries) == Delivery(PENDING, destination=PLACE)
    assert deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    assert begin(deliveries) == Delivery(PENDING, (FAILED,), 1, next_msec=NOW + 5000, destination=PLACE)
    assert deliveries.record(later(TASK, 1), RECEIVED, DELIVERED, None)
    assert begin(deliveries) == Delivery(DELIVERED, (FAILED, RECEIVED), 2, destination=PLACE)
    assert deliveries.find(MID, TASK.event_id) == (later(TASK, 2), begin(deliveries))
    assert deliveries.find(MID, "1-1-2-m0-d1-0") is None


def test_a_webhook_that_was_delivered_stays_delivered(deliveries):
    # Given two copies of one task at once, the first of which has delivered it
    begin(deliveries)
    assert deliveries.record(TASK, RECEIVED, DELIVERED, None)
    # When the second records its failure
    assert not deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    assert not deliveries.record(later(TASK, 1), FAILED, PENDING, Wait.of(5, NOW))
    assert not deliveries.put_off(TASK, Wait.of(5, NOW))
    # Then nothing is sent again
    assert begin(deliveries).state is DELIVERED
    assert deliveries.due(NOW + 10**9, 10) == []


def test_of_two_that_record_in_one_version_one_does(deliveries):
    begin(deliveries)
    assert deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    assert not deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    assert len(begin(deliveries).attempts) == 1


def test_waits_are_counted_until_the_next_attempt(deliveries):
    begin(deliveries)
    assert deliveries.put_off(TASK, Wait.of(2, NOW))
    assert not deliveries.put_off(TASK, Wait.of(2, NOW))
    assert deliveries.put_off(later(TASK, 1), Wait.of(4, NOW))
    assert begin(deliveries) == Delivery(PENDING, (), 2, waits=2, next_msec=NOW + 4000, destination=PLACE)
    deliveries.record(later(TASK, 2), FAILED, PENDING, Wait.of(5, NOW))
    assert begin(deliveries).waits == 0


def test_a_webhook_knows_of_those_before_it_that_were_not_tried(deliveries):
    first, second, of_the_next_menu = TASK, task_of(MESSAGE, step=1), task_of(MESSAGE, seq=3)
    another_call = replace(task_of(MESSAGE, seq=3), attempt=2, event_id=f"{MID}-2-3-m0-d1-0")
    for task in (first, second, of_the_next_menu, another_call):
        begin(deliveries, task)
    everybody = (first, second, of_the_next_menu, another_call)
    assert [deliveries.has_earlier_untried(task) for task in everybody] == [False, True, True, False]
    deliveries.record(first, FAILED, PENDING, Wait.of(5, NOW))
    assert [deliveries.has_earlier_untried(task) for task in everybody] == [False, False, True, False]
    deliveries.record(second, RECEIVED, DELIVERED, None)
    assert not deliveries.has_earlier_untried(of_the_next_menu)


def test_it_knows_of_them_behind_more_than_one_query_reads(deliveries):
    # Given more than the 1 MB that a query reads before it filters (developer guide, "Query: filter expressions"): a
    # call has up to 500 menus with 10 webhooks each, and what a delivery takes here is that of a hundred
    long = f"{PLACE}/{'x' * 90_000}"
    done = [task_of(MESSAGE, seq=seq) for seq in range(10, 23)]
    for task in done:
        deliveries.begin(task, MESSAGE, long, NOW)
        deliveries.record(task, RECEIVED, DELIVERED, None)
    # When the first of them all is untried, which stands last in the order of texts
    untried, last = task_of(MESSAGE, seq=9), task_of(MESSAGE, seq=23)
    final = replace(TASK, seq=0, key="final", event_id=f"{MID}-final")
    asked = [(deliveries.has_earlier_untried, last), (deliveries.has_untried_before, final)]
    assert not any(asks(task) for asks, task in asked)
    begin(deliveries, untried)
    # Then whatever comes behind it knows
    assert [asks(task) for asks, task in asked] == [True, True]
    deliveries.record(untried, RECEIVED, DELIVERED, None)
    assert not any(asks(task) for asks, task in asked)


def test_what_is_pending_is_due_when_nobody_has_brought_it_for_long(deliveries):
    begin(deliveries)
    assert deliveries.due(NOW + PATIENCE_MSEC - 1, 10) == []
    assert deliveries.due(NOW + PATIENCE_MSEC, 10) == [(MID, TASK.event_id)]
    # A queue brings it in 5 s; patience begins then.
    deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    assert deliveries.due(NOW + 5000 + PATIENCE_MSEC - 1, 10) == []
    assert deliveries.due(NOW + 5000 + PATIENCE_MSEC, 10) == [(MID, TASK.event_id)]
    # No queue can wait half an hour, so it is due then.
    deliveries.record(later(TASK, 1), FAILED, PENDING, Wait.of(1800, NOW))
    assert deliveries.due(NOW + 1_799_999, 10) == []
    assert deliveries.due(NOW + 1_800_000, 10) == [(MID, TASK.event_id)]


def test_what_is_due_is_woken_once_and_again_after_a_while(deliveries):
    begin(deliveries)
    deliveries.record(TASK, FAILED, PENDING, Wait.of(1800, NOW))
    now = NOW + 1_800_000
    assert deliveries.wake(MID, TASK.event_id, now - 1) is None
    assert deliveries.wake(MID, TASK.event_id, now) == later(TASK, 1)
    assert deliveries.wake(MID, TASK.event_id, now) is None
    assert deliveries.due(now, 10) == []
    assert deliveries.wake(MID, TASK.event_id, now + PATIENCE_MSEC) == later(TASK, 1)
    deliveries.record(later(TASK, 1), RECEIVED, DELIVERED, None)
    assert deliveries.wake(MID, TASK.event_id, now + 10**9) is None
    assert deliveries.wake("1", "1-1-2-m0-d1-0", now) is None


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DEAD])
def test_what_was_given_up_is_listed_for_its_account_by_the_moment_of_that(deliveries, state):
    begin(deliveries)
    other = task_of(MESSAGE, step=1)
    begin(deliveries, other)
    deliveries.record(TASK, replace(FAILED, at_msec=NOW + 1000), state, None)
    deliveries.record(other, FAILED, state, None)
    names = [(MID, other.event_id), (MID, TASK.event_id)]
    assert list(deliveries.undelivered("acme", NOW)) == names
    assert list(deliveries.undelivered("acme", NOW + 1000)) == names[1:]
    assert list(deliveries.undelivered("other", 0)) == []
    assert deliveries.due(NOW + 10**9, 10) == []


@pytest.mark.parametrize("latest_first", [False, True])
def test_what_was_given_up_is_read_page_by_page(deliveries, latest_first):
    tasks = [replace(TASK, seq=number, event_id=f"{MID}-1-{number}-m0-d1-0") for number in range(1, 8)]
    for number, task in enumerate(tasks):
        begin(deliveries, task)
        deliveries.record(task, replace(FAILED, at_msec=NOW + number * 1000), DEAD, None)
    ends = [NOW + number * 1000 + FAILED.msec for number in range(7)]
    # One of them is tried again, and one has arrived since
    deliveries.replay(*deliveries.find(MID, tasks[2].event_id), NOW)
    begin(deliveries, other := task_of(MESSAGE, step=1))
    deliveries.record(other, RECEIVED, DELIVERED, None)
    found, after = [], None
    while True:
        page, after = deliveries.given_up_page("acme", (ends[1], ends[5]), 2, after, latest_first=latest_first)
        found += page
        if after is None:
            break
    wanted = [(tasks[number].event_id, ends[number]) for number in (1, 3, 4, 5)]
    assert [(one.task.event_id, one.at_msec) for one in found] == (wanted[::-1] if latest_first else wanted)
    assert {(one.task.version, one.delivery.state) for one in found} == {(1, DEAD)}
    assert deliveries.given_up_page("other", (0, 10**15), 100) == ([], None)
    assert deliveries.given_up_page("acme", (ends[5], ends[1]), 100) == ([], None)


def test_a_replay_begins_anew_and_keeps_what_was(deliveries):
    begin(deliveries)
    deliveries.record(TASK, FAILED, DEAD, None)
    _, read = deliveries.find(MID, TASK.event_id)
    assert deliveries.replay(TASK, read, NOW) == later(TASK, 2)
    # Of two at once, one.
    assert deliveries.replay(TASK, read, NOW) is None
    _, now = deliveries.find(MID, TASK.event_id)
    assert now == Delivery(PENDING, (FAILED,), 2, round_start=1, next_msec=NOW, destination=PLACE)
    assert deliveries.replay(TASK, now, NOW) is None
    assert list(deliveries.undelivered("acme", 0)) == []
    assert deliveries.due(NOW + PATIENCE_MSEC, 10) == [(MID, TASK.event_id)]
    assert deliveries.record(later(TASK, 2), RECEIVED, DELIVERED, None)


def test_a_delivery_stands_in_its_messages_history_and_expires_with_it(dynamodb):
    DynamoMessages(dynamodb.client, dynamodb.table, "").add([MESSAGE])
    begin(dynamodb.deliveries)
    dynamodb.deliveries.record(TASK, FAILED, DEAD, None)
    history = DynamoHistory(dynamodb.client, dynamodb.table).read(MID)
    assert list(history.deliveries) == [dynamodb.deliveries.find(MID, TASK.event_id)]
    items = dynamodb.client.scan(TableName=dynamodb.table)["Items"]
    assert {item["expires_at"]["N"] for item in items} == {str(MESSAGE.expires_at)}
    # The stream wakes other functions by an attribute `state`.
    assert [item["sk"]["S"] for item in items if "state" in item] == ["MESSAGE"]


# --------------------------------------------------------------------- places
def test_a_destination_has_so_many_places_and_another_its_own(places):
    first, second = places.take(PLACE, NOW), places.take(PLACE, NOW)
    assert first != second
    assert places.take(PLACE, NOW) is None
    assert places.take("https://other.example", NOW)
    places.give_back(PLACE, first)
    assert places.take(PLACE, NOW)
    assert places.take(PLACE, NOW) is None


def test_a_place_is_given_back_once_however_often_that_is_said(places):
    first, _second = places.take(PLACE, NOW), places.take(PLACE, NOW)
    for _ in range(3):
        places.give_back(PLACE, first)
    assert places.take(PLACE, NOW)
    assert places.take(PLACE, NOW) is None


def test_the_place_of_a_function_that_was_killed_frees_itself(places):
    places.take(PLACE, NOW), places.take(PLACE, NOW)
    assert places.take(PLACE, NOW + LEASE_MSEC) is None
    assert places.take(PLACE, NOW + LEASE_MSEC + 1)
    assert places.take(PLACE, NOW + LEASE_MSEC + 1)
    assert places.take(PLACE, NOW + LEASE_MSEC + 1) is None


def test_places_are_never_more_however_many_ask_at_once(places):
    taken: list[str] = []

    def ask():
        taken.extend(name for _ in range(5) if (name := places.take(PLACE, NOW)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 2


class Overloaded:
    """DynamoDB refuses every write for load."""

    def update_item(self, **_):
        raise StoreUnavailable("throttled")


def test_who_finds_the_item_overloaded_waits_for_a_turn_and_giving_back_never_fails():
    busy: Any = Overloaded()
    places = DynamoPlaces(busy, "Registry", 2)
    assert places.take(PLACE, NOW) is None
    places.give_back(PLACE, "x")


# ------------------------------------------------------------------- given up
GIVEN_UP = Attempt(NOW, 0, None, INTERNAL_ERROR)


def test_a_delivery_is_given_up_whatever_is_known_of_it(deliveries):
    # Given one that was begun and tried, and one whose message could never be read
    begin(deliveries)
    assert deliveries.record(TASK, FAILED, PENDING, Wait.of(5, NOW))
    unread = task_of(MESSAGE, step=1)
    for task in (TASK, unread):
        assert deliveries.finish(task, GIVEN_UP, DEAD)
        assert not deliveries.finish(task, GIVEN_UP, DEAD)
    found, delivery = deliveries.find(MID, TASK.event_id)
    assert delivery == Delivery(DEAD, (FAILED, GIVEN_UP), 2, destination=PLACE)
    assert list(deliveries.undelivered("acme", NOW)) == [(MID, TASK.event_id)]
    # Then no task of either does anything any more, and both can begin anew
    assert deliveries.find(MID, unread.event_id) == (
        later(unread, 1),
        Delivery(DEAD, (GIVEN_UP,), 1, destination="nowhere"),
    )
    assert begin(deliveries, unread).state is DEAD
    assert not deliveries.record(later(TASK, 1), RECEIVED, DELIVERED, None)
    assert deliveries.due(NOW + 10**9, 10) == []
    assert deliveries.replay(found, delivery, NOW) == later(TASK, 3)


def test_what_was_delivered_is_not_given_up(deliveries):
    begin(deliveries)
    deliveries.record(TASK, RECEIVED, DELIVERED, None)
    assert not deliveries.finish(TASK, GIVEN_UP, DEAD)
    assert not deliveries.give_up_woken(MID, TASK.event_id, GIVEN_UP)
    assert begin(deliveries).state is DELIVERED


def test_what_is_woken_in_vain_is_woken_so_often_and_then_given_up(deliveries):
    begin(deliveries)
    now = NOW
    for _ in range(MAX_WAKES):
        now += PATIENCE_MSEC
        assert not deliveries.give_up_woken(MID, TASK.event_id, replace(GIVEN_UP, at_msec=now))
        assert deliveries.wake(MID, TASK.event_id, now) == TASK
    assert not deliveries.give_up_woken(MID, TASK.event_id, replace(GIVEN_UP, at_msec=now))
    now += PATIENCE_MSEC
    assert deliveries.wake(MID, TASK.event_id, now) is None
    last = replace(GIVEN_UP, at_msec=now)
    assert deliveries.give_up_woken(MID, TASK.event_id, last)
    assert not deliveries.give_up_woken(MID, TASK.event_id, last)
    assert begin(deliveries) == Delivery(DEAD, (last,), 1, destination=PLACE)
    assert list(deliveries.undelivered("acme", NOW)) == [(MID, TASK.event_id)]


@pytest.mark.parametrize("change", ["record", "put_off", "replay"])
def test_wakes_are_counted_from_the_last_thing_that_was_recorded(deliveries, change):
    begin(deliveries)
    now = NOW + PATIENCE_MSEC
    deliveries.wake(MID, TASK.event_id, now)
    match change:
        case "record":
            deliveries.record(TASK, FAILED, PENDING, Wait.of(0, now))
        case "put_off":
            deliveries.put_off(TASK, Wait.of(0, now))
        case _:
            deliveries.record(TASK, FAILED, DEAD, None)
            deliveries.replay(*deliveries.find(MID, TASK.event_id), now)
    for _ in range(MAX_WAKES):
        now += PATIENCE_MSEC
        assert deliveries.wake(MID, TASK.event_id, now)
    assert deliveries.wake(MID, TASK.event_id, now + PATIENCE_MSEC) is None


@pytest.mark.parametrize("is_begun", [True, False])
def test_what_was_delivered_ends_so_though_it_can_only_be_written_at_last(deliveries, is_begun):
    if is_begun:
        begin(deliveries)
    assert deliveries.finish(TASK, RECEIVED, DELIVERED)
    assert not deliveries.finish(TASK, GIVEN_UP, DEAD)
    _, delivery = deliveries.find(MID, TASK.event_id)
    place = PLACE if is_begun else "nowhere"
    assert delivery == Delivery(DELIVERED, (RECEIVED,), 1, destination=place)
    assert list(deliveries.undelivered("acme", 0)) == []
    assert deliveries.due(NOW + 10**9, 10) == []


def test_one_that_was_given_up_unread_ends_as_any_other_when_it_has_begun_anew(deliveries):
    assert deliveries.finish(TASK, GIVEN_UP, DEAD)
    again = deliveries.replay(*deliveries.find(MID, TASK.event_id), NOW)
    assert deliveries.record(again, FAILED, DEAD, None)
    assert begin(deliveries).state is DEAD
