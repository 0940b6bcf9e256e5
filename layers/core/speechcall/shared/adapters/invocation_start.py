"""When an invocation began, as who waits for it counts: with the start of the process, if it was started for it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

MOST_START_MSEC = 10_000
"""A process that is older at its first invocation was started ahead of any (Lambda gives a start 10 s)."""


class Began:
    """Called at the beginning of each invocation; epoch milliseconds."""

    def __init__(self, now_msec: Callable[[], int], started_msec: int | None = None) -> None:
        self._now_msec = now_msec
        self._started_msec = process_started_msec() if started_msec is None else started_msec

    def __call__(self) -> int:
        """The moment of now; for the first invocation of a young process that of the process's start."""
        now, started, self._started_msec = self._now_msec(), self._started_msec, 0
        return started if 0 < now - started < MOST_START_MSEC else now


def process_started_msec() -> int:
    """When this process was started, in epoch milliseconds, where the system tells that (proc(5)); else 0."""
    try:
        # Field 22: clock ticks from the machine's start on. Counted behind field 2, "(name)", which may have spaces.
        ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        up_seconds = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    age_seconds = up_seconds - ticks / os.sysconf("SC_CLK_TCK")
    return round((time.time() - age_seconds) * 1000)
