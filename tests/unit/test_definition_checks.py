"""Each check of a definition finds what it is there for; and chance draws menus of every kind."""

import json
from collections import Counter
from random import Random

import pytest

from speechcall.menus.rules.call_log import COMPLETE
from speechcall.menus.rules.compile_flow import Wiring, compile_flow, steps_run
from speechcall.menus.rules.menu import KEYS, NO_KEY, WRONG, GotoMenu
from speechcall.menus.rules.menu_report import reachable
from speechcall.menus.rules.walk import Behaviour, walk
from tests.kit.definition_checks import faults_of
from tests.kit.random_menus import MOST_ACTIONS, random_menus, random_pair
from tests.kit.samples import MENU

WIRING = Wiring("arn:c", "arn:f", "https://q")


@pytest.mark.parametrize(
    ("state", "change", "fault"),
    [
        ("Hang up", {"TimeoutSecondsPath": "$.waits.m0"}, "Hang up has both timeouts"),
        ("Hang up", {"Next": "Nowhere"}, "Hang up leads to Nowhere, which is not there"),
        ("Hang up", {"Next": "Failed", "Catch": []}, "Completed cannot be reached"),
        ("Hang up", {"Resource": "arn:aws:states:::http:invoke"}, "Hang up calls arn:aws:states:::http:invoke"),
        ("Hang up", {"Retry": [{"ErrorEquals": ["Typo"]}]}, "Hang up names the error Typo, which nobody raises"),
        ("Hang up", {"End": True}, "Hang up must either end or go on"),
        (
            "Hang up",
            {"Catch": [{"ErrorEquals": [name], "Next": "Completed"} for name in ("States.ALL", "States.Timeout")]},
            "Hang up has something beside or behind States.ALL",
        ),
        ("Menu 0 key?", {"Default": None}, "Menu 0 key? has no Default"),
        ("M" * 81, {"Type": "Wait", "Next": "Hang up"}, f"{'M' * 81} has a name of 81 characters"),
        ("Menu 9", {"Type": "Wait", "Next": "Hang up"}, "Menu 9 is a Wait"),
    ],
)
def test_each_planted_fault_is_found(state, change, fault):
    definition = json.loads(json.dumps(compile_flow((MENU,), WIRING)))
    assert faults_of(definition) == []
    changed = {**definition["States"].get(state, {}), **change}
    definition["States"][state] = {name: value for name, value in changed.items() if value is not None}
    assert fault in faults_of(definition)


def test_chance_draws_menus_and_callees_of_every_kind():
    random, seen, sizes = Random(7), Counter(), []
    for _ in range(1500):
        menus = random_menus(random)
        sizes.append(len(menus))
        lists = [actions for menu in menus for actions in menu.actions.values()]
        seen["all lists"] += any(set(menu.actions) == {*KEYS, *NO_KEY} for menu in menus)
        seen["all lists of digits"] += any(set(menu.actions) == {COMPLETE, *NO_KEY} for menu in menus)
        seen["no list at all"] += any(not menu.actions for menu in menus)
        seen["no wrong list"] += any(WRONG not in menu.actions for menu in menus)
        seen["an empty list"] += () in lists
        seen["a list of ten"] += any(len(actions) == 10 for actions in lists)
        seen["a step behind the end"] += any(len(steps_run(actions)) < len(actions) for actions in lists)
        seen["an unreachable menu"] += len(reachable(menus)) < len(menus)
        seen["a menu that leads to itself"] += any(
            GotoMenu(index) in actions for index, menu in enumerate(menus) for actions in menu.actions.values()
        )
        assert sum(map(len, lists)) <= MOST_ACTIONS
        pair = random_pair(random, menus)
        went = walk(menus, [Behaviour(one.heard, bool(one.then)) for one in pair.does], pair.max_visits)
        seen[f"ends {went.end}{' at the limit' * went.limit}{' with no introduction' * went.prompt_error}"] += 1
        seen["five menus asked"] += len(went.menus) >= 5
        seen["five webhooks"] += len(went.webhooks) >= 5
        seen["not answered"] += not pair.answers
        seen["hung up before the first menu"] += pair.hangs_up_first
        seen["hung up at no certain moment"] += any(one.then == "races" for one in pair.does)
        seen["a command that is retried"] += bool(pair.faults)
    assert sorted(sizes)[len(sizes) // 2] == 3
    assert max(sizes) == 20
    assert 0.03 < sum(size >= 7 for size in sizes) / len(sizes) < 0.07
    assert min(seen.values()) >= 15, seen
