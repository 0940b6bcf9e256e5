"""Repairs of moto's SQS: no message is lost or handed out twice, and a FIFO queue keeps its promises."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import time
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.models import DEDUPLICATION_TIME_IN_SECONDS, Message, Queue, SQSBackend

from local.cloud.moto_patches.replace import Replacement, instead_of

_released = 0
_LOOK_UP_SECONDS = 0.2


def release_receivers() -> None:
    """Let every long poll under way return empty-handed within 0.2 s: the pollers are about to stop."""
    global _released  # noqa: PLW0603  (moto's queues are global too)
    _released += 1


def handle_each_queue_in_one_step() -> None:
    """Messages are lost, handed out twice, and handed out while another one of their group is being worked on.

    Moto deletes by copying the list of messages: one sent meanwhile is gone; it looks and marks in two steps;
    and a long poll decides by the groups that were being worked on when it began, however long ago. While a group waits
    for its message, a long poll on it turns in a circle and burns a core.
    """

    @instead_of(Queue, "add_message")
    @instead_of(Queue, "delete_message")
    def change(stock: Replacement, queue: Any, *args: Any) -> None:
        with queue._messages_lock:
            stock(queue, *args)
            queue._messages_lock.notify_all()

    @instead_of(SQSBackend, "change_message_visibility")
    def change_message_visibility(stock: Replacement, backend: Any, queue_name: str, *args: Any, **more: Any) -> None:
        change(lambda _queue: stock(backend, queue_name, *args, **more), backend.get_queue(queue_name))

    @instead_of(SQSBackend, "receive_message")
    def receive_message(
        stock: Replacement, backend: Any, queue_name: str, count: int, wait_seconds: int, *args: Any
    ) -> list[Message]:
        queue, released = backend.get_queue(queue_name), _released
        deadline = time.monotonic() + wait_seconds
        with queue._messages_lock:
            while True:
                messages: list[Message] = stock(backend, queue_name, count, 0, *args)
                remaining = deadline - time.monotonic()
                if messages or remaining <= 0 or released != _released:
                    return messages
                queue._messages_lock.wait(min(remaining, _LOOK_UP_SECONDS, _seconds_to_next(queue)))


def _seconds_to_next(queue: Any) -> float:
    """Seconds until a message that is hidden or delayed appears by itself: just after its moment, as moto reads it."""
    now = unix_time_millis()
    moments = (max(message.visible_at, message.delayed_until) for message in queue._messages)
    return min((moment - now for moment in moments if moment >= now), default=float("inf")) / 1000 + 0.001


def remember_deduplication_ids() -> None:
    """A FIFO message sent again after it was worked on is handed out again: moto forgets its id when it is deleted."""

    @instead_of(Queue, "add_message")
    def add_message(stock: Replacement, queue: Any, message: Message) -> None:
        with queue._messages_lock:
            if queue.fifo_queue and message.deduplication_id:
                seen = queue.__dict__.setdefault("seen_ids", {})
                now = time.monotonic()
                for key, moment in list(seen.items()):
                    if now - moment < DEDUPLICATION_TIME_IN_SECONDS:
                        break
                    del seen[key]
                key = (message.group_id, message.deduplication_id)
                if key in seen:
                    return
                seen[key] = now
            stock(queue, message)
