"""Known shapes in memory: what `DynamoLists` does with them, held to it by tests/integration/test_shapes_store.py."""

import threading
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.accounts.rules.throttle import refusal_of_shapes


@dataclass
class MemoryShapes:
    """Which shapes were sent before, and which of them each account brought on a day."""

    known: set[str] = field(default_factory=set)
    brought: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _admitting: threading.Lock = field(default_factory=threading.Lock)

    def admit_shapes(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        with self._admitting:
            new = set(shapes) - self.known
            day = f"{datetime.fromtimestamp(now_msec / 1000, UTC):%Y-%m-%d}"
            brought = self.brought.setdefault((account.account_id, day), set())
            if new and len(brought | new) > NEW_SHAPES_PER_DAY:
                raise refusal_of_shapes(len(brought), len(new - brought))
            brought |= new
            self.known |= new
