"""The compiler's pairs of menus and callees, run through each simulated telephony as well.

COMPILED_WALK_SEED repeats a run, as in test_compiled_walk.py.
"""

import os
import secrets
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from tests.kit.carrier_walk import CarrierWalkBench, can_be_phoned, carrier_walk_bench
from tests.kit.chime_walk import ChimeWalkBench
from tests.kit.compiled_pairs import OF_DIGITS
from tests.kit.connect_walk import ConnectWalkBench
from tests.kit.random_menus import HOOK, Does, Pair, random_menus, random_pair

PAIRS, MANY_PAIRS, AT_ONCE, PAIRS_A_SHAPE = 25, 500, 50, 8
SIDES = {"connect": ConnectWalkBench, "chime": ChimeWalkBench}


@pytest.fixture(scope="module", params=SIDES)
def bench(request: Any) -> Iterator[CarrierWalkBench]:
    with carrier_walk_bench(SIDES[request.param]) as made:
        yield made


def _hold(bench: CarrierWalkBench, count: int) -> None:
    seed = int(os.environ.get("COMPILED_WALK_SEED") or secrets.randbits(32))
    random = Random(seed)
    while count > 0:
        pairs: list[Pair] = []
        while len(pairs) < min(count, AT_ONCE):
            menus = random_menus(random)
            pairs += filter(can_be_phoned, (random_pair(random, menus) for _ in range(PAIRS_A_SHAPE)))
        count -= len(pairs)
        for pair, difference in zip(pairs, bench.differences(pairs), strict=True):
            assert difference is None, f"COMPILED_WALK_SEED={seed}: {pair}\n{difference}\n{bench.troubles}"


def test_some_pairs_come_to_the_same_on_the_simulated_telephony(bench: CarrierWalkBench) -> None:
    _hold(bench, PAIRS)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_pairs_come_to_the_same_on_the_simulated_telephony(bench: CarrierWalkBench) -> None:
    _hold(bench, MANY_PAIRS)


# ------------------------------------------------------------ the bench itself
TWO = (
    Menu("intro", 1000, {"d1": (HOOK, HOOK, GotoMenu(1)), "d#": (GotoMenu(1),), "wrong": (HOOK, GotoMenu(1))}),
    Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "wrong": (Hangup(),)}),
)
SEVERAL = [
    Pair(TWO, (Does("d1"), Does("d1"), Does("d#"), Does("idle"))),
    Pair(TWO, (Does("idle"), Does("d1")), max_visits=2),
    Pair(TWO, (Does("d1", "hangs_up"), Does("d1"))),
    Pair(TWO, (Does("d#"), Does("prompt_error"))),
    Pair(TWO, (), answers=False),
    Pair(TWO, (Does("d1"),), hangs_up_first=True),
    Pair(TWO, (Does("d1", "races"),)),
    Pair(TWO, (Does("idle", "hangs_up"),)),
    Pair(TWO, (Does("d*"), Does("d1")), faults=(1,)),
    Pair(TWO, (Does("d1", "hangs_up"),), faults=(1,)),
]


def test_each_thing_that_a_callee_can_do_is_done(bench: CarrierWalkBench) -> None:
    assert bench.differences(SEVERAL) == [None] * len(SEVERAL)
    kinds = {entry["kind"] for entry in bench.journal.entries()}
    assert {"answered", "key", "silence", "prompt_failed", "ended"} <= kinds


def test_digits_come_to_the_same_however_they_end(bench: CarrierWalkBench) -> None:
    assert bench.differences(OF_DIGITS) == [None] * len(OF_DIGITS)


def test_a_telephony_that_reports_another_key_is_found_out(bench: CarrierWalkBench, monkeypatch: Any) -> None:
    follow = bench.follow

    def other(event: dict[str, Any]) -> dict[str, Any]:
        told = event["Details"]["Parameters"] if "Details" in event else event.get("ActionData", {})
        for member in {"key", "ReceivedDigits"} & set(told):
            told[member] = "#"
        return follow(event)

    monkeypatch.setattr(bench, "follow", other)
    (difference,) = bench.differences(SEVERAL[:1])
    assert "menus=(0, 1), event_ids=(), ends=('completed',)" in difference
