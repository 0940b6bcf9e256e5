"""How many messages wait for a line, as `speechcall pool show` tells it: of DynamoDB alone."""

import pytest

from speechcall.messages.rules.message import State
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.status.adapters import history_store
from speechcall.status.adapters.history_store import Backlog, DynamoHistory
from tests.kit.samples import ASK, MID, NOW, message


@pytest.fixture
def history(dynamodb):
    return DynamoHistory(dynamodb.client, dynamodb.messages_table)


NIGHT = (Hours((Window(20 * 60, 6 * 60),), ("UTC",)),)
"""Shut at NOW, which is 14:13 UTC."""


def queue(stores, *mids, **given):
    for mid in mids:
        stores.messages.add([message(mid, **given)])
        assert stores.messages.queue(stores.messages.get(mid), (ASK,), NOW)


def test_shut_hours_count_and_what_waits_for_a_moment_does_not(dynamodb, history):
    assert history.backlog() == Backlog(0, is_all=True)
    queue(dynamodb, "1", "2")
    queue(dynamodb, "3", hours=NIGHT)
    queue(dynamodb, MID)
    dynamodb.messages.postpone(MID, State.QUEUED, NOW + 60_000)
    assert history.backlog() == Backlog(3, is_all=True)


def test_a_count_that_ended_before_the_queue_did_says_so(dynamodb, history, monkeypatch):
    monkeypatch.setattr(history_store, "MOST_COUNTED", 2)
    mids = [str(number) for number in range(12)]  # in four shards
    queue(dynamodb, *mids)
    found = history.backlog()
    assert not found.is_all
    assert 2 <= found.counted <= 8
    monkeypatch.setattr(history_store, "MOST_COUNTED", 12)
    assert history.backlog() == Backlog(12, is_all=True)
