import json

import pytest

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.publication import publication
from tests.kit.races.machine import DEATHS

WIRING = Wiring("arn:control", "arn:finish", "https://queue.fifo")
HOOK = Webhook("https://api.example.com/callback/option1", '{"confirm":true}', {"X-Custom-Header": "value"})


def menu(**actions):
    return Menu("ivr_651854", 10_000, {key: tuple(steps) for key, steps in actions.items()})


SIMPLE = (menu(d1=[HOOK, Hangup()], d2=[HOOK, Hangup()], wrong=[Hangup()]),)


def targets(state):
    """Every state that a state may lead to."""
    found = [state.get("Next"), state.get("Default")]
    found += [choice["Next"] for choice in state.get("Choices", [])]
    found += [catcher["Next"] for catcher in state.get("Catch", [])]
    return {name for name in found if name}


def reach(definition):
    seen, waiting = set(), [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += targets(definition["States"][name])
    return seen


def choice(definition, name, key):
    found = [c["Next"] for c in definition["States"][name]["Choices"] if c["StringEquals"] == key]
    return found[0] if found else definition["States"][name]["Default"]


def test_the_states_of_the_simple_example_read_as_the_menu():
    states = compile_flow(SIMPLE, WIRING)["States"]
    assert list(states) == [
        "Dial",
        "Dial silent?",
        "Dial answered?",
        "Menu 0",
        "Menu 0 silent?",
        "Menu 0 key?",
        "Menu 0 d1 1 webhook",
        "Menu 0 d2 1 webhook",
        "Hang up",
        "Completed",
        "Not answered",
        "Caller hung up",
        "Lost",
        "Put off",
        "Failed",
    ]
    assert states["Dial"]["TimeoutSecondsPath"] == "$.waits.dial"
    caught = {catcher["ErrorEquals"][0]: catcher["Next"] for catcher in states["Dial"]["Catch"]}
    assert caught["TelephonyThrottled"] == "Put off"


def test_a_key_leads_to_its_list_silence_and_other_keys_to_wrong():
    definition = compile_flow((menu(d1=[HOOK], wrong=[GotoMenu(1)]), menu(wrong=[Hangup()])), WIRING)
    assert choice(definition, "Menu 0 key?", "d1") == "Menu 0 d1 1 webhook"
    assert choice(definition, "Menu 0 key?", "d7") == "Menu 1"
    assert choice(definition, "Menu 0 key?", "") == "Menu 1"
    assert choice(definition, "Menu 1 key?", "d1") == "Hang up"


def test_a_menu_without_wrong_hangs_up_on_it():
    definition = compile_flow((menu(d1=[HOOK]),), WIRING)
    assert definition["States"]["Menu 0 key?"]["Default"] == "Hang up"


@pytest.mark.parametrize("steps", [[], [HOOK], [HOOK, HOOK]])
def test_a_list_without_an_end_hangs_up(steps):
    states = compile_flow((menu(d1=steps, wrong=[]),), WIRING)["States"]
    if not steps:
        assert choice(compile_flow((menu(d1=steps),), WIRING), "Menu 0 key?", "d1") == "Hang up"
    else:
        assert states[f"Menu 0 d1 {len(steps)} webhook"]["Next"] == "Hang up"


def test_an_opt_out_is_kept_before_the_next_step_and_its_failure_ends_the_call():
    states = compile_flow((menu(d9=[HOOK, OptOutStep("news"), HOOK], wrong=[]),), WIRING)["States"]
    assert states["Menu 0 d9 1 webhook"]["Next"] == "Menu 0 d9 2 opt-out"
    state = states["Menu 0 d9 2 opt-out"]
    assert state["Next"] == "Menu 0 d9 3 webhook"
    assert not state["Resource"].endswith(".waitForTaskToken")
    assert state["Parameters"]["Payload"]["optOut"] == {"menu": 0, "key": "d9", "step": 1}
    assert [(one["ErrorEquals"], one["Next"]) for one in state["Catch"]] == [(["States.ALL"], "Failed")]
    assert "news" not in str(states)


def test_steps_behind_the_end_of_a_list_are_not_compiled():
    states = compile_flow((menu(d1=[HOOK, Hangup(), HOOK]),), WIRING)["States"]
    assert "Menu 0 d1 1 webhook" in states
    assert "Menu 0 d1 3 webhook" not in states


def test_menus_that_nothing_leads_to_are_not_compiled():
    definition = compile_flow((menu(wrong=[GotoMenu(2)]), menu(d1=[HOOK]), menu(wrong=[GotoMenu(0)])), WIRING)
    assert "Menu 2" in definition["States"]
    assert "Menu 1" not in definition["States"]
    assert reach(definition) == set(definition["States"])


def test_messages_that_differ_in_their_data_alone_share_one_definition():
    other = (
        Menu(
            "https://cdn.example.com/a.wav",
            3000,
            {
                "d1": (Webhook("http://x.example/", '{"n":1.10}'), Hangup()),
                "d2": (Webhook("http://y.example/"), Hangup()),
                "wrong": (Hangup(),),
            },
        ),
    )
    assert compile_flow(other, WIRING) == compile_flow(SIMPLE, WIRING)


def test_no_data_of_the_customer_stands_in_the_definition():
    text = json.dumps(compile_flow(SIMPLE, WIRING))
    for private in ("example.com", "confirm", "X-Custom", "ivr_651854", "10000"):
        assert private not in text


def test_a_menu_waits_by_path_and_silence_is_looked_into():
    states = compile_flow(SIMPLE, WIRING)["States"]
    assert states["Menu 0"]["TimeoutSecondsPath"] == "$.waits.m0"
    assert states["Menu 0"]["Catch"][0] == {
        "ErrorEquals": ["States.Timeout"],
        "ResultPath": "$.error",
        "Next": "Menu 0 silent?",
    }
    assert states["Menu 0 silent?"]["Next"] == "Menu 0 key?"


def test_the_shortest_answered_call_costs_six_transitions():
    states = compile_flow(SIMPLE, WIRING)["States"]
    way = ["Dial"]
    while "Next" in states[way[-1]] or way[-1].endswith("key?"):
        way.append(states[way[-1]].get("Next") or "Menu 0 d1 1 webhook")
    assert way == ["Dial", "Menu 0", "Menu 0 key?", "Menu 0 d1 1 webhook", "Hang up", "Completed"]


def test_the_retried_errors_are_a_contract_with_running_machines():
    names = compile_flow(SIMPLE, WIRING)["States"]["Menu 0"]["Retry"][0]["ErrorEquals"]
    assert names[:4] == ["EngineUnavailable", "StoreUnavailable", "TelephonyThrottled", "TelephonyUnavailable"]


@pytest.mark.parametrize("death", DEATHS)
def test_a_function_that_died_is_tried_again_whatever_its_death_is_called(death):
    tasks = [state for state in compile_flow(SIMPLE, WIRING)["States"].values() if state["Type"] == "Task"]
    for state in tasks:
        retried = {name for rule in state["Retry"] for name in rule["ErrorEquals"]}
        assert death in retried or "States.TaskFailed" in retried


def test_the_name_says_everything_that_makes_a_machine_differ():
    definition = compile_flow(SIMPLE, WIRING)
    name = publication(definition, "arn:role", "0a1b2c3d").name
    assert name == publication(compile_flow(SIMPLE, WIRING), "arn:role", "0a1b2c3d").name
    assert len(name) == 8 + 1 + 40
    assert name != publication(definition, "arn:other-role", "0a1b2c3d").name
    assert name != publication(compile_flow((menu(d1=[HOOK]),), WIRING), "arn:role", "0a1b2c3d").name
