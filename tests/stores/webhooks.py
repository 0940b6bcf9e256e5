"""What webhooks are delivered with, in memory: deliveries, places and a queue, by a clock that a test moves.

Deliveries and places are held equal to DynamoDB by tests/integration/test_deliveries_store.py. One lock makes each
method one step.
"""

import heapq
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from speechcall.messages.rules.message import Message
from speechcall.outbound.rules.destination import NOWHERE
from speechcall.webhooks.adapters.places_store import LEASE_MSEC
from speechcall.webhooks.rules.delivery import (
    MAX_WAKES,
    PATIENCE_MSEC,
    Attempt,
    Delivery,
    DeliveryState,
    GivenUp,
    PlaceAmongGivenUp,
    Wait,
    comes_before,
)
from speechcall.webhooks.rules.webhook import WebhookTask, tells_secret_digits


@dataclass
class _Kept:
    task: WebhookTask
    delivery: Delivery
    account_id: str
    due_msec: int | None
    ended_msec: int | None = None
    woken: int = 0


class MemoryDeliveries:
    """A `DeliveryStore`, and the deliveries that are due."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()
        self.writes = 0

    def begin(self, task: WebhookTask, message: Message, goes_to: str, now_msec: int) -> Delivery:
        with self._lock:
            self.writes += 1
            name = (task.mid, task.event_id)
            if name not in self._kept:
                new = Delivery(
                    DeliveryState.PENDING,
                    destination=goes_to,
                    has_secret_digits=tells_secret_digits(message, task),
                )
                self._kept[name] = _Kept(
                    replace(task, version=0), new, message.account_id, due_msec=now_msec + PATIENCE_MSEC
                )
            return self._kept[name].delivery

    def record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        with self._lock:
            self.writes += 1
            if not (kept := self._pending(task)):
                return False
            before = kept.delivery
            self._change(
                kept,
                replace(
                    before,
                    state=state,
                    attempts=(*before.attempts, attempt),
                    waits=0,
                    next_msec=wait.next_msec if wait else None,
                ),
            )
            kept.due_msec = wait.due_msec if wait else None
            kept.ended_msec = (
                attempt.at_msec + attempt.msec if state in (DeliveryState.FAILED, DeliveryState.DEAD) else None
            )
            return True

    def put_off(self, task: WebhookTask, wait: Wait) -> bool:
        with self._lock:
            self.writes += 1
            if not (kept := self._pending(task)):
                return False
            self._change(kept, replace(kept.delivery, waits=kept.delivery.waits + 1, next_msec=wait.next_msec))
            kept.due_msec = wait.due_msec
            return True

    def has_earlier_untried(self, task: WebhookTask) -> bool:
        with self._lock:
            return any(
                kept.delivery.state is DeliveryState.PENDING
                and not kept.delivery.attempts
                and (kept.task.mid, kept.task.attempt) == (task.mid, task.attempt)
                and (kept.task.seq, kept.task.step) < (task.seq, task.step)
                for kept in self._kept.values()
            )

    def has_untried_before(self, task: WebhookTask) -> bool:
        with self._lock:
            return any(
                kept.delivery.state is DeliveryState.PENDING
                and not kept.delivery.attempts
                and kept.task.mid == task.mid
                and comes_before((kept.task.attempt, kept.task.key), task.attempt, task.key)
                for kept in self._kept.values()
            )

    def tell(self, task: WebhookTask, account_id: str, place: str, due_msec: int) -> None:
        """A status event, as the store of messages writes it."""
        with self._lock:
            new = Delivery(DeliveryState.PENDING, destination=place)
            self._kept[task.mid, task.event_id] = _Kept(task, new, account_id, due_msec)

    def due(self, now_msec: int, limit: int) -> list[tuple[str, str]]:
        with self._lock:
            found = sorted(
                (kept.due_msec, name)
                for name, kept in self._kept.items()
                if kept.due_msec is not None and kept.due_msec <= now_msec
            )
            return [name for _, name in found[:limit]]

    def wake(self, mid: str, event_id: str, now_msec: int) -> WebhookTask | None:
        with self._lock:
            kept = self._kept.get((mid, event_id))
            if kept is None or kept.due_msec is None or kept.due_msec > now_msec or kept.woken >= MAX_WAKES:
                return None
            kept.due_msec = now_msec + PATIENCE_MSEC
            kept.woken += 1
            return replace(kept.task, version=kept.delivery.version)

    def give_up_woken(self, mid: str, event_id: str, attempt: Attempt) -> bool:
        with self._lock:
            kept = self._kept.get((mid, event_id))
            if kept is None or kept.due_msec is None or kept.due_msec > attempt.at_msec or kept.woken < MAX_WAKES:
                return False
            return self._end(kept, attempt, DeliveryState.DEAD)

    def finish(self, task: WebhookTask, attempt: Attempt, state: DeliveryState) -> bool:
        with self._lock:
            self.writes += 1
            name = (task.mid, task.event_id)
            if name not in self._kept:
                new = Delivery(DeliveryState.PENDING, destination=NOWHERE)
                self._kept[name] = _Kept(replace(task, version=0), new, "", None)
            return self._end(self._kept[name], attempt, state)

    def _end(self, kept: _Kept, attempt: Attempt, state: DeliveryState) -> bool:
        if kept.delivery.state is not DeliveryState.PENDING:
            return False
        attempts = (*kept.delivery.attempts, attempt)
        self._change(kept, replace(kept.delivery, state=state, attempts=attempts, next_msec=None))
        kept.due_msec = None
        kept.ended_msec = None if state is DeliveryState.DELIVERED else attempt.at_msec + attempt.msec
        return True

    def replay(self, task: WebhookTask, delivery: Delivery, now_msec: int) -> WebhookTask | None:
        with self._lock:
            kept = self._kept.get((task.mid, task.event_id))
            if kept is None or kept.delivery.state is DeliveryState.PENDING:
                return None
            if kept.delivery.version != delivery.version:
                return None
            wait = Wait.of(0, now_msec)
            made = len(kept.delivery.attempts)
            self._change(
                kept,
                replace(
                    kept.delivery,
                    state=DeliveryState.PENDING,
                    round_start=made,
                    waits=0,
                    next_msec=wait.next_msec,
                ),
            )
            kept.due_msec, kept.ended_msec = wait.due_msec, None
            return replace(kept.task, version=kept.delivery.version)

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        with self._lock:
            kept = self._kept.get((mid, event_id))
            return (replace(kept.task, version=kept.delivery.version), kept.delivery) if kept else None

    def undelivered(self, account_id: str, since_msec: int) -> Iterator[tuple[str, str]]:
        with self._lock:
            found = sorted(
                (kept.ended_msec, name)
                for name, kept in self._kept.items()
                if kept.account_id == account_id and kept.ended_msec is not None and kept.ended_msec >= since_msec
            )
        yield from (name for _, name in found)

    def given_up_page(
        self,
        account_id: str,
        between_msec: tuple[int, int],
        limit: int,
        after: PlaceAmongGivenUp | None = None,
        *,
        latest_first: bool = False,
    ) -> tuple[list[GivenUp], PlaceAmongGivenUp | None]:
        with self._lock:
            found = sorted(
                (kept.ended_msec, *name)
                for name, kept in self._kept.items()
                if kept.account_id == account_id and kept.ended_msec is not None
                if between_msec[0] <= kept.ended_msec <= between_msec[1]
            )
            if latest_first:
                found.reverse()
            if after:
                found = [one for one in found if (one < after) == latest_first and one != after]
            page = [PlaceAmongGivenUp(*one) for one in found[:limit]]
            given_up = [
                GivenUp(replace(kept.task, version=kept.delivery.version), kept.delivery, place.at_msec)
                for place in page
                for kept in [self._kept[place.mid, place.event_id]]
            ]
            return given_up, page[-1] if len(page) == limit else None

    def _pending(self, task: WebhookTask) -> _Kept | None:
        kept = self._kept.get((task.mid, task.event_id))
        counts = kept and kept.delivery.state is DeliveryState.PENDING and kept.delivery.version == task.version
        return kept if counts else None

    def _change(self, kept: _Kept, changed: Delivery) -> None:
        kept.delivery, kept.woken = replace(changed, version=kept.delivery.version + 1), 0


class MemoryPlaces:
    """The `Places`."""

    def __init__(self, most: int = 10) -> None:
        self._most = most
        self._held: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()
        self._names = itertools.count()
        self.most_seen: dict[str, int] = {}
        self.writes = 0

    def take(self, destination: str, now_msec: int) -> str | None:
        with self._lock:
            self.writes += 1
            held = {n: end for n, end in self._held.get(destination, {}).items() if end >= now_msec}
            self._held[destination] = held
            if len(held) >= self._most:
                return None
            name = str(next(self._names))
            held[name] = now_msec + LEASE_MSEC
            self.most_seen[destination] = max(self.most_seen.get(destination, 0), len(held))
            return name

    def give_back(self, destination: str, name: str) -> None:
        with self._lock:
            self.writes += 1
            self._held.get(destination, {}).pop(name, None)


@dataclass
class VirtualQueue:
    """A `WebhookQueue` whose delays are moments of a virtual clock. What is taken and not deleted comes again."""

    now_msec: int
    waiting: list[tuple[int, int, WebhookTask, int]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def again(self, task: WebhookTask, delay_seconds: int) -> None:
        assert 0 <= delay_seconds <= 900
        self.delays.append(delay_seconds)
        self.put(task, self.now_msec + delay_seconds * 1000)

    def put(self, task: WebhookTask, at_msec: int, receives: int = 0) -> None:
        """`receives`: how often it was brought before."""
        heapq.heappush(self.waiting, (at_msec, next(self._order), task, receives))

    def next_msec(self) -> int | None:
        return self.waiting[0][0] if self.waiting else None

    def take(self) -> tuple[WebhookTask, int]:
        """The next task, and how often it has been brought with this time."""
        _, _, task, receives = heapq.heappop(self.waiting)
        return task, receives + 1
