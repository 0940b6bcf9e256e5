"""The due index in memory: what is due in each state and shard, in order; it may be behind, as DynamoDB's may."""

from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice, takewhile

from speechcall.adapters.dynamodb.message_items import parts, take_turns
from speechcall.domain.message import State

Entry = tuple[int, str]
Place = tuple[str, Entry]


@dataclass
class MemoryIndex:
    """`lag_msec`: how long after a write it is seen here, by the clock `now_msec`; 0: at once."""

    lag_msec: int = 0
    now_msec: Callable[[], int] = lambda: 0
    _shards: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[str, Place] = field(default_factory=dict)
    _coming: deque[tuple[int, str, str, int | None]] = field(default_factory=deque)

    def put(self, mid: str, shard: str, due_msec: int | None) -> None:
        """A message stands in a shard, and is due there at a moment; None: never."""
        if self.lag_msec:
            self._coming.append((self.now_msec() + self.lag_msec, mid, shard, due_msec))
        else:
            self._set(mid, shard, due_msec)

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        """As the query of each shard, put together: the first `limit` of what is due."""
        while self._coming and self._coming[0][0] <= self.now_msec():
            self._set(*self._coming.popleft()[1:])
        lists = []
        for shards in parts(state):
            pages = [islice(self._shards[shard], limit) for shard in shards]
            due = takewhile(lambda entry: entry[0] <= now_msec, merge(*pages))
            lists.append([mid for _, mid in islice(due, limit)])
        return take_turns(lists, limit)

    def _set(self, mid: str, shard: str, due_msec: int | None) -> None:
        place = self._places.pop(mid, None)
        if place:
            entries = self._shards[place[0]]
            del entries[bisect_left(entries, place[1])]
        if due_msec is not None:
            entry = (due_msec, mid)
            self._places[mid] = shard, entry
            insort(self._shards[shard], entry)
