"""The due index in memory: what is due in each state and shard, in order; it may be behind, as DynamoDB's may."""

from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice, takewhile
from typing import Any

from speechcall.messages.adapters.message_items import due_ranges, shard_lists, take_turns
from speechcall.messages.rules.message import State

Entry = tuple[Any, Any]
"""A moment, or a place in an order; and whose it is."""
Place = tuple[str, Entry]


@dataclass
class Shard:
    """Entries in their order.

    One that leaves at the head is passed over (`head`), and many of these are deleted at once: each deletion moves all
    entries behind it, and a backlog is long.
    """

    entries: list[Entry] = field(default_factory=list)
    head: int = 0

    def add(self, entry: Entry) -> None:
        insort(self.entries, entry, lo=self.head)

    def remove(self, entry: Entry) -> None:
        """Removes an entry that is there: the first one by passing over it, any other by deleting it."""
        at = bisect_left(self.entries, entry, lo=self.head)
        if at > self.head:
            del self.entries[at]
            return
        self.head += 1
        if self.head > 1000 and self.head * 2 > len(self.entries):
            del self.entries[: self.head]
            self.head = 0

    def first(self, limit: int) -> list[Entry]:
        """The first `limit`; ValueError where the service refuses that (API reference, Query: at least 1)."""
        if limit < 1:
            raise ValueError(f"a page of {limit} cannot be read")
        return self.entries[self.head : self.head + limit]

    def between(self, since_msec: int, until_msec: int, limit: int) -> list[Entry]:
        at = bisect_left(self.entries, (since_msec,), lo=self.head)
        return list(takewhile(lambda entry: entry[0] <= until_msec, self.entries[at : at + limit]))


@dataclass
class MemoryIndex:
    """`lag_msec`: how long after a write it is seen here, by the clock `now_msec`; 0: at once."""

    lag_msec: int = 0
    now_msec: Callable[[], int] = lambda: 0
    _shards: dict[str, Shard] = field(default_factory=lambda: defaultdict(Shard))
    _places: dict[str, Place] = field(default_factory=dict)
    _coming: deque[tuple[int, str, str, Any]] = field(default_factory=deque)

    def put(self, mid: str, shard: str, due_msec: Any) -> None:
        """Moves a message to a shard, to stand there by `due_msec`: the moment at which it is due, or its place in an
        order; None: it stands nowhere any more. With a lag, that is seen later.
        """
        if self.lag_msec:
            self._coming.append((self.now_msec() + self.lag_msec, mid, shard, due_msec))
        else:
            self._set(mid, shard, due_msec)

    def first(self, shard: str, limit: int) -> list[str]:
        """As the query of one shard: the first `limit`, whatever their moment."""
        self._catch_up()
        return [mid for _, mid in self._shards[shard].first(limit)]

    def due_in(self, shard: str, now_msec: int, limit: int) -> list[str]:
        """The first `limit` of what is due in one shard."""
        self._catch_up()
        return [mid for _, mid in takewhile(lambda entry: entry[0] <= now_msec, self._shards[shard].first(limit))]

    def _catch_up(self) -> None:
        while self._coming and self._coming[0][0] <= self.now_msec():
            self._set(*self._coming.popleft()[1:])

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        """As the query of each shard, put together: the first `limit` of what is due."""
        self._catch_up()
        lists = []
        for shards in shard_lists(state):
            pages = [
                self._shards[shard].between(since_msec, until_msec, limit)
                for shard in shards
                for since_msec, until_msec in due_ranges(shard, now_msec)
            ]
            lists.append([mid for _, mid in islice(merge(*pages), limit)])
        return take_turns(lists, limit)

    def _set(self, mid: str, shard: str, due_msec: Any) -> None:
        """Does at once what `put` says."""
        place = self._places.pop(mid, None)
        if place:
            self._shards[place[0]].remove(place[1])
        if due_msec is not None:
            entry = (due_msec, mid)
            self._places[mid] = shard, entry
            self._shards[shard].add(entry)
