"""How many of Lambda's concurrent executions a stack may take, and what is advised where there are fewer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.deployment.rules.concurrency import Load, executions_needed, reserved_for_each, why_too_many

LOADS = st.builds(Load, st.integers(1, 300), st.integers(2, 100), st.integers(2, 100), st.integers(1, 500))
BY_DEFAULT = Load(10, 10, 20, 50)


@pytest.mark.parametrize(("reserve", "needed"), [(False, 196), (True, 220)])
def test_everything_that_may_run_is_counted(reserve: bool, needed: int) -> None:
    # 10 lines × 4; two queues of webhooks × 10; 20 prompts; the API's burst and a second of its rate, 50 each;
    # two readers of four shards; six for the clock; two rehearsals. With the reserve, 16 for each of the four.
    assert executions_needed(BY_DEFAULT, reserve=reserve) == needed
    assert why_too_many(BY_DEFAULT, needed, reserve=reserve) is None
    assert why_too_many(BY_DEFAULT, needed - 1, reserve=reserve)


@given(LOADS)
def test_a_reserve_holds_every_line_and_leaves_what_lambda_wants_left(load: Load) -> None:
    assert reserved_for_each(load.lines) >= load.lines + 5
    needed = executions_needed(load, reserve=True)
    assert needed - 4 * reserved_for_each(load.lines) >= max(100, load.besides)


@given(LOADS, st.integers(0, 3_000), st.booleans())
def test_what_is_advised_fits(load: Load, executions: int, reserve: bool) -> None:
    told = why_too_many(load, executions, reserve=reserve)
    assert (told is None) == (executions_needed(load, reserve=reserve) <= executions)
    if told is None:
        return
    (ask,) = re.findall(r"ask for (\d+) or", told)
    assert why_too_many(load, int(ask), reserve=reserve) is None
    if "ReserveConcurrency=false" in told:
        assert why_too_many(load, executions, reserve=False) is None
    if most := re.findall(r"Lines=(\d+) or fewer", told):
        lines = int(most[0])
        rest = (load.webhook_concurrency, load.prompt_concurrency, load.api_requests_per_second)
        assert lines < load.lines
        assert why_too_many(Load(lines, *rest), executions, reserve=reserve) is None
        assert why_too_many(Load(lines + 1, *rest), executions, reserve=reserve)


def test_a_new_account_is_told_what_would_be_right() -> None:
    told = why_too_many(BY_DEFAULT, 10, reserve=True)
    assert told
    assert "Lines=10 needs 220" in told
    assert "lower ApiRequestsPerSecond" in told
    assert "Concurrent executions" in told
    assert "ReserveConcurrency=false" in (why_too_many(BY_DEFAULT, 200, reserve=True) or "")
