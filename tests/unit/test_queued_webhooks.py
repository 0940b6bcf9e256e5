"""A webhook is shown from the key that asks for it on: as queued, until its first attempt has come to something."""

from dataclasses import replace
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.call_log import Plan
from speechcall.menus.rules.menu import GotoMenu, Menu
from speechcall.menus.rules.walk import table_of
from speechcall.shared.rules.errors import NotReplayable
from speechcall.shared.rules.ids import call_attempt_of
from speechcall.status.use_cases.replay_webhooks import replay_of_message
from speechcall.status.use_cases.status import History, describe_message
from speechcall.webhooks.rules.delivery import Attempt, Delivery, DeliveryState, Wait
from speechcall.webhooks.rules.webhook import WebhookTask
from tests.kit.samples import CALL, CALLING, HOOK, MID, NOW, FakeClock

MENUS = (Menu("intro", 1000, {"d1": (HOOK, HOOK, GotoMenu(0)), "wrong": (HOOK, GotoMenu(0))}),)
MESSAGE = replace(CALLING, menus=MENUS)
FIRST, SECOND, THIRD = (f"{MID}-1-{name}" for name in ("2-m0-d1-0", "2-m0-d1-1", "3-m0-wrong-0"))
REFUSED = Attempt(NOW, 10, 503, None)


def call(*words, **changes):
    made = CALL._replace(plan=Plan(table_of(MENUS), 50, NOW + 900_000, 9))
    for word in ("answered", *words):
        event = "key" if word.startswith("d") else word
        made = made.with_entry(made.would_log(made.log_seq + 1, event, word if event == "key" else "", NOW))
    return made._replace(seq=made.log_seq, **changes)


def begun(name, *attempts, state=DeliveryState.PENDING):
    menu, key, step = name.split("-")[3:]
    task = WebhookTask(MID, 1, int(name.split("-")[2]), int(menu[1:]), key, int(step), name)
    next_msec = Wait.of(30, NOW).next_msec if attempts and state is DeliveryState.PENDING else None
    return task, Delivery(state, attempts, next_msec=next_msec)


def shown(calls, deliveries=(), now_msec=NOW, message=MESSAGE):
    found = describe_message(History(message, calls, deliveries), now_msec)["call"]["webhooks"]
    return [(one["webhookId"], one["state"], len(one["attempts"])) for one in found]


def test_a_webhook_is_queued_from_its_key_on_though_nothing_of_its_delivery_is_stored():
    assert shown([call()]) == []
    assert shown([call("d1")]) == [(FIRST, "queued", 0), (SECOND, "queued", 0)]
    assert shown([call("d1", "idle")])[2] == (THIRD, "queued", 0)
    (first, *_) = describe_message(History(MESSAGE, [call("d1")], ()), NOW)["call"]["webhooks"]
    assert first == {
        "webhookId": FIRST,
        "menu": 0,
        "key": "d1",
        "step": 0,
        "state": "queued",
        "nextAttemptAt": None,
        "attempts": [],
    }


def test_it_is_queued_until_its_first_attempt_has_come_to_something():
    deliveries = [begun(FIRST)]
    assert shown([call("d1")], deliveries) == [(FIRST, "queued", 0), (SECOND, "queued", 0)]
    deliveries = [begun(FIRST, REFUSED), begun(SECOND, REFUSED, state=DeliveryState.DEAD)]
    assert shown([call("d1")], deliveries) == [(FIRST, "pending", 1), (SECOND, "dead", 1)]


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([CALL._replace(seq=2)], id="a call of a release that kept no log"),
        pytest.param([call("prompt_error")], id="an introduction that was not heard"),
        pytest.param([call("d1")._replace(seq=9)], id="a call that an older function has gone on with"),
    ],
)
def test_what_no_log_tells_for_sure_is_not_shown_before_it_begins(calls):
    assert shown(calls) == []


def test_each_call_of_a_message_has_its_own():
    again = call("d1")._replace(attempt=2)
    assert [name.split("-")[1] for name, *_ in shown([again, call("d1")])] == ["1", "1", "2", "2"]


def test_a_message_that_has_expired_shows_what_is_left():
    assert shown([call("d1")], [begun(FIRST, REFUSED)], now_msec=MESSAGE.expires_at * 1000) == [(FIRST, "pending", 1)]


def test_one_that_is_queued_cannot_be_replayed_and_is_no_stranger():
    history = History(MESSAGE, [call("d1")], ())

    class Store:
        def read(self, mid):
            return history

    ports: Any = {"store": Store(), "deliveries": None, "queue": None, "clock": FakeClock()}
    with pytest.raises(NotReplayable, match="is still being tried"):
        replay_of_message(Account("acme", ("*",)), MID, FIRST, **ports)
    assert replay_of_message(Account("acme", ("*",)), MID, None, **ports)["replayed"] == []


def test_the_call_attempt_is_in_a_webhooks_name():
    assert call_attempt_of(FIRST) == 1
    assert call_attempt_of("1-12-3-m0-d1-0") == 12
    assert [call_attempt_of(name) for name in ("", "1", "1-", "1-x-2", "1-1234-2", "1-²-2")] == [None] * 6
