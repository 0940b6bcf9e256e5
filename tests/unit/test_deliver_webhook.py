"""One webhook's way: attempts, waits, turns, ends; by a virtual clock."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Webhook
from speechcall.shared.rules.errors import ForbiddenAddress, StoreUnavailable, Unreachable
from speechcall.webhooks.rules.delivery import Attempt, Delivery, DeliveryState
from speechcall.webhooks.rules.retry import MAX_OWN_FAULTS
from speechcall.webhooks.rules.webhook import WebhookAnswer
from tests.kit.samples import MESSAGE, NOW
from tests.kit.webhook_bench import Killed, WebhookBench, task_of

TASK = task_of(MESSAGE)
PLACE = "https://api.example.com"


def bench(*answers, **given):
    """Answers in turn, the last one again and again: statuses, answers, or what is raised."""
    left = list(answers)

    def post(_request):
        made.clock.msec += 12
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, BaseException):
            raise answer
        return WebhookAnswer(answer) if isinstance(answer, int) else answer

    made = WebhookBench(post, **given)
    return made


def delivered(*answers, **given):
    """After all virtual time has passed: the bench, and the delivery of TASK."""
    made = bench(*answers, **given)
    made.put(TASK)
    made.run()
    return made, made.delivery(TASK)


def waits(made):
    """Seconds between the attempts."""
    moments = [moment for moment, _ in made.sent]
    return [round((later - before) / 1000) for before, later in pairwise(moments)]


def test_a_webhook_that_is_received_is_delivered():
    made, delivery = delivered(200)
    assert delivery.state == "delivered"
    assert delivery.attempts == (Attempt(NOW, 12, 200, None),)
    assert delivery.next_msec is None
    assert delivery.destination == PLACE
    assert made.sent[0][1].body.startswith(b'{"from":"BazarCOM","to":"380936670003","mid":"')
    assert made.results == ["delivered"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_repeat_after_it_was_delivered_sends_nothing(status):
    made, _ = delivered(status)
    made.put(TASK)
    made.run()
    assert len(made.sent) == 1
    assert made.results == ["delivered", "none"]


@pytest.mark.parametrize("answer", [503, 429, 408, Unreachable("TIMEOUT"), Unreachable("CONNECTION_REFUSED")])
def test_eight_attempts_over_eight_hours_and_a_half_and_then_it_is_given_up(answer):
    made, delivery = delivered(answer)
    assert delivery.state == "dead"
    assert len(made.sent) == 8
    short, long = waits(made)[:4], waits(made)[4:]
    assert short == [5, 30, 120, 600]
    # Beyond what a queue can delay, the minute's tick brings them: up to a minute later.
    assert all(wait <= found <= wait + 60 for found, wait in zip(long, [1800, 7200, 21600], strict=True))
    assert made.queue.delays == [5, 30, 120, 600, 0, 0, 0]
    assert made.results == ["retried"] * 7 + ["dead"]
    assert {request.headers[-2] for _, request in made.sent} == {("webhook-id", TASK.event_id)}


@given(st.randoms(use_true_random=False))
def test_every_wait_is_varied_by_a_fifth_at_most(random):
    made, _ = delivered(500, uniform=random.uniform)
    expected = [5, 30, 120, 600, 1800, 7200, 21600]
    late = [1, 1, 1, 1, 61, 61, 61]
    for found, wait, slack in zip(waits(made), expected, late, strict=True):
        assert 0.8 * wait - 1 <= found <= 1.2 * wait + slack


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_a_refusal_is_never_tried_again(status):
    made, delivery = delivered(status)
    assert delivery.state == "failed"
    assert len(made.sent) == 1
    assert list(made.deliveries.undelivered("acme", NOW)) == [(TASK.mid, TASK.event_id)]
    assert made.results == ["failed"]


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (ForbiddenAddress("the name leads to 10.0.0.1"), "FORBIDDEN_ADDRESS"),
        (Unreachable("BAD_REQUEST", hopeless=True), "BAD_REQUEST"),
    ],
)
def test_what_can_never_be_sent_is_never_tried_again(raised, error):
    made, delivery = delivered(raised)
    assert delivery.state is DeliveryState.FAILED
    assert delivery.attempts == (Attempt(NOW, 12, None, error),)
    assert len(made.sent) == 1


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("60", 60, 72),
        ("1", 4, 6),
        ("600", 600, 720),
        ("1000", 1000, 1261),
        ("999999999999", 21600, 25981),
        ("Mon, 21 Sep 2026 12:55:00 GMT", 1, 10**9),
        ("soon", 4, 6),
    ],
)
def test_retry_after_is_waited_for_up_to_six_hours(asked, least, most):
    made, delivery = delivered(WebhookAnswer(429, asked), 200)
    assert delivery.state is DeliveryState.DELIVERED
    assert least <= waits(made)[0] <= most


def test_a_fault_of_our_own_network_is_not_the_receivers():
    ours = Unreachable("OUR_NETWORK", ours=True)
    made, delivery = delivered(*[ours] * 12, 503)
    # Twelve failures of ours, and after them the receiver has its eight attempts.
    assert len(made.sent) == 12 + 8
    assert delivery.state == "dead"
    assert made.results.count("ourFault") == 12
    assert made.results.count("retried") == 7
    assert delivery.attempts[0].error == "OUR_NETWORK"
    assert waits(made)[12:16] == [5, 30, 120, 600]


def test_a_network_of_ours_that_never_comes_back_ends_it_too():
    made, delivery = delivered(Unreachable("OUR_NETWORK", ours=True))
    assert delivery.state == "dead"
    assert len(made.sent) == MAX_OWN_FAULTS + 1


def test_every_attempt_has_the_same_id_and_its_own_time():
    made, _ = delivered(500, 200)
    first, second = (dict(request.headers) for _, request in made.sent)
    assert first["webhook-id"] == second["webhook-id"] == TASK.event_id
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5


def test_a_message_that_has_expired_sends_nothing():
    made = bench(200)
    made.put(replace(TASK, mid="1"))
    made.run()
    assert made.sent == []
    assert made.results == ["none"]


def test_a_step_that_is_no_webhook_sends_nothing():
    made = bench(200)
    made.put(replace(TASK, step=1))
    made.run()
    assert made.sent == []


# ------------------------------------------------------------------- its turn
FIRST, SECOND = Webhook("https://a.example/1"), Webhook("https://b.example/2")
TWO = replace(MESSAGE, menus=(Menu("ivr_651854", 10_000, {"d1": (FIRST, SECOND, Hangup())}),))


def test_a_webhook_waits_for_one_before_it_that_waits_for_its_turn():
    # Given a destination that has all its attempts in flight
    made = bench(200, message=TWO, most=1)
    taken = made.places.take("https://a.example", NOW)
    for step in (0, 1):
        made.put(task_of(TWO, step))
    made.run(until_msec=NOW + 1000)
    # Then the second, whose own destination is free, does not overtake the first
    assert made.sent == []
    assert made.results == ["waited", "waited"]
    # When a place is free again
    made.places.give_back("https://a.example", taken)
    made.run()
    assert [request.url for _, request in made.sent] == [FIRST.url, SECOND.url]
    assert made.results.count("delivered") == 2


def test_one_that_was_tried_holds_up_no_other():
    made = bench(503, 200, message=TWO)
    for step in (0, 1):
        made.put(task_of(TWO, step))
    made.run(until_msec=NOW + 1000)
    assert [request.url for _, request in made.sent] == [FIRST.url, SECOND.url]


def test_a_webhook_of_a_later_menu_waits_for_those_before_it():
    menus = tuple(
        Menu("a", 1000, {"d1": (Webhook(url), GotoMenu(1))}) for url in ("https://a.example/", "https://b.example/")
    )
    made = bench(200, message=replace(MESSAGE, menus=menus), most=1)
    made.places.take("https://a.example", NOW)
    made.put(task_of(made.message))
    made.put(task_of(made.message, seq=3, menu=1))
    made.run(until_msec=NOW + 1000)
    assert made.results == ["waited", "waited"]
    made.run()
    assert [request.url for _, request in made.sent] == ["https://a.example/", "https://b.example/"]


def test_who_waits_for_a_turn_spends_no_attempt_and_waits_longer_each_time():
    made = bench(200, most=1)
    made.places.take(PLACE, NOW + 600_000)
    made.put(TASK)
    made.run(until_msec=NOW + 600_000)
    assert made.queue.delays[:6] == [2, 4, 8, 15, 30, 60]
    assert made.delivery(TASK).attempts == ()
    made.run()
    assert made.delivery(TASK).state is DeliveryState.DELIVERED


def test_a_place_is_given_back_whatever_comes():
    for answer in (200, 500, Unreachable("TIMEOUT"), ForbiddenAddress("x"), RuntimeError("a bug")):
        made = bench(answer, most=1)
        try:
            made.sending.deliver(TASK)
        except RuntimeError:
            assert isinstance(answer, RuntimeError)
        assert made.places.take(PLACE, NOW) is not None, answer


def test_a_secret_that_cannot_be_had_is_our_failure_and_takes_no_place():
    made = bench(200, most=1)

    def no_secret(*_):
        raise StoreUnavailable("KMS")

    with pytest.raises(StoreUnavailable):
        replace(made.sending, sign=no_secret).deliver(TASK)
    assert made.sent == []
    assert made.places.take(PLACE, NOW) is not None


# --------------------------------------------------------------------- crashes
OPERATIONS = [
    ("messages", "get"),
    ("deliveries", "begin"),
    ("deliveries", "has_earlier_untried"),
    ("deliveries", "record"),
    ("deliveries", "put_off"),
    ("deliveries", "wake"),
    ("places", "take"),
    ("places", "give_back"),
    ("queue", "again"),
    (None, "post"),
]


def killed_at(made, owner, name, after, times):
    """The function dies before or after an operation, the first so many times that it comes to it."""
    target = made if owner is None else getattr(made, owner)
    real, left = getattr(target, name), [times]

    def dying(*arguments):
        if left[0] and not after:
            left[0] -= 1
            raise Killed
        answer = real(*arguments)
        if left[0]:
            left[0] -= 1
            raise Killed
        return answer

    setattr(target, name, dying)
    return left


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("owner", "name"), OPERATIONS)
def test_killed_at_any_point_the_receiver_sees_the_same_id_again_and_nothing_is_lost(owner, name, after, times):
    # Given two webhooks of one list, receivers that fail five times each, and a destination that is full at first
    made, failures = bench(200, message=TWO, most=1), {FIRST.url: 5, SECOND.url: 5}

    def post(request):
        failures[request.url] -= 1
        return WebhookAnswer(503 if failures[request.url] >= 0 else 200)

    made.post = post
    made.places.take("https://a.example", NOW + 400_000)
    left = killed_at(made, owner, name, after, times)
    tasks = [task_of(TWO, step) for step in (0, 1)]
    for task in tasks:
        made.put(task)
    # When the function is killed there, and the queue brings again what it had not handled
    while True:
        try:
            made.run()
            break
        except Killed:  # the tick was killed; it comes again in a minute
            made.clock.msec += 60_000
    assert left == [0]
    # Then both arrive, each under its one name
    assert {made.delivery(task).state for task in tasks} == {DeliveryState.DELIVERED}
    ids = {(request.url, dict(request.headers)["webhook-id"]) for _, request in made.sent}
    assert ids == {(FIRST.url, tasks[0].event_id), (SECOND.url, tasks[1].event_id)}
    assert made.sent[0][1].url == FIRST.url


def test_a_step_that_runs_twice_is_one_webhook():
    made = bench(503, 200)
    made.put(TASK)
    made.put(TASK)
    made.run(until_msec=NOW + 1000)
    made.put(TASK)
    made.run()
    assert [result for result in made.results if result != "none"] == ["retried", "delivered"]
    assert len(made.sent) == 2


def test_two_copies_at_once_keep_one_schedule():
    # Given two copies of one task, the second of which begins before the first is recorded
    made = bench(503)
    record, second = made.deliveries.record, []

    def interleaved(*given):
        if not second:
            second.append(True)
            made.handle(TASK)
        return record(*given)

    made.deliveries.record = interleaved
    made.put(TASK)
    made.run()
    # Then both have sent, one of them is recorded, and the schedule is that of one
    assert len(made.sent) == 1 + 8
    assert len(made.delivery(TASK).attempts) == 8
    assert made.queue.delays == [5, 30, 120, 600, 0, 0, 0]


def test_a_task_of_a_version_that_has_passed_does_nothing():
    made = bench(503)
    made.put(TASK)
    made.run(until_msec=NOW + 1000)
    before = made.delivery(TASK)
    made.handle(TASK)
    assert made.delivery(TASK) == before
    assert isinstance(before, Delivery)
