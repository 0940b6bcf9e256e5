"""What is told of the ends of messages, attempts and lists is written with them; DynamoDB and memory do the same."""

import itertools
import threading
from dataclasses import replace
from typing import Any

import pytest

from speechcall.messages.adapters.status_items import new_ends
from speechcall.messages.rules.message import State
from speechcall.messages.rules.status_event import KINDS, StatusEvent, StatusKind
from speechcall.messages.use_cases.message_ports import LineTaken, Redialled
from speechcall.outbound.rules.destination import destination
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.table import from_wire
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, End, Outcome
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.webhooks.adapters import delivery_items
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.delivery import Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import status_task
from tests.kit.samples import ASK, MESSAGE, MID, NOW, message
from tests.kit.store_samples import ANSWERED, EXPIRES, POOL
from tests.stores.lists import MemoryLists

LIST = "700"
URL = "https://shop.example/status?of=calls"
BUSY = Outcome("busy", "busy")
ALL = ("final", "attempt")


def add(messages, mid=MID, events=ALL, **changes):
    """A message of which somebody is told, queued."""
    made = message(mid, status_url=URL, status_events=events, **changes)
    messages.add([made])
    assert messages.queue(made, (ASK,), NOW)
    return messages.get(mid)


SECONDS = itertools.count(1)


def claim(messages, one):
    assert messages.claim_line(one, "arn:flow", POOL._replace(lines=100), NOW + 1000 * next(SECONDS)) == LineTaken()
    return messages.get(one.mid)


def settle(messages, one):
    assert messages.settle(one, End.NOT_ANSWERED, BUSY, NOW + 1)
    return messages.get(one.mid)


def told(stores):
    """The ids of the events that are pending."""
    if stores.client is None:
        return sorted(event.event_id for event in stores.messages.told)
    return sorted(item["event_id"] for item in hooks(stores))


def hooks(stores):
    items = [from_wire(item) for item in stores.client.scan(TableName=stores.messages_table)["Items"]]
    return [item for item in items if item["sk"].startswith("HOOK#") and item["key"] in KINDS]


def in_a_call(messages):
    return claim(messages, add(messages))


WAYS: dict[str, Any] = {
    "a queued one is refused": (add, lambda messages, one: messages.refuse(one, EXPIRED, None, NOW)),
    "a call ends": (in_a_call, lambda messages, one: messages.finish(one, ANSWERED, NOW)),
    "a call has settled": (
        lambda messages: settle(messages, in_a_call(messages)),
        lambda messages, one: messages.finish(one, BUSY, NOW),
    ),
    "one that settles is refused": (
        lambda messages: settle(messages, in_a_call(messages)),
        lambda messages, one: messages.refuse(one, CANCELLED, None, NOW),
    ),
    "one cannot be read": (
        in_a_call,
        lambda messages, one: messages.refuse_unreadable(one.mid, State.CALLING, EXPIRED, NOW),
    ),
    "one that settles cannot be read": (
        lambda messages: settle(messages, in_a_call(messages)),
        lambda messages, one: messages.refuse_unreadable(one.mid, State.SETTLING, EXPIRED, NOW),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_end_is_told_once(stores, way):
    begin, end = WAYS[way]
    one = begin(stores.messages)
    assert told(stores) == []
    assert end(stores.messages, one) is True
    of_call = "call" in way or "settles is" in way
    assert told(stores) == [*([f"{MID}-a1"] if of_call else []), f"{MID}-final"]
    # Who comes late tells nothing
    assert end(stores.messages, one) is False
    assert stores.messages.finish(one, ANSWERED, NOW) is False
    assert len(told(stores)) == 1 + of_call


def test_one_that_is_not_prepared_in_time_is_told_of(stores):
    made = message(MID, status_url=URL, status_events=("final",))
    stores.messages.add([made])
    assert stores.messages.refuse(made, EXPIRED, "no introduction", NOW)
    assert told(stores) == [f"{MID}-final"]


@pytest.mark.parametrize("settles", [False, True])
def test_each_attempt_is_told_once_and_settling_is_none(stores, settles):
    messages = stores.messages
    one = in_a_call(messages)
    if settles:
        one = settle(messages, one)
        assert told(stores) == []
    assert messages.requeue(one, 0, NOW + 60_000, NOW) is Redialled.QUEUED
    assert messages.requeue(one, 0, NOW + 60_000, NOW) is Redialled.DONE_BEFORE
    assert told(stores) == [f"{MID}-a1"]
    one = claim(messages, messages.get(MID))
    assert messages.redial(one, NOW + 120_000, 10, NOW) is Redialled.QUEUED
    one = claim(messages, messages.get(MID))
    assert messages.finish(one, ANSWERED, NOW)
    assert told(stores) == [f"{MID}-a1", f"{MID}-a2", f"{MID}-a3", f"{MID}-final"]


def test_a_redial_that_is_refused_is_not_told_of(stores):
    one = in_a_call(stores.messages)
    assert stores.messages.redial(one, NOW + 60_000, 0, NOW) is Redialled.DAY_FULL
    stores.messages.stop_redials(one, NOW, hangs_up=False)
    assert stores.messages.requeue(one, 0, NOW + 60_000, NOW) is Redialled.CANCELLED
    assert told(stores) == []


@pytest.mark.parametrize(("events", "ids"), [((), []), (("final",), ["final"]), (("attempt",), ["a1"])])
def test_only_what_was_asked_for_is_told(stores, events, ids):
    one = claim(stores.messages, add(stores.messages, events=events))
    assert stores.messages.finish(one, ANSWERED, NOW)
    assert told(stores) == [f"{MID}-{name}" for name in ids]


def test_nobody_is_told_without_a_url(stores):
    stores.messages.add([replace(MESSAGE, status_events=ALL)])
    assert stores.messages.refuse(MESSAGE, EXPIRED, None, NOW)
    assert told(stores) == []


# ---------------------------------------------------------------- whole lists
def add_list(stores, mids, campaign=""):
    stored = MessageList(
        LIST,
        "acme",
        tuple(mids),
        NOW,
        EXPIRES,
        "f",
        {"messages": [], "messagelistId": LIST},
        campaign,
        status_url=URL,
    )
    if stores.client is None:
        lists: Any = MemoryLists(campaigns=stores.messages.campaigns, ends=stores.messages.ends)
    else:
        lists = DynamoLists(stores.client, stores.registry_table)
        stores.messages.sleep = lists.campaigns.sleep = lambda _: None
    assert lists.add_list(stored, None)
    return [add(stores.messages, mid, events=(), list_id=LIST, counts_in_list=True, campaign=campaign) for mid in mids]


@pytest.mark.parametrize("campaign", ["", "spring"])
@pytest.mark.parametrize("order", ["123", "213", "321"])
def test_a_list_is_told_of_once_with_its_last_message(stores, order, campaign):
    made = {one.mid: one for one in add_list(stores, "123", campaign)}
    ends = {"1": lambda one: stores.messages.refuse(one, EXPIRED, None, NOW)}
    for mid in order:
        assert told(stores) == []
        end = ends.get(mid, lambda one: stores.messages.finish(claim(stores.messages, one), ANSWERED, NOW))
        assert end(made[mid])
        assert not stores.messages.refuse(made[mid], EXPIRED, None, NOW)
    assert told(stores) == [f"{LIST}-list"]
    if stores.client:
        key = {"pk": {"S": f"ENDS#{LIST}"}, "sk": {"S": "ENDS"}}
        item = from_wire(stores.client.get_item(TableName=stores.registry_table, Key=key)["Item"])
        counts = {"open_count": 0, "total": 3, "outcome_expired": 1, "outcome_answered": 2, "finished_msec": NOW}
        assert item.items() >= counts.items()
        assert (item["status_url"], item["expires_at"]) == (URL, EXPIRES)
    else:
        counter = stores.messages.ends[LIST]
        assert (counter.open, counter.outcomes) == (0, {"expired": 1, "answered": 2})


def test_a_list_whose_counter_is_gone_keeps_no_message_from_its_end(dynamodb):
    [one] = add_list(dynamodb, "1")
    key = {"pk": {"S": f"ENDS#{LIST}"}, "sk": {"S": "ENDS"}}
    dynamodb.client.delete_item(TableName=dynamodb.registry_table, Key=key)
    assert dynamodb.messages.finish(claim(dynamodb.messages, one), ANSWERED, NOW)
    assert told(dynamodb) == []
    assert "Item" not in dynamodb.client.get_item(TableName=dynamodb.registry_table, Key=key)


def test_ends_at_once_tell_of_a_list_once(dynamodb):
    made = [claim(dynamodb.messages, one) for one in add_list(dynamodb, [str(n) for n in range(1, 7)], "spring")]
    begin, done = threading.Barrier(12), []

    def finish(one):
        begin.wait()
        done.append(dynamodb.messages.finish(one, ANSWERED, NOW))

    threads = [threading.Thread(target=finish, args=[one]) for one in made * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False] * 6 + [True] * 6
    assert told(dynamodb) == [f"{LIST}-list"]


# --------------------------------------------------------- the item and the queue
def test_an_event_is_a_delivery_that_the_others_read_alike(dynamodb):
    one = in_a_call(dynamodb.messages)
    dynamodb.messages.requeue(one, 0, NOW + 60_000, NOW + 5)
    [item] = hooks(dynamodb)
    task = status_task(StatusEvent(StatusKind.ATTEMPT, MID, 1))
    begun = delivery_items.dump(task, one, destination(URL), NOW + 5)
    facts = {"event_msec": NOW + 5, "again_msec": NOW + 60_000}
    assert item == {**begun, **facts, "due_at": NOW + 5}
    assert delivery_items.load_task(item) == task
    assert delivery_items.load(item) == Delivery(DeliveryState.PENDING, destination="https://shop.example")
    deliveries = DynamoDeliveries(dynamodb.client, dynamodb.messages_table)
    # No function that finishes has to queue it: who looks for what is due finds it in the next minute
    assert deliveries.due(NOW + 5, 10) == [(MID, f"{MID}-a1")]
    assert deliveries.wake(MID, f"{MID}-a1", NOW + 5) == task
    messages = dynamodb.messages
    messages.finish(claim(messages, messages.get(MID)), ANSWERED, NOW + 9)
    [final] = [item for item in hooks(dynamodb) if item["key"] == "final"]
    assert final.items() >= {"event_msec": NOW + 9, "event_outcome": "answered", "event_reason": "completed"}.items()


@pytest.mark.parametrize("fails", [False, True])
def test_who_ends_a_message_queues_what_is_told_of_it(dynamodb, fails):
    told_to: list[StatusEvent] = []

    def tell(event):
        assert event.event_id in told(dynamodb), "it is queued before it is written"
        told_to.append(event)
        if fails:
            raise RuntimeError("the queue does not answer")

    dynamodb.messages._queue_event = tell
    one = in_a_call(dynamodb.messages)
    assert dynamodb.messages.finish(one, ANSWERED, NOW)
    assert told_to == [StatusEvent(StatusKind.ATTEMPT, MID, 1), StatusEvent(StatusKind.FINAL, MID, 1)]
    assert not dynamodb.messages.finish(one, ANSWERED, NOW)
    assert len(told_to) == 2
    assert [item["due_at"] for item in hooks(dynamodb)] == [NOW + QUEUE_LOST_SECONDS * 1000] * 2


def test_a_new_list_counts_all_its_messages(dynamodb):
    add_list(dynamodb, "12")
    key = {"pk": {"S": f"ENDS#{LIST}"}, "sk": {"S": "ENDS"}}
    item = from_wire(dynamodb.client.get_item(TableName=dynamodb.registry_table, Key=key)["Item"])
    assert item == new_ends(LIST, "acme", 2, URL, EXPIRES)
