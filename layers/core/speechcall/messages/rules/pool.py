"""The pool of lines: what there is of them, and what of it messages share."""

from typing import NamedTuple


class Pool(NamedTuple):
    """How many calls at once, how many a second, and how many to one number."""

    lines: int
    calls_per_second: int
    urgent_lines: int = 0
    """Of the lines, how many only urgent messages may take."""
    calls_per_number: int = 0
    """How many calls to one number in any 24 hours, whatever account makes them; 0: any number."""

    def lines_for(self, is_urgent: bool) -> int:
        """The lines that a message may take."""
        return self.lines if is_urgent else max(self.lines - self.urgent_lines, 0)

    @property
    def slot_msec(self) -> int:
        """The least time between two calls, rounded up: a rate that does not divide a second is not exceeded."""
        return -(-1000 // self.calls_per_second)


class Capacity(NamedTuple):
    """What there is to be shared, and by how many."""

    lines: int
    """For messages that are not urgent."""
    calls_per_second: int
    waiting_shares: int = 0
    """The sum of the shares of the accounts that waited when that was last told."""
    told_msec: int = 0
