"""How long, how often and when a message is dialled."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, assert_never, get_args

from speechcall.shared.rules.outcome import OutcomeName

DEFAULT_TTL_SECONDS = 86_400
MIN_TTL_SECONDS, MAX_TTL_SECONDS = 30, 172_800

DEFAULT_RING_SECONDS = 45


MAX_REDIALS = 4
RedialOutcome = Literal["busy", "noAnswer", "failed"]
"""After these a number may be dialled again; an invalid, blocked or forbidden one never is."""
REDIAL_OUTCOMES: tuple[RedialOutcome, ...] = get_args(RedialOutcome)
RedialAfter = Literal["busy", "noAnswer", "failed", "noKey"]
NO_KEY: RedialAfter = "noKey"
"""In `on` of a redial: also who answered and pressed no key, though a menu had one to press."""
DEFAULT_REDIAL_AFTER = (300,)
MIN_REDIAL_SECONDS, MAX_REDIAL_SECONDS = 60, 86_400

THROTTLED_AGAIN_SECONDS, MOST_AGAIN_SECONDS = 10, 320
"""After which a message is dialled again whose call the provider would not take: doubled each time, to this."""


def throttled_again_seconds(put_offs: int) -> int:
    """How long a message waits after `put_offs` calls that the provider would not take, and one more.

    It is another attempt each time, and an attempt has three digits: in two days there are some 540.
    """
    return min(THROTTLED_AGAIN_SECONDS << min(put_offs, 10), MOST_AGAIN_SECONDS)


def may_redial(outcome: OutcomeName) -> bool:
    """Whether a number may be dialled again after a call with this outcome, if its message says so.

    False for `answered` too: whether it is dialled again for want of a key, `next_msec` decides itself.
    """
    match outcome:
        case "busy" | "noAnswer" | "failed":
            return True
        case "answered" | "expired" | "invalidNumber" | "blocked" | "promptUnavailable" | "menusRefused" | "cancelled":
            return False
        case "optedOut":
            return False
        case _:
            assert_never(outcome)


class Redial(NamedTuple):
    """How often a number is dialled again, after how many seconds each time, and after which outcomes.

    The last of `after_seconds` holds for all further times. `on` has outcomes, and `noKey`.
    """

    attempts: int
    after_seconds: tuple[int, ...] = DEFAULT_REDIAL_AFTER
    on: tuple[str, ...] = REDIAL_OUTCOMES

    def next_msec(self, made: int, outcome: OutcomeName, now_msec: int, *, without_key: bool = False) -> int | None:
        """When to dial again after `made` redials and a call that ended with `outcome` now; None: not again.

        `without_key`: the callee pressed no key, though a menu of the message has one (`has_key`).
        """
        may_again = outcome in self.on and may_redial(outcome)
        if outcome == "answered":
            may_again = without_key and NO_KEY in self.on
        if made >= self.attempts or not may_again:
            return None
        return now_msec + self.after_seconds[min(made, len(self.after_seconds) - 1)] * 1000


PERIOD_SECONDS = 86_400
SLACK_SECONDS = 300
"""A call is counted by the moment at which it takes its line, and its phone rings a moment later. If the start of its
machine fails, the sweeper starts it within two minutes, and its dial may be tried for two more.
"""
COUNTED_MSEC = (PERIOD_SECONDS + SLACK_SECONDS) * 1000
"""For so long a call counts, from the moment at which it took its line."""
DAY_MSEC = 86_400_000


Limit = Literal["account", "stack", "minutes", "spend"]
"""What a call may be counted in: its account's calls to a number, the stack's, its account's minutes of the day, and
what its account's calls of the day cost.
"""


class Counts(NamedTuple):
    """What a claim counts of its call."""

    limits: Mapping[str, int]
    """Those that hold for it, by the names of `Limit`."""
    name: str
    """The call attempt, `<mid>-<attempt>`."""
    estimate_msec: int
    """What it counts of the minutes, until its end is known."""
    reserved: int
    """What it counts of the spend, in millionths, until its end is known."""


class Counted(NamedTuple):
    """The calls to one number that count, and how many may be."""

    most: int
    moments: tuple[int, ...] = ()
    """When each took its line, in milliseconds since 1970; in any order. Also such as do not count any more."""

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
    """Its account has used up its minutes, or what it may spend, until then; 0: it has not, or may make any number."""

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
