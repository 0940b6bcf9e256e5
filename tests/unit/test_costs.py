"""The page of costs says what the compiled examples cost."""

from pathlib import Path

import pytest

from benchmarks.compile import MENUS, STEPS, USD_PER_1000_TRANSITIONS, menus_of_menus, menus_of_steps, transitions
from benchmarks.compile import usd_of_1000 as usd
from speechcall.menus.rules.compile_flow import compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from tests.golden.flows import NAMES, WIRING, example_menus
from tests.kit.random_menus import HOOK

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_costs_what_the_page_says(name):
    found = transitions(compile_flow(example_menus(name), WIRING))
    row = f"| {name} | {found.shortest} | {found.longest} | {usd(found.shortest):.3f} | {usd(found.longest):.3f} |"
    assert row in PAGE


@pytest.mark.parametrize("region", USD_PER_1000_TRANSITIONS)
def test_a_price_stands_on_the_page(region):
    assert f"| {USD_PER_1000_TRANSITIONS[region]} |" in next(line for line in PAGE.splitlines() if region in line)


@pytest.mark.parametrize(
    ("lists", "shortest", "longest"),
    [
        ({}, 5, 5),
        ({"d1": (HOOK, HOOK, Hangup())}, 5, 7),
        ({"d1": (Hangup(),), "wrong": (GotoMenu(0),)}, 5, 1 + 50 * 2 + 4),
        ({"d1": (Hangup(),), "wrong": (HOOK, GotoMenu(0))}, 5, 1 + 50 * 3 + 4),
    ],
)
def test_transitions_are_the_states_of_the_shortest_and_the_longest_call(lists, shortest, longest):
    found = transitions(compile_flow((Menu("intro", 1000, lists),), WIRING))
    assert found.shortest == shortest
    assert found.longest == longest


def test_a_call_that_no_key_ends_ends_at_the_limit():
    found = transitions(compile_flow((Menu("intro", 1000, {"wrong": (GotoMenu(0),)}),), WIRING))
    assert found.shortest == found.longest == 1 + 50 * 2 + 4


def test_the_bench_compiles_as_many_steps_as_it_says():
    for count in STEPS:
        states = compile_flow(menus_of_steps(count), WIRING)["States"]
        assert sum(name.endswith("webhook") for name in states) == count
    for count in MENUS:
        menus = menus_of_menus(count)
        assert sum(f"Menu {index}" in compile_flow(menus, WIRING)["States"] for index in range(count)) == count
