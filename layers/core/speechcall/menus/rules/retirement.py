"""When a state machine that no message has used for long is deleted.

Its use is noted once a day, and a dialer believes for an hour what it has read. So a mark that is a day old was
seen by every dialer that needs the machine, and each takes it away again. Executions end within 63
minutes (`time_bounds`).
"""

from dataclasses import dataclass
from enum import Enum

DAY_MSEC = 24 * 3600 * 1000
UNUSED_MSEC = 60 * DAY_MSEC
NOTED_MSEC = DAY_MSEC
"""A use within so long of the last noted one is not noted."""
MARKED_MSEC = DAY_MSEC
DELETED_WITHIN_MSEC = 600_000
"""A deletion that has begun before is not under way any more: a run lasts five minutes."""
BELIEVED_SECONDS = 3600
"""How long a dialer goes by what it has read of a machine; far below MARKED_MSEC."""
PARTS = 24
"""Each run looks at one part of the machines, by their names."""


class Step(Enum):
    """What is done with a machine now."""

    KEEP = "keep"
    COUNT = "count"
    """Nothing is known of its use: its time begins now."""
    MARK = "mark"
    """It was not used for UNUSED_MSEC: a dialer that uses it takes the mark away."""
    DELETE = "delete"
    """It has been marked for MARKED_MSEC; or a run that died has begun to delete it."""


@dataclass(frozen=True, slots=True)
class FlowUse:
    """What is known of a machine: when it was last used, since when it is marked, since when it is being deleted."""

    used_msec: int | None
    marked_msec: int | None = None
    deleting_msec: int | None = None


def next_step(use: FlowUse | None, now_msec: int) -> Step:
    """What comes next for a machine; `use` None: the registry has no item of it."""
    if use is None or (use.used_msec is None and use.deleting_msec is None):
        return Step.COUNT
    if use.deleting_msec is not None:  # a run that died has begun it
        return Step.DELETE
    if use.marked_msec is not None:
        return Step.DELETE if now_msec - use.marked_msec >= MARKED_MSEC else Step.KEEP
    return Step.MARK if use.used_msec is not None and now_msec - use.used_msec >= UNUSED_MSEC else Step.KEEP


def is_use_to_be_noted(use: FlowUse, now_msec: int) -> bool:
    """Whether somebody who uses a machine now has to say so."""
    return use.marked_msec is not None or use.used_msec is None or now_msec - use.used_msec >= NOTED_MSEC


def part_of(name: str) -> int:
    """Which of the PARTS a machine belongs to; its name ends in hexadecimal digits of a hash."""
    return int(name[-6:], 16) % PARTS
