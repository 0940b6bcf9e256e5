"""What happens in the laptop cloud, in order: the phone page shows it and the tests wait for it."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from threading import Condition
from typing import Any

Entry = dict[str, Any]
"""One thing that happened: `id` (1, 2, 3 …), `at` (epoch seconds), `kind`, `mid` (or None), and its details."""

KEEP = 10_000


class Journal:
    """An append-only log for many threads. It keeps the last `keep` entries and forgets older ones."""

    def __init__(self, keep: int = KEEP) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._last_id = 0
        self._closed = False
        self._changed = Condition()

    def record(self, kind: str, mid: str | None = None, **details: Any) -> Entry:
        """Append an entry and wake who waits. All readers share it: change neither the entry nor its details."""
        with self._changed:
            self._last_id += 1
            entry: Entry = {**details, "id": self._last_id, "at": time.time(), "kind": kind, "mid": mid}
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def entries(self, mid: str | None = None, after: int = 0) -> list[Entry]:
        """The entries kept, oldest first: all, or those of one message; only ids above `after`."""
        with self._changed:
            return [entry for entry in self._since(after) if mid is None or entry["mid"] == mid]

    def wait_for(self, predicate: Callable[[Entry], bool], timeout: float, after: int = 0) -> Entry:
        """The first entry (kept or still to come, id above `after`) for which `predicate` holds; else TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for entry in self._since(after):
                    if predicate(entry):
                        return entry
                after = max(after, self._last_id)
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._closed:
                    kinds = [entry["kind"] for entry in list(self._entries)[-20:]]
                    raise TimeoutError(f"no such journal entry within {timeout:g} s; the last kinds: {kinds}")
                self._changed.wait(remaining)

    def subscribe(self, after: int | None = None) -> "Subscription":
        """A reader's own place: from now on, or from the entry behind id `after` (0: everything kept)."""
        with self._changed:
            return Subscription(self, self._last_id if after is None else after)

    def close(self) -> None:
        """Let every waiting reader go: the cloud stops. What is recorded stays readable."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def next_after(self, after: int, most: int, timeout: float | None) -> list[Entry]:
        """The oldest entries kept with an id above `after`, at most `most`; none after `timeout` s (None: no limit)."""
        with self._changed:
            self._changed.wait_for(lambda: self._last_id > after or self._closed, timeout)
            return list(islice(self._since(after), most))

    def _since(self, after: int) -> Iterator[Entry]:
        """Entries with an id above `after`. Ids are consecutive, so the place is counted from the end, not searched."""
        newer = min(self._last_id - after, len(self._entries))
        start = len(self._entries) - newer
        return (self._entries[i] for i in range(start, len(self._entries)))


class Subscription:
    """One reader. Nothing is queued for it: one that stops reading costs nothing, and misses what was forgotten."""

    def __init__(self, journal: Journal, after: int) -> None:
        self._journal = journal
        self._after = after

    def get(self, timeout: float | None = None) -> Entry | None:
        """The next entry; None when `timeout` seconds passed without one, or when the journal was closed."""
        return next(iter(self.take(1, timeout)), None)

    def take(self, most: int, timeout: float | None = None) -> list[Entry]:
        """As `get`, of the entries that are there at most `most`."""
        entries = self._journal.next_after(self._after, most, timeout)
        if entries:
            self._after = entries[-1]["id"]
        return entries

    def __iter__(self) -> Iterator[Entry]:
        """Entries as they come, until the journal is closed."""
        while (entry := self.get()) is not None:
            yield entry
