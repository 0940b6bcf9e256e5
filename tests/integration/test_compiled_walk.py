"""The compiled machine, run by a Step Functions engine, does what the reference walk says, webhook by webhook.

Each shard draws menus and callees from a seed, which a failure tells; COMPILED_WALK_SEED repeats it. What fails is made
as small as it still fails and kept in build/compiled-walk/, where it is run again until it passes. `make test-long`
runs 5,000 pairs; COMPILED_WALK_PAIRS says how many in either run.
"""

import os
import secrets
from collections.abc import Iterator
from random import Random

import pytest

from speechcall.menus.rules.menu import GotoMenu, Menu
from speechcall.shared.rules.outcome import End
from tests.kit.compiled_pairs import (
    KEPT,
    MISTAKES,
    NAMES,
    OF_DIGITS,
    SEVERAL,
    compiled_with,
    hold_against_the_walk,
    smallest_failing,
)
from tests.kit.random_menus import HOOK, Does, Pair, random_menus, random_mute_pair
from tests.kit.walk_bench import WalkBench, walk_bench

ENVIRONMENT_PAIRS = int(os.environ.get("COMPILED_WALK_PAIRS", "0"))
SHARDS, PAIRS = 6, 300
LONG_SHARDS, LONG_PAIRS = 20, 5000


@pytest.fixture(scope="module")
def bench() -> Iterator[WalkBench]:
    with walk_bench(WalkBench) as made:
        yield made


def test_a_pair_that_failed_before_passes_now(bench):
    for kept in sorted(KEPT.glob("*.txt")):
        pair = eval(kept.read_text(encoding="utf-8"), NAMES)
        (difference,) = bench.differences([pair])
        assert difference is None, f"{kept.name} still fails\n{difference}"
        kept.unlink(missing_ok=True)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_compiled_machine_does_what_the_walk_says(bench, shard):
    hold_against_the_walk(bench, (ENVIRONMENT_PAIRS or PAIRS) // SHARDS)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(LONG_SHARDS))
def test_the_compiled_machine_does_what_the_walk_says_at_length(bench, shard):
    hold_against_the_walk(bench, (ENVIRONMENT_PAIRS or LONG_PAIRS) // LONG_SHARDS)


# ------------------------------------------------------ nothing is heard of the telephony
def test_menus_of_which_nothing_is_heard_end_by_the_machines_own_timeout(bench):
    random = Random(seed := int(os.environ.get("COMPILED_WALK_SEED") or secrets.randbits(32)))
    drawn: list[tuple[Pair, frozenset[int]]] = []
    while len(drawn) < 15:
        menus = random_menus(random)
        if len(menus) <= 2:
            drawn.append(random_mute_pair(random, menus))
    pairs = [pair for pair, _ in drawn]
    differences = bench.differences(pairs, {number: mute for number, (_, mute) in enumerate(drawn)})
    assert [(pair, found) for pair, found in zip(pairs, differences, strict=True) if found] == [], seed
    assert sum(one.heard == "mute" for pair in pairs for one in pair.does) >= 10


def test_a_telephony_that_answers_no_question_loses_the_call(bench):
    pair = Pair((Menu("intro", 1000, {"wrong": (HOOK, GotoMenu(0))}),), (Does("mute"),))
    bench.unreachable.add(str(bench.next_mid))
    ((_, took),) = bench.take([pair], {0: frozenset({0})})
    assert took.menus == (0,)
    assert took.event_ids == ()
    assert took.ends == (End.LOST,)
    assert took.reason == "lost"


# ------------------------------------------------------ the bench itself
def test_several_calls_are_as_they_must_be(bench):
    calls = [*SEVERAL, *OF_DIGITS]
    assert bench.differences(calls) == [None] * len(calls)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_compiler_that_makes_a_mistake_is_found_out(bench, mistake):
    with compiled_with(mistake):
        assert any(bench.differences(SEVERAL))


def test_what_fails_is_made_small(bench):
    def silence_hangs_up(states):
        states["Menu 0 key?"]["Default"] = "Hang up"

    there_and_back = Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "wrong": (HOOK, GotoMenu(0))})
    pair = Pair((there_and_back,), (Does("idle"), Does("d1")), max_visits=2)
    with compiled_with(silence_hangs_up):
        (difference,) = bench.differences([pair])
        smallest, _ = smallest_failing(bench, pair, difference)
    # One thing that the callee does, one action that does not follow.
    assert len(smallest.does) == 1
    assert sum(len(actions) for menu in smallest.menus for actions in menu.actions.values()) == 1
    assert eval(repr(smallest), NAMES) == smallest
