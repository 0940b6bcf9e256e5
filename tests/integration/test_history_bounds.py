"""The longest call that is allowed stays far under the 25,000 events that an execution's history can hold."""

from collections.abc import Iterator

import pytest

from benchmarks.compile import transitions
from speechcall.menus.rules.compile_flow import compile_flow
from speechcall.menus.rules.menu import GotoMenu, Menu
from speechcall.menus.rules.walk import MAX_VISITS
from tests.kit.random_menus import HOOK, MOST_IN_A_LIST, Does, Pair
from tests.kit.walk_bench import WalkBench, walk_bench

MOST_EVENTS = 25_000
EVENTS_A_RETRY = 3
"""TaskScheduled, TaskStarted, TaskFailed."""


@pytest.fixture(scope="module")
def bench() -> Iterator[WalkBench]:
    with walk_bench(WalkBench) as made:
        yield made


def history(bench, menus, mid):
    """The types of all events of a call."""
    machine = bench.flows.publish(menus)
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{mid}-1"
    pages = bench.engine_client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def events_by_state(events):
    """How many events each visit of a state takes; the beginning and the end of the execution under an empty name."""
    found, name = {"": 0}, ""
    for event in events:
        details = event.get("stateEnteredEventDetails", {})
        name = details.get("name", name)
        if "name" in details:
            found[name] = 0
        found[name] += 1
        if "stateExitedEventDetails" in event:
            name = ""
    return found


def test_the_longest_allowed_call_by_calculation(bench):
    # Given what each state takes in a real history: a key with two webhooks, then silence of which nothing is heard
    menus = (Menu("intro", 1000, {"d1": (HOOK, GotoMenu(1))}), Menu("intro", 1000, {"wrong": (GotoMenu(0),)}))
    pair = Pair(menus, (Does("d1"), Does("mute")), max_visits=2)
    ((mid, took),) = bench.take([pair], {0: frozenset({1})})
    assert took.menus == (0, 1)
    takes = events_by_state(history(bench, menus, mid))
    assert takes == {
        "": 2,
        "Dial": 6,
        "Menu 0": 6,
        "Menu 0 key?": 2,
        "Menu 0 d1 1 webhook": 5,
        "Menu 1": 6,
        "Menu 1 silent?": 5,
        "Menu 1 key?": 2,
        "Hang up": 6,
        "Completed": 5,
    }

    # When every task is tried as often as it may be
    states = compile_flow(menus, bench.wiring)["States"]

    def most(name):
        return takes[name] + EVENTS_A_RETRY * sum(rule["MaxAttempts"] for rule in states[name].get("Retry", []))

    visit = most("Menu 1") + most("Menu 1 silent?") + most("Menu 1 key?") + 10 * most("Menu 0 d1 1 webhook")
    # Then 50 visits with ten webhooks each, and the visit that is one too many, stay under the bound
    longest = takes[""] + most("Dial") + MAX_VISITS * visit + most("Menu 0") + most("Menu 0 key?")
    longest += most("Hang up") + most("Completed")
    assert longest < 14_000 < MOST_EVENTS


def test_the_longest_allowed_call_for_once(bench):
    # Ten actions a list: nine webhooks and the way back
    menus = (Menu("intro", 1000, {"d1": ((HOOK,) * (MOST_IN_A_LIST - 1) + (GotoMenu(0),))}),)
    ((mid, took),) = bench.take([Pair(menus, (Does("d1"),) * MAX_VISITS)])
    assert len(took.menus) == MAX_VISITS
    assert len(took.event_ids) == 9 * MAX_VISITS
    assert took.reason == "limit"
    events = history(bench, menus, mid)
    entered = sum("stateEnteredEventDetails" in event for event in events)
    assert entered == transitions(compile_flow(menus, bench.wiring)).longest == 1 + 50 * (2 + 9) + 4
    assert len(events) == 2 + 6 + 50 * (6 + 2 + 9 * 5) + 6 + 2 + 6 + 5 < MOST_EVENTS / 9
