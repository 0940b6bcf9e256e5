"""Queues, each minute, the webhooks whose next attempt is due: the longer waits, and what was lost on its way."""

from collections.abc import Callable
from typing import Protocol

from speechcall.application.deliver_webhook import WebhookQueue
from speechcall.application.ports import Clock
from speechcall.domain.webhook import WebhookTask

PAGE = 200


class DueDeliveries(Protocol):
    """The pending deliveries by the moment at which they are due."""

    def due(self, now_msec: int, limit: int) -> list[tuple[str, str]]:
        """Message and event ids of pending deliveries that are due, the oldest of each shard first."""

    def wake(self, mid: str, event_id: str, now_msec: int) -> WebhookTask | None:
        """The task of a delivery, which is due again only after a while; None if it is not due any more."""


def wake_webhooks(
    *, deliveries: DueDeliveries, queue: WebhookQueue, clock: Clock, time_left: Callable[[], float]
) -> int:
    """Queues what is due while there is time (`time_left` in seconds); how many that were."""
    woken = 0
    while time_left() > 0:
        found = deliveries.due(clock.now_msec(), PAGE)
        before = woken
        for mid, event_id in found:
            if time_left() <= 0:
                return woken
            # Marked before it is queued: a crash between the two queues it a while later, and never twice a minute.
            if task := deliveries.wake(mid, event_id, clock.now_msec()):
                queue.again(task, 0)
                woken += 1
        if len(found) < PAGE or woken == before:
            return woken
    return woken
