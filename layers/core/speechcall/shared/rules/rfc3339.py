"""Moments as RFC 3339 writes them, section 5.6: `2026-12-01T09:00:00+02:00`."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_msec(text: str) -> int | None:
    """Milliseconds since 1970 of a moment with its offset; None: it is none. What is finer is cut off.

    A leap second (`:60`) is the second after it, as for clocks that know none.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    leap = second == 60
    try:
        offset = timedelta(hours=_within(hours, 23), minutes=_within(minutes, 59))
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=zone)
    except ValueError:  # a 30th of February, a 25th hour
        return None
    # Subtraction, because a moment near year 1 or 9999 cannot be converted to UTC.
    seconds = (moment - _EPOCH) // timedelta(seconds=1) + leap
    return seconds * 1000 + int(f"{fraction or ''}000"[:3])


def _within(digits: str | None, most: int) -> int:
    value = int(digits or "0")
    if value > most:
        raise ValueError(digits)
    return value
