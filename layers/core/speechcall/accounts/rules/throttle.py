"""What an account may do in a second and in a day.

The token bucket is kept as the one moment at which it would be full again (generic cell rate algorithm).

Moments are in ticks of 1/rate milliseconds: a message costs exactly 1,000 of them, so that nothing is rounded.
"""

import math
from datetime import UTC, datetime, timedelta

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.shared.rules.errors import RateLimited, TooManyMenuShapes

TICKS_A_MESSAGE = 1000


def ticks(now_msec: int, rate: int) -> int:
    """A moment in ticks."""
    return now_msec * rate


def latest_full(now_msec: int, messages: int, rate: int, burst: int) -> int:
    """The latest moment (ticks) at which the bucket may become full if `messages` are to be taken now."""
    return ticks(now_msec, rate) + (burst - messages) * TICKS_A_MESSAGE


def retry_after_seconds(full: int, now_msec: int, messages: int, rate: int, burst: int) -> int:
    """Whole seconds (rounded up) after which `messages` can be taken from the bucket, if no other request takes any.

    `full`: when the bucket would be full (ticks).
    """
    missing = full - latest_full(now_msec, messages, rate, burst)
    return max(1, -(-missing // ticks(1000, rate)))


def refusal_too_fast(account: Account, full: int, messages: int, now_msec: int) -> RateLimited:
    """The error for messages for which the bucket, full at `full` (ticks), has no room; it holds the seconds until it
    has. The caller raises it.
    """
    wait = retry_after_seconds(full, now_msec, messages, account.rate, account.burst)
    text = f"This account may send {account.rate} messages a second, {account.burst} at once; try again in {wait} s."
    return RateLimited(text, wait)


def refusal_of_day(account: Account, messages: int, now_msec: int) -> RateLimited:
    """The error for messages that would exceed the account's day (UTC); it holds the seconds to midnight. The caller
    raises it.

    A request larger than a whole day never fits: its text says so. The wait is given all the same, because RateLimited
    needs one.
    """
    now = datetime.fromtimestamp(now_msec / 1000, UTC)
    wait = math.ceil((next_day(now) - now).total_seconds())
    text = f"This account may make {account.calls_per_day} calls a day (UTC)"
    if messages > account.calls_per_day:
        return RateLimited(f"{text}; send at most {account.calls_per_day} messages in a request.", wait)
    return RateLimited(f"{text}, and these would be more; try again in {wait} s.", wait)


def refusal_of_minute(account: Account, messages: int, now_msec: int) -> RateLimited:
    """The error for urgent messages that would exceed the account's minute of the clock; it holds the seconds to the
    next one. The caller raises it.

    More than a whole minute allows never fit: see `refusal_of_day`.
    """
    wait = 60 - now_msec // 1000 % 60
    text = f"This account may send {account.urgent_per_minute} urgent messages a minute"
    if messages > account.urgent_per_minute:
        return RateLimited(f"{text}; send at most as many in a request.", wait)
    return RateLimited(f"{text}, and these would be more; try again in {wait} s.", wait)


def refusal_of_shapes(brought: int, more: int) -> TooManyMenuShapes:
    """The error for more new shapes of menus than the day (UTC) has room for. The caller raises it.

    `brought`: how many the account has brought today; `more`: how many new ones the request has.
    """
    return TooManyMenuShapes(
        f"This account may bring {NEW_SHAPES_PER_DAY} new shapes of menus a day (UTC); it has brought {brought}, and "
        f"this request has {more} more. A shape is which keys a menu has, which actions they run and to which menus "
        "these lead: texts, introductions, URLs, bodies and seconds may differ as they like."
    )


def next_day(now: datetime) -> datetime:
    """The next midnight, in the time zone of `now`."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
