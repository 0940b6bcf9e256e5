"""How long menus take to compile, and what the calls that they make cost in Step Functions' transitions.

Compiling must be linear in the number of states: what is accepted was compiled in the function that accepted it, and
is compiled once more in the dialer. `make bench`.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.length import in_short
from speechcall.menus.rules.compile_flow import compile_flow
from speechcall.menus.rules.menu import KEYS, WRONG, GotoMenu, Hangup, Menu, Webhook
from speechcall.menus.rules.publication import publication
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.walk import MAX_VISITS
from tests.golden.flows import NAMES, WIRING, example_menus

ROUNDS = in_short(40, 1)
STEPS = (1, 2, 5, 10, 20, 50, 100, 200)
MENUS = (1, 2, 5, 10, 20)
LISTS_OF = 10
MENU = re.compile(r"Menu \d+")
LIMIT = 4
"""The menu that is refused, its choice, Hang up, Completed."""
Ways = dict[str, list[str]]
Entered = dict[str, int]
HOOK = Webhook("https://api.example.com/hook")

USD_PER_1000_TRANSITIONS = {"eu-central-1": 0.025, "us-east-1": 0.025}
"""Step Functions, Standard workflows. docs/costs.md says where these are from, and when they were read."""


@dataclass(frozen=True)
class Transitions:
    """How many states the shortest and the longest answered call enters that runs to its end, nothing being retried."""

    shortest: int
    longest: int


def main() -> None:
    """Print both tables."""
    print(f"\nCompiling menus: CPU, µs (best of {ROUNDS}); each: a state; ratio: that to the smallest's")
    print(
        f"{'menus':>6}{'webhooks':>10}{'states':>8}{'bytes':>9}{'compile':>9}{'+ publish':>11}{'each':>7}{'ratio':>7}"
    )
    for drawn in ([menus_of_steps(count) for count in STEPS], [menus_of_menus(count) for count in MENUS]):
        smallest = 0.0
        for menus in drawn:
            smallest = _print_row(menus, smallest)
    menus = example_menus("complex")
    shape_of(menus)
    print(f"The shape of a message whose shape this process has met: {_cpu(lambda: shape_of(menus)) * 1e6:.0f} µs")

    regions = ", ".join(USD_PER_1000_TRANSITIONS)
    print(f"\nTransitions of an answered call that runs to its end, and USD for 1,000 such calls ({regions})")
    print(f"{'example':<18}{'shortest':>10}{'longest':>9}{'1,000 shortest':>16}{'1,000 longest':>15}")
    for name in NAMES:
        found = transitions(compile_flow(example_menus(name), WIRING))
        print(
            f"{name:<18}{found.shortest:>10}{found.longest:>9}"
            f"{usd_of_1000(found.shortest):>16.3f}{usd_of_1000(found.longest):>15.3f}"
        )


def _print_row(menus: tuple[Menu, ...], smallest: float) -> float:
    """Print one row; the time a state of the smallest, which is this one if there is none yet."""
    states, size = len(compile_flow(menus, WIRING)["States"]), len(_published(menus))
    compiling, whole = _cpu(lambda: compile_flow(menus, WIRING)), _cpu(lambda: _published(menus))
    smallest = smallest or whole / states
    steps = sum(action == HOOK for menu in menus for actions in menu.actions.values() for action in actions)
    print(
        f"{len(menus):>6}{steps:>10}{states:>8}{size:>9}{compiling * 1e6:>9.0f}{whole * 1e6:>11.0f}"
        f"{whole / states * 1e6:>7.1f}{whole / states / smallest:>7.2f}"
    )
    return smallest


def menus_of_steps(count: int) -> tuple[Menu, ...]:
    """So many webhooks, ten in a list, a list for each key, and by silence to the next menu."""
    lists = [(HOOK,) * min(LISTS_OF, count - first) for first in range(0, count, LISTS_OF)]
    menus = [dict(zip(KEYS, lists[first:], strict=False)) for first in range(0, len(lists), len(KEYS))]
    return tuple(
        Menu("intro", 1000, {**keys, WRONG: (GotoMenu(index + 1) if index + 1 < len(menus) else Hangup(),)})
        for index, keys in enumerate(menus)
    )


def menus_of_menus(count: int) -> tuple[Menu, ...]:
    """So many menus, each leading to the next, with all keys and a webhook behind every other one."""

    def actions(index: int, place: int) -> tuple[Any, ...]:
        end = GotoMenu((index + 1) % count) if place == 0 else Hangup()
        return (HOOK, end) if place % 2 else (end,)

    return tuple(
        Menu("intro", 1000, {key: actions(index, place) for place, key in enumerate((*KEYS, WRONG))})
        for index in range(count)
    )


def transitions(definition: dict[str, Any]) -> Transitions:
    """Counted over the definition: keys and silence only, for a callee who stays and a telephony that works."""
    return Transitions(_states_entered(definition, min), _states_entered(definition, max))


def usd_of_1000(count: int, region: str = "eu-central-1") -> float:
    """What 1,000 calls of so many transitions cost."""
    return count * USD_PER_1000_TRANSITIONS[region]


def _states_entered(definition: dict[str, Any], pick: Callable[[list[int]], int]) -> int:
    """In the shortest (`min`) or longest (`max`) call."""
    states = definition["States"]
    ways = {name: _ways(state) for name, state in states.items()}
    # From each state to the end, with so many menus still to be asked.
    entered: dict[str, int] = {}
    for _ in range(MAX_VISITS + 1):
        before, entered = entered, {"Completed": 1}
        for name in states:
            _fill(name, ways, pick, before, entered)
    return entered[definition["StartAt"]]


def _fill(name: str, ways: Ways, pick: Callable[[list[int]], int], before: Entered, entered: Entered) -> int:
    """A menu takes the place of one that may still be asked; one too many is answered `limit`, and hangs up."""
    if name not in entered:
        nexts = [
            before.get(way, LIMIT) if MENU.fullmatch(way) else _fill(way, ways, pick, before, entered)
            for way in ways[name]
        ]
        entered[name] = 1 + (pick(nexts) if nexts else 0)
    return entered[name]


def _ways(state: dict[str, Any]) -> list[str]:
    if state["Type"] == "Choice":
        keys = [choice["Next"] for choice in state["Choices"] if choice["Variable"] == "$.heard.key"]
        return [*keys, state["Default"]]
    return [state["Next"]] if "Next" in state else []


def _published(menus: Sequence[Menu]) -> str:
    return publication(compile_flow(menus, WIRING), "arn:aws:iam::123456789012:role/flow", "0a1b2c3d").definition


def _cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one run: the least of some rounds of at least 5 ms each."""
    begin = time.process_time()
    work()
    times = max(1, round(0.005 / max(time.process_time() - begin, 1e-6)))
    found = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - begin) / times)
    return min(found)


if __name__ == "__main__":
    main()
