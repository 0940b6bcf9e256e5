"""When a webhook is tried again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.webhooks.rules.retry import (
    MAX_RETRY_AFTER_SECONDS,
    RETRY_DELAYS_SECONDS,
    is_delivered,
    is_retryable,
    retry_after_seconds,
    retry_delay,
    turn_delay,
)


@given(st.integers(100, 599))
def test_only_2xx_is_delivered(status):
    assert is_delivered(status) == (status // 100 == 2)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_a_failure_that_may_pass_is_tried_again(status):
    assert is_retryable(status)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422])
def test_redirects_and_other_4xx_are_not_tried_again(status):
    assert not is_retryable(status)


def test_the_waits_grow_and_then_it_is_given_up():
    waits = [retry_delay(made, lambda low, high: 1.0) for made in range(1, 10)]
    assert waits == [5, 30, 120, 600, 1800, 7200, 21600, None, None]


@given(st.integers(1, len(RETRY_DELAYS_SECONDS)), st.floats(0.8, 1.2))
def test_a_wait_is_varied_by_a_fifth(made, factor):
    asked = []
    wait = retry_delay(made, lambda low, high: asked.append((low, high)) or factor)
    assert asked == [(0.8, 1.2)]
    assert wait >= 1
    assert abs(wait - RETRY_DELAYS_SECONDS[made - 1] * factor) <= 0.5


@given(st.integers(1, len(RETRY_DELAYS_SECONDS)), st.integers(0, 10**12), st.floats(0, 1))
def test_retry_after_lengthens_a_wait_and_never_shortens_it(made, asked, place):
    def uniform(low, high):
        return low + place * (high - low)

    without, found = retry_delay(made, uniform), retry_delay(made, uniform, asked)
    assert found >= without
    assert found >= min(asked, MAX_RETRY_AFTER_SECONDS)
    assert found <= max(without, round(MAX_RETRY_AFTER_SECONDS * 1.2))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 40, 999_999_999),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60),
        ("Wed, 21 Oct 2026 07:26:00 GMT", 0),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_what_retry_after_asks_for(text, seconds):
    assert retry_after_seconds(text, 1_792_567_620) == seconds


@pytest.mark.parametrize("zone", ["UTC", "Europe/Kyiv", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    "text",
    [
        "Wed, 21 Oct 2026 07:57:00 GMT",
        "Wednesday, 21-Oct-26 07:57:00 GMT",
        "Wed Oct 21 07:57:00 2026",
        "Wed, 21 Oct 2026 07:57:00 -0000",
        "Wed, 21 Oct 2026 07:57:00",
        "Wed, 21 Oct 2026 10:57:00 +0300",
    ],
)
def test_a_date_means_the_same_wherever_it_is_read(text, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after_seconds(text, 1_792_567_620) == 1800
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text() | st.text("0123456789 :,-+WedOctGMT", max_size=40))
def test_no_retry_after_can_hurt(text):
    found = retry_after_seconds(text, 0)
    assert found is None or found >= 0


@given(st.integers(0, 10**6), st.floats(0.8, 1.2))
def test_a_wait_for_a_turn_is_never_long(waits, factor):
    assert 1 <= turn_delay(waits, lambda low, high: factor) <= 72
