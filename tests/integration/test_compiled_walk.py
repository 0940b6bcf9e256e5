"""The compiled machine, run by a Step Functions engine, does what the reference walk says, webhook by webhook.

Each shard draws menus and callees from a seed, which a failure tells; COMPILED_WALK_SEED repeats it. What fails is made
as small as it still fails and kept in build/compiled-walk/, where it is run again until it passes. `make test-long`
runs 5,000 pairs; COMPILED_WALK_PAIRS says how many in either run.
"""

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from statelint.linter import Linter

from speechcall.domain.message import GotoMenu, Hangup, Menu, Webhook
from speechcall.domain.outcome import End
from speechcall.statemachine.compile_flow import compile_flow
from tests.fixtures.definition_checks import faults_of
from tests.fixtures.random_menus import HOOK, Does, Pair, random_menus, random_mute_pair, random_pair, smaller
from tests.fixtures.walk_bench import WalkBench, walk_bench

KEPT = Path(__file__).parents[2] / "build" / "compiled-walk"
ENVIRONMENT_PAIRS = int(os.environ.get("COMPILED_WALK_PAIRS", "0"))
SHARDS, PAIRS = 6, 300
LONG_SHARDS, LONG_PAIRS = 20, 5000
PAIRS_A_SHAPE = 10
AT_ONCE = 75
SHRINKING_SECONDS = 60
NAMES = {
    "Pair": Pair,
    "Menu": Menu,
    "Does": Does,
    "Webhook": Webhook,
    "Hangup": Hangup,
    "GotoMenu": GotoMenu,
}


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
    _hold_against_the_walk(bench, (ENVIRONMENT_PAIRS or PAIRS) // SHARDS)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(LONG_SHARDS))
def test_the_compiled_machine_does_what_the_walk_says_at_length(bench, shard):
    _hold_against_the_walk(bench, (ENVIRONMENT_PAIRS or LONG_PAIRS) // LONG_SHARDS)


def _hold_against_the_walk(bench: WalkBench, count: int) -> None:
    seed = int(os.environ.get("COMPILED_WALK_SEED") or secrets.randbits(32))
    random = Random(seed)
    while count > 0:
        pairs = _draw(random, bench, min(count, AT_ONCE), seed)
        count -= len(pairs)
        for pair, difference in zip(pairs, bench.differences(pairs), strict=True):
            if difference:
                pytest.fail(_told(bench, pair, difference, seed))


def _draw(random: Random, bench: WalkBench, count: int, seed: int) -> list[Pair]:
    """Pairs, some for each shape; the definition of each shape is read by statelint and by ourselves."""
    pairs: list[Pair] = []
    while len(pairs) < count:
        menus = random_menus(random)
        definition = compile_flow(menus, bench.wiring)
        assert [*Linter.validate(definition), *faults_of(definition)] == [], f"COMPILED_WALK_SEED={seed}: {menus}"
        pairs += [random_pair(random, menus) for _ in range(min(PAIRS_A_SHAPE, count - len(pairs)))]
    return pairs


def batched(pairs: Iterable[Pair], size: int) -> Iterator[list[Pair]]:
    """So many at a time; what is not asked for is not run."""
    left = iter(pairs)
    while some := list(islice(left, size)):
        yield some


def _told(bench: WalkBench, pair: Pair, difference: str, seed: int) -> str:
    pair, difference = _smallest(bench, pair, difference)
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{seed}.txt"
    kept.write_text(repr(pair), encoding="utf-8")
    return f"COMPILED_WALK_SEED={seed}; as small as it still fails, and kept in {kept.name}:\n{pair}\n{difference}"


def _smallest(bench: WalkBench, pair: Pair, difference: str) -> tuple[Pair, str]:
    """The simplest pair that fails too, as far as a minute leads; the pair itself, if it fails but now and then."""
    deadline = time.monotonic() + SHRINKING_SECONDS
    patience, bench.patience_seconds = bench.patience_seconds, 10
    try:
        while time.monotonic() < deadline:
            tries = (zip(some, bench.differences(some), strict=True) for some in batched(smaller(pair), 8))
            failing = next(((one, found) for tried in tries for one, found in tried if found is not None), None)
            if failing is None:
                break
            pair, difference = failing
    finally:
        bench.patience_seconds = patience
    return pair, difference


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
    assert (took.menus, took.event_ids, took.ends, took.reason) == ((0,), (), (End.LOST,), "lost")


# ------------------------------------------------------ the bench itself
TWO = (
    Menu("intro", 1000, {"d1": (HOOK, HOOK, GotoMenu(1)), "d2": (GotoMenu(1),), "wrong": (HOOK, GotoMenu(1))}),
    Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "wrong": (Hangup(),)}),
)
SEVERAL = [
    Pair(TWO, (Does("d1"), Does("d1"), Does("d2"), Does("idle"))),
    Pair(TWO, (Does("idle"), Does("d1")), max_visits=2),
    Pair(TWO, (Does("d1", "hangs_up"), Does("d1"))),
    Pair(TWO, (Does("d2"), Does("prompt_error"))),
]


def _never_wrong(states: Any) -> None:
    states["Menu 0 key?"]["Default"] = "Hang up"


def _deaf_to_the_end(states: Any) -> None:
    del states["Menu 1 key?"]["Choices"][0]


def _beyond_the_limit(states: Any) -> None:
    states["Menu 0 key?"]["Choices"][1]["StringEquals"] = "never"


def _skips_a_webhook(states: Any) -> None:
    states["Menu 0 key?"]["Choices"][3]["Next"] = "Menu 0 d1 2 webhook"


def _names_another_step(states: Any) -> None:
    states["Menu 1 d1 1 webhook"]["Parameters"]["MessageBody"]["step"] = 1


def _sends_under_one_id(states: Any) -> None:
    states["Menu 0 d1 2 webhook"]["Parameters"]["MessageDeduplicationId.$"] = "$.mid"
    states["Menu 0 d1 1 webhook"]["Parameters"]["MessageDeduplicationId.$"] = "$.mid"


def _ends_with_other_words(states: Any) -> None:
    states["Completed"]["Parameters"]["Payload"]["end"] = "failed"


def _plays_on_after_an_error(states: Any) -> None:
    states["Menu 1 key?"]["Choices"][2]["StringEquals"] = "never"
    states["Menu 1 key?"]["Default"] = "Menu 0"


MISTAKES = [
    _never_wrong,
    _deaf_to_the_end,
    _beyond_the_limit,
    _skips_a_webhook,
    _names_another_step,
    _sends_under_one_id,
    _ends_with_other_words,
    _plays_on_after_an_error,
]


def test_several_calls_are_as_they_must_be(bench):
    assert bench.differences(SEVERAL) == [None] * len(SEVERAL)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_compiler_that_makes_a_mistake_is_found_out(bench, mistake):
    def compiled(menus: Any, wiring: Any) -> Any:
        definition = json.loads(json.dumps(compile_flow(menus, wiring)))
        mistake(definition["States"])
        return definition

    with patch("speechcall.adapters.published_flows.compile_flow", compiled):
        assert any(bench.differences(SEVERAL))


def test_what_fails_is_made_small(bench):
    def compiled(menus: Any, wiring: Any) -> Any:
        definition = json.loads(json.dumps(compile_flow(menus, wiring)))
        definition["States"]["Menu 0 key?"]["Default"] = "Hang up"
        return definition

    there_and_back = Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "wrong": (HOOK, GotoMenu(0))})
    pair = Pair((there_and_back,), (Does("idle"), Does("d1")), max_visits=2)
    with patch("speechcall.adapters.published_flows.compile_flow", compiled):
        (difference,) = bench.differences([pair])
        smallest, _ = _smallest(bench, pair, difference)
    # One thing that the callee does, one action that does not follow.
    assert len(smallest.does) == 1
    assert sum(len(actions) for menu in smallest.menus for actions in menu.actions.values()) == 1
    assert eval(repr(smallest), NAMES) == smallest
