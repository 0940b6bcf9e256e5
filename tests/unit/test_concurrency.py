"""How many lines fit into so many of Lambda's concurrent executions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.domain.concurrency import environments_for, lines_within, why_too_many


@pytest.mark.parametrize(("lines", "executions"), [(1, 8), (10, 35), (100, 305)])
def test_each_line_takes_three_and_all_together_five_more(lines: int, executions: int) -> None:
    assert environments_for(lines) == executions
    assert lines_within(executions) == lines == lines_within(executions + 2)
    assert why_too_many(lines, executions) is None
    assert why_too_many(lines, executions - 1)


@given(st.integers(1, 10_000), st.integers(0, 40_000))
def test_what_is_advised_fits(lines: int, executions: int) -> None:
    told = why_too_many(lines, executions)
    assert (told is None) == (lines <= lines_within(executions))
    if told:
        (most,) = re.findall(r"Lines=(\d+) or fewer", told) or ["0"]
        assert int(most) == lines_within(executions) < lines
        (ask,) = re.findall(r"ask for (\d+) or", told)
        assert why_too_many(lines, int(ask)) is None


def test_a_new_account_is_told_what_would_be_right() -> None:
    told = why_too_many(10, 10)
    assert told
    assert "Lines=10 needs 35" in told
    assert "Lines=1 or fewer" in told
    assert "Concurrent executions" in told
    assert "Not even one line fits" in (why_too_many(1, 7) or "")
