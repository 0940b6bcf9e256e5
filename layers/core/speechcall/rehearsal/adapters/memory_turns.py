"""Turns and queues in memory. Its owner's lock makes a claim one step with the messages' states.

The order lags as the index does; what is read by key does not.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from speechcall.messages.adapters.turns_store import ALREADY_AWAKE_MSEC, MOST_OPENED
from speechcall.messages.rules.turns import Queue, Turn, cost
from speechcall.messages.use_cases.message_ports import AccountFull, Brake, Claim, HeldBack, QueueShut, TurnMoved
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.rehearsal.adapters.copies import altered
from speechcall.rehearsal.adapters.memory_index import MemoryIndex, Shard
from speechcall.shared.adapters.keys import waiting_partition

TurnName = tuple[str, bool]
QueueName = tuple[str, str, bool, str]


@dataclass
class MemoryTurns:
    """A `TurnStore` in memory. `lag_msec`: how long after a write the order shows it, by the clock `now_msec`."""

    lag_msec: int = 0
    queue_lag_msec: int | None = None
    """The same for queues, which an index may show later than the turn that was written with them; None: alike."""
    now_msec: Callable[[], int] = lambda: 0
    clocks: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    places: MemoryIndex = field(default_factory=MemoryIndex)
    """The messages that stand in their queues."""
    remembers: bool = True
    """It believes for a while that what it has woken is awake, as an environment does."""
    _turns: dict[TurnName, Turn] = field(default_factory=dict)
    _queues: dict[QueueName, Queue] = field(default_factory=dict)
    _seen_turns: dict[TurnName, Turn] = field(default_factory=dict)
    _seen_queues: dict[QueueName, Queue] = field(default_factory=dict)
    _order: Shard = field(default_factory=Shard)
    _queue_order: dict[TurnName, Shard] = field(default_factory=lambda: defaultdict(Shard))
    _coming: tuple[deque[tuple[int, Turn | Queue]], ...] = field(default_factory=lambda: (deque(), deque()))
    """What the order does not show yet, and when it does: turns, then queues."""
    _woken: dict[QueueName, int] = field(default_factory=dict)

    # ------------------------------------------------------------------ reads
    def waiting(self, limit: int) -> list[Turn]:
        self._catch_up()
        return [self._seen_turns[name] for _, name in self._order.first(limit)]

    def waiting_shares(self) -> int:
        self._catch_up()
        waiting = [turn for turn in self._seen_turns.values() if turn.is_waiting and not turn.is_paused]
        return sum({turn.account_id: turn.share for turn in waiting}.values())

    def queues(self, turn: Turn, limit: int) -> list[Queue]:
        self._catch_up()
        shard = self._queue_order[turn.account_id, turn.is_urgent]
        return [self._seen_queues[name] for _, name in shard.first(limit)]

    def heads(self, queue: Queue, limit: int) -> list[str]:
        partition = waiting_partition(queue.account_id, queue.campaign, queue.is_urgent, queue.window)
        return self.places.first(partition, limit)

    def find(self, account_id: str, is_urgent: bool) -> Turn:
        return self._turns.get((account_id, is_urgent)) or Turn(account_id, is_urgent)

    def find_queue(self, account_id: str, campaign: str, is_urgent: bool, window: str = "") -> Queue:
        found = self._queues.get((account_id, campaign, is_urgent, window))
        return found or Queue(account_id, campaign, is_urgent, window=window)

    def all_of(self, account_id: str) -> tuple[list[Turn], list[Queue]]:
        turns = [turn for turn in self._turns.values() if turn.account_id == account_id]
        return turns, [queue for queue in self._queues.values() if queue.account_id == account_id]

    # ----------------------------------------------------------------- writes
    def wake(
        self,
        account_id: str,
        campaign: str,
        is_urgent: bool,
        now_msec: int,
        *,
        window: str = "",
        opens_msec: int = 0,
        was_stopped: bool = False,
    ) -> None:
        """As `TurnStore.wake`."""
        name = (account_id, campaign, is_urgent, window)
        if opens_msec > now_msec:
            if self.find_queue(*name).opens_msec != opens_msec:
                self.shut(Queue(account_id, campaign, is_urgent, window=window), opens_msec)
            return
        if not was_stopped and self.remembers and now_msec < self._woken.get(name, 0) + ALREADY_AWAKE_MSEC:
            return
        turn, queue = self.find(account_id, is_urgent), self.find_queue(*name)
        # A queue or turn that waits again begins at least where the clock of the others stands: rest gains it nothing.
        if not queue.is_waiting:
            queue = altered(queue, opens_msec=0, virtual=max(queue.standing, turn.queue_clock), owed=0, is_waiting=True)
        self._put(altered(queue, woken_msec=now_msec, revision=queue.revision + 1))
        if not turn.is_paused:
            if not turn.is_waiting:
                virtual = max(turn.standing, self.clocks[is_urgent])
                turn = altered(turn, virtual=virtual, owed=0, is_waiting=True)
            self._put(altered(turn, woken_msec=now_msec, revision=turn.revision + 1))
        self._woken[name] = now_msec

    def shut(self, queue: Queue, opens_msec: int) -> None:
        name = _queue_name(queue)
        stored = self.find_queue(*name)
        self._woken.pop(name, None)
        self._put(altered(stored, is_waiting=False, opens_msec=opens_msec, revision=stored.revision + 1))

    def open_due(self, now_msec: int) -> int:
        found = [queue for queue in self._queues.values() if 0 < queue.opens_msec <= now_msec]
        for queue in sorted(found, key=lambda one: one.opens_msec)[:MOST_OPENED]:
            self.wake(queue.account_id, queue.campaign, queue.is_urgent, now_msec, window=queue.window)
        return len(found[:MOST_OPENED])

    def rest(self, turn: Turn, queue: Queue | None = None) -> bool:
        """As `TurnStore.rest`."""
        if queue is not None:
            stored = self.find_queue(*_queue_name(queue))
            if stored.revision != queue.revision:
                return False
            self._woken.pop(_queue_name(queue), None)
            self._put(altered(stored, is_waiting=False))
            return True
        found = self.find(turn.account_id, turn.is_urgent)
        if found.revision != turn.revision:
            return False
        self._put(altered(found, is_waiting=False))
        return True

    def forget_live(self, turn: Turn, holders: Sequence[str]) -> None:
        if holders:
            found = self.find(turn.account_id, turn.is_urgent)
            self._put(altered(found, live=found.live - set(holders)))

    # ------------------------------------------------- parts of claims and ends
    def refusal(self, charge: Charge, mid: str) -> Claim | None:
        """Why an account may not be charged, by the conditions of `charge_turn` and `charge_queue`; None: it may."""
        turn, read = self.find(charge.turn.account_id, charge.turn.is_urgent), charge.turn
        if turn.cancelled_upto >= int(mid):
            return HeldBack(Brake.ACCOUNT, is_final=True)
        if turn.is_paused:
            return HeldBack(Brake.ACCOUNT, is_final=False)
        if charge.queue.window and self.find_queue(*_queue_name(charge.queue)).opens_msec:
            return QueueShut()
        is_charged = turn.virtual not in (0, read.virtual)  # since the dialler has read it; 0: it never was
        is_full = read.max_lines is not None and len(turn.live) >= read.max_lines
        if not (is_charged or is_full or _limits(turn) != _limits(read)):
            return None
        # The dialler is given the turn as it is now
        return AccountFull() if turn.virtual == read.virtual and not turn.has_room else TurnMoved(turn)

    def charge(self, charge: Charge, holder: str) -> None:
        """As `charge_turn` and `charge_queue` do. What was owed as it was read is charged now and taken off; what calls
        that ended since have added stays owed.
        """
        read = charge.turn
        turn = self.find(read.account_id, read.is_urgent)
        queue = self.find_queue(*_queue_name(charge.queue))
        charged = read.charged(holder, charge.queue.standing)
        units = charge.queue.owed + cost(charge.line_msec, read.share)
        self._put(
            altered(
                turn,
                virtual=charged.virtual,
                owed=turn.owed - read.owed,
                queue_clock=charged.queue_clock,
                live=turn.live | {holder},
                ended=turn.ended + charged.ended - read.ended,
                line_msec=turn.line_msec + charged.line_msec - read.line_msec,
            )
        )
        self._put(altered(queue, virtual=queue.virtual + units, owed=queue.owed - charge.queue.owed))
        self.clocks[read.is_urgent] = read.standing

    def settle(self, name: QueueName, holder: str, line_msec: int, owed: int, *, is_limited: bool) -> None:
        """As `settle_turn` and `settle_queue` do, at the end of the call of `holder`.

        `owed`: what it took beyond its charge, in virtual time. `is_limited`: the account may hold only so many lines,
        so it may have left the order while it held them all, and comes back.
        """
        account_id, _, is_urgent, _ = name
        turn, queue = self.find(account_id, is_urgent), self.find_queue(*name)
        self._put(
            altered(
                turn,
                owed=turn.owed + owed,
                ended=turn.ended + 1,
                line_msec=turn.line_msec + line_msec,
                live=turn.live - {holder},
                is_waiting=turn.is_waiting or is_limited,
                revision=turn.revision + is_limited,
            )
        )
        self._put(altered(queue, owed=queue.owed + owed))

    def change(self, made: Turn | Queue) -> None:
        """A turn as an operator sets it; or either as it was read from another store."""
        self._put(made)

    def _put(self, made: Turn | Queue) -> None:
        """Stores a turn or queue; the order shows it at once, or when the lag has passed."""
        lag_msec = self.lag_msec
        if isinstance(made, Turn):
            self._turns[made.account_id, made.is_urgent] = made
        else:
            self._queues[_queue_name(made)] = made
            lag_msec = lag_msec if self.queue_lag_msec is None else self.queue_lag_msec
        if lag_msec:
            self._coming[isinstance(made, Queue)].append((self.now_msec() + lag_msec, made))
        else:
            self._show(made)

    def _catch_up(self) -> None:
        for coming in self._coming:
            while coming and coming[0][0] <= self.now_msec():
                self._show(coming.popleft()[1])

    def _show(self, made: Turn | Queue) -> None:
        """Moves a turn or queue in the order, from the place of what was shown of it last."""
        if isinstance(made, Turn):
            name = (made.account_id, made.is_urgent)
            _move(self._order, name, _turn_place, self._seen_turns.get(name), made)
            self._seen_turns[name] = made
        else:
            order, queue = self._queue_order[made.account_id, made.is_urgent], _queue_name(made)
            _move(order, queue, _queue_place, self._seen_queues.get(queue), made)
            self._seen_queues[queue] = made


def _turn_place(turn: Turn) -> tuple[bool, int, str]:
    return not turn.is_urgent, turn.virtual, turn.account_id


def _queue_name(queue: Queue) -> QueueName:
    return queue.account_id, queue.campaign, queue.is_urgent, queue.window


def _queue_place(queue: Queue) -> tuple[int, str, str]:
    return queue.virtual, *queue.name


def _move(
    order: Shard, name: Any, place: Callable[[Any], Any], before: Turn | Queue | None, after: Turn | Queue
) -> None:
    """Moves a turn or queue in its order. `before`: as the order shows it; None: it was never shown."""
    if before is not None and before.is_waiting:
        order.remove((place(before), name))
    if after.is_waiting:
        order.add((place(after), name))


def _limits(turn: Turn) -> tuple[int | None, ...]:
    return turn.max_lines, turn.calls_per_number, turn.minutes_per_day, turn.spend_per_day
