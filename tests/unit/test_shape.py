"""Two messages have one shape when, and only when, they can share a state machine."""

import json
from random import Random

import pytest

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Webhook
from speechcall.menus.rules.shape import shape_of
from tests.kit.random_menus import HOOK, random_menus, random_pair, smaller

pytestmark = pytest.mark.slow

WIRING = Wiring("arn:c", "arn:f", "https://q")


def menu(intro="intro", idle=1000, **actions):
    return Menu(intro, idle, {key: tuple(steps) for key, steps in actions.items()})


PLAIN = (menu(d1=[HOOK, Hangup()], wrong=[GotoMenu(0)]),)


@pytest.mark.parametrize(
    "same",
    [
        (menu("https://cdn.example.com/a.wav", 7000, d1=[HOOK, Hangup()], wrong=[GotoMenu(0)]),),
        (menu(d1=[Webhook("http://x.example/", '{"n":1.10}', {"A": "b"}), Hangup()], wrong=[GotoMenu(0)]),),
        (menu(wrong=[GotoMenu(0)], d1=[HOOK, Hangup()]),),
        (menu(d1=[HOOK], wrong=[GotoMenu(0)]),),
        (menu(d1=[HOOK, Hangup(), HOOK], wrong=[GotoMenu(0), Hangup()]),),
        (*PLAIN, menu(d1=[HOOK])),
    ],
    ids=["intro and seconds", "webhook", "order of keys", "no end", "behind the end", "unreachable menu"],
)
def test_what_a_machine_does_not_depend_on_is_no_part_of_the_shape(same):
    assert shape_of(same) == shape_of(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        (menu(d2=[HOOK, Hangup()], wrong=[GotoMenu(0)]),),
        (menu(d1=[HOOK, HOOK, Hangup()], wrong=[GotoMenu(0)]),),
        (menu(d1=[HOOK, GotoMenu(0)], wrong=[GotoMenu(0)]),),
        (menu(d1=[HOOK, Hangup()]),),
    ],
)
def test_which_keys_there_are_and_where_they_lead_is_the_shape(other):
    assert shape_of(other) != shape_of(PLAIN)


def test_shapes_are_one_exactly_where_machines_are():
    random, machines = Random(3), {}
    for _ in range(150):
        drawn = random_menus(random)
        alike = [drawn, *(pair.menus for pair in smaller(random_pair(random, drawn)))][:12]
        for menus in alike:
            machine = json.dumps(compile_flow(menus, WIRING), sort_keys=True)
            assert machines.setdefault(shape_of(menus), machine) == machine
    assert len(set(machines.values())) == len(machines)
    assert len(machines) > 500


def test_a_shape_says_nothing_of_its_stack():
    assert len(shape_of(PLAIN)) == 40
    assert int(shape_of(PLAIN), 16)
