"""Whatever a delivery meets, known or not: it has a recorded end within bounded tries, and nothing waits behind it."""

import json
from dataclasses import asdict, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.shared.rules.errors import StoreUnavailable, Unreachable
from speechcall.webhooks.adapters.queue import NoTask, SqsWebhookQueue, parse_task
from speechcall.webhooks.adapters.webhook_log import delivery_fields
from speechcall.webhooks.rules.delivery import (
    MAX_ORDER_WAITS,
    MAX_TURN_WAITS,
    MAX_WAKES,
    PATIENCE_MSEC,
    Attempt,
    DeliveryState,
)
from speechcall.webhooks.rules.retry import turn_delay
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookTask
from speechcall.webhooks.use_cases import deliver_webhook
from speechcall.webhooks.use_cases.work_webhooks import (
    HANDED_OVER_SECONDS,
    MAX_FIRST_RECEIVES,
    MAX_RECEIVES,
    MAX_SENT_RECEIVES,
)
from tests.kit.samples import MESSAGE, NOW
from tests.kit.webhook_bench import Killed, WebhookBench, task_of

pytestmark = pytest.mark.slow

DAY = 86_400_000
FIRST, SECOND = Webhook("https://a.example/1"), Webhook("https://b.example/2")
TWO = replace(MESSAGE, menus=(Menu("ivr_651854", 10_000, {"d1": (FIRST, SECOND, Hangup())}),))
TASKS = [task_of(TWO, step) for step in (0, 1)]
ENDED = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DEAD}

OPERATIONS = [
    ("messages", "get"),
    ("deliveries", "begin"),
    ("deliveries", "has_earlier_untried"),
    ("deliveries", "record"),
    ("deliveries", "put_off"),
    ("deliveries", "find"),
    ("places", "take"),
    ("places", "give_back"),
    ("of_accounts", "take"),
    ("of_accounts", "give_back"),
    ("queue", "again"),
    (None, "post"),
    (None, "sign"),
]
OF_THE_TICK = [("deliveries", "due"), ("deliveries", "wake"), ("deliveries", "give_up_woken")]


class Unforeseen(Exception):
    """Nobody has thought of it; its text is a customer's secret."""


def bench(*answers, **given):
    """Answers in turn, the last one again and again."""
    left = list(answers)

    def post(_request):
        answer = left.pop(0) if len(left) > 1 else left[0]
        return WebhookAnswer(answer)

    made = WebhookBench(post, message=TWO, **given)
    for task in TASKS:
        made.put(task)
    return made


def breaks(made, owner, name, error, times, only=lambda *_: True):
    """An operation raises, so many times; `only`: with such arguments."""
    if owner is None:
        target, attribute = made, name
    else:
        target, attribute = getattr(made, owner), name
    real, left = getattr(target, attribute), [times]

    def broken(*arguments, **named):
        if left[0] > 0 and only(*arguments):
            left[0] -= 1
            raise error
        return real(*arguments, **named)

    setattr(target, attribute, broken)
    return left


def states(made):
    return [made.delivery(task).state for task in TASKS]


ALWAYS = 10**9


@pytest.mark.parametrize("error", [Unforeseen("hunter2"), StoreUnavailable("load"), KeyError("hunter2")], ids=repr)
@pytest.mark.parametrize("answer", [200, 503])
@pytest.mark.parametrize("times", [1, 2, 7, ALWAYS])
@pytest.mark.parametrize(("owner", "name"), OPERATIONS)
def test_whatever_breaks_and_however_often_every_webhook_has_an_end(owner, name, times, answer, error, caplog):
    made = bench(answer, most=1)
    made.places.take("https://a.example", NOW + 60_000)
    breaks(made, owner, name, error, times)
    made.run(until_msec=NOW + 10 * DAY)
    assert set(states(made)) <= ENDED
    assert len(made.sent) <= 2 * 16
    if answer == 200 and times == 1:
        assert states(made) == [DeliveryState.DELIVERED] * 2
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("owner", "name"), OPERATIONS)
def test_whatever_breaks_the_log_has_the_end_of_each_request_that_was_sent(owner, name, times, caplog):
    made, told = bench(503), []
    made.work = replace(made.work, tell_of=lambda task, result: told.append(delivery_fields(task, result)))
    breaks(made, owner, name, Unforeseen("hunter2"), times)
    made.run(until_msec=NOW + 10 * DAY)
    lines = told + [vars(line) for line in caplog.records]
    for task in TASKS:
        sent = [request for _, request in made.sent if dict(request.headers)["webhook-id"] == task.event_id]
        mine = [line for line in lines if line.get("webhook_id") == task.event_id]
        assert all((line["mid"], line["attempt"]) == (task.mid, 1) for line in mine)
        ends = [line for line in mine if line.get("status") == 503 or line.get("error") == "INTERNAL_ERROR"]
        assert len(ends) >= len(sent) > 0
        assert [line["result"] for line in told if line["webhook_id"] == task.event_id][-1] == "dead"
    retried = [line for line in told if line["result"] in ("retried", "ourFault")]
    assert all("next_attempt_at" in line and "webhook_attempt" in line for line in retried)


@pytest.mark.parametrize("times", [1, 2, 7])
@pytest.mark.parametrize(("owner", "name"), OF_THE_TICK)
def test_a_tick_that_breaks_is_made_good_by_the_next(owner, name, times):
    made = bench(503)
    left = breaks(made, owner, name, Unforeseen(), times)
    while True:
        try:
            made.run(until_msec=NOW + 10 * DAY)
            break
        except Unforeseen:  # the function failed; the clock starts it again in a minute
            made.clock.msec += 60_000
    assert set(states(made)) == {DeliveryState.DEAD}
    assert left == [0 if name != "give_up_woken" else times]


@pytest.mark.parametrize("error", [Unforeseen(), StoreUnavailable("load")], ids=repr)
@pytest.mark.parametrize(("owner", "name"), OPERATIONS)
def test_what_one_webhook_meets_holds_up_no_other_of_its_call(owner, name, error):
    # Given an operation that never works for the first webhook of a list
    def is_of_the_first(*given):
        of_first = (TASKS[0].event_id, "https://a.example", FIRST.url)
        return any(
            str(one) in of_first or getattr(one, "event_id", getattr(one, "url", None)) in of_first for one in given
        )

    made = bench(200)
    breaks(made, owner, name, error, ALWAYS, is_of_the_first)
    made.run(until_msec=NOW + 30 * 60_000)
    # Then the second has arrived within half an hour
    assert states_of_second(made) is DeliveryState.DELIVERED
    made.run(until_msec=NOW + 10 * DAY)
    assert set(states(made)) <= ENDED


def states_of_second(made):
    return made.delivery(TASKS[1]).state


@pytest.mark.parametrize(("owner", "name"), [*OPERATIONS[:4], ("places", "take"), (None, "post"), (None, "sign")])
def test_a_webhook_that_kills_its_function_each_time_ends_and_holds_up_no_other_for_long(owner, name):
    made = bench(200)

    def is_of_the_first(*given):
        return made.working == TASKS[0].event_id

    breaks(made, owner, name, Killed(), ALWAYS, is_of_the_first)
    made.run(until_msec=NOW + 30 * 60_000)
    assert states_of_second(made) is DeliveryState.DELIVERED
    made.run(until_msec=NOW + 10 * DAY)
    # A list's first webhook asks for none before it, so one of the operations is never reached
    assert made.delivery(TASKS[0]).state is (
        DeliveryState.DELIVERED if name == "has_earlier_untried" else DeliveryState.DEAD
    )
    assert made.dead_letters == []


def test_what_nobody_foresaw_is_an_attempt_and_is_tried_again_on_schedule():
    made = bench(200)
    breaks(made, None, "post", Unforeseen(), 3, lambda request: request.url == FIRST.url)
    made.run()
    attempts = made.delivery(TASKS[0]).attempts
    assert [one.error or one.status for one in attempts] == ["INTERNAL_ERROR"] * 3 + [200]
    assert [one.error for one in made.delivery(TASKS[1]).attempts] == [None]
    assert made.results == ["ourFault", "delivered", "ourFault", "ourFault", "delivered"]


def test_a_store_that_is_away_counts_for_nothing():
    made = bench(503)
    breaks(made, None, "sign", StoreUnavailable("KMS"), 12)
    made.run()
    attempts = [one.error or one.status for one in made.delivery(TASKS[0]).attempts]
    assert (
        attempts.count("OUR_NETWORK") + [one.error for one in made.delivery(TASKS[1]).attempts].count("OUR_NETWORK")
        == 12
    )
    assert attempts.count(503) == 8


def test_what_an_attempt_came_to_is_recorded_at_the_second_try_and_not_sent_again():
    made = bench(200)
    breaks(made, "deliveries", "record", Unforeseen(), 1)
    made.run()
    assert len(made.sent) == 2
    assert made.delivery(TASKS[0]).attempts[0].status == 200


def test_a_delivery_that_cannot_be_recorded_as_usual_is_finished_by_another_write():
    made = bench(200)
    breaks(made, "deliveries", "record", Unforeseen(), 2)
    made.run()
    assert len(made.sent) == 2
    assert [one.status for one in made.delivery(TASKS[0]).attempts] == [200]
    assert made.results == ["delivered"] * 2


def test_a_failure_that_cannot_be_recorded_is_handed_over_and_sent_so_often_and_no_more():
    made = bench(503)
    breaks(made, "deliveries", "record", Unforeseen(), ALWAYS)
    made.run()
    assert made.queue.delays[0] == HANDED_OVER_SECONDS
    for task, hook in zip(TASKS, (FIRST, SECOND), strict=True):
        assert made.delivery(task).state is DeliveryState.DEAD
        assert [one.status for one in made.delivery(task).attempts] == [503]
        sent = [request for _, request in made.sent if request.url == hook.url]
        assert MAX_SENT_RECEIVES <= len(sent) <= 8


def test_first_attempts_are_handed_over_when_their_function_was_killed_often_enough():
    made = bench(200)
    breaks(made, "messages", "get", Killed(), MAX_FIRST_RECEIVES, lambda _mid: made.working == TASKS[0].event_id)
    made.run()
    assert made.kills == MAX_FIRST_RECEIVES
    assert made.results[0] == "handedOver"
    assert states(made) == [DeliveryState.DELIVERED] * 2


def test_a_retry_that_leaves_no_record_is_given_up_before_the_queue_does():
    made = bench(200)
    breaks(made, "deliveries", "begin", Unforeseen(), ALWAYS)
    made.run()
    for task in TASKS:
        delivery = made.delivery(task)
        assert delivery.state == DeliveryState.DEAD
        assert delivery.attempts == (Attempt(delivery.attempts[0].at_msec, 0, None, "INTERNAL_ERROR"),)
    assert len(made.errors) == 2 * MAX_RECEIVES
    assert made.dead_letters == []


def test_a_delivery_of_which_nothing_can_be_written_but_that_it_is_given_up_is_given_up_by_the_tick():
    # Given deliveries that are pending, and tasks of them that always get lost
    made = bench(503)
    made.run(until_msec=NOW + 1000)
    made.queue.waiting.clear()
    made.queue.again = lambda *_: None
    made.run(until_msec=NOW + 10 * DAY)
    for task in TASKS:
        delivery = made.delivery(task)
        assert delivery.state is DeliveryState.DEAD
        assert [one.error or one.status for one in delivery.attempts] == [503, "INTERNAL_ERROR"]
        hours = (delivery.attempts[1].at_msec - NOW) / 3_600_000
        assert MAX_WAKES * PATIENCE_MSEC / 3_600_000 <= hours < 14


def test_a_webhook_waits_for_one_before_it_for_so_long_and_no_longer():
    # Given a first webhook whose destination never has a place
    made = bench(200, most=1)
    made.places.take("https://a.example", NOW + 100 * DAY)
    made.run(until_msec=NOW + 30 * 60_000)
    assert [request.url for _, request in made.sent] == [SECOND.url]
    assert made.sent[0][0] > NOW + PATIENCE_MSEC


def test_a_turn_that_never_comes_is_an_attempt_each_time_that_it_has_been_waited_for_long_enough(monkeypatch):
    monkeypatch.setattr(deliver_webhook, "MAX_TURN_WAITS", 40)
    made = bench(200, most=1)
    made.places.take("https://a.example", NOW + 1000 * DAY)
    made.run()
    delivery = made.delivery(TASKS[0])
    assert delivery.state == DeliveryState.DEAD
    assert [one.error for one in delivery.attempts] == ["NO_TURN"] * 8


def test_that_is_a_day():
    assert sum(turn_delay(waits, lambda low, high: 1.0) for waits in range(MAX_TURN_WAITS)) == pytest.approx(
        86_400, 0.01
    )
    order = [turn_delay(waits, lambda low, high: low) * 1000 for waits in range(MAX_ORDER_WAITS)]
    assert sum(order) > PATIENCE_MSEC + 60_000


# ------------------------------------------------------------ what queues bring
GOOD = json.dumps(asdict(TASKS[0]))


def changed(**members):
    return json.dumps({**asdict(TASKS[0]), **members})


POISON = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    '"x"',
    "[" * 100_000,
    '{"mid": "1"}',
    changed(mid=1),
    changed(mid="x"),
    changed(mid=""),
    changed(mid="٣"),
    changed(mid="1" * 500),
    changed(attempt="1"),
    changed(attempt=True),
    changed(seq=1.5),
    changed(seq=-1),
    changed(step=2**70),
    changed(menu=None),
    changed(key=5),
    changed(event_id=""),
    changed(event_id="1" * 2000),
    changed(version="0"),
    changed(version=[]),
    '{"mid": NaN}',
]


@pytest.mark.parametrize("body", POISON)
def test_what_is_no_task_is_told_apart(body):
    with pytest.raises(NoTask):
        parse_task(body)


@given(
    st.text()
    | st.dictionaries(st.sampled_from([*asdict(TASKS[0])]), st.integers() | st.text() | st.none()).map(json.dumps)
)
def test_whatever_a_queue_brings_is_a_task_or_none(body):
    try:
        task = parse_task(body)
    except NoTask:
        return
    assert isinstance(task, WebhookTask)


def test_a_task_of_another_version_is_read():
    assert parse_task(GOOD) == TASKS[0]
    assert parse_task(changed(later_member=1)) == TASKS[0]
    older = {name: value for name, value in asdict(TASKS[0]).items() if name != "version"}
    assert parse_task(json.dumps(older)) == TASKS[0]


class Sqs:
    def __init__(self) -> None:
        self.sent = []

    def send_message(self, **given: Any) -> None:
        self.sent.append((given["MessageBody"], given["DelaySeconds"]))


def record(body, group=None, receives="1"):
    attributes = {"ApproximateReceiveCount": receives, **({"MessageGroupId": group} if group else {})}
    return {"messageId": "m", "body": body, "attributes": attributes}


@pytest.mark.parametrize("body", POISON)
def test_what_cannot_be_read_leaves_the_queue_in_which_others_wait_behind_it(body):
    sqs: Any = Sqs()
    queue = SqsWebhookQueue(sqs, "url")
    assert queue.work(record(body, "1"), lambda *_, **__: pytest.fail("no task"))[1] == "unreadable"
    assert sqs.sent == [(body, 0)]
    with pytest.raises(NoTask):
        queue.work(record(body), lambda *_, **__: pytest.fail("no task"))


def test_a_record_says_how_often_it_was_brought_and_by_which_queue():
    done = []

    def do(task, *, receives, is_first):
        done.append((task, receives, is_first))
        return "delivered"

    queue = SqsWebhookQueue(cast("Any", Sqs()), "url")
    assert queue.work(record(GOOD, "1", "4"), do) == (TASKS[0].event_id, "delivered")
    queue.work(record(GOOD, receives="2"), do)
    queue.work({"messageId": "m", "body": GOOD}, do)
    assert done == [(TASKS[0], 4, True), (TASKS[0], 2, False), (TASKS[0], 1, False)]


@pytest.mark.parametrize("wrong", [{"menu": 7}, {"key": "d9"}, {"step": 9}, {"step": 2}])
def test_a_task_for_a_step_that_the_message_has_not_does_nothing(wrong):
    made = WebhookBench(lambda _request: WebhookAnswer(200), message=TWO)
    made.put(replace(TASKS[0], **wrong))
    made.run()
    assert made.sent == []
    assert made.results == ["none"]


def test_a_receiver_that_cannot_be_reached_is_no_error_of_ours():
    made = bench(200)
    breaks(made, None, "post", Unreachable("TIMEOUT"), ALWAYS)
    made.run()
    assert made.errors == []
    assert states(made) == [DeliveryState.DEAD] * 2
