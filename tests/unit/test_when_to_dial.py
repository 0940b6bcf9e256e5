"""When a message may be dialled next: held to a reference that steps from minute to minute and asks the clocks."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import pytest

from speechcall.messages.rules.dial_times import COUNTED_MSEC, Caps, Counted, still_counted
from speechcall.messages.rules.when_to_dial import (
    Dialable,
    DialTimes,
    NeverDialable,
    dial_until_msec,
    next_dial,
    next_opening_msec,
)
from speechcall.shared.rules.calling_hours import ALWAYS, Hours, Window, is_always, open_until, window_class

MINUTE, DAY = 60_000, 86_400_000
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
EPISODES = [
    # Ordinary days, and the clock changes of zones with unusual ones.
    ("2026-11-27T10:00", ("Europe/Kyiv", "Asia/Kathmandu", "Asia/Kolkata")),
    ("2026-10-24T12:00", ("Europe/Kyiv", "Europe/London", "Atlantic/Azores")),
    ("2027-03-27T12:00", ("Europe/Kyiv", "Europe/Berlin", "America/New_York")),
    ("2027-03-13T20:00", ("America/New_York", "America/Phoenix", "America/St_Johns")),
    ("2026-10-31T20:00", ("America/New_York", "America/Los_Angeles", "America/Toronto")),
    ("2026-10-03T06:00", ("Australia/Lord_Howe", "Australia/Sydney", "Australia/Brisbane")),
    ("2027-04-03T06:00", ("Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Auckland")),
    ("2026-09-26T06:00", ("Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati")),
    ("2027-02-06T12:00", ("Africa/Casablanca", "Africa/Cairo", "Asia/Tehran")),
    ("2027-03-13T12:00", ("Africa/Casablanca", "Africa/El_Aaiun", "Europe/Dublin")),
    ("2011-12-29T06:00", ("Pacific/Apia", "Pacific/Fakaofo", "Pacific/Pago_Pago")),  # each skipped, or kept, the 30th
]
STEPS = 8 * 1440
"""Minutes that an episode lasts."""


# ----------------------------------------------------------------- reference
@lru_cache(maxsize=64)
def clock(name: str, begin: str) -> list[tuple[int, int, int]]:
    """What a zone's clock shows at each minute of an episode: the date's ordinal, and the minute of the day.

    Minutes that follow each other are written once: with the number of them.
    """
    zone, start = ZoneInfo(name), int(datetime.fromisoformat(begin).replace(tzinfo=UTC).timestamp())
    shown = (datetime.fromtimestamp(start + 60 * step, zone) for step in range(STEPS))
    runs: list[tuple[int, int, int]] = []
    for day, minute in ((one.toordinal(), one.hour * 60 + one.minute) for one in shown):
        if runs and (day, minute) == (runs[-1][0], runs[-1][1] + runs[-1][2]):
            runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
        else:
            runs.append((day, minute, 1))
    return runs


def minutes_of(hours: Hours, day: int) -> bytearray:
    """Which minutes of a date are open, 1 for each: the windows as they are written, one after the other."""
    off = {date.fromisoformat(one).toordinal() for one in hours.days_off}
    minutes = bytearray(1440)
    if day in off:
        return minutes
    for window in hours.windows or (Window(0, 1440),):
        length = window.until - window.start + (1440 if window.until <= window.start else 0)
        for begun in (day, day - 1):
            if date.fromordinal(begun).weekday() in window.days and begun not in off:
                first = window.start - 1440 * (day - begun)
                opened = range(max(first, 0), min(first + length, 1440))
                minutes[opened.start : opened.start + len(opened)] = b"\1" * len(opened)
    return minutes


@dataclass
class Case:
    begin: str
    begin_msec: int
    hours: tuple[Hours, ...]
    now_msec: int
    send_at_msec: int
    redial_msec: int
    spent_until_msec: int
    counted: tuple[Counted, ...]
    until_msec: int

    @cached_property
    def minutes(self) -> bytes:
        """Which minutes of the episode are open, 1 for each: those that are in each zone of all hours."""
        all_open = int.from_bytes(b"\1" * STEPS)
        for hours in self.hours:
            days: dict[int, bytearray] = {}
            for zone in hours.zones:
                opened = bytearray()
                for day, first, length in clock(zone, self.begin):
                    if day not in days:
                        days[day] = minutes_of(hours, day)
                    opened += days[day][first : first + length]
                all_open &= int.from_bytes(opened)
        return all_open.to_bytes(STEPS)

    def next(self, is_open: int, msec: int) -> int:
        """A moment, or the first whole minute behind it that is open or shut; or the time's end before that."""
        step = (msec - self.begin_msec) // MINUTE
        if self.minutes[step] == is_open:
            return min(msec, self.until_msec)
        later = self.minutes.find(is_open, step + 1)
        return min(self.begin_msec + later * MINUTE, self.until_msec) if later >= 0 else self.until_msec

    def ends(self) -> list[int]:
        """When something that keeps the number from being called does so no more."""
        calls = [one + COUNTED_MSEC for counted in self.counted for one in counted.moments]
        return sorted([*calls, self.spent_until_msec])

    def is_capped(self, msec: int) -> bool:
        """Whether its number has had as many calls as may be, in the time for which they count before a moment."""
        since = msec - COUNTED_MSEC
        for most, moments in self.counted:
            if sum([one > since for one in moments]) >= most:
                return True
        return msec < self.spent_until_msec

    def opening(self, msec: int, *, with_caps: bool = False) -> int | None:
        """Before the time is up."""
        at = self.next(1, msec)
        # Between two ends of what keeps it from being called nothing of that changes.
        ends = self.ends() if with_caps else []
        while at < self.until_msec and with_caps and self.is_capped(at):
            at = self.next(1, next(one for one in ends if one > at))
        return at if at < self.until_msec else None

    def expected(self) -> tuple[str, int | None, int | None]:
        earliest = max(self.now_msec, self.send_at_msec, self.redial_msec)
        at = self.opening(earliest, with_caps=True)
        if at is not None:
            return "dialable", at, self.next(0, at)
        if earliest >= self.until_msec:
            return "ttl", None, None
        return ("window" if self.opening(earliest) is None else "capped"), None, None

    def found(self) -> tuple[str, int | None, int | None]:
        times = DialTimes(self.until_msec, self.send_at_msec, self.hours)
        caps = Caps(self.counted, self.spent_until_msec)
        answer = next_dial(times, self.now_msec, redial_msec=self.redial_msec, caps=caps)
        match answer:
            case Dialable():
                return "dialable", answer.at_msec, answer.until_msec
            case NeverDialable():
                return answer.obstacle, None, None


def some_hours(draw: random.Random, begin: date, zones: tuple[str, ...]) -> Hours:
    windows = []
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
        edge = draw.choice((1, 1, 15, 30, 60))
        start = draw.randrange(0, 1440, edge)
        until = draw.choice(
            (1440, draw.randrange(edge, 1441, edge), draw.randrange(60, 240, min(edge, 30)), start or 1)
        )
        days = draw.choice((EVERY_DAY, (0, 1, 2, 3, 4), tuple(draw.sample(EVERY_DAY, draw.randint(1, 3)))))
        windows.append(Window(start, until, tuple(sorted(days))))
    off = [begin.toordinal() + draw.randrange(6) for _ in range(draw.choice((0, 0, 0, 1, 2)))]
    chosen = draw.sample(zones, draw.choice((1, 1, 2, 3)))
    return Hours(tuple(windows), tuple(chosen), tuple(date.fromordinal(one).isoformat() for one in off))


def some_case(draw: random.Random) -> Case:
    begin, zones = draw.choice(EPISODES)
    began = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    first = int(began.timestamp()) * 1000

    def moment(days: float) -> int:
        whole = draw.randrange(int(days * DAY))
        return first + draw.choice((whole, whole // MINUTE * MINUTE, whole // (15 * MINUTE) * 15 * MINUTE))

    def perhaps(days: float) -> int:
        return moment(days) if draw.random() < 0.3 else 0

    now = moment(2)
    lasts = draw.choice((30_000, draw.randrange(DAY), draw.randrange(5 * DAY)))
    hours = tuple(some_hours(draw, began.date(), zones) for _ in range(draw.choice((0, 1, 1, 1, 2))))
    # Calls before now, but for some whose moment another function's clock has told.
    counted = tuple(
        Counted(draw.randint(1, 4), tuple(now + 2000 - draw.randrange(3 * DAY) for _ in range(draw.randrange(9))))
        for _ in range(draw.choice((0, 0, 1, 1, 2)))
    )
    return Case(begin, first, hours, now, perhaps(3), perhaps(3), perhaps(4), counted, now + lasts)


def hold_to_the_reference(seed: int, cases: int) -> dict[str, int]:
    seen: dict[str, int] = {}
    for number in range(cases):
        case = some_case(random.Random(f"{seed}-{number}"))
        expected = case.expected()
        assert case.found() == expected, (seed, number, case)
        seen[expected[0]] = seen.get(expected[0], 0) + 1
    return seen


@pytest.mark.slow
def test_the_next_moment_is_that_of_a_reference_that_steps_minute_by_minute():
    seen = hold_to_the_reference(seed=1, cases=2_000)
    assert min(seen[kind] for kind in ("dialable", "ttl", "window", "capped")) > 50


@pytest.mark.long
def test_the_next_moment_is_that_of_the_reference_in_many_cases():
    hold_to_the_reference(seed=random.SystemRandom().randrange(1 << 32), cases=60_000)


# ------------------------------------------------------------------ examples
def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def hours(start: str, until: str, zone: str, *, days=EVERY_DAY, off=()) -> tuple[Hours, ...]:
    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return (Hours((Window(minutes(start), minutes(until), days),), (zone,), off),)


def opening(given: tuple[Hours, ...], moment: int) -> int | None:
    return next_opening_msec(given, moment)


def shuts(given: tuple[Hours, ...], moment: int) -> int:
    return open_until(given, moment // 1000, moment // 1000 + 10 * 86_400) * 1000


def test_an_edge_that_the_clock_skips_is_where_the_clock_jumps():
    # Berlin, 2027-03-28: after 01:59 the clock shows 03:00.
    opens = hours("02:30", "05:00", "Europe/Berlin")
    assert opening(opens, at("2027-03-28T00:00", "Europe/Berlin")) == at("2027-03-28T01:00")
    closes = hours("01:00", "02:30", "Europe/Berlin")
    assert shuts(closes, at("2027-03-28T01:15", "Europe/Berlin")) == at("2027-03-28T01:00")
    within = hours("02:10", "02:50", "Europe/Berlin")  # no such time on that day
    assert opening(within, at("2027-03-28T00:00", "Europe/Berlin")) == at("2027-03-29T02:10", "Europe/Berlin")


def test_a_time_that_comes_twice_is_in_the_window_twice_and_between_it_is_shut():
    # Berlin, 2026-10-25: after 02:59 the clock shows 02:00 once more.
    given = hours("01:00", "02:30", "Europe/Berlin")
    first_shut = shuts(given, at("2026-10-25T01:30", "Europe/Berlin"))
    assert first_shut == at("2026-10-25T00:30")
    assert opening(given, first_shut) == at("2026-10-25T01:00")
    assert shuts(given, at("2026-10-25T01:00")) == at("2026-10-25T01:30")


def test_a_day_off_closes_its_date_and_the_window_that_belongs_to_it():
    given = hours("20:00", "02:00", "Europe/Kyiv", off=("2026-12-25",))
    assert shuts(given, at("2026-12-24T21:00", "Europe/Kyiv")) == at("2026-12-25T00:00", "Europe/Kyiv")
    assert opening(given, at("2026-12-25T00:00", "Europe/Kyiv")) == at("2026-12-26T20:00", "Europe/Kyiv")


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_begins():
    given = hours("22:00", "06:00", "Europe/Kyiv", days=(4,))
    saturday = at("2026-11-28T05:59", "Europe/Kyiv")
    assert opening(given, saturday) == saturday
    assert shuts(given, saturday) == at("2026-11-28T06:00", "Europe/Kyiv")
    assert opening(given, at("2026-11-27T05:00", "Europe/Kyiv")) == at("2026-11-27T22:00", "Europe/Kyiv")


def test_a_window_that_ends_where_it_begins_is_a_day_long():
    given = hours("09:00", "09:00", "UTC", days=(0,))
    assert opening(given, at("2026-11-30T00:00")) == at("2026-11-30T09:00")
    assert shuts(given, at("2026-11-30T10:00")) == at("2026-12-01T09:00")


def test_several_zones_have_to_be_open_together():
    both = (Hours((Window(540, 1200),), ("America/New_York", "America/Los_Angeles")),)
    assert opening(both, at("2026-11-30T08:00", "America/New_York")) == at("2026-11-30T09:00", "America/Los_Angeles")
    assert shuts(both, at("2026-11-30T19:00")) == at("2026-11-30T20:00", "America/New_York")
    # Never at once: twelve hours apart, each open for one.
    never = hours("09:00", "10:00", "UTC") + hours("12:00", "13:00", "UTC")
    assert opening(never, at("2026-11-30T00:00")) is None
    assert next_dial(DialTimes(at("2026-12-01T00:00"), 0, never), at("2026-11-30T00:00")) == NeverDialable(
        "window", None
    )


def test_who_is_never_dialled_is_told_the_next_opening():
    weekdays = hours("09:00", "20:00", "Europe/Kyiv", days=(0, 1, 2, 3, 4))
    saturday = at("2026-11-28T12:00", "Europe/Kyiv")
    monday = at("2026-11-30T09:00", "Europe/Kyiv")
    assert next_dial(DialTimes(saturday + DAY, 0, weekdays), saturday) == NeverDialable("window", monday)
    until = dial_until_msec(weekdays, saturday, 0, None, 86_400)
    assert until == monday + DAY
    assert next_dial(DialTimes(until, 0, weekdays), saturday) == Dialable(monday, at("2026-11-30T20:00", "Europe/Kyiv"))
    assert dial_until_msec(weekdays, saturday, monday - DAY, 3600, 86_400) == monday - DAY + 3_600_000
    assert dial_until_msec(hours("09:00", "10:00", "UTC") + hours("11:00", "12:00", "UTC"), 0, 0, None, 86_400) is None


def test_without_hours_only_the_times_count():
    assert next_dial(DialTimes(1000), 5) == Dialable(5, 1000)
    assert next_dial(DialTimes(1000, send_at_msec=7), 5) == Dialable(7, 1000)
    assert next_dial(DialTimes(1000), 5, redial_msec=9, caps=Caps(spent_until_msec=8)) == Dialable(9, 1000)
    assert next_dial(DialTimes(1000), 5, redial_msec=1000) == NeverDialable("ttl", 1000)
    assert next_dial(DialTimes(1000), 5, caps=Caps(spent_until_msec=2000)) == NeverDialable("capped", 2000)


def test_a_call_counts_for_a_day_and_for_the_minutes_in_which_its_phone_may_begin_to_ring():
    times = DialTimes(10 * DAY)
    made = Counted(2, (5, 1, 3))
    assert made.allows_msec == 3 + COUNTED_MSEC == 3 + DAY + 5 * MINUTE
    assert next_dial(times, 9, caps=Caps((made,))) == Dialable(3 + COUNTED_MSEC, 3 + COUNTED_MSEC + 8 * DAY)
    assert next_dial(times, 9, caps=Caps((made, Counted(1, (4,))))) == next_dial(times, 4 + COUNTED_MSEC)
    assert next_dial(times, 9, caps=Caps((Counted(4, (5, 1, 3)),))) == next_dial(times, 9)
    assert still_counted((5, 1, 3), 3 + COUNTED_MSEC) == (5,)


# --------------------------------------------------------------------- class
def test_what_opens_and_shuts_together_has_one_class():
    whole = hours("09:00", "20:00", "Europe/Kyiv")
    parts = (Hours((Window(720, 1200), Window(540, 720)), ("Europe/Kyiv",)),)
    assert window_class(whole) == window_class(parts) == window_class(whole + whole)
    assert len(window_class(whole)) == 16
    others = [
        hours("09:00", "20:01", "Europe/Kyiv"),
        hours("09:00", "20:00", "Europe/Warsaw"),
        hours("09:00", "20:00", "Europe/Kyiv", days=(0, 1, 2, 3, 4)),
        hours("09:00", "20:00", "Europe/Kyiv", off=("2026-12-25",)),
        whole + hours("09:00", "20:00", "Europe/Warsaw"),
    ]
    assert len({window_class(one) for one in [whole, *others]}) == len(others) + 1
    assert window_class(others[4]) == window_class(others[4][::-1])


def test_the_class_is_the_same_in_every_process():
    assert window_class(hours("09:00", "20:00", "Europe/Kyiv")) == "63a02be75f72e20f"


def test_what_never_shuts_is_always():
    assert window_class(()) == ALWAYS
    assert window_class(hours("00:00", "24:00", "Asia/Kathmandu")) == ALWAYS
    assert window_class(hours("09:00", "09:00", "UTC")) == ALWAYS
    assert is_always(Hours((), ("UTC",)))
    assert not is_always(Hours((), ("UTC",), ("2026-12-25",)))
