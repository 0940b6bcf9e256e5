"""Which message is the next to be dialled: accounts by their turns, their queues, and the first message there.

A run goes by what it has read and what it has done since, so that a claim costs it no further read. What it reads
lags, and others dial too: a claim decides, and says what has changed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from speechcall.messages.rules.turns import Queue, Turn, cost, may_rest
from speechcall.messages.use_cases.turn_ports import Charge, TurnStore
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

MARGIN = 10
"""How many more are read than there are free lines; doubled while none of a page can be dialled."""
MOST_READ = 1000
QUEUES_READ = 10

Name = tuple[str, bool]
"""An account, and whether it is about its urgent messages."""
QueueName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The message whose turn it is, and for whom it takes a line."""

    mid: str
    turn: Turn
    queue: Queue


@dataclass
class _Heads:
    """The first messages of a queue, as far as they were read."""

    limit: int
    """How many are read the next time."""
    left: list[str] = field(default_factory=list)
    """Those that were read and not passed over."""
    is_last: bool = False
    """All were read, or as many as a run reads."""
    seen: set[str] = field(default_factory=set)
    """All that were read."""


@dataclass
class _Queues:
    """The first queues of an account, as far as they were read."""

    limit: int
    """How many are read the next time."""
    found: dict[QueueName, Queue] = field(default_factory=dict)
    passed: set[QueueName] = field(default_factory=set)
    """Those of which nothing is dialled in this run."""
    is_last: bool = False
    """All were read."""


class Order:
    """The order as a run sees it. `free`: how many lines are free. `skip`: the messages that the run has tried; it adds
    to them.

    What is passed over, or skipped, is so for the rest of this run.
    """

    def __init__(self, turns: TurnStore, clock: Clock, free: int, skip: set[str]) -> None:
        """Reads the first accounts of the order, some more than there are free lines."""
        self._turns, self._clock, self._skip = turns, clock, skip
        self._page = min(max(free, 0) + MARGIN, MOST_READ)  # fewer than 0 are free where lines were taken away
        self._limit = self._page
        self._known: dict[Name, Turn] = {}
        self._passed: set[Name] = set()
        self._queues: dict[Name, _Queues] = {}
        self._heads: dict[tuple[Name, QueueName], _Heads] = {}
        self._is_last = False
        self._read()

    def next(self) -> Candidate | None:
        """The message whose turn it is; None: nothing is left that may be dialled.

        The same again until it is charged, passed over or in `skip`. Accounts of which nothing can be dialled are
        passed over here (`_pass_over_exhausted`).
        """
        while True:
            left = [turn for name, turn in self._known.items() if name not in self._passed]
            if not left:
                if self._is_last or self._limit >= MOST_READ:
                    return None
                self._limit = min(self._limit * 2, MOST_READ)
                self._read()
                continue
            turn = min(left, key=lambda one: one.order)
            found = self._first_of(turn)
            if found:
                return found
            self._pass_over_exhausted(turn)

    def charge(self, charge: Charge, holder: str) -> None:
        """Notes that a line was taken at this charge, by the attempt `holder`: its account and queue move back.

        Those that were not read here (the message was named) are not noted.
        """
        turn = charge.turn.charged(holder, charge.queue.standing)
        name = _name(turn)
        if name in self._known:
            self._known[name] = turn
        queues = self._queues.get(name)
        if queues and charge.queue.name in queues.found:
            queues.found[charge.queue.name] = charge.queue.charged(cost(charge.line_msec, charge.turn.share))

    def set_turn(self, turn: Turn) -> None:
        """An account's turn is another than was read: so its queues may be too, and are read again."""
        name = _name(turn)
        self._known[name] = turn
        if name in self._queues:
            self._queues[name] = _Queues(QUEUES_READ, passed=self._queues[name].passed)

    def pass_over(self, turn: Turn) -> None:
        """Nothing of an account can be dialled for now, and it need not stand in the order."""
        self._passed.add(_name(turn))
        _if_possible(self._turns.rest, turn)

    def pass_over_queue(self, queue: Queue) -> None:
        """Nothing of a queue can be dialled for now, and it need not stand in its account's order."""
        self.skip_queue(queue)
        _if_possible(self._turns.rest, self._known[queue.account_id, queue.is_urgent], queue)

    def skip_queue(self, queue: Queue) -> None:
        """Nothing of a queue can be dialled in this run."""
        self._queues[queue.account_id, queue.is_urgent].passed.add(queue.name)

    def shut(self, queue: Queue, opens_msec: int) -> None:
        """Its hours are shut until a moment: it leaves the order until then."""
        self.skip_queue(queue)
        _if_possible(self._turns.shut, queue, opens_msec)

    def _read(self) -> None:
        page = self._turns.waiting(self._limit)
        self._is_last = len(page) < self._limit
        for turn in page:
            self._known.setdefault(_name(turn), turn)

    def _first_of(self, turn: Turn) -> Candidate | None:
        """The first message of an account that may be dialled; None: there is none.

        Its queues are gone through by virtual time, and more of them are read when all of a page are passed over. A
        queue that is seen to be empty leaves the account's order, unless it was woken just now.
        """
        if turn.is_paused or not turn.has_room:
            return None
        name = _name(turn)
        queues = self._queues.setdefault(name, _Queues(QUEUES_READ))
        while True:
            left = [queue for one, queue in queues.found.items() if one not in queues.passed]
            if not left:
                if queues.is_last or queues.limit > MOST_READ:
                    return None
                page = self._turns.queues(turn, queues.limit)
                queues.is_last = len(page) < queues.limit
                queues.limit *= 4
                for queue in page:
                    queues.found.setdefault(queue.name, queue)
                continue
            queue = min(left, key=lambda one: (one.standing, one.name))
            mid = self._head_of(name, queue)
            if mid is not None:
                return Candidate(mid, turn, queue)
            queues.passed.add(queue.name)
            if may_rest(queue.woken_msec, self._clock.now_msec()) and not self._saw_any(name, queue):
                _if_possible(self._turns.rest, turn, queue)

    def _head_of(self, name: Name, queue: Queue) -> str | None:
        """A queue's first message that this run has not passed over; pages grow while all in them is passed over."""
        heads = self._heads.setdefault((name, queue.name), _Heads(self._page))
        while True:
            while heads.left:
                if heads.left[0] not in self._skip:
                    return heads.left[0]
                heads.left.pop(0)
            if heads.is_last:
                return None
            page = self._turns.heads(queue, heads.limit)
            heads.is_last = len(page) < heads.limit or heads.limit >= MOST_READ
            heads.limit = min(heads.limit * 2, MOST_READ)
            heads.left = [mid for mid in page if mid not in heads.seen]
            heads.seen.update(page)

    def _saw_any(self, name: Name, queue: Queue) -> bool:
        """Whether any message stood in a queue that `_head_of` has read, also one that was passed over."""
        return bool(self._heads[name, queue.name].seen)

    def _pass_over_exhausted(self, turn: Turn) -> None:
        """Passes over an account of which no message was found. It leaves the order too if it is paused, holds all its
        lines, or has no queue that waits and was not just woken: whatever changes that wakes it.
        """
        name = _name(turn)
        self._passed.add(name)
        queues = self._queues.get(name)
        has_none = queues is not None and not queues.found and may_rest(turn.woken_msec, self._clock.now_msec())
        if turn.is_paused or not turn.has_room or has_none:
            _if_possible(self._turns.rest, turn)


def _if_possible(leave: Callable[..., object], *what: object) -> None:
    """Has something leave the order in the store. Where that fails this run passes over it all the same, and another
    one finds it there again: that costs one read, and holds up no other message.
    """
    try:
        leave(*what)
    except RetryableError as error:
        logger.warning("what cannot be dialled stays in the order for now: %s", error)


def _name(turn: Turn) -> Name:
    return turn.account_id, turn.is_urgent
