"""How much is measured. With BENCH=short just enough to show that a benchmark still runs: its numbers say nothing."""

import os
from typing import TypeVar

T = TypeVar("T")

SHORT = os.environ.get("BENCH") == "short"


def in_short(full: T, short: T) -> T:
    """A setting of a benchmark, in full or in short."""
    return short if SHORT else full
