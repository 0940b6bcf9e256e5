"""One attempt to deliver one webhook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from speechcall.application.ports import Clock, MessageStore
from speechcall.domain.errors import ForbiddenAddress
from speechcall.domain.message import Message, Webhook
from speechcall.domain.retry import is_delivered, is_retryable, retry_delay
from speechcall.domain.webhook import WebhookRequest, WebhookTask, webhook_request


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to: the status, or the name of the error that left none."""

    at_msec: int
    msec: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook's way so far. `state`: pending, delivered, failed (never again), dead (given up)."""

    state: str
    attempts: Sequence[Attempt]


class DeliveryStore(Protocol):
    """The deliveries of a message."""

    def begin(self, task: WebhookTask, expires_at: int) -> Delivery:
        """The delivery, written as pending if it is new."""

    def record(self, task: WebhookTask, attempt: Attempt, state: str) -> None:
        """Adds an attempt to a pending delivery. One that was delivered or given up stays so."""


class WebhookQueues(Protocol):
    """Where a webhook waits for its next attempt, or is laid down for good."""

    def again(self, task: WebhookTask, delay_seconds: int) -> None: ...

    def dead(self, task: WebhookTask) -> None: ...


Post = Callable[[WebhookRequest], int]
"""Sends a request, returns the status. Raises ForbiddenAddress, OSError, TimeoutError."""


def deliver_webhook(
    task: WebhookTask,
    *,
    messages: MessageStore,
    deliveries: DeliveryStore,
    queues: WebhookQueues,
    post: Post,
    clock: Clock,
    uniform: Callable[[float, float], float],
) -> None:
    """Sends a webhook once; a failure that may pass is queued for another attempt.

    Once in effect: a task that comes again after it was delivered or given up does nothing, and every
    attempt carries the same `webhook-id`.
    """
    message = messages.get(task.mid)
    webhook = _webhook(message, task)
    if message is None or webhook is None:
        return
    delivery = deliveries.begin(task, message.expires_at)
    if delivery.state != "pending":
        return
    attempt, may_pass = _attempt(
        webhook_request(message, webhook, task.event_id, clock.now_msec() // 1000), post, clock
    )
    made = len(delivery.attempts) + 1
    if attempt.status is not None and is_delivered(attempt.status):
        deliveries.record(task, attempt, "delivered")
        return
    delay = retry_delay(made, uniform) if may_pass else None
    # Queued before it is recorded: a crash between the two tries once more, and loses nothing.
    if delay is not None:
        queues.again(task, delay)
        deliveries.record(task, attempt, "pending")
    else:
        queues.dead(task)
        deliveries.record(task, attempt, "dead" if may_pass else "failed")


def _webhook(message: Message | None, task: WebhookTask) -> Webhook | None:
    """The webhook that a task names; None if the message has expired."""
    if message is None:
        return None
    action = message.menus[task.menu].actions[task.key][task.step]
    return action if isinstance(action, Webhook) else None


def _attempt(request: WebhookRequest, post: Post, clock: Clock) -> tuple[Attempt, bool]:
    """The attempt, and whether its failure may pass."""
    begin = clock.now_msec()
    status, error, may_pass = None, None, True
    try:
        status = post(request)
        may_pass = is_retryable(status)
    except ForbiddenAddress:
        error, may_pass = "FORBIDDEN_ADDRESS", False
    except (OSError, TimeoutError) as failure:
        error = type(failure).__name__
    return Attempt(begin, clock.now_msec() - begin, status, error), may_pass
