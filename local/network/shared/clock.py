"""Timers for all calls of a carrier, in one thread, so that a phone that rings or listens costs none."""

import heapq
import itertools
import logging
import time
from collections.abc import Callable
from threading import Condition, Thread

_log = logging.getLogger(__name__)


class Timer:
    """A callback that is due once. It may still run while `cancel` is called: the callback checks that it is wanted."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Forget the callback."""
        self._action = None

    def fire(self) -> None:
        """Run the callback, unless it was cancelled."""
        if (action := self._action) is not None:
            action()


class Clock:
    """Runs callbacks when they are due. A callback must be quick: the others wait for it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._due: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._running = False
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to run callbacks."""
        self._running = True
        self._thread = Thread(target=self._run, name="carrier-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Run no more callbacks; the thread has ended when this returns."""
        with self._changed:
            self._running = False
            self._due.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Have `action` run in the clock's thread, `seconds` from now."""
        timer = Timer(action)
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), timer))
            self._changed.notify()
        return timer

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            try:
                timer.fire()
            except Exception:  # noqa: BLE001 - one call's trouble is not the others'
                _log.exception("a timer of the carrier failed")

    def _next(self) -> Timer | None:
        """Wait for the timer that is due first; None when the clock was stopped."""
        with self._changed:
            while self._running:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None
