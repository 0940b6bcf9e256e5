"""What must be longer than what, so that no call is cut off by a net that was meant for another."""

import itertools
from typing import Any

import pytest

from local.cloud.intrinsics import read_document
from local.cloud.template import TEMPLATE
from speechcall.calls.use_cases.place_call import PATIENCE_SECONDS, SETTLED_SECONDS
from speechcall.deployment.rules.checks import WHOLE_NUMBERS
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Menu, Webhook
from speechcall.prompts.adapters.audio_decoder import MAX_SECONDS
from speechcall.shared.rules import time_bounds as bounds
from speechcall.shared.rules.time_bounds import MAX_RING_SECONDS, execution_seconds
from speechcall.shared.rules.timing import MAX_IDLE_TIMEOUT_MSEC, menu_wait_seconds
from tests.kit.random_menus import MOST_IN_A_LIST

HOOK = Webhook("https://api.example.com/hook")
LONGEST_LIST: tuple[Action, ...] = (*[HOOK] * (bounds.MOST_STEPS - 1), GotoMenu(0))
MENUS = (Menu("intro", MAX_IDLE_TIMEOUT_MSEC, {"d1": LONGEST_LIST, "wrong": LONGEST_LIST, "d2": (Hangup(),)}),)
PARAMETERS = {name: {*WHOLE_NUMBERS[name]} for name in ("MaxCallSeconds", "GraceSeconds")}
PARAMETERS["MaxCallSeconds"].add(bounds.DEFAULT_CALL_SECONDS)
PARAMETERS["GraceSeconds"] |= {20, bounds.DEFAULT_GRACE_SECONDS}


def slowest(state: dict[str, Any], wait: float) -> float:
    """A state whose every try but the last fails when its function's time is up; `wait` is the last one's."""
    rule = state["Retry"][0]
    each = bounds.QUEUE_SECONDS if state["Resource"].endswith("sendMessage") else bounds.FUNCTION_SECONDS
    pauses = [
        min(rule["IntervalSeconds"] * rule["BackoffRate"] ** number, rule["MaxDelaySeconds"])
        for number in range(rule["MaxAttempts"])
    ]
    return float(rule["MaxAttempts"] * each + sum(pauses) + max(wait, each))


def slowest_end(states: dict[str, Any], name: str, menu_wait: float, *, begun: bool = False) -> float:
    """The longest way from a state to the end, if no menu may begin any more once one has."""
    state = states[name]
    if state["Type"] == "Choice":
        targets = {state["Default"], *(choice["Next"] for choice in state["Choices"])}
        return max(slowest_end(states, target, menu_wait, begun=True) for target in targets)
    if name.endswith("0") and begun:
        return slowest(state, 0) + slowest_end(states, "Hang up", menu_wait)  # refused: `limit`
    wait = menu_wait if name == "Menu 0" else float(state.get("TimeoutSeconds", 0))
    targets = {state.get("Next"), *(rule["Next"] for rule in state.get("Catch", []))} - {None}
    ends = [slowest_end(states, target, menu_wait, begun=begun) for target in targets]
    return slowest(state, wait) + max(ends, default=0)


@pytest.mark.parametrize(("seconds", "grace"), list(itertools.product(*map(sorted, PARAMETERS.values()))))
def test_no_call_outlives_its_state_machine(seconds: int, grace: int) -> None:
    definition = compile_flow(MENUS, Wiring("c", "f", "q", execution_seconds(seconds, grace)))
    states = definition["States"]
    opened = slowest(states["Dial"], 0)
    last_menu = opened + max(seconds, MAX_RING_SECONDS + bounds.DIAL_MARGIN_SECONDS)
    wait = menu_wait_seconds(bounds.LONGEST_PROMPT_SECONDS, MAX_IDLE_TIMEOUT_MSEC // 1000, grace)
    assert definition["TimeoutSeconds"] >= last_menu + slowest_end(states, "Menu 0", wait)


def test_the_limit_follows_from_the_parameters() -> None:
    assert execution_seconds(900, 40) < execution_seconds(901, 40) < execution_seconds(901, 41)


def test_the_template_has_the_bounds() -> None:
    template = read_document(TEMPLATE)
    given = template["Parameters"]
    assert given["GraceSeconds"]["Default"] == bounds.DEFAULT_GRACE_SECONDS
    assert given["GraceSeconds"]["MaxValue"] == bounds.MOST_GRACE_SECONDS
    assert given["MaxCallSeconds"]["Default"] == bounds.DEFAULT_CALL_SECONDS
    assert given["MaxCallSeconds"]["MaxValue"] == bounds.MOST_CALL_SECONDS
    resources = template["Resources"]
    general = template["Globals"]["Function"]["Timeout"]
    for name in ("ControlCallFunction", "FinishCallFunction"):
        assert resources[name]["Properties"].get("Timeout", general) == bounds.FUNCTION_SECONDS


def test_what_must_be_longer_than_what() -> None:
    # The state machine waits for a report as long as the contact flow tries to tell it.
    assert bounds.report_seconds() < bounds.DEFAULT_GRACE_SECONDS
    # Nobody gives a line back while its phone may ring.
    assert bounds.MAY_RING_SECONDS > MAX_RING_SECONDS
    assert bounds.MAY_RING_SECONDS > SETTLED_SECONDS
    # A function that places a call knows what became of it before its own time is up.
    assert SETTLED_SECONDS < bounds.FUNCTION_SECONDS
    assert PATIENCE_SECONDS < bounds.FUNCTION_SECONDS
    # What is given up has no machine any more.
    assert bounds.GIVE_UP_SECONDS > bounds.LONGEST_EXECUTION_SECONDS
    assert bounds.LONGEST_PROMPT_SECONDS == MAX_SECONDS
    assert bounds.MOST_STEPS == MOST_IN_A_LIST
