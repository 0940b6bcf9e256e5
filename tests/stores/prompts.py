"""The accounts' prompts in memory. Held equal to DynamoDB by tests/integration/test_prompts_store.py."""

import threading
from dataclasses import dataclass, field, replace

from speechcall.prompts.rules.prompt import KnownPrompt, is_uploaded


@dataclass
class MemoryPrompts:
    """A `PromptStore` in memory."""

    known: dict[tuple[str, str], KnownPrompt] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, account_id: str, name: str) -> KnownPrompt | None:
        with self._lock:
            return self.known.get((account_id, name))

    def put(self, account_id: str, known: KnownPrompt) -> None:
        with self._lock:
            self.known[account_id, known.name] = known

    def put_used(self, account_id: str, name: str, now_msec: int) -> None:
        with self._lock:
            if found := self.known.get((account_id, name)):
                self.known[account_id, name] = replace(found, used_msec=now_msec)

    def remove(self, account_id: str, name: str) -> bool:
        with self._lock:
            return self.known.pop((account_id, name), None) is not None

    def uploaded(self, account_id: str) -> list[KnownPrompt]:
        with self._lock:
            found = [known for (owner, name), known in self.known.items() if owner == account_id and is_uploaded(name)]
        return sorted(found, key=lambda known: known.name)
