"""A status event is delivered as the webhook of a key is, and behind those of its message."""

import json
from dataclasses import replace

import pytest

from speechcall.messages.adapters import message_items
from speechcall.messages.rules.status_event import StatusEvent, StatusKind
from speechcall.shared.rules.errors import Unreachable
from speechcall.shared.rules.ids import call_attempt_of
from speechcall.status.use_cases.status_event import Facts, describe_unreadable
from speechcall.webhooks.adapters.queue import dump_task, parse_task
from speechcall.webhooks.rules.delivery import DeliveryState, comes_before
from speechcall.webhooks.rules.webhook import Notice, WebhookAnswer, status_task, webhook_of
from tests.kit.samples import MESSAGE, MID, NOW
from tests.kit.webhook_bench import MINUTE, WebhookBench, task_of

URL = "https://shop.example/status"
FINAL = status_task(StatusEvent(StatusKind.FINAL, MID, 2))
FIRST = status_task(StatusEvent(StatusKind.ATTEMPT, MID, 1))
LIST = status_task(StatusEvent(StatusKind.LIST, "77"))


def bench_of(post=lambda _request: WebhookAnswer(200), **more):
    bench = WebhookBench(post, **more)
    notices = {FINAL: '{"event":"final"}', FIRST: '{"event":"attempt"}', LIST: '{"event":"list"}'}
    bodies = {task.event_id: body for task, body in notices.items()}
    bench.work = replace(
        bench.work,
        sending=replace(bench.sending, notice_of=lambda task: Notice("acme", URL, bodies[task.event_id])),
    )
    return bench


def begin(bench, *tasks, due_msec=NOW + 15 * MINUTE):
    """Written with what they tell of, and queued."""
    for task in tasks:
        bench.deliveries.tell(task, "acme", "https://shop.example", due_msec)
        bench.put(task)


def sent(bench):
    return [dict(request.headers)["webhook-id"] for _, request in bench.sent]


def test_it_is_sent_signed_with_its_own_body_and_our_headers():
    signed = []
    bench = bench_of(sign=lambda account, request: signed.append(account) or request)
    begin(bench, FINAL)
    bench.run()
    ((_, request),) = bench.sent
    assert (request.url, json.loads(request.body), request.account_id) == (URL, {"event": "final"}, "acme")
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "User-Agent": "SpeechCall",
        "webhook-id": f"{MID}-final",
        "webhook-timestamp": str(NOW // 1000),
    }
    assert signed == ["acme"]
    assert bench.delivery(FINAL).state is DeliveryState.DELIVERED
    assert bench.results == ["delivered"]


@pytest.mark.parametrize(
    ("kind", "outcome", "told"),
    [
        ("final", "busy", {"event": "final", "deliverystatus": "undeliverable"}),
        ("attempt", "answered", {"event": "attempt", "attempt": 2, "deliverystatus": "delivered"}),
        ("attempt", None, {"event": "attempt", "attempt": 2, "deliverystatus": "scheduled"}),
        ("fallback", "noAnswer", {"event": "fallback", "deliverystatus": "undeliverable"}),
    ],
)
def test_an_event_of_a_message_that_cannot_be_read_is_still_of_its_kind(kind, outcome, told):
    always = {"messageId": MID, "messagelistId": "77", "recipient": "+380", "timestamp": "2026-09-21T14:13:20.000Z"}
    assert describe_unreadable(MID, "77", "+380", Facts(kind, 2, NOW, outcome)) == always | told


def test_it_is_tried_again_as_others_are_and_given_up():
    bench = bench_of(lambda _request: WebhookAnswer(503))
    begin(bench, FINAL)
    bench.run()
    assert sent(bench) == [f"{MID}-final"] * 8
    assert bench.delivery(FINAL).state is DeliveryState.DEAD


def test_what_was_lost_on_its_way_is_found_when_it_is_due():
    bench = bench_of()
    bench.deliveries.tell(FINAL, "acme", "https://shop.example", NOW + 15 * MINUTE)
    bench.run()
    assert sent(bench) == [f"{MID}-final"]
    assert NOW + 15 * MINUTE <= bench.sent[0][0] <= NOW + 17 * MINUTE


def test_it_waits_for_the_first_attempts_of_what_comes_before_it():
    # Given a receiver of keys that has no place free at first, and a queue that keeps no order
    bench = bench_of(most=1)
    key = task_of(MESSAGE)
    taken = bench.places.take("https://api.example.com", NOW)
    begin(bench, FIRST, FINAL)
    bench.first.appendleft(key)
    bench.run(NOW + 1000)
    assert sent(bench) == []
    bench.places.give_back("https://api.example.com", taken)
    bench.run()
    assert sent(bench) == [key.event_id, f"{MID}-a1", f"{MID}-final"]


def test_it_does_not_wait_for_a_retry_nor_for_ever():
    def post(request):
        if "api.example.com" in request.url:
            raise Unreachable("TIMEOUT")
        return WebhookAnswer(200)

    bench = bench_of(post)
    bench.put(task_of(MESSAGE))
    begin(bench, FINAL)
    bench.run(NOW + MINUTE)
    assert f"{MID}-final" in sent(bench)
    # One before it whose queue has lost it holds it up for about twenty minutes at most
    bench = bench_of()
    bench.deliveries.begin(task_of(MESSAGE), MESSAGE, "https://api.example.com", NOW + 10**9)
    begin(bench, FINAL)
    bench.run(NOW + 30 * MINUTE)
    assert sent(bench) == [f"{MID}-final"]


def test_a_list_waits_for_nothing_and_an_event_that_is_not_there_is_not_sent():
    bench = bench_of()
    begin(bench, LIST)
    bench.run()
    assert sent(bench) == ["77-list"]
    bench.put(FINAL)
    bench.run()
    assert bench.results[-1] == "none"
    assert sent(bench) == ["77-list"]


def test_the_same_task_twice_is_sent_once():
    bench = bench_of()
    begin(bench, FINAL)
    bench.put(FINAL)
    bench.run()
    assert sent(bench) == [f"{MID}-final"]


@pytest.mark.parametrize(
    ("other", "attempt", "kind", "before"),
    [
        ((1, "d1"), 1, "attempt", True),
        ((2, "d1"), 1, "attempt", False),
        ((1, "attempt"), 2, "attempt", True),
        ((2, "attempt"), 2, "attempt", False),
        ((2, "final"), 2, "attempt", False),
        ((2, "attempt"), 2, "final", True),
        ((2, "wrong"), 2, "final", True),
        ((2, "final"), 2, "final", False),
        ((2, "fallback"), 2, "final", False),
        ((2, "final"), 2, "fallback", True),
        ((1, "wrong"), 2, "fallback", True),
        ((2, "fallback"), 2, "fallback", False),
        ((2, "fallback"), 2, "attempt", False),
    ],
)
def test_what_comes_before_what(other, attempt, kind, before):
    assert comes_before(other, attempt, kind) is before


def test_a_release_that_knows_no_events_takes_the_task_and_does_nothing():
    for task in (FINAL, FIRST, LIST):
        assert parse_task(json.dumps(dump_task(task))) == task
        assert webhook_of(MESSAGE, task) is None
    assert [call_attempt_of(task.event_id) for task in (FINAL, FIRST, LIST)] == [None, 1, None]


def test_who_is_told_is_stored_with_the_message_and_older_items_are_read():
    told = replace(MESSAGE, status_url=URL, status_events=("final", "attempt"), counts_in_list=True)
    assert message_items.load(message_items.dump(told)) == replace(told, due_msec=message_items.first_check_msec(told))
    item = message_items.dump(MESSAGE)
    assert not {"status_url", "status_events", "counts_in_list"} & set(item)
    read = message_items.load(item)
    assert (read.status_url, read.status_events, read.counts_in_list) == ("", (), False)
