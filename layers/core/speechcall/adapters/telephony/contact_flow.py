"""The contact flow that Amazon Connect runs for every call.

It knows no menu. It asks the function connect_flow for the next command, carries it out, reports
what it heard and asks again:

    answered ─► op ─┬─ ask ───► seconds ─► one input block ─► key, idle, prompt_error ─► op
                    ├─ hold ──► one second of silence ─► next ─► op
                    └─ hangup ► disconnect

Written for the flow language 2019-10-30 (Amazon Connect API reference, "Flow language"). Run as a
program it prints the nested stack that deploys the flow: `make contact-flow`.
"""

import json
import sys
from typing import Any

from speechcall.domain.timing import IDLE_STEPS

PROTOCOL = "1"
"""The conversation between flow and function; a call in progress keeps the flow it began with."""

KEYS = {**{digit: f"key-{digit}" for digit in "0123456789"}, "*": "key-star", "#": "key-hash"}

_LAMBDA_LIMIT_SECONDS = "8"
_HOLD = '<speak><break time="1s"/></speak>'


def build_contact_flow(function_arn: str) -> dict[str, Any]:
    """The flow's content, asking the function at `function_arn`."""
    actions = [
        _action("log", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Disabled"}, "answered"),
        _report("answered", function_arn, {"event": "answered"}),
        _compare("op", "$.External.op", {"ask": "seconds", "hold": "hold", "hangup": "bye"}),
        _compare("seconds", "$.External.seconds", {str(step): f"ask-{step}" for step in IDLE_STEPS}),
        *(_input_block(step) for step in IDLE_STEPS),
        *(_report(name, function_arn, {"event": "key", "key": key, **_SEQ}) for key, name in KEYS.items()),
        _report("key-other", function_arn, {"event": "key", "key": "other", **_SEQ}),
        _report("idle", function_arn, {"event": "idle", **_SEQ}),
        _report("prompt-error", function_arn, {"event": "prompt_error", **_SEQ}),
        _action("hold", "MessageParticipant", {"SSML": _HOLD}, "next", {"NoMatchingError": "next"}),
        _report("next", function_arn, {"event": "next", **_SEQ}),
        {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ]
    return {"Version": "2019-10-30", "StartAction": "log", "Metadata": {}, "Actions": actions}


_SEQ = {"seq": "$.External.seq"}


def nested_template() -> dict[str, Any]:
    """The CloudFormation template that deploys the flow and lets it invoke the function."""
    content = json.dumps(build_contact_flow("${FunctionArn}"), separators=(",", ":"))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The contact flow of SpeechCall. Generated (make contact-flow); do not edit.",
        "Parameters": {name: {"Type": "String"} for name in ("InstanceArn", "FunctionArn", "FlowName")},
        "Resources": {
            "FunctionAssociation": {
                "Type": "AWS::Connect::IntegrationAssociation",
                "Properties": {
                    "InstanceId": {"Ref": "InstanceArn"},
                    "IntegrationType": "LAMBDA_FUNCTION",
                    "IntegrationArn": {"Ref": "FunctionArn"},
                },
            },
            "ContactFlow": {
                "Type": "AWS::Connect::ContactFlow",
                # Publishing checks that the instance may invoke the function.
                "DependsOn": "FunctionAssociation",
                "Properties": {
                    "InstanceArn": {"Ref": "InstanceArn"},
                    "Name": {"Ref": "FlowName"},
                    "Description": "Plays the menus of SpeechCall",
                    "Type": "CONTACT_FLOW",
                    "Content": {"Fn::Sub": content},
                },
            },
        },
        "Outputs": {
            "ContactFlowId": {
                "Value": {"Fn::Select": [3, {"Fn::Split": ["/", {"Fn::GetAtt": ["ContactFlow", "ContactFlowArn"]}]}]}
            }
        },
    }


def _input_block(seconds: int) -> dict[str, Any]:
    parameters = {
        "Media": {"Uri": "$.External.promptUri", "SourceType": "S3", "MediaType": "Audio"},
        "StoreInput": "False",
        "InputTimeLimitSeconds": str(seconds),
    }
    errors = {"InputTimeLimitExceeded": "idle", "NoMatchingCondition": "key-other", "NoMatchingError": "prompt-error"}
    return _action(f"ask-{seconds}", "GetParticipantInput", parameters, "key-other", errors, KEYS)


def _report(name: str, function_arn: str, attributes: dict[str, str]) -> dict[str, Any]:
    parameters = {
        "LambdaFunctionARN": function_arn,
        "InvocationTimeLimitSeconds": _LAMBDA_LIMIT_SECONDS,
        "LambdaInvocationAttributes": {**attributes, "protocol": PROTOCOL},
        "ResponseValidation": {"ResponseType": "STRING_MAP"},
    }
    return _action(name, "InvokeLambdaFunction", parameters, "op", {"NoMatchingError": "bye"})


def _compare(name: str, value: str, targets: dict[str, str]) -> dict[str, Any]:
    return _action(name, "Compare", {"ComparisonValue": value}, "bye", {"NoMatchingCondition": "bye"}, targets)


def _action(
    name: str,
    kind: str,
    parameters: dict[str, Any],
    next_action: str,
    errors: dict[str, str] | None = None,
    conditions: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "Identifier": name,
        "Type": kind,
        "Parameters": parameters,
        "Transitions": {
            "NextAction": next_action,
            "Errors": [{"NextAction": target, "ErrorType": error} for error, target in (errors or {}).items()],
            "Conditions": [
                {"NextAction": target, "Condition": {"Operator": "Equals", "Operands": [operand]}}
                for operand, target in (conditions or {}).items()
            ],
        },
    }


if __name__ == "__main__":
    json.dump(nested_template(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
