"""What is proved or found of menus is so of the compiled machines, run by a Step Functions engine."""

import secrets
from collections.abc import Iterator
from random import Random

import pytest

from speechcall.menus.rules.compare_menus import Kind, compare
from speechcall.menus.rules.promise import AlwaysSeconds, Ending
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.menus.rules.prove import Result, prove
from speechcall.menus.rules.walk import ELSE, CallLimits, react
from tests.kit.promise_meaning import (
    SOME_KEYS,
    Heard,
    Went,
    all_that_follow,
    breaks,
    longest_lookup,
    random_promise,
    small_menus,
    with_some_urls,
)
from tests.kit.random_menus import Does, Pair, random_menus
from tests.kit.walk_bench import WalkBench, walk_bench

ENDINGS = {
    "completed": Ending.COMPLETED,
    "callerHungUp": Ending.CALLER_HUNG_UP,
    "notPlayed": Ending.PROMPT_UNAVAILABLE,
    "promptUnavailable": Ending.PROMPT_UNAVAILABLE,
    "silence": Ending.SILENCE,
    "limit": Ending.LIMIT,
}


@pytest.fixture(scope="module")
def bench() -> Iterator[WalkBench]:
    with walk_bench(WalkBench) as made:
        yield made


def does(steps):
    """A callee who does these steps, and then hangs up."""
    return tuple(Does(one.heard, "hangs_up" if one.hangs_up_after else "", one.case or ELSE) for one in steps)


def went(pair, mid, took):
    """The call that the machine made: what was asked and sent comes from what it did, not from what was expected."""
    steps, lookups = [], 0
    for visit, menu in enumerate(took.menus):
        one = pair.does[visit] if visit < len(pair.does) else Does("hang_up")
        if one.heard in ("hang_up", "prompt_error"):
            steps.append(Heard(menu, one.heard, None, (), None))
            continue
        all_cases = all_that_follow(pair.menus, menu, one.heard)
        follows = next((found for found in all_cases if found.case in (None, one.case)), all_cases[-1])
        lookups += 0 if one.then else longest_lookup(pair.menus, follows)
        # Seq 1 is dial, so that the first menu's is 2: <mid>-1-<seq>-m<menu>-<key>-<step>.
        ids = [name.removeprefix(f"{mid}-1-{visit + 2}-").split("-") for name in took.event_ids]
        sent = [parts for parts in ids if len(parts) == 3]
        urls = tuple(pair.menus[int(place[1:])].actions[key][int(step)].url for place, key, step in sent)
        opted = any((menu, follows.key) == place[:2] for place in took.opt_outs)
        steps.append(Heard(menu, one.heard, follows.key, urls, follows.target, one.then == "hangs_up", opted))
    entries = [one.heard not in ("idle", "hang_up", "prompt_error") for one in steps]
    asked = [pair.menus[menu] for menu in took.menus]
    waits = [menu.waits_seconds if entry else menu.idle_seconds for menu, entry in zip(asked, entries, strict=True)]
    return Went(tuple(steps), len(took.menus), ENDINGS[took.reason], sum(waits) * 1000 + lookups)


def broken_promises(random, count):
    """Menus, a promise that they break, and a call that the proof says breaks it."""
    found = []
    while len(found) < count:
        big = random.random() < 0.4
        menus = with_some_urls(random, random_menus(random)) if big else small_menus(random)
        (promise,), _ = read_promises([random_promise(random)])
        visits = random.choice((3, 3, 12, 50) if count > 20 else (3, 12))
        verdict = prove(menus, promise.rule, CallLimits(visits), {menu.intro: 0.0 for menu in menus})
        if verdict.result is Result.BROKEN:
            steps = does(verdict.broken.steps)
            found.append((promise.rule, Pair(menus, steps, max_visits=visits)))
    return found


def hold_broken_promises(bench, count):
    random = Random(seed := secrets.randbits(32))
    drawn = broken_promises(random, count)
    pairs = [pair for _, pair in drawn]
    for (rule, pair), (mid, took) in zip(drawn, bench.take(pairs), strict=True):
        call = went(pair, mid, took)
        assert took.status == "SUCCEEDED"
        assert breaks(rule, call, pair.menus), f"{seed}: {rule}\n{pair}\n{took}"
    assert {type(rule) for rule, _ in drawn} >= {AlwaysSeconds} or count < 30


def test_each_counterexample_breaks_its_promise_when_the_machine_runs_it(bench):
    hold_broken_promises(bench, 12)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(10))
def test_many_counterexamples_break_their_promises_when_the_machines_run_them(bench, shard):
    hold_broken_promises(bench, 75)


def looked_up(menus, heard):
    """The lookup behind something heard, without the menus that it may lead to."""
    lookup = react(menus[heard.menu], heard.heard).lookup
    return lookup and (lookup.url, lookup.body, lookup.timeout_msec)


def hold_differences(bench, count):
    """Each difference, done by both machines: what they send, ask, or end with is not the same."""
    random = Random(seed := secrets.randbits(32))
    found = []
    while len(found) < count:
        old, new = small_menus(random, SOME_KEYS), small_menus(random, SOME_KEYS)
        some = compare(old, new, CallLimits(5)).differences
        found += [(old, new, one) for one in random.sample(some, min(3, len(some)))]
    pairs = [
        Pair(menus, tuple(Does(step.heard, case=step.case or ELSE) for step in one.steps), max_visits=5)
        for old, new, one in found
        for menus in (old, new)
    ]
    results = bench.take(pairs)
    for number, (old, new, one) in enumerate(found):
        calls = [went(pairs[at], *results[at]) for at in (2 * number, 2 * number + 1)]
        last = len(one.steps) - 1
        told = f"{seed}: {one}\n{old}\n{new}\n{results[2 * number]}\n{results[2 * number + 1]}"
        if one.kind is Kind.SENT:
            heard = [call.heard[last] for call in calls]
            asked_for = [looked_up(menus, there) for menus, there in zip((old, new), heard, strict=True)]
            does_there = [(there.urls, there.opts_out, asks) for there, asks in zip(heard, asked_for, strict=True)]
            assert does_there[0] != does_there[1], told
        elif one.kind is Kind.LEADS:
            ends = [(call.asked > last + 1, call.ending) for call in calls]
            assert ends[0] != ends[1], told
        else:
            asked = [menus[call.heard[last + 1].menu] for menus, call in zip((old, new), calls, strict=True)]
            assert len({(one.intro, one.idle_timeout_msec, one.input) for one in asked}) == 2, told


def test_each_difference_is_one_between_the_machines(bench):
    hold_differences(bench, 6)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(5))
def test_many_differences_are_ones_between_the_machines(bench, shard):
    hold_differences(bench, 40)
