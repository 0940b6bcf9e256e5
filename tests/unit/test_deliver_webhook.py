"""One attempt to deliver one webhook."""

from dataclasses import replace

import pytest

from speechcall.application.deliver_webhook import Attempt, Delivery, deliver_webhook
from speechcall.domain.errors import ForbiddenAddress
from speechcall.domain.webhook import WebhookTask
from tests.fixtures.samples import MESSAGE, MID, NOW, FakeClock
from tests.stores.memory import MemoryMessages

TASK = WebhookTask(MID, 1, 2, 0, "d1", 0, f"{MID}-1-2-m0-d1-0")


class Deliveries:
    """The deliveries of a message, in memory."""

    def __init__(self):
        self.found = {}

    def begin(self, task, expires_at):
        assert expires_at == MESSAGE.expires_at
        return self.found.setdefault(task.event_id, Delivery("pending", ()))

    def record(self, task, attempt, state):
        before = self.found[task.event_id]
        if before.state == "pending":
            self.found[task.event_id] = Delivery(state, (*before.attempts, attempt))


class Queues:
    """Where a webhook waits, or is laid down."""

    def __init__(self):
        self.waiting, self.laid_down = [], []

    def again(self, task, delay_seconds):
        self.waiting.append((task, delay_seconds))

    def dead(self, task):
        self.laid_down.append(task)


class Bench:
    """A message, a receiver that answers in turn, and what came of it."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []
        self.deliveries, self.queues, self.clock, self.messages = Deliveries(), Queues(), FakeClock(), MemoryMessages()
        self.messages.add([MESSAGE])

    def post(self, request):
        self.requests.append(request)
        self.clock.msec += 12
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def deliver(self, task=TASK):
        deliver_webhook(
            task,
            messages=self.messages,
            deliveries=self.deliveries,
            queues=self.queues,
            post=self.post,
            clock=self.clock,
            uniform=lambda low, high: 1.0,
        )

    @property
    def delivery(self):
        return self.deliveries.found[TASK.event_id]


def test_a_webhook_that_is_received_is_delivered():
    bench = Bench(200)
    bench.deliver()
    assert bench.delivery == Delivery("delivered", (Attempt(NOW, 12, 200, None),))
    assert (bench.queues.waiting, bench.queues.laid_down) == ([], [])
    assert bench.requests[0].body.startswith(b'{"from":"BazarCOM","to":"380936670003","mid":"')


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_repeat_after_it_was_delivered_sends_nothing(status):
    bench = Bench(status)
    bench.deliver()
    bench.deliver()
    assert len(bench.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (503, None),
        (429, None),
        (ConnectionError("x"), "ConnectionError"),
        (TimeoutError(), "TimeoutError"),
        (OSError(), "OSError"),
    ],
)
def test_a_failure_that_may_pass_waits_for_the_next_attempt(answer, error):
    bench = Bench(answer)
    bench.deliver()
    assert bench.queues.waiting == [(TASK, 5)]
    status = answer if isinstance(answer, int) else None
    assert bench.delivery == Delivery("pending", (Attempt(NOW, 12, status, error),))


def test_it_is_given_up_after_five_attempts_and_laid_down():
    bench = Bench(*[500] * 5)
    for _ in range(5):
        bench.deliver()
    assert [delay for _, delay in bench.queues.waiting] == [5, 30, 120, 600]
    assert bench.queues.laid_down == [TASK]
    assert (bench.delivery.state, len(bench.delivery.attempts)) == ("dead", 5)
    bench.deliver()
    assert len(bench.requests) == 5


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_a_refusal_is_never_tried_again(status):
    bench = Bench(status)
    bench.deliver()
    bench.deliver()
    assert len(bench.requests) == 1
    assert bench.queues.waiting == []
    assert bench.queues.laid_down == [TASK]
    assert bench.delivery.state == "failed"


def test_a_forbidden_address_is_never_tried_again():
    bench = Bench(ForbiddenAddress("the name leads to 10.0.0.1"))
    bench.deliver()
    assert bench.delivery == Delivery("failed", (Attempt(NOW, 12, None, "FORBIDDEN_ADDRESS"),))
    assert bench.queues.waiting == []


def test_every_attempt_has_the_same_id_and_its_own_time():
    bench = Bench(500, 200)
    bench.deliver()
    bench.clock.msec += 5000
    bench.deliver()
    first, second = (dict(request.headers) for request in bench.requests)
    assert first["webhook-id"] == second["webhook-id"] == TASK.event_id
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5


def test_a_crash_before_the_failure_is_recorded_loses_nothing():
    # Given an attempt that dies after it was queued again
    bench = Bench(503, 200)
    bench.deliveries.record = lambda *_: (_ for _ in ()).throw(RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        bench.deliver()
    del bench.deliveries.record
    # When the queue gives it again
    bench.deliver()
    # Then it is delivered
    assert bench.queues.waiting == [(TASK, 5)]
    assert bench.delivery.state == "delivered"


def test_a_message_that_has_expired_sends_nothing():
    bench = Bench()
    bench.deliver(replace(TASK, mid="1"))
    assert not bench.requests
    assert not bench.deliveries.found


def test_a_step_that_is_no_webhook_sends_nothing():
    bench = Bench()
    bench.deliver(replace(TASK, step=1))
    assert not bench.requests
