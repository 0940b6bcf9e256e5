"""How many calls one number may get in any 24 hours, and how many minutes of calls an account may make in a day."""

from collections.abc import Iterable
from typing import NamedTuple

PERIOD_SECONDS = 86_400
SLACK_SECONDS = 60
"""A phone rings some seconds after its call has taken a line, and the moment of the line is what is counted."""
COUNTED_MSEC = (PERIOD_SECONDS + SLACK_SECONDS) * 1000
"""For so long a call counts, from the moment at which it took its line."""
MOST_CALLS_PER_NUMBER = 50
"""All calls that count stand in one small item, which each claim for the number writes."""
MOST_MINUTES_PER_DAY = 1_000_000_000
DAY_MSEC = 86_400_000


class Counted(NamedTuple):
    """The calls to one number that count, and how many may be."""

    most: int
    moments: tuple[int, ...] = ()
    """When each took its line, in milliseconds since 1970; in any order."""

    @property
    def allows_msec(self) -> int:
        """From which moment on one more may be made; 0: from any."""
        if len(self.moments) < self.most:
            return 0
        return sorted(self.moments)[-self.most] + COUNTED_MSEC


class Caps(NamedTuple):
    """What is known of the limits for calls to a number."""

    counted: tuple[Counted, ...] = ()
    """By its account's limit, and by the stack's."""
    spent_until_msec: int = 0
    """Its account has used up its minutes until then; 0: it has not, or may make any number."""

    @property
    def allow_msec(self) -> int:
        """From which moment on one more call may be made; 0: from any."""
        return max((self.spent_until_msec, *(one.allows_msec for one in self.counted)))


NO_CAPS = Caps()


def still_counted(moments: Iterable[int], now_msec: int) -> tuple[int, ...]:
    """Those of a number's calls that count now."""
    return tuple(sorted(one for one in moments if one + COUNTED_MSEC > now_msec))


def next_day_msec(now_msec: int) -> int:
    """The next midnight (UTC)."""
    return (now_msec // DAY_MSEC + 1) * DAY_MSEC
