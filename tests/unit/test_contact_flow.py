"""The contact flow: what is deployed is what the code says, and Amazon Connect can read it."""

import json
import re
from pathlib import Path

import pytest

from speechcall.shared.rules.timing import IDLE_STEPS, INPUT_STEPS
from speechcall.telephony.connect.contact_flow import KEYS, build_contact_flow, nested_template

DEPLOYED = Path(__file__).parents[2] / "telephony" / "connect.template.json"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:connect-flow"
APOLOGY = "https://prompts.s3.eu-central-1.amazonaws.com/prompts/sorry.wav"
FLOW = build_contact_flow(ARN, APOLOGY)
ACTIONS = {action["Identifier"]: action for action in FLOW["Actions"]}


def targets(action):
    transitions = action["Transitions"]
    found = [transitions["NextAction"]] if "NextAction" in transitions else []
    branches = [*transitions.get("Errors", []), *transitions.get("Conditions", [])]
    return found + [branch["NextAction"] for branch in branches]


def test_the_template_that_is_deployed_is_the_one_that_the_code_makes():
    stale = "telephony/connect.template.json is not what the code makes: run `make contact-flow`"
    assert json.loads(DEPLOYED.read_text(encoding="utf-8")) == nested_template(), stale


def test_the_content_is_smaller_than_connect_takes():
    content = nested_template()["Resources"]["ContactFlow"]["Properties"]["Content"]["Fn::Sub"]
    assert len(content) < 150_000
    assert len(FLOW["Actions"]) <= 250
    replaced = sum(content.count(name) for name in ("${FunctionArn}", "${ApologyUri}", "${FlowLogging}"))
    assert content.count("${") == replaced, "Fn::Sub replaces nothing else"


def test_every_transition_has_a_target_and_every_action_can_be_reached():
    assert len(ACTIONS) == len(FLOW["Actions"]), "identifiers are unique"
    seen, waiting = set(), [FLOW["StartAction"]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += targets(ACTIONS[name])
    assert seen == set(ACTIONS)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_identifier_is_one_that_connect_takes(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,50}", name)


@pytest.mark.parametrize("action", FLOW["Actions"], ids=lambda action: action["Identifier"])
def test_every_action_but_the_last_says_where_it_goes_when_something_is_wrong(action):
    if action["Type"] in {"DisconnectParticipant", "UpdateFlowLoggingBehavior"}:
        return
    errors = {error["ErrorType"] for error in action["Transitions"]["Errors"]}
    expected = {
        "Compare": {"NoMatchingCondition"},
        "GetParticipantInput": {"InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError"}
        if action["Parameters"].get("StoreInput") == "False"
        else {"NoMatchingError"},
        "InvokeLambdaFunction": {"NoMatchingError"},
        "MessageParticipant": {"NoMatchingError"},
        "UpdateContactAttributes": {"NoMatchingError"},
    }
    assert errors == expected[action["Type"]]


@pytest.mark.parametrize("seconds", IDLE_STEPS)
def test_each_step_has_an_input_block_of_its_length_that_hears_every_key(seconds):
    block = ACTIONS[f"ask-{seconds}"]
    assert block["Parameters"]["InputTimeLimitSeconds"] == str(seconds)
    heard = {c["Condition"]["Operands"][0]: c["NextAction"] for c in block["Transitions"]["Conditions"]}
    assert heard == KEYS
    assert set(heard) == set("0123456789*#")
    assert where("seconds", str(seconds)) == f"ask-{seconds}"


@pytest.mark.parametrize(("name", "key"), [("hash", "#"), ("star", "*")])
def test_each_step_of_digits_has_a_storing_block_for_each_end_key(name, key):
    (then,) = [c["NextAction"] for c in conditions_of("end-key") if c["Condition"]["Operands"] == [key]]
    assert then == f"seconds-{name}"
    for seconds in INPUT_STEPS:
        block = ACTIONS[where(f"seconds-{name}", str(seconds))]
        parameters = block["Parameters"]
        assert (parameters["StoreInput"], parameters["InputTimeLimitSeconds"]) == ("True", str(seconds))
        assert parameters["InputValidation"] == {"CustomValidation": {"MaximumLength": "$.External.maxDigits"}}
        assert parameters["DTMFConfiguration"] == {
            "InputTerminationSequence": key,
            "DisableCancelKey": "True",
            "InterdigitTimeLimitSeconds": "$.External.interDigitSeconds",
        }
        assert block["Transitions"]["NextAction"] == "digits"


def test_a_flow_that_logs_is_silent_from_before_digits_are_gathered_until_they_are_reported():
    actions = {one["Identifier"]: one for one in build_contact_flow(ARN, APOLOGY, "Enabled")["Actions"]}
    behaviours = {
        name: one["Parameters"]["FlowLoggingBehavior"]
        for name, one in actions.items()
        if one["Type"] == "UpdateFlowLoggingBehavior"
    }
    assert behaviours == {"log": "Enabled", "quiet": "Disabled", "loud": "Enabled", "loud-prompt-error": "Enabled"}
    waiting, seen = ["quiet"], set()
    while waiting:
        name = waiting.pop()
        if name not in seen and behaviours.get(name) != "Enabled":
            seen.add(name)
            waiting += targets(actions[name])
    # Where it is over without them, or nothing tells of them any more.
    assert {actions[name]["Type"] for name in seen} <= {
        *("UpdateFlowLoggingBehavior", "Compare", "GetParticipantInput", "InvokeLambdaFunction", "MessageParticipant"),
        "DisconnectParticipant",
    }
    told = [one for one in actions.values() if "$.StoredCustomerInput" in json.dumps(one["Parameters"])]
    assert len(told) == 4
    assert {one["Identifier"] for one in told} < seen
    assert not seen & {"keep", "op"}


def conditions_of(name):
    return ACTIONS[name]["Transitions"]["Conditions"]


def where(name, value):
    """Where a value leads from a chain of Compare blocks."""
    while (action := ACTIONS[name])["Type"] == "Compare":
        conditions = action["Transitions"]["Conditions"]
        found = [c["NextAction"] for c in conditions if c["Condition"]["Operands"] == [value]]
        (name,) = found or [error["NextAction"] for error in action["Transitions"]["Errors"]]
        if found:
            return name
    return name


@pytest.mark.parametrize("value", ["", "0", "31", "181", "none"])
def test_a_value_that_no_block_knows_ends_the_call(value):
    assert where("seconds", value) == where("op", value) == "bye"


def test_no_block_has_more_conditions_than_flows_are_known_to_have():
    assert max(len(action["Transitions"].get("Conditions", ())) for action in FLOW["Actions"]) <= 15


def test_each_report_says_what_was_heard_of_which_question():
    for key, name in KEYS.items():
        attributes = ACTIONS[name]["Parameters"]["LambdaInvocationAttributes"]
        assert attributes == {"event": "key", "key": key, "seq": "$.Attributes.seq", "protocol": "1"}
    assert ACTIONS["idle"]["Parameters"]["LambdaInvocationAttributes"]["event"] == "idle"
    assert ACTIONS["prompt-error"]["Parameters"]["LambdaInvocationAttributes"]["event"] == "prompt_error"


def test_no_key_is_kept_with_the_contact():
    kept = [a["Parameters"]["Attributes"] for a in FLOW["Actions"] if a["Type"] == "UpdateContactAttributes"]
    # Nothing of what is heard: which question it is, and what is played.
    asked, silent = {"seq": "$.External.seq", "prompt": "$.External.promptUri"}, {"prompt": "$.External.silenceUri"}
    assert kept == [asked, silent]


def test_no_two_blocks_stand_on_one_spot_of_the_console():
    places = FLOW["Metadata"]["ActionMetadata"]
    assert set(places) == set(ACTIONS)
    assert len({tuple(place["position"].values()) for place in places.values()}) == len(ACTIONS)


def test_the_flow_logs_nothing_of_a_call():
    assert ACTIONS[FLOW["StartAction"]]["Parameters"] == {"FlowLoggingBehavior": "Disabled"}


def test_the_function_has_no_more_time_than_connect_gives_it():
    limits = {a["Parameters"].get("InvocationTimeLimitSeconds") for a in FLOW["Actions"]} - {None}
    assert limits == {"8"}
