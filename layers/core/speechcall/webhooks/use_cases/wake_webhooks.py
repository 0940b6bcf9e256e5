"""Queues, each minute, the webhooks whose next attempt is due: the longer waits, and what was lost on its way.

One that was queued so often without an attempt, whatever was in the way, is given up here: nothing is pending for
ever.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from speechcall.shared.rules.ids import call_attempt_of
from speechcall.shared.rules.unforeseen import told
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.delivery import INTERNAL_ERROR, Attempt, Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.deliver_webhook import WebhookQueue

logger = logging.getLogger(__name__)

PAGE = 200


class DueDeliveries(Protocol):
    """The pending deliveries by the moment at which they are due."""

    def due(self, now_msec: int, limit: int) -> list[tuple[str, str]]:
        """Message and event ids of pending deliveries that are due, `limit` at most, the oldest first; it may lag."""

    def wake(self, mid: str, event_id: str, now_msec: int) -> WebhookTask | None:
        """The task of a delivery, which is due again only after a while; None if it is not due any more.

        None too if it has been woken MAX_WAKES times since anything was recorded of it.
        """

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        """A delivery, and the task of its version; None if it was not begun."""

    def give_up_woken(self, mid: str, event_id: str, attempt: Attempt) -> bool:
        """Ends a delivery that is due and has been woken MAX_WAKES times. False if it is not so.

        `attempt`: what is added to its attempts.
        """


@dataclass(frozen=True, slots=True)
class Woken:
    """How many webhooks were queued, and how many were given up."""

    queued: int = 0
    given_up: int = 0


def wake_webhooks(
    *,
    deliveries: DueDeliveries,
    queue: WebhookQueue,
    clock: Clock,
    time_left: Callable[[], float],
    tell_of: Callable[[str, str, str], object] = lambda _mid, _event_id, _word: None,
) -> Woken:
    """Queues what is due while there is time (`time_left` in seconds). What goes wrong with one is logged.

    `tell_of` is called, by message and event id, for each that was queued (`woken`) or given up (`dead`), and for no
    other: not for one that is not due any more, nor for one that failed. Those that failed are still due and come first
    again, so a page is longer by so many.
    """
    queued, given_up = 0, 0
    stuck: set[tuple[str, str]] = set()
    while time_left() > 0:
        due = deliveries.due(clock.now_msec(), PAGE + len(stuck))
        before = queued + given_up + len(stuck)
        for mid, event_id in due:
            if time_left() <= 0:
                break
            if (mid, event_id) in stuck:
                continue
            try:
                # Marked before it is queued: a crash between the two queues it a while later, and never twice a minute.
                if task := deliveries.wake(mid, event_id, clock.now_msec()):
                    queue.again(task, 0)
                    queued += 1
                    tell_of(mid, event_id, "woken")
                elif deliveries.give_up_woken(mid, event_id, Attempt(clock.now_msec(), 0, None, INTERNAL_ERROR)):
                    given_up += 1
                    tell_of(mid, event_id, DeliveryState.DEAD)
                    if (found := deliveries.find(mid, event_id)) and found[1].has_secret_digits:
                        queue.again(found[0], 0)  # it ends there, unsent, and its digits are erased
            except Exception as error:  # noqa: BLE001 - the next one has nothing to do with it
                fields = {"mid": mid, "attempt": call_attempt_of(event_id), "webhook_id": event_id}
                logger.error("a webhook was not woken: %s", told(error), extra=fields)
                stuck.add((mid, event_id))
        # All that was due has been seen; or nothing was done with a whole page, and the next would be the same.
        if len(due) < PAGE or queued + given_up + len(stuck) == before:
            break
    return Woken(queued, given_up)
