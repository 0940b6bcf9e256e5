"""A clock for rehearsals: it does not wait, but jumps to the moment of what is due next, and does that."""

import heapq
import itertools
from collections.abc import Callable


class VirtualTime:
    """A `Clock` on which things are planned. `now_msec`: when it begins.

    `sleep` does all that is due in that time.
    """

    def __init__(self, now_msec: int) -> None:
        self.msec = now_msec
        self._due: list[tuple[int, float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def now_msec(self) -> int:
        """Epoch milliseconds."""
        return self.msec

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Plans `work` in so many seconds. Of what is due at one moment, what `tie_break` says; else in order."""
        due = self.msec + round(seconds * 1000)
        heapq.heappush(self._due, (due, self.tie_break(), next(self._count), work))

    def tie_break(self) -> float:
        """Of what is due at one moment, the least is first."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Lets so many seconds pass."""
        until = self.msec + round(seconds * 1000)
        self.pass_until(until)
        # What was done in that time may have slept for longer.
        self.msec = max(self.msec, until)

    def pass_until(self, until_msec: int | None = None) -> None:
        """Does everything that is due until a moment; None: until nothing is planned any more."""
        while self._due and (until_msec is None or self._due[0][0] <= until_msec):
            self.advance()

    def advance(self) -> None:
        """Does what is due next."""
        due, _, _, work = heapq.heappop(self._due)
        self.msec = max(self.msec, due)
        work()


class OutOfTime(BaseException):
    """The real time that a rehearsal may take is over.

    No blind `except` of the dialler takes it for a message's fault.
    """


_LOOKS_EACH = 256
"""How much is done between two looks at the real time."""


class BoundedTime(VirtualTime):
    """One that ends when `is_time_up` says so: then it raises OutOfTime, and every time again."""

    def __init__(self, now_msec: int, is_time_up: Callable[[], bool]) -> None:
        super().__init__(now_msec)
        self._is_time_up, self._done, self._is_up = is_time_up, 0, False

    def advance(self) -> None:
        """Does what is due next. Raises OutOfTime."""
        self._done += 1
        if self._is_up or (self._done % _LOOKS_EACH == 0 and self._is_time_up()):
            self._is_up = True
            raise OutOfTime
        super().advance()
