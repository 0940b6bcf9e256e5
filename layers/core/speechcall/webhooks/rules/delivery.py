"""The delivery of one webhook: its attempts, and what comes after each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from speechcall.messages.rules.status_event import StatusKind
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.webhooks.rules.retry import Uniform, is_delivered, own_fault_delay, retry_delay
from speechcall.webhooks.rules.webhook import WebhookTask

OUR_NETWORK = "OUR_NETWORK"
"""The error of an attempt that failed on our side: it does not count as one of the receiver's."""
FORBIDDEN_ADDRESS = "FORBIDDEN_ADDRESS"
INTERNAL_ERROR = "INTERNAL_ERROR"
"""The error of an attempt that met the unforeseen. It counts, so that such attempts come to an end too."""
NO_TURN = "NO_TURN"
"""The error of an attempt that was not made, since its turn did not come for a day. It counts."""
MAX_ATTEMPTS = 200
"""However often it is replayed."""
MAX_QUEUE_DELAY_SECONDS = 900
"""SQS delays a message by no more (SendMessage, DelaySeconds)."""
PATIENCE_MSEC = QUEUE_LOST_SECONDS * 1000
MAX_WAKES = 48
"""How often a pending webhook is queued again without an attempt, each time after PATIENCE_MSEC: 12 hours in all."""
MAX_ORDER_WAITS = 25
"""How often a webhook waits for one before it in its call: about 20 minutes, more than PATIENCE_MSEC."""
MAX_TURN_WAITS = 1444
"""How often it waits for a place among those in flight before that counts as an attempt: about a day."""


class DeliveryState(StrEnum):
    """The state of a webhook. `failed`: refused for good; `dead`: given up after its last attempt."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"


QUEUED: Final = "queued"
"""What is shown of a webhook that waits for its first attempt, whether its delivery was begun or not."""
ShownState = Literal["queued", "pending", "delivered", "failed", "dead"]
UNDELIVERED = (DeliveryState.FAILED, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to: the status, or a word for what left none."""

    at_msec: int
    """When it began."""
    msec: int
    """How long it took."""
    status: int | None
    error: str | None


class NotRecorded(Exception):
    """What an attempt came to could not be written down; the cause says why."""

    def __init__(self, attempt: Attempt, state: DeliveryState) -> None:
        super().__init__(f"an attempt that leads to {state}")
        self.attempt, self.state = attempt, state


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook's way so far."""

    state: DeliveryState
    attempts: Sequence[Attempt] = ()
    version: int = 0
    """Grows with each change; of what waits in the queues only the task that names it is done."""
    round_start: int = 0
    """How many of the attempts were made before it was last replayed."""
    waits: int = 0
    """How often it has waited for its turn since its last attempt."""
    next_msec: int | None = None
    """When it is to be tried again; None: it has ended, or was never put off."""
    destination: str = ""
    """Scheme, host and port of its URL."""
    has_secret_digits: bool = False
    """Whether it tells sensitive digits: they are erased when it has ended, so it is not sent again."""

    @property
    def shown_state(self) -> ShownState:
        """The state as the sender sees it: until the first attempt has come to something, it is `queued`."""
        return QUEUED if self.state is DeliveryState.PENDING and not self.attempts else self.state.value


class GivenUp(NamedTuple):
    """A webhook that was given up, and when."""

    task: WebhookTask
    delivery: Delivery
    at_msec: int


class PlaceAmongGivenUp(NamedTuple):
    """Where a page of what was given up for an account ends."""

    at_msec: int
    mid: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when a pending delivery waits, and who ends that: a queue, or (longer waits) who looks for what is due."""

    next_msec: int
    queue_seconds: int | None
    """After which a queue brings it; None: it is longer than a queue can wait."""
    due_msec: int
    """When it is queued again, whatever should have brought it."""

    @classmethod
    def of(cls, delay_seconds: int, now_msec: int) -> "Wait":
        """A wait of so many seconds from now on."""
        until = now_msec + delay_seconds * 1000
        if delay_seconds <= MAX_QUEUE_DELAY_SECONDS:
            return cls(until, delay_seconds, until + PATIENCE_MSEC)
        return cls(until, None, until)


def is_current(delivery: Delivery, task: WebhookTask) -> bool:
    """Whether a task is the one that is to be done: of a pending delivery, in its version."""
    return delivery.state is DeliveryState.PENDING and delivery.version == task.version


def comes_before(other: tuple[int, str], attempt: int, kind: str) -> bool:
    """Whether a webhook of a message comes before a status event of the same message.

    `other`: the webhook's call attempt and key (the kind, if it tells of a status too); `attempt`, `kind`: of the
    event.

    First the keys of a call, then that it is over, then the next call; the end of the message comes behind all of them,
    and what has become of its fallback behind that.
    """
    last = (StatusKind.FINAL.value, StatusKind.FALLBACK.value)
    # Before one of these comes all else, but not itself nor what is behind it.
    if kind in last:
        return other[1] not in last[last.index(StatusKind(kind)) :]
    rank = {StatusKind.ATTEMPT.value: 1, **dict.fromkeys(last, 2)}
    return (other[0], rank.get(other[1], 0)) < (attempt, rank[kind])


def places_of_an_account(consumers: int) -> int:
    """How many webhooks of one account may be in flight, where each queue has so many consumers: two fifths of those.

    So one account, and two of them, leave room for a third, whatever their receivers do.
    """
    return max(1, 2 * consumers // 5)


def after(
    delivery: Delivery, attempt: Attempt, may_pass: bool, retry_after: int | None, uniform: Uniform
) -> tuple[DeliveryState, int | None]:
    """The state that an attempt leads to, and for `pending` the whole seconds until the next one (else None).

    `delivery`: as it was before it; `may_pass`: whether its failure may pass; `retry_after`: the seconds that the
    receiver asked for. Only attempts since the last replay count, and faults of our own network are counted apart from
    the receiver's.
    """
    if attempt.status is not None and is_delivered(attempt.status):
        return DeliveryState.DELIVERED, None
    if not may_pass:
        return DeliveryState.FAILED, None
    made = [*delivery.attempts[delivery.round_start :], attempt]
    faults = sum(one.error == OUR_NETWORK for one in made)
    if attempt.error == OUR_NETWORK:
        delay = own_fault_delay(faults, uniform)
    else:
        delay = retry_delay(len(made) - faults, uniform, retry_after)
    return (DeliveryState.DEAD, None) if delay is None else (DeliveryState.PENDING, delay)
