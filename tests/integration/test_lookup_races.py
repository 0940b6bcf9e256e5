"""A lookup in every order that chance finds: slow and dead receivers, killed functions, callees who hang up.

The real use cases, the compiled menus and the side of each provider, on the clock of `World` (see `test_races.py`).
"""

import os
import secrets
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from speechcall.menus.rules.menu import GotoMenu, Hangup, Lookup, Menu
from tests.kit.races.chime_side import ChimeSide
from tests.kit.races.connect_side import ConnectSide
from tests.kit.races.world import HOOK, PROMPT_SECONDS, Faults, Side, World, world

SIDES: dict[str, Callable[[World], Side]] = {"connect": ConnectSide, "chime": ChimeSide}
ORDERS, MANY_ORDERS = 15, 1000
LOOKUP = Lookup("https://shop.example/lookup", {"paid": 1}, 2, 2000)
BACK = Lookup("https://shop.example/more", {"paid": 0}, 0, 1000)
MENUS = (
    Menu("intro", 5000, {"d1": (HOOK, LOOKUP), "wrong": (Hangup(),)}),
    Menu(
        "intro", 5000, {"d1": (HOOK, Lookup("https://shop.example/more", {"paid": 0}, 0, 1000)), "wrong": (Hangup(),)}
    ),
    Menu("intro", 5000, {"d1": (HOOK, GotoMenu(1)), "wrong": (Hangup(),)}),
)
PAID = b'{"case":"paid"}'
SOUND_SECONDS = 1.3
"""The longest of the providers: one sound, and the pause before it."""


def receivers(random: Random) -> Callable[[], tuple[float, bytes | None]]:
    """A receiver that answers, is slow, answers at the last moment, dies, or answers nonsense."""
    kinds = ((0.01, PAID), (0.3, PAID), (0.9, PAID), (1.0, PAID), (1.7, PAID), (1.99, PAID), (9.0, PAID))
    return lambda: random.choice((*kinds, (0.1, None), (0.1, b"what?"), (0.1, b'{"case":"unknown"}')))


def some(random: Random, likely: float, *operations: str) -> Callable[[str, str], bool]:
    """Whether the function that asks is struck at one of its operations."""
    return lambda actor, operation: (
        actor.startswith("ask_receiver") and operation in operations and random.random() < likely
    )


class Crowd:
    """A callee who presses 1 in each menu, and perhaps hangs up while a receiver is asked."""

    def __init__(self, here: World, random: Random) -> None:
        self.here, self.random, self.waits = here, random, list[float]()

    def take(self) -> None:
        play = self.here.play
        if not play.until(lambda: bool(self.here.side.phones), 400):
            return
        phone: Any = self.here.side.phones[0]
        phone.answer()
        leaves = self.random.randint(1, 12)
        for number in range(1, 7):
            play.until(lambda number=number: phone.ended or phone.questions >= number, 600)  # type: ignore[misc]
            if phone.ended:
                return
            play.sleep(self.random.choice((0.0, 0.5, PROMPT_SECONDS)))
            pressed = play.msec
            if not phone.press("1"):
                return
            if number == leaves:
                play.sleep(self.random.choice((0.0, 0.2, 1.0, 2.0)))
                phone.hang_up()
                return
            play.until(lambda number=number: phone.ended or phone.questions > number, 600)  # type: ignore[misc]
            if phone.ended:
                return
            self.waits.append((play.msec - pressed) / 1000)


def run(random: Random, telephony: str, faults: Faults) -> tuple[World, Crowd]:
    here = world(random, SIDES[telephony], faults, menus=MENUS)
    callee = Crowd(here, random)
    here.run(callee.take)
    here.check()
    return here, callee


def hold(telephony: str, orders: int, make: Callable[[Random], Faults], check: Callable[[World, Crowd], None]) -> None:
    seed = int(os.environ.get("RACE_SEED") or secrets.randbits(32))
    waits, decided = 0, set[str]()
    for order in range(orders):
        random = Random(f"{seed}-{order}")
        try:
            here, callee = run(random, telephony, make(random))
            check(here, callee)
            waits += len(callee.waits)
            log = here.last_call.log if here.last_call else ()
            decided |= {entry.decided.case for entry in log if entry.decided}
        except AssertionError as error:
            raise AssertionError(f"RACE_SEED={seed}, order {order}: {error}") from error
    assert waits >= orders // 3
    assert "" in decided


def asked_once(here: World, _callee: Crowd) -> None:
    assert max(Counter(name for name, _ in here.asked_receiver).values(), default=1) == 1


def asked_twice_at_most(here: World, _callee: Crowd) -> None:
    times = Counter(name for name, _ in here.asked_receiver)
    assert max(times.values(), default=0) <= 2, times


def waits_are_short(here: World, callee: Crowd) -> None:
    asked_once(here, callee)
    longest = LOOKUP.timeout_msec / 1000 + SOUND_SECONDS
    assert all(wait <= longest + 0.5 for wait in callee.waits), callee.waits  # and what the reports take


@pytest.mark.parametrize("telephony", SIDES)
def test_one_way_is_taken_and_the_callee_waits_for_the_time_and_one_sound_at_most(telephony):
    hold(telephony, ORDERS, lambda random: Faults(receiver=receivers(random)), waits_are_short)


@pytest.mark.parametrize("telephony", SIDES)
def test_a_function_that_is_killed_anywhere_asks_once_more_at_most(telephony):
    def faults(random: Random) -> Faults:
        struck = some(random, 0.2, "get", "receiver", "decide")
        return Faults(receiver=receivers(random), killing=struck, failing=some(random, 0.1, "get", "decide"))

    hold(telephony, ORDERS, faults, asked_twice_at_most)


@pytest.mark.parametrize("telephony", SIDES)
def test_where_no_function_can_ask_everybody_goes_to_else(telephony):
    def faults(_random: Random) -> Faults:
        return Faults(failing=lambda actor, operation: actor.startswith("ask_receiver") and operation == "get")

    def check(here: World, callee: Crowd) -> None:
        assert here.asked_receiver == []
        waits_are_short(here, callee)

    hold(telephony, ORDERS, faults, check)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("telephony", SIDES)
def test_lookups_in_many_orders(telephony):
    def faults(random: Random) -> Faults:
        struck = some(random, 0.2, "get", "receiver", "decide")
        return Faults(receiver=receivers(random), killing=struck, doubled=0.1, answered_twice=0.1)

    hold(telephony, MANY_ORDERS, faults, asked_twice_at_most)
