"""Which contact flows could be published, and what the blocks of one that could be do."""

import json
from typing import Any

import pytest

from local.network.connect.flow import FlowRefusedError, load_flow
from local.network.connect.flow_runner import (
    Failed,
    FlowStuckError,
    Invoke,
    Listen,
    Play,
    Played,
    Pressed,
    Prompt,
    Returned,
    Silence,
    walk,
)
from speechcall.telephony.connect.contact_flow import build_contact_flow, nested_template

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:connect-flow"
APOLOGY = "https://prompts.s3.eu-central-1.amazonaws.com/prompts/sorry.wav"
FACTS = {"ContactId": "c-1", "Attributes.mid": "7748021", "CustomerEndpoint.Address": "+380936670003"}


def flow_with(**changes: Any) -> dict[str, Any]:
    """Our flow with changes by path: `ask-1/Parameters/StoreInput`; None takes the member away."""
    flow = build_contact_flow(ARN, APOLOGY)
    actions = {action["Identifier"]: action for action in flow["Actions"]}
    for path, value in changes.items():
        *way, last = path.split("/")
        place: Any = actions | {"flow": flow}
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return flow


def problems(flow: dict[str, Any]) -> str:
    with pytest.raises(FlowRefusedError) as refused:
        load_flow(flow)
    return str(refused.value)


def test_the_deployed_flow_could_be_published() -> None:
    content = nested_template()["Resources"]["ContactFlow"]["Properties"]["Content"]["Fn::Sub"]
    for name, value in {"FunctionArn": ARN, "ApologyUri": APOLOGY, "FlowLogging": "Disabled"}.items():
        content = content.replace(f"${{{name}}}", value)
    flow = load_flow(json.loads(content))
    assert flow.start == "log"
    assert sum(action.type == "GetParticipantInput" for action in flow.actions.values()) > 30


ERRORS = [{"ErrorType": "NoMatchingError", "NextAction": "bye"}]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("flow/Version", "2020-01-01", "Version"),
        ("flow/StartAction", "nowhere", "StartAction 'nowhere'"),
        ("flow/Actions", [], "not a list of blocks"),
        ("op/Type", "Loop", "unknown block type 'Loop'"),
        ("bye/Type", "EndFlowExecution", "unknown block type 'EndFlowExecution'"),
        ("bye/Transitions", {"NextAction": "op"}, "ends the flow"),
        ("op/Identifier", "a(b)", "not allowed"),
        ("op/Identifier", "__proto__", "reserved"),
        ("op/Identifier", "x" * 51, "1 to 50 characters"),
        ("op/Identifier", "next", "used twice"),
        ("next/Transitions/NextAction", "nowhere", "leads to 'nowhere'"),
        ("next/Transitions/NextAction", None, "NextAction is missing"),
        ("next/Transitions/Errors", [], "error branch NoMatchingError is missing"),
        ("next/Transitions/Errors", ERRORS * 2, "there twice"),
        ("op/Transitions/Errors", [], "error branch NoMatchingCondition is missing"),
        ("ask-1/Transitions/Errors", ERRORS, "error branch InputTimeLimitExceeded is missing"),
        ("ask-1/Parameters/InputTimeLimitSeconds", "$.External.seconds", "must be static"),
        ("ask-1/Parameters/InputTimeLimitSeconds", "181", "is not 1 to 180"),
        ("ask-1/Parameters/InputTimeLimitSeconds", "0", "is not 1 to 180"),
        ("ask-1/Parameters/InputTimeLimitSeconds", 5, "written as text"),
        ("ask-1/Parameters/InputTimeLimitSeconds", None, "InputTimeLimitSeconds is missing"),
        ("ask-1/Parameters/InputTimeoutSeconds", "5", "not a parameter of this block"),
        ("ask-1/Parameters/StoreInput", "True", "InputValidation is missing"),
        ("ask-1/Parameters/StoreInput", "Maybe", "StoreInput"),
        ("input-hash-1/Parameters/InputTimeLimitSeconds", "$.External.seconds", "must be static"),
        ("input-hash-1/Parameters/InputValidation/CustomValidation/MaximumLength", "0", "MaximumLength is not 1"),
        ("input-hash-1/Parameters/DTMFConfiguration/InterdigitTimeLimitSeconds", "21", "is not 1 to 20"),
        ("input-hash-1/Parameters/DTMFConfiguration/InputTerminationSequence", "$.External.endKey", "one to five keys"),
        ("input-hash-1/Transitions/NextAction", None, "NextAction is missing"),
        ("ask-1/Parameters/Media/SourceType", "HTTP", "SourceType S3"),
        ("ask-1/Parameters/Media/Uri", "$.LastPressedDigit", "unknown reference"),
        ("ask-1/Parameters/SSML", "<speak/>", "has not exactly one of"),
        ("hold/Parameters/SSML", None, "has not exactly one of"),
        ("next/Parameters/InvocationTimeLimitSeconds", "9", "is not 1 to 8"),
        ("next/Parameters/LambdaInvocationAttributes", {"seq": 1}, "no text"),
        ("next/Parameters/LambdaInvocationAttributes", {"seq": "$.Externals.x"}, "unknown reference"),
        ("next/Parameters/ResponseValidation", {"ResponseType": "JSON"}, "STRING_MAP"),
        ("op/Parameters/ComparisonValue", "ask", "is not one known reference"),
    ],
)
def test_what_could_not_be_published_is_refused(path: str, value: Any, problem: str) -> None:
    assert problem in problems(flow_with(**{path: value}))


def test_conditions_of_an_input_block_are_single_keys() -> None:
    for operand in ("12", "a", "$.External.key", ""):
        condition = {"NextAction": "bye", "Condition": {"Operator": "Equals", "Operands": [operand]}}
        assert "operand" in problems(flow_with(**{"ask-1/Transitions/Conditions": [condition]}))
    condition = {"NextAction": "bye", "Condition": {"Operator": "TextContains", "Operands": ["1"]}}
    assert "TextContains" in problems(flow_with(**{"ask-1/Transitions/Conditions": [condition]}))


def test_limits_of_the_whole_flow() -> None:
    block = {"Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    many = [{"Identifier": f"b{number}", **block} for number in range(251)]
    assert "251 actions" in problems({"Version": "2019-10-30", "StartAction": "b0", "Actions": many})
    assert "more than 256000" in problems(flow_with(**{"flow/Metadata": {"note": "x" * 256_000}}))


def test_a_call_from_answer_to_hang_up() -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS)
    effect = next(steps)
    assert effect == Invoke(ARN, {"event": "answered", "protocol": "1"}, 8)
    effect = steps.send(Returned({"op": "hold", "seq": "0"}))
    assert effect == Play(Prompt(speech='<speak><break time="1s"/></speak>'))
    effect = steps.send(Played())
    assert effect == Invoke(ARN, {"event": "next", "seq": "0", "protocol": "1"}, 8)
    effect = steps.send(Returned({"op": "ask", "seq": "1", "seconds": "15", "promptUri": "https://p/1.wav"}))
    assert isinstance(effect, Listen)
    assert effect.prompt == Prompt(uri="https://p/1.wav")
    assert effect.limit_seconds == 15
    effect = steps.send(Pressed("*"))
    assert effect == Invoke(ARN, {"event": "key", "key": "*", "seq": "1", "protocol": "1"}, 8)
    with pytest.raises(StopIteration):
        steps.send(Returned({"op": "hangup", "seq": "2"}))


@pytest.mark.parametrize(
    ("outcome", "event"),
    [(Silence(), "idle"), (Failed(), "prompt_error"), (Pressed("7"), "key"), (Pressed("#"), "key")],
)
def test_what_an_input_block_reports(outcome: Silence | Failed | Pressed, event: str) -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS)
    next(steps)
    steps.send(Returned({"op": "ask", "seq": "4", "seconds": "1", "promptUri": "https://p/1.wav"}))
    effect = steps.send(outcome)
    assert isinstance(effect, Invoke)
    assert effect.parameters["event"] == event
    assert effect.parameters["seq"] == "4"


def test_each_answer_replaces_all_that_the_one_before_had_said() -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS)
    next(steps)
    steps.send(Returned({"op": "hold", "seq": "3"}))
    steps.send(Played())
    steps.send(Returned({"op": "hold"}))
    effect = steps.send(Played())
    assert isinstance(effect, Invoke)
    assert effect.parameters["seq"] == ""


@pytest.mark.parametrize("answer", [{}, {"op": "sing"}, {"op": "ask", "seconds": "0.5", "promptUri": "x", "seq": "1"}])
def test_an_answer_without_a_branch_ends_the_call(answer: dict[str, str]) -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS)
    next(steps)
    with pytest.raises(StopIteration):
        steps.send(Returned(answer))


@pytest.mark.parametrize("outcome", [Pressed("7"), Pressed("*"), Silence(), Failed(), Played()])
@pytest.mark.parametrize("forgets", [True, False])
def test_a_report_that_fails_is_made_again_three_times_and_then_the_callee_hears_why(
    outcome: Silence | Failed | Pressed | Played, forgets: bool
) -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS, forgets_external=forgets)
    next(steps)
    what = {"op": "hold"} if outcome == Played() else {"op": "ask"}
    steps.send(Returned({"seq": "4", "seconds": "1", "promptUri": "https://p/1.wav", **what}))
    report = steps.send(outcome)
    assert isinstance(report, Invoke)
    assert report.parameters["seq"] == "4"
    for _ in range(3):
        assert isinstance(steps.send(Failed()), Play)
        assert steps.send(Played()) == report
    assert steps.send(Failed()) == Play(Prompt(uri=APOLOGY))
    with pytest.raises(StopIteration):
        steps.send(Played())


def test_after_a_report_that_came_through_late_the_call_goes_on() -> None:
    steps = walk(load_flow(build_contact_flow(ARN, APOLOGY)), FACTS)
    next(steps)
    assert isinstance(steps.send(Failed()), Play)
    again = steps.send(Played())
    assert again == Invoke(ARN, {"event": "answered", "protocol": "1"}, 8)
    answer = {"op": "ask", "seq": "2", "seconds": "15", "promptUri": "https://p/1.wav"}
    assert isinstance(steps.send(Returned(answer)), Listen)


def test_a_retried_report_needs_what_the_contact_remembers() -> None:
    """In the flow of protocol 1 the seq stood in $.External alone: after a failure it may be gone."""
    kept = build_contact_flow(ARN, APOLOGY)
    (first,) = (a for a in kept["Actions"] if a["Identifier"] == "key-7-2")
    assert first["Parameters"]["LambdaInvocationAttributes"]["seq"] == "$.Attributes.seq"
    first["Parameters"]["LambdaInvocationAttributes"]["seq"] = "$.External.seq"
    steps = walk(load_flow(kept), FACTS)
    next(steps)
    steps.send(Returned({"op": "ask", "seq": "4", "seconds": "1", "promptUri": "https://p/1.wav"}))
    steps.send(Pressed("7"))
    steps.send(Failed())
    again = steps.send(Played())
    assert isinstance(again, Invoke)
    assert again.parameters["seq"] == ""


def test_a_key_without_a_branch_is_no_matching_condition() -> None:
    only_one = [{"NextAction": "bye", "Condition": {"Operator": "Equals", "Operands": ["1"]}}]
    steps = walk(load_flow(flow_with(**{"ask-1/Transitions/Conditions": only_one})), FACTS)
    next(steps)
    steps.send(Returned({"op": "ask", "seq": "1", "seconds": "1", "promptUri": "https://p/1.wav"}))
    effect = steps.send(Pressed("2"))
    assert isinstance(effect, Invoke)
    assert effect.parameters["key"] == "other"


def test_references_stand_for_values_whole_or_within_a_text() -> None:
    given = {
        "mid": "$.Attributes.mid",
        "who": "$.CustomerEndpoint.Address",
        "gone": "$.Attributes.none",
        "id": "$.ContactId",
    }
    text = "To $.CustomerEndpoint.Address: $.External.word."
    flow = flow_with(**{"answered/Parameters/LambdaInvocationAttributes": given, "hold/Parameters": {"Text": text}})
    steps = walk(load_flow(flow), FACTS)
    effect = next(steps)
    assert isinstance(effect, Invoke)
    assert effect.parameters == {"mid": "7748021", "who": "+380936670003", "gone": "", "id": "c-1"}
    effect = steps.send(Returned({"op": "hold", "word": "hello"}))
    assert effect == Play(Prompt(speech="To +380936670003: hello."))


@pytest.mark.parametrize(
    ("operator", "operand", "value", "holds"),
    [
        ("TextStartsWith", "as", "ask", True),
        ("TextEndsWith", "as", "ask", False),
        ("TextContains", "s", "ask", True),
        ("NumberGreaterThan", "2", "10", True),
        ("NumberLessOrEqualTo", "2", "2", True),
        ("NumberLessThan", "2", "two", False),
    ],
)
def test_comparisons(operator: str, operand: str, value: str, holds: bool) -> None:
    condition = {"NextAction": "hold", "Condition": {"Operator": operator, "Operands": [operand]}}
    steps = walk(load_flow(flow_with(**{"op/Transitions/Conditions": [condition]})), FACTS)
    next(steps)
    if holds:
        assert isinstance(steps.send(Returned({"op": value})), Play)
    else:
        with pytest.raises(StopIteration):
            steps.send(Returned({"op": value}))


def test_a_circle_in_which_nothing_can_happen_is_noticed() -> None:
    log = {"Type": "UpdateFlowLoggingBehavior", "Parameters": {"FlowLoggingBehavior": "Enabled"}}
    circle = [
        {"Identifier": "one", **log, "Transitions": {"NextAction": "two"}},
        {"Identifier": "two", **log, "Transitions": {"NextAction": "one"}},
    ]
    steps = walk(load_flow({"Version": "2019-10-30", "StartAction": "one", "Actions": circle}), FACTS)
    with pytest.raises(FlowStuckError):
        next(steps)
