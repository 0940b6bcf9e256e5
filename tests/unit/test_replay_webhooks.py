"""Webhooks that have ended begin anew."""

from dataclasses import replace
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.shared.rules.errors import NotFound, NotReplayable
from speechcall.status.use_cases.replay_webhooks import replay, replay_of_message
from speechcall.status.use_cases.status import History
from speechcall.webhooks.rules.delivery import MAX_ATTEMPTS, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookAnswer
from tests.kit.samples import MESSAGE, MID
from tests.kit.webhook_bench import WebhookBench, task_of

ACME = Account("acme", ("*",))
HOOKS = tuple(Webhook(f"https://{name}.example/") for name in "abc")
THREE = replace(MESSAGE, menus=(Menu("a", 1000, {"d1": (*HOOKS, Hangup())}),))
TASKS = [task_of(THREE, step) for step in range(3)]


class Bench(WebhookBench):
    """Three webhooks: the first is refused, the second given up, the third delivered."""

    def __post_init__(self):
        super().__post_init__()
        for task in TASKS:
            self.put(task)
        self.run()
        self.sent[:] = []

    def read(self, mid):
        found = [self.deliveries.find(MID, task.event_id) for task in TASKS]
        return History(THREE, (), found) if mid == MID else None

    def replay(self, webhook_id=None, account=ACME, mid=MID):
        given: Any = {"store": self, "deliveries": self.deliveries, "queue": self.queue, "clock": self.clock}
        return replay_of_message(account, mid, webhook_id, **given)

    def states(self):
        return [self.delivery(task).state.value for task in TASKS]


@pytest.fixture
def prepared():
    statuses = {HOOKS[0].url: 410, HOOKS[1].url: 503, HOOKS[2].url: 200}
    state = {"well": False}
    made = Bench(lambda request: WebhookAnswer(200 if state["well"] else statuses[request.url]), THREE)
    state["well"] = True
    assert made.states() == ["failed", "dead", "delivered"]
    return made


def test_what_goes_wrong_with_one_keeps_no_other_from_beginning_anew(prepared):
    real, failing = prepared.deliveries.replay, {TASKS[0].event_id}

    def once(task, delivery, now_msec):
        if task.event_id in failing:
            failing.clear()
            raise RuntimeError("nobody foresaw it")
        return real(task, delivery, now_msec)

    prepared.deliveries.replay = once
    with pytest.raises(RuntimeError):
        prepared.replay()
    # Then the other one has begun, and a repeat does the rest
    assert prepared.states() == ["failed", "pending", "delivered"]
    assert prepared.replay()["replayed"] == [TASKS[0].event_id]


def test_one_that_cannot_be_queued_is_looked_for(prepared):
    real = prepared.queue.again

    def never(*_):
        prepared.queue.again = real
        raise RuntimeError("nobody foresaw it")

    prepared.queue.again = never
    with pytest.raises(RuntimeError):
        prepared.replay()
    assert prepared.states() == ["pending", "pending", "delivered"]
    prepared.run()
    assert prepared.states() == ["delivered"] * 3


def test_those_of_a_message_that_were_given_up_begin_anew(prepared):
    assert prepared.replay() == {"messageId": MID, "replayed": [TASKS[0].event_id, TASKS[1].event_id]}
    prepared.run()
    assert prepared.states() == ["delivered"] * 3
    assert [request.url for _, request in prepared.sent] == [HOOKS[0].url, HOOKS[1].url]
    ids = [dict(request.headers)["webhook-id"] for _, request in prepared.sent]
    assert ids == [TASKS[0].event_id, TASKS[1].event_id]
    assert list(prepared.deliveries.undelivered("acme", 0)) == []
    assert prepared.replay()["replayed"] == []


def test_one_that_is_named_is_sent_again_even_if_it_was_delivered(prepared):
    assert prepared.replay(TASKS[2].event_id)["replayed"] == [TASKS[2].event_id]
    prepared.run()
    assert [request.url for _, request in prepared.sent] == [HOOKS[2].url]
    assert prepared.states() == ["failed", "dead", "delivered"]
    assert len(prepared.delivery(TASKS[2]).attempts) == 2


def test_a_replay_has_the_whole_schedule_again(prepared):
    prepared.post = lambda _request: WebhookAnswer(503)
    prepared.replay(TASKS[1].event_id)
    prepared.run()
    assert len(prepared.sent) == 8
    assert prepared.states()[1] == "dead"
    assert len(prepared.delivery(TASKS[1]).attempts) == 16


def test_one_that_is_being_tried_is_left_to_that(prepared):
    prepared.replay(TASKS[1].event_id)
    with pytest.raises(NotReplayable, match="still being tried"):
        prepared.replay(TASKS[1].event_id)
    assert prepared.replay()["replayed"] == [TASKS[0].event_id]


def test_of_two_replays_at_once_one_sends(prepared):
    found = prepared.read(MID).deliveries
    stores = {"deliveries": prepared.deliveries, "queue": prepared.queue, "clock": prepared.clock}
    assert len(replay(found[:2], **stores)) == 2
    assert replay(found[:2], **stores) == []
    prepared.run()
    assert len(prepared.sent) == 2


def test_no_webhook_is_tried_without_end(prepared):
    prepared.post = lambda _request: WebhookAnswer(410)
    for _ in range(MAX_ATTEMPTS - 1):
        prepared.replay(TASKS[0].event_id)
        prepared.run()
    with pytest.raises(NotReplayable, match="200 times"):
        prepared.replay(TASKS[0].event_id)


def test_a_crash_before_it_is_queued_only_delays_it(prepared):
    again = prepared.queue.again
    prepared.queue.again = lambda *_: (_ for _ in ()).throw(RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        prepared.replay()
    prepared.queue.again = again
    prepared.run()
    assert prepared.delivery(TASKS[0]).state is DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("account", "mid", "webhook_id"),
    [
        (Account("other", ("*",)), MID, None),
        (ACME, "1", None),
        (ACME, "x", None),
        (ACME, MID, "1-1-2-m0-d1-0"),
    ],
)
def test_nobody_else_finds_them(prepared, account, mid, webhook_id):
    with pytest.raises(NotFound):
        prepared.replay(webhook_id, account, mid)
    assert prepared.states() == ["failed", "dead", "delivered"]
