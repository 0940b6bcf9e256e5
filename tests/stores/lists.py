"""Message lists and what accounts have spent, in memory: for races and crashes whose order a test decides.

Held equal to DynamoDB by tests/integration/test_lists_store.py. One lock makes each method one step.
"""

import threading
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime

from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.throttle import (
    TICKS_A_MESSAGE,
    latest_full,
    refusal_of_day,
    refusal_of_minute,
    refusal_too_fast,
    ticks,
)
from speechcall.prompts.rules.prompt import Prompt
from speechcall.rehearsal.adapters.memory_campaigns import EndsOfList, MemoryCampaigns
from speechcall.requests.use_cases.message_list import MessageList
from tests.stores.shapes import MemoryShapes


@dataclass
class MemoryLists:
    """A `ListStore` in memory."""

    prompts: set[tuple[str, str]] = field(default_factory=set)
    lists: dict[str, MessageList] = field(default_factory=dict)
    keys: dict[tuple[str, str], MessageList] = field(default_factory=dict)
    full_at: dict[tuple[str, int], int] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    urgent: dict[tuple[str, int], int] = field(default_factory=dict)
    campaigns: MemoryCampaigns = field(default_factory=MemoryCampaigns)
    ends: dict[str, EndsOfList] = field(default_factory=dict)
    """Of lists whose sender is told when all their messages have ended; `MemoryMessages` counts in it."""
    shapes: MemoryShapes = field(default_factory=MemoryShapes)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find_prompt(self, account_id: str, identifier: str) -> Prompt | None:
        return Prompt("s3:a", 2.0) if (account_id, identifier) in self.prompts else None

    def find_list(self, list_id: str) -> MessageList | None:
        with self._lock:
            return self.lists.get(list_id)

    def find_list_by_key(self, account_id: str, key: str) -> MessageList | None:
        with self._lock:
            return self.keys.get((account_id, key))

    def add_list(self, made: MessageList, key: str | None) -> MessageList | None:
        with self._lock:
            name = (made.account_id, key) if key else None
            first = self.keys.get(name) if name else None
            if first is not None and first.expires_at * 1000 > made.created_msec:
                return first
            if made.list_id in self.lists:
                return None
            if made.campaign:
                made = self.campaigns.count_list(made)
            self.lists[made.list_id] = made
            if made.status_url:
                self.ends[made.list_id] = EndsOfList(len(made.message_ids))
            if name:
                self.keys[name] = made
            return made

    def keep_accepting(self, stored: MessageList, now_msec: int) -> None:
        with self._lock:
            self.campaigns.keep_accepting(stored, now_msec)

    def confirm_list(self, stored: MessageList) -> None:
        with self._lock:
            self.campaigns.confirm_list(stored.list_id, stored.account_id, stored.campaign)

    def admit_shapes(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        self.shapes.admit_shapes(account, shapes, now_msec)

    def spend(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        with self._lock:
            minute = (account.account_id, now_msec // 60_000)
            if self.urgent.get(minute, 0) + urgent > account.urgent_per_minute:
                raise refusal_of_minute(account, urgent, now_msec)
            name, now_ticks = (account.account_id, account.rate), ticks(now_msec, account.rate)
            full = max(self.full_at.get(name, 0), now_ticks)
            if full > now_ticks and full > latest_full(now_msec, messages, account.rate, account.burst):
                raise refusal_too_fast(account, full, messages, now_msec)
            day = _day(account, now_msec)
            if self.calls.get(day, 0) + messages > account.calls_per_day:
                raise refusal_of_day(account, messages, now_msec)
            self.full_at[name] = full + messages * TICKS_A_MESSAGE
            self.calls[day] = self.calls.get(day, 0) + messages
            self.urgent[minute] = self.urgent.get(minute, 0) + urgent

    def give_back(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        with self._lock:
            minute = (account.account_id, now_msec // 60_000)
            if self.urgent.get(minute, 0) >= urgent:
                self.urgent[minute] = self.urgent.get(minute, 0) - urgent
            name, day = (account.account_id, account.rate), _day(account, now_msec)
            if name in self.full_at:
                self.full_at[name] -= messages * TICKS_A_MESSAGE
            if self.calls.get(day, 0) >= messages:
                self.calls[day] -= messages


def _day(account: Account, now_msec: int) -> tuple[str, str]:
    return account.account_id, f"{datetime.fromtimestamp(now_msec / 1000, UTC):%Y-%m-%d}"
