"""What stopping a campaign costs: one write until it holds; and how fast its messages follow."""

import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, HeldBack
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.keys import campaign_key, campaign_lists_partition, campaign_lists_place, list_key
from speechcall.shared.adapters.table import to_wire
from speechcall.stopping.use_cases.carry_out_stops import A_SECOND, StopWork
from speechcall.stopping.use_cases.stop_message import cancel_message
from tests.kit.registry import empty_tables
from tests.kit.samples import ASK, MESSAGE, NOW, FakeClock

CAMPAIGN = Stopped(Brake.CAMPAIGN, "acme", "spring")
SIZES = pytest.mark.parametrize("lists", [2, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])


@contextmanager
def counted(client):
    """The writes that are made meanwhile, by the name of the request."""
    found = Counter()

    def note(model, **_rest):
        if model.name not in {"GetItem", "BatchGetItem", "Query"}:
            found[model.name] += 1

    client.meta.events.register("before-call.dynamodb", note, unique_id="counted")
    try:
        yield found
    finally:
        client.meta.events.unregister("before-call.dynamodb", unique_id="counted")


@pytest.fixture
def tables():
    with empty_tables() as found:
        yield found


@SIZES
def test_a_campaign_is_stopped_by_one_write_and_its_messages_follow_at_the_stated_rate(tables, lists, capsys):
    client, messages_table, registry = tables
    messages, stops = DynamoMessages(client, messages_table, registry), DynamoStops(client, registry)
    stored, clock = DynamoLists(client, registry), FakeClock()
    put = partial(client.put_item, TableName=registry)
    counts = {"created_msec": NOW, "message_count": 100 * lists + 1, "unfinished_count": 100 * lists + 1}
    put(Item=to_wire(campaign_key("acme", "spring") | counts))
    for number in range(lists):
        list_id = str((number + 1) * 128)
        mids = tuple(str((number + 1) * 128 + place) for place in range(1, 101))
        answer: Any = {"messages": [], "messagelistId": list_id}
        stored.add_list(MessageList(list_id, "acme", mids, NOW, 2**31, "f", answer), None)
        place = {
            ":pk": campaign_lists_partition("acme", "spring"),
            ":sk": campaign_lists_place(list_id),
        }
        client.update_item(
            TableName=registry,
            Key=to_wire(list_key(list_id)),
            UpdateExpression="SET order_pk = :pk, order_sk = :sk",
            ExpressionAttributeValues=to_wire(place),
        )
        base = replace(MESSAGE, list_id=list_id, campaign="spring")
        messages.add([replace(base, mid=mid, number=f"+{mid:0>14}") for mid in mids])
        for mid in mids[:2]:
            messages.queue(messages.get(mid), (ASK,), NOW)
    first = messages.get("129")
    charge = Charge(messages.turns.find("acme", False), messages.turns.find_queue("acme", "spring", False))
    claim = partial(messages.claim_line, first, "arn:flow", Pool(9, 100), NOW, charge)

    with counted(client) as writes:
        stops.pause(CAMPAIGN, NOW, 0)
    assert writes == {"UpdateItem": 1}
    assert claim() == HeldBack(Brake.CAMPAIGN, is_final=False)
    with counted(client) as writes:
        stops.cancel(CAMPAIGN, NOW, 0, hangs_up=False)
    assert writes == {"TransactWriteItems": 1}
    assert claim() == HeldBack(Brake.CAMPAIGN, is_final=True)

    ports = dict.fromkeys(("calls", "telephony", "engine"))
    finished = []
    work = StopWork(
        stops=stops,
        messages=messages,
        turns=messages.turns,
        lists=stored,
        cancel=lambda message, hangs_up: cancel_message(message, hangs_up, messages=messages, clock=clock, **ports),
        clock=clock,
        count=lambda _name, number: finished.append(number),
        time_left=lambda: 60.0,
    )
    begun = time.process_time()
    with counted(client) as writes:
        work.do()
    took = time.process_time() - begun
    assert sum(finished) == 100 * lists
    # One write for each message; for each list one of the cursor, and three for the job.
    assert writes == {"TransactWriteItems": 100 * lists, "UpdateItem": lists + 2}
    with capsys.disabled() if lists > 2 else nullcontext():
        print(f"\n{100 * lists} messages in {took:.1f} s of CPU: {100 * lists / took:.0f} a second")
    assert 100 * lists / took >= A_SECOND
