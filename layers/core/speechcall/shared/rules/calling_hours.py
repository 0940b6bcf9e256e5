"""Calling hours: windows of the day in which a number may be dialled, on the clocks of one or more time zones.

Each moment is judged by what the clocks on the wall show at it, and by nothing else. So an edge that a clock change
skips (02:30 in spring) is where the clock jumps, and a time that comes twice (in autumn) is in the window, or out of
it, both times: no phone rings while its clock shows a time outside the window.

A window whose `to` is not after its `from` crosses midnight, and belongs to the day of its `from`. A day off closes
everything that the clock shows on that date, and every window that belongs to it: the window that began the evening
before ends at midnight, and one that begins on it does not open, nor its part after the next midnight.

Moments are whole seconds since 1970 (UTC); of a day, whole seconds since its midnight.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY = 86_400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RECIPIENT = "recipient"
"""In the place of a zone's name: those in which the number may be."""
ALWAYS = "always"
"""The class of messages that may be dialled at any hour."""

Spans = tuple[tuple[int, int], ...]
"""Parts of a day, in order, none touching the next: from a second of it, to a later one."""


class Window(NamedTuple):
    """From one minute of a day (0 to 1439) to another (1 to 1440), on some weekdays (0 is Monday).

    Where `until` is not after `start`, it is a minute of the day after.
    """

    start: int
    until: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


class Hours(NamedTuple):
    """Windows, and the time zones (IANA names) in each of which one has to be open. No windows: every hour is open.

    `days_off` are dates (`2026-12-25`), of each of these zones.
    """

    windows: tuple[Window, ...]
    zones: tuple[str, ...]
    days_off: tuple[str, ...] = ()


def dump_windows(windows: Sequence[Window]) -> list[dict[str, Any]]:
    """As windows are stored."""
    return [{"start": one.start, "until": one.until, "days": list(one.days)} for one in windows]


def load_windows(stored: Sequence[Mapping[str, Any]]) -> tuple[Window, ...]:
    """Windows as they were stored; a table's numbers may be decimals."""
    return tuple(Window(int(one["start"]), int(one["until"]), tuple(map(int, one["days"]))) for one in stored)


class Week(NamedTuple):
    """What hours say of each day, made once: parts of days by weekday, and by whether the day before was a day off."""

    after_a_day: tuple[Spans, ...]
    after_a_day_off: tuple[Spans, ...]
    days_off: frozenset[date]

    def spans(self, day: date) -> Spans:
        """Which parts of a date are open."""
        if not self.days_off:
            return self.after_a_day[day.weekday()]
        if day in self.days_off:
            return ()
        if day - timedelta(days=1) in self.days_off:
            return self.after_a_day_off[day.weekday()]
        return self.after_a_day[day.weekday()]


@lru_cache(maxsize=512)
def week_of(hours: Hours) -> Week:
    """What hours say of each weekday, and their days off. Remembered: the messages of a list mostly have the same."""
    # By weekday: parts of windows on the day that they belong to; and after midnight, carried from the day before.
    own: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    carried: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for window in hours.windows or (Window(0, 1440),):
        crosses = window.until <= window.start
        for day in window.days:
            own[day].append((window.start * 60, DAY if crosses else window.until * 60))
            if crosses:
                carried[(day + 1) % 7].append((0, window.until * 60))
    return Week(
        tuple(_merged([*own[day], *carried[day]]) for day in range(7)),
        tuple(_merged(own[day]) for day in range(7)),
        frozenset(map(date.fromisoformat, hours.days_off)),
    )


def _merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """The spans in order; those that overlap or touch become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)


def is_always(hours: Hours) -> bool:
    """Whether hours close nothing."""
    week = week_of(hours)
    return not week.days_off and all(spans == ((0, DAY),) for spans in week.after_a_day)


def next_open(hours: Sequence[Hours], start: int, end: int) -> int | None:
    """The first second from `start` on, before `end`, in which all hours are open in all zones; None: no second."""
    clocks = _clocks(hours)
    moment = start
    while moment < end:
        for index, (week, zone) in enumerate(clocks):
            is_open, changes = _state(week, zone, moment)
            if not is_open:
                moment = changes
                # Asked first from now on: the one that opens last decides.
                clocks.insert(0, clocks.pop(index))
                break
        else:
            return moment
    return None


def open_until(hours: Sequence[Hours], moment: int, end: int) -> int:
    """When hours shut after a moment at which they are open: the first second in which one of them is not, or `end`."""
    for week, zone in _clocks(hours):
        reached = moment
        while reached < end:
            is_open, changes = _state(week, zone, reached)
            if not is_open:
                break
            reached = changes
        end = min(end, reached)
    return end


def window_class(hours: Sequence[Hours]) -> str:
    """A name of 16 characters for what opens and shuts together; `always` for what never shuts.

    Hours that are the same in other words, or in another order, are one class.
    """
    parts = set()
    for one in hours:
        if is_always(one):
            continue
        week = week_of(one)
        off = sorted(set(one.days_off))
        parts.add(json.dumps([week.after_a_day, week.after_a_day_off if off else [], sorted(set(one.zones)), off]))
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16] if parts else ALWAYS


def _clocks(hours: Sequence[Hours]) -> "list[tuple[Week, ZoneInfo]]":
    return [(week_of(one), zone(name)) for one in hours for name in one.zones]


@lru_cache(maxsize=512)
def zone(name: str) -> "ZoneInfo":
    """A time zone. Raises KeyError for one that is not known (zone_names.py has those that are)."""
    # Most messages have no hours: their functions need not load it.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    return ZoneInfo(name)


def _state(week: Week, zone: "ZoneInfo", moment: int) -> tuple[bool, int]:
    """Whether a moment is open on a zone's clock, and until when at least it stays so: a day at the most."""
    shown = datetime.fromtimestamp(moment, zone)
    second = shown.hour * 3600 + shown.minute * 60 + shown.second
    is_open, changes = False, DAY
    for start, end in week.spans(shown.date()):
        if second < end:
            is_open = second >= start
            changes = end if is_open else start
            break
    until = moment + changes - second
    offset = shown.utcoffset()
    if datetime.fromtimestamp(until, zone).utcoffset() == offset:
        return is_open, until
    before, after = moment, until  # the clock is changed between the two: the second is found by halving
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return is_open, after
