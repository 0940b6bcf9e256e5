"""Time, as use cases see it."""

from typing import Protocol


class Clock(Protocol):
    """Time, and the only way to wait."""

    def now_msec(self) -> int:
        """Epoch milliseconds."""

    def sleep(self, seconds: float) -> None:
        """Returns after `seconds`."""
