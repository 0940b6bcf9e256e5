"""Rehearsals over the API by their rules: how one ends, what is left of a message, what a body asks for."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.menu import KEYS, OWN_LIST, GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.walk import react
from speechcall.messages.rules.attempts import has_key
from speechcall.messages.rules.dial_times import Redial
from speechcall.rehearsal.adapters.rehearsal_codec import dump_job, load_job, pack_list, unpack_list
from speechcall.rehearsal.rules.callees import Between, Callees, Fixed, Measured, Seconds, Spread
from speechcall.rehearsal.rules.lean import lean
from speechcall.rehearsal.rules.rehearsal_job import (
    LEASE_SECONDS,
    MOST_ATTEMPTS,
    REPEATED_SECONDS,
    WORK_SECONDS,
    Failure,
    JobState,
    RehearsalJob,
    as_told,
    ends_by_msec,
    is_open,
    may_be_taken,
    taken_until_msec,
    words_of,
)
from speechcall.rehearsal.use_cases.read_rehearsal import in_the_whole, read_body
from speechcall.rehearsal.use_cases.rehearsal_ports import RehearsedList
from speechcall.rehearsal.use_cases.virtual_time import BoundedTime, OutOfTime
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.errors import InvalidRequest, Problem
from tests.kit.samples import MESSAGE, NOW

JOB = RehearsalJob("1", "acme", NOW, 3, 10, NOW + 1000)
moments = st.integers(NOW - 1000, NOW + 20_000_000)
jobs = st.builds(
    RehearsalJob,
    job_id=st.just("1"),
    account_id=st.just("acme"),
    asked_msec=st.just(NOW),
    messages=st.integers(1, 1000),
    seeds=st.integers(1, 20),
    ends_by_msec=moments,
    state=st.sampled_from(JobState),
    attempt=st.integers(0, MOST_ATTEMPTS),
    until_msec=moments,
    finished_msec=st.none() | moments,
    failure=st.none() | st.sampled_from(Failure),
    result=st.sampled_from(["", "{}"]),
)


@given(jobs, moments, st.integers(0, 10**9))
def test_what_was_told_of_an_end_is_told_for_ever(job: RehearsalJob, now: int, later: int) -> None:
    if not is_open(job, now):
        assert as_told(job, now + later) == as_told(job, now)
        assert not may_be_taken(job, now + later)


@given(jobs)
def test_one_that_nobody_writes_ends(job: RehearsalJob) -> None:
    assert not is_open(job, max(job.ends_by_msec, NOW))


@given(jobs, moments)
def test_one_that_is_taken_is_nobody_elses_until_its_time_is_over(job: RehearsalJob, now: int) -> None:
    if may_be_taken(job, now):
        until = taken_until_msec(now)
        taken = replace(
            job, attempt=job.attempt + 1, until_msec=until, ends_by_msec=ends_by_msec(job.attempt + 1, until)
        )
        assert not may_be_taken(taken, until - 1)
        assert is_open(taken, until - 1)
        assert may_be_taken(taken, until) == (taken.attempt < MOST_ATTEMPTS)


def test_a_worker_ends_before_its_time_and_the_next_one_comes_in_time() -> None:
    assert WORK_SECONDS + 120 < 900 < LEASE_SECONDS  # its function's limit
    assert REPEATED_SECONDS > 5400  # the queue's own timeout


@given(jobs)
def test_a_rehearsal_comes_back_from_its_item(job: RehearsalJob) -> None:
    assert load_job(dump_job(job)) == job


def test_each_failure_has_words() -> None:
    assert len({words_of(one) for one in Failure}) == len(Failure)


# ----------------------------------------------------------------------- lean
HOOK = Webhook("https://shop.example/secret", '{"of":"Zoya"}')
STEPS = [HOOK, Hangup(), GotoMenu(0), OptOutStep(OWN_LIST), OptOutStep("news")]
ACTIONS = st.lists(st.sampled_from(STEPS), max_size=4).map(tuple)
MENUS = st.dictionaries(st.sampled_from([*KEYS, "wrong", "invalid"]), ACTIONS, max_size=4)


@given(MENUS)
def test_a_lean_menu_opts_out_by_the_same_keys(actions: dict[str, Any]) -> None:
    menu = Menu("https://media.example/zoya.mp3", 5000, actions)
    (bare,) = lean(replace(MESSAGE, menus=(menu,))).menus or (Menu("", 0, {}),)
    for key in KEYS:
        names = [
            [one.actions[reaction.key or ""][step] for step in reaction.opt_outs]
            for one, reaction in ((menu, react(menu, key)), (bare, react(bare, key)))
        ]
        assert names[0] == names[1]


@given(st.lists(MENUS, max_size=3))
def test_a_lean_message_has_a_key_to_press_if_it_had_one(lists: list[dict[str, Any]]) -> None:
    menus = tuple(Menu("https://media.example/zoya.mp3", 5000, actions) for actions in lists)
    assert has_key(lean(replace(MESSAGE, menus=menus)).menus) == has_key(menus)


FULL = replace(
    MESSAGE,
    number_digest="digest",
    redial=Redial(2, (60,), ("busy",)),
    hours=(Hours((Window(540, 1080),), ("Europe/Kyiv",)),),
    send_at_msec=NOW + 1,
    ttl_seconds=600,
    ring_seconds=33,
    is_urgent=True,
    campaign="spring",
    opt_out_lists=("news",),
    customer_id="Zoya",
    status_url="https://shop.example/zoya",
    status_events=("final",),
)
SECONDS: list[Seconds] = [Fixed(3), Between(1, 2.5), Spread(30, 90), Measured((1.5, 7))]


@pytest.mark.parametrize("seconds", SECONDS)
def test_a_list_comes_back_as_it_is_rehearsed(seconds: Seconds) -> None:
    callees = Callees({"answered": 0.7, "busy": 0.3}, seconds, seconds, {"1": 0.25}, 2.5)
    menu = Menu("intro", 5000, {"d9": (OptOutStep(OWN_LIST), Hangup())})
    messages = [lean(FULL), lean(replace(MESSAGE, number_digest="other", menus=(menu,)))]
    found = unpack_list(pack_list(RehearsedList(messages, callees)))
    assert found.callees == callees
    # What an item does not say is as it is when a message is new.
    assert list(found.messages) == messages
    assert lean(FULL).hours == FULL.hours
    assert lean(FULL).redial == FULL.redial


def test_nothing_that_names_a_person_is_left() -> None:
    text = json.dumps([str(lean(FULL))])
    for word in (FULL.number, FULL.recipient, FULL.sender, "Zoya", "zoya", "https://", "callback"):
        assert word not in text


# ----------------------------------------------------------------------- bodies
CALLEES = {"outcomes": {"answered": 1}, "ringSeconds": 1, "talkSeconds": 1}


def body(count: int = 1, **members: Any) -> bytes:
    return json.dumps({"messages": [{"to": str(at)} for at in range(count)], "callees": CALLEES, **members}).encode()


@given(st.integers(1, 1000))
def test_a_list_is_cut_into_requests_and_loses_nothing(count: int) -> None:
    asked = read_body(body(count, campaign="spring", ttl=1.5), NOW)
    parts = [json.loads(one) for one in asked.bodies]
    assert [one["to"] for part in parts for one in part["messages"]] == [str(at) for at in range(count)]
    assert all(1 <= len(part["messages"]) <= 100 for part in parts)
    assert all({**part, "messages": 0} == {"messages": 0, "campaign": "spring", "ttl": 1.5} for part in parts)


def test_defaults_and_a_start() -> None:
    asked = read_body(body(), NOW)
    assert (asked.seeds, asked.start_msec, asked.messages) == (10, NOW, 1)
    assert read_body(body(start="2026-09-22T00:00:00+02:00", seeds=1), NOW).start_msec == 1_790_028_000_000
    assert read_body(body(start=None), NOW).start_msec == NOW
    assert read_body(body(seeds=10.0), NOW).seeds == 10


def test_all_that_is_wrong_around_the_messages_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as told:
        read_body(body(seeds=0, start=5, callees={}), NOW)
    assert [one.path for one in told.value.problems] == [
        *("callees.outcomes", "callees.ringSeconds", "callees.talkSeconds"),
        "seeds",
        "start",
    ]


def test_a_place_is_told_as_it_is_in_the_whole_list() -> None:
    assert in_the_whole(Problem("A", "messages[7].menu[0]", ""), 2).path == "messages[207].menu[0]"
    assert in_the_whole(Problem("A", "campaign", ""), 2).path == "campaign"


# ------------------------------------------------------------------------- time
def test_a_bounded_clock_stops_and_stays_stopped() -> None:
    left = [True]
    clock = BoundedTime(NOW, lambda: not left[0])

    def again() -> None:
        clock.after(1, again)

    again()
    clock.sleep(1000)
    left[0] = False
    with pytest.raises(OutOfTime):
        clock.sleep(10_000)
    left[0] = True
    with pytest.raises(OutOfTime):
        clock.sleep(1)
