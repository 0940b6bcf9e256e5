"""The template's language, and what the product's template says."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.cloud.intrinsics import TemplateError
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, Template, read_template
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from tests.kit.samples import HOOK, MENU

MENUS = (MENU, Menu("second", 5000, {"d*": (HOOK, GotoMenu(0)), "wrong": (HOOK, Hangup())}))

HEAD = """
Parameters:
  Stage: {Type: String, Default: test, AllowedValues: [test, live]}
  Lines: {Type: Number, Default: 10, MinValue: 1, MaxValue: 20}
  Name: {Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: small letters}
Conditions:
  Live: !Equals [!Ref Stage, live]
  NotLive: !Not [!Condition Live]
  Both: !And [!Condition Live, !Condition NotLive]
  Either: !Or [!Condition Live, !Condition NotLive]
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Named: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${Name}-table"}}
  Role: {Type: AWS::IAM::Role}
  OnlyLive: {Type: AWS::SQS::Queue, Condition: Live}
  Probe:
    Type: AWS::SQS::Queue
    Properties:
      Value: """


def resolved(tmp_path: Path, value: str, **parameters: str) -> Any:
    return made(tmp_path, value, **parameters).resource("Probe")["Properties"].get("Value", "left out")


def made(tmp_path: Path, value: str = "1", **parameters: str) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(HEAD + value, encoding="utf-8")
    return read_template(path, {"Name": "abc", **parameters})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Lines", "10"),
        ("!Ref AWS::Region", "eu-central-1"),
        ("!Ref AWS::AccountId", "123456789012"),
        ("!Ref Queue", "https://sqs.eu-central-1.amazonaws.com/123456789012/Queue"),
        ("!Ref Fifo", "https://sqs.eu-central-1.amazonaws.com/123456789012/Fifo.fifo"),
        ("!GetAtt Fifo.Arn", "arn:aws:sqs:eu-central-1:123456789012:Fifo.fifo"),
        ("!GetAtt Fifo.QueueName", "Fifo.fifo"),
        ("!GetAtt Named.Arn", "arn:aws:dynamodb:eu-central-1:123456789012:table/abc-table"),
        ("!GetAtt [Role, Arn]", "arn:aws:iam::123456789012:role/Role"),
        ("!Sub '${Queue.QueueName}/${!Literal}/${AWS::Partition}'", "Queue/${Literal}/aws"),
        ("!Sub ['${a}-${Lines}', {a: !Ref Stage}]", "test-10"),
        ("!Join ['-', [a, !Ref Stage, 3]]", "a-test-3"),
        ("!Select [1, !Split ['/', a/b/c]]", "b"),
        ("!If [Live, 1, !Ref AWS::NoValue]", "left out"),
        ("[1, !If [Live, 2, !Ref AWS::NoValue], 3]", [1, 3]),
        ("!If [NotLive, yes, no]", True),
        ("!If [Both, 1, 2]", 2),
        ("!If [Either, 1, 2]", 1),
        ("{Condition: {Bool: {a: 1}}}", {"Condition": {"Bool": {"a": 1}}}),
        ("2012-10-17", "2012-10-17"),
    ],
)
def test_what_the_intrinsic_functions_give(tmp_path: Path, value: str, expected: object) -> None:
    assert resolved(tmp_path, value) == expected


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("!Ref Nothing", "no resource Nothing"),
        ("!Ref OnlyLive", "condition is false"),
        ("!GetAtt Queue.Colour", "Queue.Colour"),
        ("!Sub '${Nothing}'", "no resource Nothing"),
        ("!ImportValue other", "Fn::ImportValue"),
        ("{Fn::Base64: a}", "Fn::Base64"),
        ("!Select [3, [a]]", "element 3"),
        ("!If [Nothing, 1, 2]", "no condition Nothing"),
    ],
)
def test_what_is_not_known_is_named_and_never_empty(tmp_path: Path, value: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=f"Resources.Probe.*{complaint}"):
        resolved(tmp_path, value)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"Stage": "other"}, "Stage cannot be 'other'"),
        ({"Lines": "21"}, "Lines cannot be '21'"),
        ({"Name": "ABC"}, "small letters"),
        ({"Colour": "red"}, "no parameter Colour"),
    ],
)
def test_parameters_are_checked(tmp_path: Path, parameters: dict[str, str], complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        made(tmp_path, **parameters)


def test_a_parameter_without_default_needs_a_value(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(HEAD + "1", encoding="utf-8")
    with pytest.raises(TemplateError, match="Name needs a value"):
        read_template(path, {})


def test_a_resource_is_there_when_its_condition_holds(tmp_path: Path) -> None:
    assert resolved(tmp_path, "!Ref OnlyLive", Stage="live").endswith("/OnlyLive")


CONNECT = {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}
CHIME = {"TelephonyProvider": "chime", "CallerId": CALLER_ID}
OF_CONNECT = {
    *("ConnectFlowFunction", "ConnectFlowPermission", "ConnectStack", "ConnectEventsFunction"),
}
OF_CHIME = {"ChimeEventsFunction", "ChimeEventsPermission", "ChimeStack"}
SIMULATED = {"TelephonyProvider": "simulated"}
OF_SIMULATED = {
    *("SimulatedCallsFunction", "SimulatedCallsQueue", "SimulatedCallsDeadLetterQueue"),
}
OF_PHONES = {"CallBacksFunction", "CallBackRoute", "RouteCallBacksFunction"}
"""What only a telephony has that can be called back."""


def product(parameters: dict[str, str] = CONNECT) -> Template:
    return read_template(TEMPLATE, parameters)


def resources_of(template: Template) -> dict[str, Any]:
    """Every resource that the template makes, resolved; a TemplateError if one refers to what is not made."""
    return {name: template.resource(name) for name in template.logical_ids}


@pytest.mark.parametrize(
    ("parameters", "has", "lacks"),
    [
        (CONNECT, OF_CONNECT | OF_PHONES, OF_CHIME | OF_SIMULATED),
        (CHIME, OF_CHIME | OF_PHONES, OF_CONNECT | OF_SIMULATED),
        (SIMULATED, OF_SIMULATED, OF_CONNECT | OF_CHIME | OF_PHONES),
    ],
)
def test_each_telephony_is_a_whole_template_without_the_other(parameters, has, lacks) -> None:
    template = product(parameters)
    made = resources_of(template)
    assert has <= set(made)
    assert not lacks & set(made)
    assert all(template.outputs.values())
    assert ("ContactFlowId" in template.outputs) == ("ConnectStack" in made)
    text, own = json.dumps(made), parameters.get("TelephonyProvider", "connect")
    assert [other for other in ("connect", "chime") if other != own and f'"{other}:' in text] == []
    assert template.functions["ControlCallFunction"].environment["TELEPHONY_PROVIDER"] == own


def test_the_state_machines_are_the_same_byte_for_byte_whichever_telephony_places_the_calls() -> None:
    machines = []
    for parameters in (CONNECT, CHIME, SIMULATED):
        environment = product(parameters).functions["DialerFunction"].environment
        wiring = Wiring(
            environment["CONTROL_CALL_ARN"], environment["FINISH_CALL_ARN"], environment["WEBHOOK_QUEUE_URL"]
        )
        machines.append(json.dumps([compile_flow(menus, wiring) for menus in (MENUS, (MENU,))]))
        names = {name: value for name, value in environment.items() if name.startswith("FLOW_")}
        machines.append(json.dumps(names))
    assert machines[:2] == machines[2:4] == machines[4:]


def test_every_function_of_the_product_has_code_and_an_environment() -> None:
    for function in product().functions.values():
        assert (function.code_dir / "app.py").is_file(), function.name
        before_tables = function.logical_id == "CheckDeploymentFunction"
        assert function.environment["MESSAGES_TABLE"] == ("" if before_tables else "MessagesTable")
        assert all(isinstance(value, str) for value in function.environment.values())


def test_the_products_names_have_the_shapes_that_its_parts_rely_on() -> None:
    functions = product().functions
    dialer = functions["DialerFunction"].environment
    assert dialer["WEBHOOK_QUEUE_URL"].endswith(".fifo")
    assert len(dialer["FLOW_PREFIX"]) == 8
    (rule,) = [event for event in functions["FinishCallFunction"].events if event.type == "EventBridgeRule"]
    (machine,) = rule.properties["Pattern"]["detail"]["stateMachineArn"]
    assert machine["prefix"].endswith(f":stateMachine:{dialer['FLOW_PREFIX']}-")


def test_the_sip_media_application_is_read_through_its_nested_stack() -> None:
    template = product(CHIME)
    application = template.nested("ChimeStack").resource("SipMediaApplication")["Properties"]
    assert application["Endpoints"] == [{"LambdaArn": template.functions["ChimeEventsFunction"].arn}]
    identifier = template.functions["ControlCallFunction"].environment["SIP_MEDIA_APPLICATION_ID"]
    assert identifier == template.nested("ChimeStack").output("SipMediaApplicationId")
    assert template.get_att("ChimeStack", "Outputs.SipMediaApplicationArn").endswith(f":sma/{identifier}")


def test_an_output_that_a_nested_stack_has_not_is_named() -> None:
    with pytest.raises(TemplateError, match="no output Nothing"):
        product().get_att("ConnectStack", "Outputs.Nothing")


def test_the_contact_flow_is_read_through_the_nested_stack() -> None:
    template = product()
    content = template.nested("ConnectStack").resource("ContactFlow")["Properties"]["Content"]
    assert template.functions["ConnectFlowFunction"].arn in content
