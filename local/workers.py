"""Threads that do one piece of work each, and can be waited for together."""

import threading
import time
from collections.abc import Callable


class Workers:
    """Runs work in daemon threads and knows those that are not yet done."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changing = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def spawn(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread of its own."""

        def run() -> None:
            try:
                work()
            finally:
                with self._changing:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=self._name, daemon=True)
        with self._changing:
            self._threads.add(thread)
        thread.start()

    def join(self, seconds: float) -> None:
        """Wait until all are done, but no longer than `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changing:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
