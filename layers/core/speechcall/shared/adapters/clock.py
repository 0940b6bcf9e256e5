"""The real clock."""

import time


class SystemClock:
    """Time as the machine has it."""

    def now_msec(self) -> int:
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
