"""How long a call waits for a key."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.shared.rules.timing import IDLE_STEPS, MAX_IDLE_TIMEOUT_MSEC, idle_seconds, menu_wait_seconds


@given(st.integers(1, MAX_IDLE_TIMEOUT_MSEC))
def test_the_wait_is_the_smallest_step_that_is_not_shorter_than_asked(msec):
    step = idle_seconds(msec)
    assert step in IDLE_STEPS
    assert step * 1000 >= msec
    assert not [other for other in IDLE_STEPS if msec <= other * 1000 < step * 1000]


@pytest.mark.parametrize(
    ("msec", "seconds"),
    [
        (1, 1),
        (1000, 1),
        (1001, 2),
        (10_000, 10),
        (30_000, 30),
        (30_001, 35),
        (60_001, 75),
        (120_001, 150),
        (180_000, 180),
    ],
)
def test_whole_seconds_to_30_then_coarser_steps(msec, seconds):
    assert idle_seconds(msec) == seconds


def test_every_step_can_be_the_time_limit_of_an_input_block():
    assert list(IDLE_STEPS) == sorted(set(IDLE_STEPS))
    assert IDLE_STEPS[0] >= 1
    assert IDLE_STEPS[-1] == MAX_IDLE_TIMEOUT_MSEC / 1000 == 180


@given(st.floats(0.001, 300), st.integers(1, MAX_IDLE_TIMEOUT_MSEC // 1000), st.integers(0, 60))
def test_the_state_machine_waits_longer_than_the_telephony(prompt, seconds, grace):
    wait = menu_wait_seconds(prompt, seconds, grace)
    assert isinstance(wait, int)
    assert wait >= prompt + seconds + grace
    assert wait < math.floor(prompt) + seconds + grace + 2
