"""A call comes to the same whether the telephony runs ahead of the state machine or waits for it (invariant I6).

Menus and callees by chance; some menus are asked again in silence, some ask for several digits, some take no key during
their introductions, in which the callee presses one. Each callee is run with the telephony held back until the machine
has asked, and then ahead of a machine of any speed, with each SendTaskSuccess lost, failed or made twice by chance.
Path, webhooks and outcome are the same, and those of the reference walk. ANTICIPATION_SEED repeats a run.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from unittest.mock import patch

import pytest

from speechcall.calls.rules.call import Bounds
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE, MOST_AHEAD, OTHER
from speechcall.menus.rules.menu import Action, Lookup, Menu, Repeat
from speechcall.menus.rules.walk import Behaviour, react, walk
from tests.kit.races.chime_side import ChimeSide
from tests.kit.races.connect_side import ConnectSide
from tests.kit.races.world import PROMPT_SECONDS, Faults, World, world
from tests.kit.random_menus import random_menus

SIDES = {"connect": ConnectSide, "chime": ChimeSide}
CALLS, MANY_CALLS, SHARDS = 25, 5000, 10


CASE = "paid"
"""What every lookup is answered; see `Faults.receiver`."""


@dataclass(frozen=True)
class Case:
    """Menus, what the callee does in each that is asked (`d1`, `idle`; nothing more: hangs up), and the bounds."""

    menus: tuple[Menu, ...]
    does: tuple[str, ...]
    presses: tuple[str, ...]
    """The keys of each of these, one after the other."""
    bounds: Bounds
    asked: tuple[int, ...]
    """Before each of these, how often its menu has been asked: in silence as often as it is repeated."""


def with_time(menu: Menu) -> Menu:
    """The menu with all the time for its lookups: where an engine is too slow for one it is else, and rightly so."""

    def patient(action: Action) -> Action:
        return replace(action, timeout_msec=600_000) if isinstance(action, Lookup) else action

    return menu._replace(actions={key: tuple(map(patient, steps)) for key, steps in menu.actions.items()})


def draw(random: Random) -> Case:
    """A case; its callee mostly presses keys that the menu has."""
    repeats = [None, None, None, *(Repeat(times, "again") for times in (1, 2, 5))]
    menus = tuple(
        with_time(menu)._replace(repeat=random.choice(repeats), barge_in=random.random() < 0.6)
        for menu in random_menus(random)
    )
    bounds = Bounds(random.choice((3, 6, 10)), 900, random.choice((0, 1, 2, 2, 5)))
    does: list[str] = []
    presses: list[str] = []
    asked: list[int] = []
    menu: int | None = 0
    for _ in range(random.choice((1, 2, 4, 8, 12))):
        if menu is None:
            break
        listed = menus[menu].own_keys()
        others = [OTHER if menus[menu].input else f"d{random.randrange(10)}", "idle"]
        keys = listed if listed and random.random() < 0.7 else others
        does.append("idle" if random.random() < 0.3 else random.choice(keys))
        presses.append(pressed(does[-1], menus[menu].input))
        most = len(menus[menu].heard_in_silence())
        asked.append(most if does[-1] == "idle" else random.randint(1, most))
        menu = react(menus[menu], does[-1]).leads(CASE)
    return Case(menus, tuple(does), tuple(presses), bounds, tuple(asked))


def pressed(does: str, asked: Input | None) -> str:
    """The keys that a callee presses who does so in a menu."""
    if does == "idle":
        return ""
    if asked is None:
        return does.removeprefix("d")
    star = "*" if asked.end_key == "#" else "#"
    entry = "4" * asked.min_digits if does == COMPLETE else star
    return entry if len(entry) == asked.max_digits else entry + asked.end_key


def came_to(
    case: Case, seed: int, side: Callable[[World], object], *, ahead: bool
) -> tuple[tuple[object, ...], int, int]:
    """Path, webhooks and outcome of a call; how many answers to its tasks were made twice; how many keys were lost.

    These are pressed in the middle of introductions during which none is taken.
    """
    random = Random(seed)
    slow, failing = random.choice((0.0, 0.5, 2.0)), random.choice((0.0, 0.3))

    def fails(actor: str, operation: str) -> bool:
        return ahead and operation == "succeed" and actor == "follow_call" and random.random() < failing

    faults = Faults(failing=fails) if random.random() < 0.5 else Faults(failing_after=fails)
    faults.doubled = random.choice((0.0, 0.4)) if ahead else 0.0
    faults.answered_twice = random.choice((0.0, 0.4, 1.0)) if ahead else 0.0
    here = world(random, side, faults, menus=case.menus, bounds=case.bounds)  # type: ignore[arg-type]
    if ahead:
        here.machine.state_seconds = lambda: random.uniform(0, slow)

    lost = 0

    def callee() -> None:
        nonlocal lost
        play, heard_out = here.play, 0
        play.until(lambda: bool(here.side.phones) and here.side.phones[0].ringing, 60)
        phone = here.side.phones[0]
        phone.answer()
        for number, keys in zip(accumulate(case.asked), case.presses, strict=True):
            is_due = lambda number=number: phone.ended or phone.questions >= number  # noqa: E731
            while not is_due():
                play.until(lambda: is_due() or phone.introductions > heard_out, 900)  # noqa: B023
                if phone.introductions > heard_out:
                    heard_out = phone.introductions
                    play.sleep(PROMPT_SECONDS / 2)
                    if not (phone.ended or phone.asking):
                        phone.press(random.choice("0123456789*#"))
                        lost += 1
            play.sleep(0.05)
            for key in keys:
                phone.press(key)
                play.sleep(0.05)
        play.until(lambda: phone.ended or phone.questions > sum(case.asked), 900)
        phone.hang_up()

    with patch("speechcall.calls.use_cases.report.MOST_AHEAD", MOST_AHEAD if ahead else 0):
        here.run(callee)
    here.check()
    call = here.call
    assert call is not None
    sent = tuple((one["seq"], one["menu"], one["key"], one["step"]) for one in here.machine.sent)
    path = tuple((step.menu, step.heard) for step in call.path)
    return (path, sent, here.message.outcome, here.message.reason), here.answers_doubled, lost


def walked(case: Case) -> tuple[object, ...]:
    """What the reference walk says."""
    does = [Behaviour(one, case=CASE) for one in case.does]
    found = walk(case.menus, does, case.bounds.max_visits, case.bounds.silent_repeats)
    reason = "limit" if found.limit else "silence" if found.silence else found.end.value
    sent = tuple((one.visit + 1, one.menu, one.key, one.step) for one in found.webhooks)
    return tuple(zip(found.menus, case.does, strict=False)), sent, "answered", reason


def hold(side: str, calls: int) -> None:
    given = os.environ.get("ANTICIPATION_SEED")
    first = int(given) if given else secrets.randbits(32)
    doubled = lost = 0
    for seed in range(first, first + (1 if given else calls)):
        case = draw(Random(seed))
        expected = walked(case)
        try:
            assert came_to(case, seed, SIDES[side], ahead=False)[:2] == (expected, 0), "held back"
            found, twice, unheard = came_to(case, seed, SIDES[side], ahead=True)
            assert found == expected, "ahead"
            doubled, lost = doubled + twice, lost + unheard
        except AssertionError as error:
            pytest.fail(f"ANTICIPATION_SEED={seed}: {case.does} {case.bounds}\n{error}")
    assert (doubled and lost) or given


@pytest.mark.parametrize("side", SIDES)
def test_how_far_the_telephony_is_ahead_changes_nothing(side: str) -> None:
    hold(side, CALLS)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("side", SIDES)
def test_how_far_the_telephony_is_ahead_changes_nothing_at_length(side: str, shard: int) -> None:
    hold(side, MANY_CALLS // SHARDS // len(SIDES))
