"""The accounts' prompts in memory. Held equal to DynamoDB by tests/integration/test_prompts_store.py."""

import threading
from dataclasses import dataclass, field

from speechcall.prompts.rules.prompt import KnownPrompt, is_uploaded


@dataclass
class MemoryPrompts:
    """A `PromptStore` in memory."""

    known: dict[tuple[str, str], KnownPrompt] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, account_id: str, name: str) -> KnownPrompt | None:
        found = self.find_any(account_id, name)
        return None if found is None or found.is_removed else found

    def find_any(self, account_id: str, name: str) -> KnownPrompt | None:
        with self._lock:
            return self.known.get((account_id, name))

    def put(self, account_id: str, known: KnownPrompt) -> None:
        with self._lock:
            self.known[account_id, known.name] = known

    def put_instead(self, account_id: str, known: KnownPrompt, before: KnownPrompt | None) -> bool:
        with self._lock:
            found = self.known.get((account_id, known.name))
            if (found is None) != (before is None) or (found and before and found.prompt != before.prompt):
                return False
            self.known[account_id, known.name] = known
            return True

    def note_settled(self, account_id: str, known: KnownPrompt) -> None:
        with self._lock:
            found = self.known.get((account_id, known.name))
            if found and found.prompt == known.prompt:
                self.known[account_id, known.name] = found._replace(replaced=())

    def put_used(self, account_id: str, name: str, now_msec: int) -> None:
        with self._lock:
            if found := self.known.get((account_id, name)):
                self.known[account_id, name] = found._replace(used_msec=now_msec)

    def mark_removed(self, account_id: str, name: str) -> KnownPrompt | None:
        with self._lock:
            if found := self.known.get((account_id, name)):
                self.known[account_id, name] = found._replace(is_removed=True)
            return self.known.get((account_id, name))

    def forget(self, account_id: str, known: KnownPrompt) -> None:
        with self._lock:
            found = self.known.get((account_id, known.name))
            if found and found.is_removed and found.prompt == known.prompt:
                del self.known[account_id, known.name]

    def uploaded(self, account_id: str) -> list[KnownPrompt]:
        with self._lock:
            found = [
                known
                for (owner, name), known in self.known.items()
                if owner == account_id and is_uploaded(name) and not known.is_removed
            ]
        return sorted(found, key=lambda known: known.name)
