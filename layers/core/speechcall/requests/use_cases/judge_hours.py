"""Whether a message can be dialled at all at the hours that it and its account ask for, and until when."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.dial_times import DEFAULT_TTL_SECONDS
from speechcall.messages.rules.hours_in_force import Asked, WrongZone, hours_in_force, needs_number
from speechcall.messages.rules.when_to_dial import (
    LOOK_AHEAD_SECONDS,
    MOST_SEND_AT_SECONDS,
    Dialable,
    DialTimes,
    NeverDialable,
    dial_until_msec,
    next_dial,
)
from speechcall.requests.rules.numbering import zones_of
from speechcall.shared.rules.calling_hours import WEEKDAYS, Hours, Window, zone
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.rfc3339 import to_msec

if TYPE_CHECKING:
    from speechcall.requests.use_cases.hours_model import HoursModel

MOST_PAST_SECONDS = 86_400
"""A `sendAt` that is further in the past is a mistake, not a delay in transport."""


def judge_hours(
    asked: "HoursModel", ttl_seconds: int | None, account: Account, number: str, accepted_msec: int
) -> DialTimes | Problem:
    """When a message to `number` (E.164) may be dialled, if it is accepted at `accepted_msec`; or what is wrong.

    `asked`: what the message asks for; its account's hours hold too. `ttl_seconds`: None if the message gives none.
    Out: times with at least one moment at which it may be dialled, or a problem with its path inside the message.
    """
    try:
        wanted = wanted_hours(asked)
        zones = zones_of(number) if needs_number(wanted, account) else ()
        hours = hours_in_force(wanted, account, zones)
    except WrongZone as wrong:
        return _wrong_zone(wrong)
    # A moment before 1970 counts as 1970: both are refused below.
    send_at = max(to_msec(asked.sendAt) or 0, 0) if asked.sendAt else 0
    if asked.sendAt and send_at < accepted_msec - MOST_PAST_SECONDS * 1000:
        return Problem("INVALID_SEND_AT", "sendAt", "is more than a day ago; leave it out to send at once")
    if send_at > accepted_msec + MOST_SEND_AT_SECONDS * 1000:
        days = MOST_SEND_AT_SECONDS // 86_400
        return Problem("INVALID_SEND_AT", "sendAt", f"is more than {days} days ahead; at most {days} can be")
    until = dial_until_msec(hours, accepted_msec, send_at, ttl_seconds, DEFAULT_TTL_SECONDS)
    if until is None:
        days = LOOK_AHEAD_SECONDS // 86_400
        text = f"leave no moment in the next {days} days at which the message may be dialled"
        return Problem("NEVER_DIALLABLE", "windows", text)
    # Whole seconds from acceptance, as it is stored; never later than was asked for.
    until -= (until - accepted_msec) % 1000
    times = DialTimes(until, send_at if send_at > accepted_msec else 0, hours)
    answer = next_dial(times, accepted_msec)
    match answer:
        case NeverDialable(opens_msec=opens):
            next_opening = f"its hours open at {_shown(opens, hours)}" if opens else "its hours do not open for long"
            return Problem("NEVER_DIALLABLE", "ttl", f"ends before the message may be dialled: {next_opening}")
        case Dialable():
            return times
        case _:
            assert_never(answer)


def wanted_hours(asked: "HoursModel") -> Asked:
    """The windows, the time zone and the days off that a message asks for; weekdays are numbered from Monday, 0."""
    windows = tuple(
        # As an end, 00:00 is the end of the day, minute 1440.
        Window(_minute(one.from_), _minute(one.to) or 1440, tuple(sorted(map(WEEKDAYS.index, one.days))))
        for one in asked.windows or ()
    )
    return Asked(windows, asked.timeZone, tuple(sorted(set(asked.notOn or ()))))


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _wrong_zone(wrong: WrongZone) -> Problem:
    """The problem to report for a missing, unknown or needless time zone."""
    match wrong.fault:
        case "noZone":
            text = 'is required with windows or notOn: an IANA name such as Europe/Kyiv, or "recipient"'
        case "needless":
            text = "changes nothing without windows or notOn; give those, or leave it out"
        case "unknownZone":
            text = "must be an IANA name, such as Europe/Kyiv: the time zone of this number is not known"
        case _:
            assert_never(wrong.fault)
    return Problem("INVALID_TIME_ZONE", "timeZone", text)


def _shown(msec: int, hours: tuple[Hours, ...]) -> str:
    """A moment on the clock of the first zone of `hours`, in whole minutes, rounded up."""
    clock = zone(hours[0].zones[0])
    moment = datetime.fromtimestamp(msec // 1000, clock)
    if moment.second:  # sendAt in the middle of a minute
        moment = moment.replace(second=0) + timedelta(minutes=1)
    return moment.isoformat(timespec="minutes")
