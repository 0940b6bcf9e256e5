"""One attempt to deliver one webhook.

      task ─► delivery begun, or read ─► is it the task that counts? ─► its turn? ─► a place? ─► POST ─► recorded
                                            no: nothing is done         no: later    no: later            └─► queued

The table is the truth, and a queue only wakes: what a crash keeps from being queued is found by its due time
(`wake_webhooks`). A task names the delivery's version, and each change makes a new one, so of two that are
queued for the same delivery one finds itself overtaken. A crash between POST and record sends again what was sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from speechcall.application.message_ports import MessageStore
from speechcall.application.ports import Clock
from speechcall.domain.delivery import FORBIDDEN_ADDRESS, OUR_NETWORK, Attempt, Delivery, DeliveryState, Wait, after
from speechcall.domain.errors import ForbiddenAddress, Unreachable
from speechcall.domain.message import Message, Webhook
from speechcall.domain.retry import Uniform, is_delivered, is_retryable, retry_after_seconds, turn_delay
from speechcall.domain.webhook import (
    WebhookAnswer,
    WebhookRequest,
    WebhookTask,
    destination,
    may_follow_others,
    webhook_of,
    webhook_request,
)


class DeliveryStore(Protocol):
    """The deliveries of webhooks. Every change is one conditional write, and makes a new version.

    A pending delivery is due some time after its next attempt should have been: nothing that is pending is forgotten.
    """

    def begin(self, task: WebhookTask, message: Message, place: str, now_msec: int) -> Delivery:
        """The delivery, written as pending if it is new."""

    def record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        """Adds an attempt. False if the delivery is not pending in the task's version: then nothing is written."""

    def put_off(self, task: WebhookTask, wait: Wait) -> bool:
        """Notes that it waits for its turn. False as for `record`."""

    def has_earlier_untried(self, task: WebhookTask) -> bool:
        """Whether a webhook that the same call sent before this one has not been tried yet."""


class Places(Protocol):
    """How many attempts are in flight to each destination."""

    def take(self, destination: str, now_msec: int) -> str | None:
        """A place among those in flight, by a name to give it back; None: there is none."""

    def give_back(self, destination: str, name: str) -> None: ...


class WebhookQueue(Protocol):
    """What wakes a webhook for its next attempt."""

    def again(self, task: WebhookTask, delay_seconds: int) -> None: ...


Post = Callable[[WebhookRequest], WebhookAnswer]
"""Sends a request. Raises ForbiddenAddress, Unreachable."""
Sign = Callable[[str, WebhookRequest], WebhookRequest]
"""The request with the signature of an account (its id), where it has a secret."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What an attempt is made with."""

    messages: MessageStore
    deliveries: DeliveryStore
    places: Places
    queue: WebhookQueue
    post: Post
    sign: Sign
    clock: Clock
    uniform: Uniform

    def deliver(self, task: WebhookTask) -> str:
        """Tries a webhook once; one that may yet arrive is queued for another attempt.

        Out, for who counts: `delivered`, `retried`, `ourFault`, `failed`, `dead`; `waited` for its turn;
        `none` if there was nothing to do.
        """
        message = self.messages.get(task.mid)
        webhook = webhook_of(message, task) if message else None
        if message is None or webhook is None:
            return "none"
        now, place = self.clock.now_msec(), destination(webhook.url)
        delivery = self.deliveries.begin(task, message, place, now)
        if delivery.state is not DeliveryState.PENDING or delivery.version != task.version:
            return "none"
        if not delivery.attempts and may_follow_others(message, task) and self.deliveries.has_earlier_untried(task):
            return self._wait(task, delivery)
        request = self._request(message, webhook, task, now)
        taken = self.places.take(place, now)
        if taken is None:
            return self._wait(task, delivery)
        try:
            attempt, may_pass, retry_after = self._attempt(request)
        finally:
            self.places.give_back(place, taken)
        state, delay = after(delivery, attempt, may_pass, retry_after, self.uniform)
        wait = None if delay is None else Wait.of(delay, self.clock.now_msec())
        if self.deliveries.record(task, attempt, state, wait):
            self._again(task, wait)
        if state is DeliveryState.PENDING:
            return "ourFault" if attempt.error == OUR_NETWORK else "retried"
        return state.value

    def _request(self, message: Message, webhook: Webhook, task: WebhookTask, now_msec: int) -> WebhookRequest:
        return self.sign(message.account_id, webhook_request(message, webhook, task.event_id, now_msec // 1000))

    def _wait(self, task: WebhookTask, delivery: Delivery) -> str:
        wait = Wait.of(turn_delay(delivery.waits, self.uniform), self.clock.now_msec())
        if self.deliveries.put_off(task, wait):
            self._again(task, wait)
        return "waited"

    def _again(self, task: WebhookTask, wait: Wait | None) -> None:
        """Into the queue, if a queue can bring it in time."""
        if wait and wait.queue_seconds is not None:
            self.queue.again(replace(task, version=task.version + 1), wait.queue_seconds)

    def _attempt(self, request: WebhookRequest) -> tuple[Attempt, bool, int | None]:
        """The attempt, whether its failure may pass, and the seconds that the receiver asks us to wait."""
        begin = self.clock.now_msec()
        status, error, may_pass, retry_after = None, None, True, None
        try:
            answer = self.post(request)
            status, may_pass = answer.status, is_retryable(answer.status)
            if not is_delivered(status):
                retry_after = retry_after_seconds(answer.retry_after, self.clock.now_msec() // 1000)
        except ForbiddenAddress:
            error, may_pass = FORBIDDEN_ADDRESS, False
        except Unreachable as failure:
            error, may_pass = failure.word, not failure.hopeless
            if failure.ours:
                error = OUR_NETWORK
        return Attempt(begin, self.clock.now_msec() - begin, status, error), may_pass, retry_after
