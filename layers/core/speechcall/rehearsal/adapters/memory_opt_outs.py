"""Opt-outs in memory. Held equal to DynamoDB by tests/integration/store_contract/test_opt_outs.py."""

import hashlib
import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from speechcall.optouts.rules.opt_out import Consent, OptOut, outweighs
from speechcall.optouts.use_cases.opt_out_ports import Page


@dataclass
class MemoryOptOuts:
    """An `OptOutStore` in memory; one lock makes each method one step."""

    found: dict[tuple[str, str, str], OptOut] = field(default_factory=dict)
    until: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def digest(self, number: str) -> str:
        return hashlib.sha256(number.encode()).hexdigest()

    def opted_out(self, account_id: str, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        with self._lock:
            return {
                (digest, name)
                for digest, name in wanted
                if (one := self.found.get((account_id, name, digest))) and one.holds
            }

    def holds_until(self, account_id: str, lists: Collection[str]) -> dict[str, int]:
        with self._lock:
            return {name: self.until[account_id, name] for name in lists if (account_id, name) in self.until}

    def set_holds_until(self, account_id: str, list_name: str, until_msec: int) -> None:
        with self._lock:
            self.until[account_id, list_name] = until_msec

    def add(self, account_id: str, opt_out: OptOut) -> bool:
        key = (account_id, opt_out.list_name, opt_out.digest)
        with self._lock:
            before = self.found.get(key)
            if before and before.holds and not outweighs(opt_out.by, before.by):
                return False
            self.found[key] = opt_out
            return True

    def find(self, account_id: str, list_name: str, digest: str) -> OptOut | None:
        with self._lock:
            return self.found.get((account_id, list_name, digest))

    def remove(self, account_id: str, read: OptOut, consent: Consent | None, now_msec: int) -> bool:
        key = (account_id, read.list_name, read.digest)
        with self._lock:
            if self.found.get(key) != read or not read.holds:
                return False
            self.found[key] = replace(read, removed_msec=now_msec, consent=consent)
            return True

    def page(self, account_id: str, list_name: str | None, limit: int, cursor: str | None, *, all_: bool) -> Page:
        with self._lock:
            keys = sorted(key for key in self.found if key[0] == account_id and list_name in (None, key[1]))
            if cursor is not None and not cursor.isdecimal():
                raise ValueError("a cursor of others")
            begin = int(cursor or 0)
            page = [self.found[key] for key in keys[begin : begin + limit]]
            after = str(begin + limit) if begin + limit < len(keys) else None
            return Page([one for one in page if all_ or one.holds], after)
