"""What a message may hold at most compiles to less than Step Functions takes (1 MB a definition)."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechcall.menus.rules.call_log import COMPLETE
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import (
    KEYS,
    NO_KEY,
    WRONG,
    Action,
    GotoMenu,
    Hangup,
    Lookup,
    Menu,
    OptOutStep,
    Repeat,
)
from speechcall.menus.rules.publication import publication
from tests.kit.definition_checks import faults_of
from tests.kit.random_menus import HOOK, MOST_ACTIONS, MOST_IN_A_LIST, MOST_MENUS, random_input

MOST_BYTES = 700_000
ALL_KEYS = (*KEYS, WRONG)
ALL_LISTS = (*KEYS, *NO_KEY)
_ARN = "arn:aws-us-gov:lambda:us-gov-east-1:123456789012:function:"
# Names as long as AWS has them: 64 characters for a function, 80 for a queue.
LONG = Wiring(
    _ARN + "c" * 64,
    _ARN + "f" * 64,
    f"https://sqs.us-gov-east-1.amazonaws.com/1/{'q' * 75}.fifo",
    ask_receiver_arn=_ARN + "a" * 64,
)
EVERYWHERE = Lookup("https://shop.example/", {f"case-{menu}": menu for menu in range(MOST_MENUS)}, 0)


def size(menus: tuple[Menu, ...]) -> int:
    definition = compile_flow(menus, LONG)
    assert faults_of(definition) == []
    return len(publication(definition, "arn:role", "0a1b2c3d").definition.encode())


def cut_up(random: Random, actions: int, lists: int) -> Iterator[int]:
    """Lengths of so many lists that hold so many actions together, ten at most in each."""
    for left in range(lists, 0, -1):
        least = max(0, actions - (left - 1) * MOST_IN_A_LIST)
        length = min(MOST_IN_A_LIST, actions, max(least, random.choice((0, 0, 1, 2, 5, 10))))
        actions -= length
        yield length


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_whatever_fills_the_bounds_of_a_message_compiles_to_less_than_700_kilobytes(seed):
    # Given 20 menus with each list that there is, or with digits and their lists, and 200 actions among them
    random = Random(seed)
    inputs = [random_input(random) if random.random() < 0.2 else None for _ in range(MOST_MENUS)]
    names = [random.sample(one, len(one)) for one in ((COMPLETE, *NO_KEY) if asked else ALL_LISTS for asked in inputs)]
    lengths = list(cut_up(random, MOST_ACTIONS, sum(map(len, names))))
    random.shuffle(lengths)
    assert sum(lengths) == MOST_ACTIONS
    menus = []
    for index, (asked, lists) in enumerate(zip(inputs, names, strict=True)):
        actions = {name: some_actions(random, lengths.pop(), min(index + 1, MOST_MENUS - 1)) for name in lists}
        again = Repeat(random.randint(1, 5)) if random.random() < 0.3 else None
        menus.append(Menu("intro", 1000, actions, input=asked, repeat=again))
    assert size(tuple(menus)) < MOST_BYTES


def some_actions(random: Random, length: int, following: int) -> tuple[Action, ...]:
    if not length:
        return ()
    steps = [random.choice((HOOK, HOOK, OptOutStep("news"))) for _ in range(length - 1)]
    return (*steps, random.choice((HOOK, HOOK, Hangup(), GotoMenu(following), EVERYWHERE)))


def test_the_longest_definition_is_far_from_what_step_functions_takes():
    # Every menu is reached by one gotoMenu behind the others; every other action is a webhook; every key has its rule.
    menus = []
    for index in range(MOST_MENUS):
        lists: dict[str, tuple[Action, ...]] = dict.fromkeys(ALL_KEYS, ())
        lists["d1"] = (*(HOOK,) * 9, GotoMenu(min(index + 1, MOST_MENUS - 1)))
        menus.append(Menu("intro", 1000, lists))
    states = compile_flow(menus, LONG)["States"]
    assert len(states) == 1 + MOST_MENUS * 3 + MOST_MENUS * 9 + 1 + 8
    assert 200_000 < size(tuple(menus)) < MOST_BYTES


def test_two_hundred_lookups_that_may_lead_to_every_menu_are_far_from_it_too():
    lists: dict[str, tuple[Action, ...]] = dict.fromkeys(ALL_KEYS, ())
    menu = Menu("intro", 1000, {**lists, **dict.fromkeys(ALL_KEYS[:10], (EVERYWHERE,))})
    assert size((menu,) * MOST_MENUS) < MOST_BYTES


@pytest.mark.parametrize("steps", [1, 10])
def test_a_definition_grows_by_so_much_a_webhook(steps):
    bare, full = ((Menu("intro", 1000, {"d1": (HOOK,) * count}),) for count in (0, steps))
    assert (size(full) - size(bare)) / steps < 1200
