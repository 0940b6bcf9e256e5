"""When a phone may ring, in words: for who reads a menu's explanation, or what a check answers."""

from collections.abc import Sequence

from speechcall.shared.rules.calling_hours import RECIPIENT, WEEKDAYS, Hours, Window

MOST_NAMED = 3
"""Zones, and days off, that are named; of more the number is told."""


def may_ring(hours: Sequence[Hours], send_at: str | None = None, calls_per_number: int | None = None) -> str | None:
    """In words, when a message's phone may ring, by what it and its account say; None: at any time, and as often as
    asked.

    `send_at`: as it was given; `calls_per_number`: in any 24 hours.
    """
    limits = [f"from {send_at} on"] if send_at else []
    limits += map(_in_words, hours)
    if calls_per_number is not None:
        limits.append(f"{_times(calls_per_number)} in any 24 hours, all messages of this account together")
    return f"may ring only {'; and only '.join(limits)}" if limits else None


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _in_words(hours: Hours) -> str:
    windows = ", ".join(map(_window, hours.windows)) or "at any hour"
    off = f", not on {_some(hours.days_off, 'other dates')}" if hours.days_off else ""
    return f"{windows} {_clock(hours.zones)}{off}"


def _window(window: Window) -> str:
    times = "-".join(f"{one // 60:02}:{one % 60:02}" for one in (window.start, window.until))
    days = days_in_short(window.days)
    return f"{days} {times}" if days else times


def days_in_short(days: Sequence[int]) -> str:
    """Weekdays (0 is Monday) as `mon-fri` or `tue,thu`; empty: all of them."""
    if len(days) == len(WEEKDAYS):
        return ""
    names = [WEEKDAYS[day] for day in days]
    in_a_row = len(days) > 2 and days[-1] - days[0] == len(days) - 1
    return f"{names[0]}-{names[-1]}" if in_a_row else ",".join(names)


def _clock(zones: Sequence[str]) -> str:
    """By whose clock hours are meant; without zones, by that of the account."""
    if not zones:
        return "on the account's clock"
    if tuple(zones) == (RECIPIENT,):
        return "on the clock of the callee"
    if len(zones) == 1:
        return f"on the clock of {zones[0]}"
    return f"on the clocks of {_some(zones, 'other zones')}, all at once"


def _some(names: Sequence[str], others: str) -> str:
    more = len(names) - MOST_NAMED
    if more <= 1:
        return _list(names)
    return f"{', '.join(names[:MOST_NAMED])} and {more} {others}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
