"""Promises: proved, broken by the shortest call, or undecided."""

import os
import secrets
from random import Random

import pytest

from speechcall.menus.rules.menu import KEYS, GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.promise import AlwaysLeads, LeadsTo, Pattern
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.menus.rules.promise_words import explain, place_of
from speechcall.menus.rules.prove import Result, prove
from speechcall.menus.rules.walk import Behaviour, CallLimits, walk
from speechcall.shared.rules.outcome import End
from tests.kit.promise_meaning import (
    SOME_KEYS,
    all_calls,
    breaks,
    random_call,
    random_limits,
    random_promise,
    random_seconds,
    small_menus,
    steps_to,
    with_some_urls,
)
from tests.kit.random_menus import random_menus

PAIRS, LONG_PAIRS = 60, 2000
UNKNOWN = (0.0, 1.5, 300.0)
"""Lengths that an introduction of unknown length may have: none, some, the longest."""


def rule_of(given):
    promises, problems = read_promises([given])
    assert problems == []
    return promises[0].rule


def as_drawn(heard, keys):
    """Of a callee who presses few keys: the others have no list, and are like one that no telephone has."""
    return "other" if heard in KEYS and heard not in keys else heard


def begins_with(keys, steps):
    """Whether a call begins so; a step that names no case of a lookup stands for all of them."""
    pairs = zip(keys, steps, strict=False)
    return len(keys) >= len(steps) and all(one[:3] == step[:3] and step[3] in (None, one[3]) for one, step in pairs)


def held_against_all_calls(random):
    """Draws menus and a promise; the verdict, which is that of all calls, one by one."""
    # Broad or long: calls of many keys, or of many menus.
    keys, visits = (SOME_KEYS, 3) if random.random() < 0.6 else (SOME_KEYS[:1], 5)
    menus, limits = small_menus(random, keys), random_limits(random, visits)
    given, seconds = random_promise(random, keys), random_seconds(random, menus)
    rule, told = rule_of(given), f"{menus}\n{limits}\n{seconds}\n{given}"
    verdict = prove(menus, rule, limits, seconds)
    unknown = any(menu.intro not in seconds for menu in menus)
    for length in UNKNOWN if unknown else UNKNOWN[:1]:
        lengths = {menu.intro: seconds.get(menu.intro, length) for menu in menus}
        broken = [call for call in all_calls(menus, limits, lengths, keys) if breaks(rule, call, menus)]
        if verdict.result is Result.PROVED:
            assert broken == [], f"{told}\n{broken[0]}"
        elif verdict.result is Result.BROKEN:
            steps = [(one.menu, as_drawn(one.heard, keys), *one[2:]) for one in verdict.broken.steps]
            assert any(begins_with(call.keys, steps) for call in broken), f"{told}\n{verdict}"
            shortest = min(steps_to(rule, call, menus) for call in broken)
            assert len(steps) == shortest if not unknown else len(steps) >= shortest, f"{told}\n{verdict}"
        else:
            assert unknown, f"{told}\n{verdict}"
            assert {menus[index].intro for index in verdict.lengths} == {menu.intro for menu in menus} - set(seconds)
    return verdict.result


def drawn(count):
    seed = int(os.environ.get("PROVE_SEED") or secrets.randbits(32))
    random = Random(seed)
    try:
        results = [held_against_all_calls(random) for _ in range(count)]
    except AssertionError as error:
        raise AssertionError(f"PROVE_SEED={seed}\n{error}") from error
    assert {Result.PROVED, Result.BROKEN} <= set(results)


@pytest.mark.slow
def test_a_verdict_is_that_of_all_calls_one_by_one():
    drawn(PAIRS)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_verdicts_on_many_menus_are_those_of_all_calls():
    drawn(LONG_PAIRS)


def held_against_random_calls(random, promises, calls):
    """Promises about menus of any size; how many were proved, each of which so many calls by chance keep."""
    proved = 0
    for _ in range(promises):
        menus = with_some_urls(random, random_menus(random))
        rule, seconds = rule_of(random_promise(random)), {"intro": random.choice((0.0, 4.0, 20.0))}
        limits = CallLimits(random.choice((5, 50)), random.choice((60, 900)), random.choice((0, 2, 7)))
        if prove(menus, rule, limits, seconds).result is Result.PROVED:
            proved += 1
            for _ in range(calls):
                call = random_call(random, menus, limits, seconds)
                assert not breaks(rule, call, menus), f"{menus}\n{limits}\n{seconds}\n{rule}\n{call}"
    return proved


def test_what_is_proved_is_kept_by_calls_by_chance():
    assert held_against_random_calls(Random(secrets.randbits(32)), 40, 20) >= 1


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_what_is_proved_is_kept_by_thousands_of_calls_by_chance():
    assert held_against_random_calls(Random(secrets.randbits(32)), 40, 5000) >= 5


# ------------------------------------------------------------------ by hand
CONFIRMED, DONE = Webhook("https://shop.example/confirmed"), Webhook("https://shop.example/done")
LIMITS, OPT_OUT = CallLimits(), LeadsTo(opts_out=True)


def menu(idle=10, intro="intro", **lists):
    return Menu(intro, idle * 1000, {key.replace("star", "*"): tuple(steps) for key, steps in lists.items()})


def verdict(menus, given, seconds=None, limits=LIMITS, **more):
    lengths = {"intro": 0.0} if seconds is None else seconds
    return prove(menus, rule_of(given), limits, lengths, **more)


def keys_of(found):
    return [(step.menu, step.heard) for step in found.broken.steps]


def test_of_two_ways_to_a_menu_the_longer_one_breaks_a_bound_of_seconds():
    menus = (
        menu(1, d1=[GotoMenu(1)], d2=[GotoMenu(2)], wrong=[Hangup()]),
        menu(1, d1=[GotoMenu(3)], wrong=[Hangup()]),
        menu(30, d1=[GotoMenu(3)], wrong=[Hangup()]),
        menu(10, wrong=[Hangup()]),
    )
    found = verdict(menus, {"always": {"callSeconds": "<= 40"}})
    assert keys_of(found) == [(0, "d2"), (2, "d1"), (3, "idle")]
    assert found.broken.msec == 41_000
    assert verdict(menus, {"always": {"callSeconds": "<= 41"}}).result is Result.PROVED


def test_a_menu_that_comes_too_late_is_not_asked():
    menus = (menu(6, wrong=[GotoMenu(1)]), menu(6, wrong=[GotoMenu(2)]), menu(6, wrong=[CONFIRMED]))
    given = {"never": {"both": ["*/confirmed", "*"]}}
    assert verdict(menus, given, limits=CallLimits(seconds=13)).result is Result.BROKEN
    alone = {"never": {"webhook": "*/confirmed", "by": "wrong"}}
    assert keys_of(verdict(menus, alone)) == [(0, "idle"), (1, "idle"), (2, "idle")]


def test_what_is_due_in_every_other_menu_may_be_due_at_the_last_one():
    menus = (menu(d1=[CONFIRMED, GotoMenu(1)], wrong=[Hangup()]), menu(d1=[DONE, GotoMenu(0)], wrong=[DONE]))
    given = {
        "always": {
            "after": "*/confirmed",
            "webhook": "*/done",
            "unless": ["callerHungUp", "promptUnavailable", "silence"],
        }
    }
    for visits in (7, 8, 51, 52):
        found = verdict(menus, given, limits=CallLimits(visits))
        if visits % 2:
            assert keys_of(found) == [(place % 2, "d1") for place in range(visits)]
        else:
            assert found.result is Result.PROVED


@pytest.mark.parametrize("key", ["d1", "silence"])
def test_who_hangs_up_behind_the_last_menus_list_ends_the_call_and_no_bound_does(key):
    menus = (menu(**{key: [CONFIRMED, GotoMenu(0)]}),)
    given = {"always": {"after": "*/confirmed", "webhook": "*/done", "unless": ["limit", "silence"]}}
    found = verdict(menus, given, limits=CallLimits(1))
    assert found.result is Result.BROKEN
    (step,) = found.broken.steps
    assert (step.heard, step.hangs_up_after) == ("idle" if key == "silence" else key, True)
    ran = walk(menus, [Behaviour(step.heard, hangs_up_after=True)], 1)
    assert (ran.end, len(ran.webhooks)) == (End.CALLER_HUNG_UP, 1)


def test_a_second_cause_does_not_put_off_what_the_first_one_is_owed():
    menus = (menu(d1=[CONFIRMED, GotoMenu(0)], wrong=[DONE]),)
    given = {"always": {"after": "*/confirmed", "webhook": "*/done", "within": {"menus": 2}}}
    assert keys_of(verdict(menus, given)) == [(0, "d1")] * 3


def test_an_unknown_length_leaves_undecided_what_depends_on_it():
    menus = (menu(10, "ivr_1", d1=[Hangup()]),)
    given = {"always": {"callSeconds": "<= 30"}}
    found = verdict(menus, given, {})
    assert (found.result, found.lengths) == (Result.UNDECIDED, (0,))
    assert verdict(menus, given, {"ivr_1": 20.0}).result is Result.PROVED
    assert verdict(menus, given, {"ivr_1": 20.01}).result is Result.BROKEN
    assert verdict(menus, {"always": {"callSeconds": "<= 9"}}, {}).result is Result.BROKEN


def ring(count):
    """So many menus in which each key leads to another one, and silence round all of them."""
    return tuple(
        menu(
            1 + index,
            **{
                key.replace("*", "star"): [GotoMenu((index * 3 + place) % count)]
                for place, key in enumerate((*KEYS, "wrong"))
            },
        )
        for index in range(count)
    )


def test_more_states_than_are_looked_at_leave_it_undecided():
    given = {"always": {"menus": "<= 60"}}
    whole = verdict(ring(20), given)
    assert whole.result is Result.PROVED
    assert verdict(ring(20), given, most_states=whole.states).result is Result.PROVED
    few = verdict(ring(20), given, most_states=whole.states - 1)
    assert (few.result, few.lengths) == (Result.UNDECIDED, ())


def test_the_states_grow_with_the_menus_and_not_with_the_ways_through_them():
    states = [verdict(ring(count), {"always": {"menus": "<= 60"}}).states for count in (5, 10, 20)]
    assert states[1] <= 2.5 * states[0]
    assert states[2] <= 2.5 * states[1]
    assert states[2] <= 20 * LIMITS.visits * (LIMITS.silent_repeats + 20)


@pytest.mark.parametrize(
    ("key", "in_menu_1", "broken"),
    [
        ({}, "d5", None),
        ({}, "wrong", 1),
        ({"key": "d9"}, "d9", None),
        ({"key": "d9"}, "d5", 1),
    ],
)
def test_somebody_can_opt_out_in_every_menu(key, in_menu_1, broken):
    out = [OptOutStep(""), Hangup()]
    menus = (menu(d1=[GotoMenu(1)], d9=out), menu(**{in_menu_1: out}), menu(d1=[CONFIRMED]))
    found = verdict(menus, {"pack": "opt-out-in-every-menu", **key})
    assert found.result is (Result.PROVED if broken is None else Result.BROKEN)
    if broken:
        rule = rule_of({"pack": "opt-out-in-every-menu", **key})
        said = "9 does not lead to an opt-out" if key else "menu 1 is asked, in which no key leads to an opt-out"
        assert explain(rule, found, LIMITS).endswith(f"and {said}")
        assert place_of(menus, rule, found.broken) == "menu[1]"


def test_the_first_menu_of_all_has_to_have_a_key_that_opts_out():
    found, rule = verdict((menu(d1=[CONFIRMED]),), {"pack": "opt-out-in-every-menu"}), AlwaysLeads(None, None, OPT_OUT)
    assert explain(rule, found, LIMITS) == (
        "is broken: the call begins, and menu 0 is asked, in which no key leads to an opt-out"
    )


def test_a_promise_that_no_webhook_fits_is_kept_and_pointed_out():
    found = verdict((menu(d1=[CONFIRMED]),), {"never": {"webhook": "*/confirmd", "by": "wrong"}})
    assert (found.result, found.fits_nothing) == (Result.PROVED, ("*/confirmd",))


def test_a_menu_that_no_call_asks_is_pointed_out():
    menus = (menu(d9=[Hangup()]), menu())
    found = verdict(menus, {"always": {"key": "d9", "in": [0, 1, 7], "leadsTo": "hangup"}})
    assert (found.result, found.not_asked) == (Result.PROVED, (1, 7))


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("*/confirmed", "https://shop.example/confirmed", True),
        ("*/confirmed", "https://shop.example/confirmed?id=1#end", True),
        ("*/confirmed", "https://shop.example/unconfirmed/x", False),
        ("*/confirmed*", "https://shop.example/confirmed-2", True),
        ("*?id=1", "https://shop.example/confirmed?id=1", True),
        ("*?id=1", "https://shop.example/confirmed?id=12", False),
        ("HTTPS://Shop.example/*", "https://SHOP.EXAMPLE/confirmed", True),
        ("*/Confirmed", "https://shop.example/confirmed", False),
        ("*/a/*/b", "https://h/a/b", False),
        ("*/a/*/b", "https://h/a/x/b", True),
        ("https://h/a", "https://h/a", True),
        ("https://h/a*a", "https://h/a", False),
        ("*a*a*a*", "https://h/aa", False),
        ("*", "https://h/a", True),
        ("[ab]*", "https://h/a", False),
    ],
)
def test_a_pattern_fits_urls(pattern, url, fits):
    assert Pattern(pattern).fits(url) is fits


def test_a_pattern_of_many_stars_takes_no_long_time():
    url = "https://shop.example/" + "a" * 2000
    assert not Pattern("*a" * 127 + "b").fits(url)
