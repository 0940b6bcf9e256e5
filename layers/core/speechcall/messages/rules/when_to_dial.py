"""When a message may be dialled next: the one answer to that, from all that has a say in it."""

from functools import lru_cache
from typing import Literal, NamedTuple

from speechcall.messages.rules.dial_times import NO_CAPS, Caps
from speechcall.shared.rules.calling_hours import Hours, next_open, open_until

LOOK_AHEAD_SECONDS = 62 * 86_400
"""How far the next opening is looked for: hours repeat each week, but for days off."""
OPEN_AT_MOST_SECONDS = 8 * 86_400
"""How far is looked for the moment at which hours shut: what is open for longer is said to be open for so long."""
MOST_SEND_AT_SECONDS = 30 * 86_400

Obstacle = Literal["ttl", "window", "capped"]
"""What keeps a message from being dialled before its time is up: that is up already; its hours; or only a cap on calls,
without which it could be dialled."""


class DialTimes(NamedTuple):
    """What a message itself says, frozen when it was accepted. Times in milliseconds since 1970.

    All of `hours` have to be open. From `until_msec` on it is not dialled any more.
    """

    until_msec: int
    send_at_msec: int = 0
    hours: tuple[Hours, ...] = ()


class Dialable(NamedTuple):
    """The first moment at which a message may be dialled (now, if that is open), and the one at which it shuts.

    Of what stays open for more than eight days, a moment eight days later.
    """

    at_msec: int
    until_msec: int


class NeverDialable(NamedTuple):
    """It may not be dialled before its time is up; why, and when it could have been otherwise (None: not known)."""

    obstacle: Obstacle
    opens_msec: int | None


def next_dial(
    times: DialTimes, now_msec: int, *, redial_msec: int = 0, caps: Caps = NO_CAPS
) -> Dialable | NeverDialable:
    """When a message may be dialled next.

    `redial_msec`: not before this, because it was just dialled; 0: it was not. `caps`: the calls that its number has
    had, and what its account has used up of its day, where these are limited.
    """
    earliest = max(now_msec, times.send_at_msec, redial_msec)
    opens = next_opening_msec(times.hours, max(earliest, caps.allow_msec))
    if opens is not None and opens < times.until_msec:
        return Dialable(opens, min(_shuts_msec(times.hours, opens), times.until_msec))
    if earliest >= times.until_msec:
        return NeverDialable("ttl", opens)
    without_cap = next_opening_msec(times.hours, earliest)
    is_capped = without_cap is not None and without_cap < times.until_msec
    return NeverDialable("capped" if is_capped else "window", opens)


def next_opening_msec(hours: tuple[Hours, ...], from_msec: int) -> int | None:
    """The first moment from `from_msec` on at which all hours are open; None: none within two months."""
    if not hours:
        return from_msec
    found = _opening(hours, from_msec // 60_000)
    return None if found is None else max(found * 1000, from_msec)


def _shuts_msec(hours: tuple[Hours, ...], open_msec: int) -> int:
    return _shutting(hours, open_msec // 60_000) * 1000 if hours else open_msec + OPEN_AT_MOST_SECONDS * 1000


# Windows, days and changes of clocks begin and end at whole minutes. So all moments of a minute have one answer, and
# all messages of one class share it: a number that may be in forty zones takes milliseconds.
@lru_cache(maxsize=2048)
def _opening(hours: tuple[Hours, ...], minute: int) -> int | None:
    return next_open(hours, minute * 60, minute * 60 + LOOK_AHEAD_SECONDS)


@lru_cache(maxsize=2048)
def _shutting(hours: tuple[Hours, ...], minute: int) -> int:
    return open_until(hours, minute * 60, minute * 60 + OPEN_AT_MOST_SECONDS)


def dial_until_msec(
    hours: tuple[Hours, ...], accepted_msec: int, send_at_msec: int, ttl_seconds: int | None, default_seconds: int
) -> int | None:
    """From which moment on a message is not dialled any more. `send_at_msec` 0: it gives no `sendAt`.

    `ttl_seconds` counts from acceptance, or from `sendAt` if that is later, whatever its hours are. Where it is None,
    `default_seconds` count from the first moment at which the message may be dialled. None: there is no such moment, as
    its hours do not open within two months.
    """
    begins = max(accepted_msec, send_at_msec)
    if ttl_seconds is not None:
        return begins + ttl_seconds * 1000
    first = next_opening_msec(hours, begins)
    return None if first is None else first + default_seconds * 1000
