"""When a webhook is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.domain.retry import RETRY_DELAYS_SECONDS, is_delivered, is_retryable, retry_delay


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
    waits = [retry_delay(made, lambda low, high: 1.0) for made in range(1, 7)]
    assert waits == [5, 30, 120, 600, None, None]


@given(st.integers(1, len(RETRY_DELAYS_SECONDS)), st.floats(0.8, 1.2))
def test_a_wait_is_varied_by_a_fifth_and_is_one_that_sqs_can_keep(made, factor):
    asked = []
    wait = retry_delay(made, lambda low, high: asked.append((low, high)) or factor)
    assert asked == [(0.8, 1.2)]
    assert 1 <= wait <= 900
    assert abs(wait - RETRY_DELAYS_SECONDS[made - 1] * factor) <= 0.5
