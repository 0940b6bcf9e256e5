"""What rehearsals say: of one its figures, of several with different seeds what may be expected."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

UNFINISHED = "unfinished"
"""The outcome of a message that had not ended when the rehearsal was broken off."""
MOST_SLOTS = 24
_SLOTS_SECONDS = (10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 172_800, 604_800)


class Rehearsed(NamedTuple):
    """One rehearsal. Times are epoch milliseconds."""

    seed: int
    begin_msec: int
    end_msec: int
    """When the last message had ended; all figures are of the new messages, not of those that waited before."""
    outcomes: Mapping[str, int]
    """Messages by outcome."""
    keys: Mapping[str, int]
    """Answered calls by the first key; `none`: no key was pressed."""
    begun_msec: Sequence[int]
    """When each call began."""
    talked_seconds: float

    @property
    def seconds(self) -> float:
        """From the beginning to the end of the last message."""
        return (self.end_msec - self.begin_msec) / 1000


class Range(NamedTuple):
    """Of a figure over all seeds: what half of them do not exceed, and what 95 of a hundred do not."""

    p50: float
    p95: float


class Forecast(NamedTuple):
    """What may be expected."""

    seeds: int
    begin_msec: int
    seconds: Range
    """Until the last message has ended."""
    calls: Range
    talked_seconds: Range
    outcomes: Mapping[str, Range]
    keys: Mapping[str, Range]
    slot_seconds: int
    """How long each of `begun` is."""
    begun: Sequence[float]
    """Calls that begin in each slot, the mean of all seeds."""


def forecast(rehearsed: Sequence[Rehearsed]) -> Forecast:
    """Of at least one rehearsal, all with the same beginning.

    Calls are counted in the shortest slots of which the longest rehearsal does not fill MOST_SLOTS.
    """
    begin = rehearsed[0].begin_msec
    longest = max((one.end_msec - begin) / 1000 for one in rehearsed)
    slot = next((one for one in _SLOTS_SECONDS if longest < one * MOST_SLOTS), _SLOTS_SECONDS[-1])
    slots = [0] * (int(longest // slot) + 1)
    for one in rehearsed:
        for moment in one.begun_msec:
            # A call that begins at the very end belongs to the last slot.
            slots[min((moment - begin) // (slot * 1000), len(slots) - 1)] += 1
    return Forecast(
        seeds=len(rehearsed),
        begin_msec=begin,
        seconds=range_of([one.seconds for one in rehearsed]),
        calls=range_of([len(one.begun_msec) for one in rehearsed]),
        talked_seconds=range_of([one.talked_seconds for one in rehearsed]),
        outcomes=_ranges([one.outcomes for one in rehearsed]),
        keys=_ranges([one.keys for one in rehearsed]),
        slot_seconds=slot,
        begun=[count / len(rehearsed) for count in slots],
    )


def range_of(figures: Sequence[float]) -> Range:
    """By the nearest rank: always a figure that some seed has given."""
    ordered = sorted(figures)
    return Range(*(ordered[ceil(len(ordered) * part) - 1] for part in (0.5, 0.95)))


def _ranges(counts: Sequence[Mapping[str, int]]) -> dict[str, Range]:
    names = sorted({name for one in counts for name in one})
    return {name: range_of([one.get(name, 0) for one in counts]) for name in names}
