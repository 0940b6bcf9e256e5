"""Moments with an offset, as RFC 3339 writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.shared.rules.rfc3339 import to_msec


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520+00:00"),  # the first four are the RFC's own
        ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57+00:00"),
        ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00+00:00"),
        ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870+00:00"),
        ("2026-12-01t09:00:00z", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00:00.123999-00:00", "2026-12-01T09:00:00.123+00:00"),
        ("2026-12-01T09:00:00.1+05:45", "2026-12-01T03:15:00.100+00:00"),
    ],
)
def test_moments(text, same):
    assert to_msec(text) == round(datetime.fromisoformat(same).timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-12-01", "2026-12-01T09:00:00", "2026-12-01T09:00Z", "2026-12-01 09:00:00Z", "1796022000"),
        *("2026-02-30T09:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T09:60:00Z", "2026-12-01T09:00:61Z"),
        *("2026-12-01T09:00:00+24:00", "2026-12-01T09:00:00+02:60", "2026-12-01T09:00:00+0200", "0000-01-01T00:00:00Z"),
        *("2026-12-01T09:00:00Z\n", " 2026-12-01T09:00:00Z", "２０２６-12-01T09:00:00Z", "2026-12-01T09:00:00.Z"),
    ],
)
def test_what_is_none(text):
    assert to_msec(text) is None


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_every_moment_that_can_be_written(moment, offset):
    written = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    sign = "-" if offset < 0 else "+"
    text = f"{moment.isoformat(timespec='milliseconds')}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    assert to_msec(text) == (written - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
