"""Threads that do one piece of work each, and can be waited for together."""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread, current_thread

_log = logging.getLogger(__name__)


class Workers:
    """Runs work in daemon threads and knows those that are not yet done."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads: set[Thread] = set()

    def spawn(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread of its own."""

        def run() -> None:
            try:
                work()
            except Exception:  # noqa: BLE001 - said, instead of lost with the thread
                _log.exception("%s failed", name)
            finally:
                with self._lock:
                    self._threads.discard(current_thread())

        thread = Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def join(self, timeout: float) -> list[str]:
        """Wait for all threads, `timeout` seconds at most; the names of those that still run."""
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive()]
