"""How long what is left takes: by the shares that wait, and by how long the account's calls have taken."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from speechcall.messages.rules.estimates import NOTHING_LEFT, Certainty, estimate
from speechcall.messages.rules.pool import Capacity
from speechcall.messages.rules.turns import Turn

NOW = 1_790_000_000_000
CALLS = 1000
KNOWN = Turn("acme", share=10, ended=CALLS, line_msec=CALLS * 30_000)
"""An account whose calls take 30 s."""
ALONE = Capacity(lines=10, calls_per_second=10, waiting_shares=10, told_msec=NOW)


def seconds(left, turn=KNOWN, capacity=ALONE, campaigns=1):
    found = estimate(left, turn, capacity, campaigns, NOW)
    assert found
    return found.seconds


def test_alone_it_has_all_lines():
    assert abs(seconds(1001) - 3030) < 30


def test_it_has_its_share_of_the_shares_that_wait():
    assert abs(seconds(1001, capacity=ALONE._replace(waiting_shares=40)) - 12_030) < 100
    assert abs(seconds(1001, replace(KNOWN, share=30), ALONE._replace(waiting_shares=40)) - 4030) < 40


def test_who_is_not_counted_yet_waits_all_the_same():
    assert seconds(1001, capacity=ALONE._replace(waiting_shares=0)) == seconds(1001)


def test_it_is_bounded_by_its_own_lines_and_by_its_share_of_the_rate():
    assert abs(seconds(1001, replace(KNOWN, max_lines=5)) - 6030) < 60
    assert abs(seconds(1001, capacity=ALONE._replace(lines=1000, calls_per_second=2)) - 530) < 10
    slow = ALONE._replace(lines=1000, calls_per_second=2, waiting_shares=20)
    assert abs(seconds(1001, capacity=slow) - 1030) < 10


def test_one_call_takes_as_long_as_a_call():
    assert 29 <= seconds(1) <= 31


def test_campaigns_of_an_account_share_its_lines_while_they_have_something_to_dial():
    one, three = estimate(1001, KNOWN, ALONE, 1, NOW), estimate(1001, KNOWN, ALONE, 3, NOW)
    assert one
    assert three
    assert three.at_least == one.at_least
    assert abs(three.seconds - 3 * one.seconds) < 100
    assert three.at_most > one.at_most


def test_nothing_left_takes_no_time_and_what_is_not_dialled_never_ends():
    assert estimate(0, KNOWN, ALONE, 1, NOW) == NOTHING_LEFT
    assert estimate(5, KNOWN, ALONE._replace(lines=0), 1, NOW) is None
    assert estimate(5, replace(KNOWN, is_paused=True), ALONE, 1, NOW) is None
    assert estimate(5, replace(KNOWN, max_lines=0), ALONE, 1, NOW) is None


def test_with_few_calls_or_old_news_it_is_rough():
    assert estimate(5, KNOWN, ALONE, 1, NOW).certainty is Certainty.FAIR
    assert estimate(5, Turn("acme", ended=19, line_msec=10**6), ALONE, 1, NOW).certainty is Certainty.ROUGH
    assert estimate(5, KNOWN, ALONE._replace(told_msec=NOW - 180_000), 1, NOW).certainty is Certainty.ROUGH
    assert estimate(5, KNOWN, ALONE._replace(waiting_shares=0, told_msec=0), 1, NOW).certainty is Certainty.FAIR


@given(
    st.integers(1, 50_000),
    st.builds(
        Turn,
        st.just("acme"),
        share=st.integers(1, 1000),
        max_lines=st.none() | st.integers(1, 300),
        ended=st.integers(0, 400),
        line_msec=st.integers(0, 10**8),
    ),
    st.builds(Capacity, st.integers(1, 300), st.integers(1, 100), st.integers(0, 100_000), st.integers(0, NOW)),
    st.integers(0, 1000),
)
def test_it_is_between_its_bounds_and_more_takes_longer(left, turn, capacity, campaigns):
    found = estimate(left, turn, capacity, campaigns, NOW)
    more = estimate(left + 1, turn, capacity, campaigns, NOW)
    assert found
    assert more
    assert found.at_least <= found.seconds <= found.at_most
    assert found.seconds <= more.seconds
