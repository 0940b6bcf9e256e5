"""The funnel of a campaign: from the log of a call to counters, and from counters to what is told."""

from collections import Counter
from dataclasses import replace
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from speechcall.calls.rules.call import Cause
from speechcall.calls.rules.heard import heard_in
from speechcall.campaigns.adapters.campaign_counts import EndedMessage, Fewer, end_parts
from speechcall.campaigns.rules.campaign import MOST_SHAPES, own_funnels
from speechcall.campaigns.rules.funnel import (
    BUCKET_SECONDS,
    BUCKETS,
    KEYS,
    MOST_VISITS,
    Heard,
    Visit,
    bucket_of,
    counted,
    load_counts,
    median_between,
)
from speechcall.menus.rules.call_log import Entry, Plan, Then, ThenKind
from tests.kit.samples import ASK, CALL, NOW

LEFT_BY = st.sampled_from([*KEYS, "idle", "hungUp", "interrupted"])
VISITS = st.builds(Visit, st.integers(0, 19), LEFT_BY, st.integers(0, 10**7))
ENDED = EndedMessage("acme", "c" * 64, "f" * 40, "234881024000000001", 10**10, True, None, None)


def entry(seq, menu, event, at, then, key=""):
    return Entry(seq, menu, event, key, NOW + at, then)


def to(menu):
    return Then(ThenKind.ASK, menu)


def call(*log, cause=Cause.CALLER_HUNG_UP, stop=None):
    plan = Plan((), 50, NOW + 10**6)
    found = CALL._replace(asks=(ASK, ASK), plan=plan, cause=cause, stop_reason=stop, ended_msec=NOW + 10**5)
    for one in log:
        found = found.with_entry(one)
    return found


ANSWER = entry(1, None, "answered", 1000, to(0))


def test_a_call_that_nobody_answered_is_one_call():
    assert heard_in(call()) == Heard()
    assert counted(Heard()) == {"calls": 1}


def test_a_menu_is_asked_from_the_entry_that_decided_it():
    found = heard_in(
        call(
            ANSWER,
            entry(2, 0, "idle", 6000, to(0)),
            entry(3, 0, "key", 9500, to(1), "d1"),
            entry(4, 1, "key", 10_500, Then(ThenKind.END), "other"),
            cause=Cause.HUNG_UP,
        )
    )
    visits = (Visit(0, "idle", 5000), Visit(0, "d1", 3500), Visit(1, "other", 1000))
    assert found == Heard(was_answered=True, visits=visits)


def test_the_menu_in_which_the_call_ended_was_left_by_the_callee_or_by_us():
    assert heard_in(call(ANSWER)).visits == (Visit(0, "hungUp"),)
    for ours in (Cause.STOPPED, Cause.FAILED, Cause.UNCONFIRMED, None):
        assert heard_in(call(ANSWER, cause=ours)).visits == (Visit(0, "interrupted"),)


def test_a_menu_that_could_not_be_played_was_interrupted_unless_the_callee_hung_up():
    failed = entry(2, 0, "prompt_error", 1500, Then(ThenKind.END, reason="promptUnavailable"))
    for cause, left_by in ((Cause.HUNG_UP, "interrupted"), (Cause.CALLER_HUNG_UP, "hungUp")):
        assert heard_in(call(ANSWER, failed, cause=cause)).visits == (Visit(0, left_by, 500),)


@given(st.lists(st.lists(VISITS, max_size=60), max_size=5))
def test_what_is_added_up_is_what_is_told(calls):
    total: Counter[str] = Counter()
    for visits in calls:
        total.update(counted(Heard(was_answered=True, visits=tuple(visits))))
    funnel = load_counts("a", total)
    assert funnel.calls == funnel.answered == len(calls)
    every = [visit for visits in calls for visit in visits]
    for number, menu in funnel.menus.items():
        here = [visit for visit in every if visit.menu == number]
        assert menu.asked == len(here)
        assert menu.asked == sum(menu.keys.values()) + menu.silence + menu.hung_up + menu.interrupted
        assert menu.keys == Counter(visit.left_by for visit in here if visit.left_by in KEYS)
        assert sum(menu.buckets) == sum(menu.keys.values())
    assert sum(menu.asked for menu in funnel.menus.values()) == len(every)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_the_median_is_between_what_is_told(times):
    buckets = [0] * BUCKETS
    for msec in times:
        buckets[bucket_of(msec)] += 1
    found = median_between(buckets)
    assert found
    least, most = found
    assert least <= median(times) / 1000
    assert most is None or median(times) / 1000 <= most


def test_without_a_key_there_is_no_median():
    assert median_between([0] * BUCKETS) is None


def test_a_bound_is_in_its_bucket():
    assert [bucket_of(second * 1000) for second in BUCKET_SECONDS] == [*range(BUCKETS - 1)]
    assert bucket_of(0) == 0
    assert bucket_of(55_001) == BUCKETS - 1


def test_what_another_release_has_counted_is_passed_over():
    odd = {"m1z": 3, "m1k?": 4, "m1b99": 1, "calls": 2, "mx": 1, "m1a": 5, "other": 9, "m": 1}
    funnel = load_counts("a", odd)
    assert funnel.calls == 2
    assert {number: menu.asked for number, menu in funnel.menus.items()} == {1: 5}


def update_of(visits):
    ended = replace(ENDED, heard=Heard(was_answered=True, visits=tuple(visits)))
    return end_parts("t" * 200, ended, Fewer.SOME_LEFT, NOW)["funnel"]["Update"]


def assert_within_bounds(update):
    """DynamoDB: 4 KB of expression, 300 operators and functions; each number that is added is an operator."""
    expression = update["UpdateExpression"]
    assert len(expression.encode()) <= 4096
    assert expression.count(",") + 2 <= 300
    names = expression.partition("ADD ")[2].split(", ")
    assert len({name.split()[0] for name in names}) == len(names)


@given(st.lists(VISITS, max_size=120))
def test_the_update_is_within_the_bounds_of_dynamodb(visits):
    assert_within_bounds(update_of(visits))


def test_the_largest_update_is_within_the_bounds_of_dynamodb():
    spread = [(number * 7) % BUCKETS for number in range(20 * len(KEYS))]
    visits = [
        Visit(number % 20, KEYS[number // 20 % len(KEYS)], 1000 * ((0, *BUCKET_SECONDS, 99)[1 + spread[number]]))
        for number in range(20 * len(KEYS))
    ]
    update = update_of(visits)
    assert_within_bounds(update)
    asked = [name for name in counted(Heard(visits=tuple(visits))) if name.endswith("a")]
    assert len(asked) == 20
    assert sum(load_counts("a", counted(Heard(visits=tuple(visits)))).menus[n].asked for n in range(20)) == MOST_VISITS


@given(st.frozensets(st.integers(0, 30).map(str), max_size=MOST_SHAPES), st.lists(st.integers(0, 30).map(str)))
def test_so_many_shapes_have_their_own_funnel_and_never_lose_it(known, wanted):
    own = own_funnels(known, tuple(wanted))
    assert set(own) <= set(wanted)
    assert set(wanted) & known <= set(own)
    assert len(known | set(own)) <= MOST_SHAPES
    if len(known | set(wanted)) <= MOST_SHAPES:
        assert set(own) == set(wanted)
