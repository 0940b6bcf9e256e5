"""The contact flow that Amazon Connect runs for every call.

It knows no menu. It asks the function connect_flow for the next command, carries it out, reports
what it heard and asks again:

    answered ─► keep ─► op ─┬─ ask ───► seconds ─► one input block ─► key, idle, prompt_error ─► keep
                            ├─ hold ──► one second of silence ─► next ─► keep
                            └─ hangup ► disconnect

A report that fails is made again after a second, the same one, three times; then the callee hears an apology. Each try
is a block of its own, so that nothing but the flow's form bounds their number. What a failed invocation leaves in
$.External is not written, so the `seq` to which a report belongs is kept in the contact's attributes. A key never is:
it is in its blocks, for attributes are kept with the contact for two years.

Written for the flow language 2019-10-30 (Amazon Connect API reference, "Flow language"). Run as a
program it prints the nested stack that deploys the flow: `make contact-flow`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speechcall.shared.rules.time_bounds import REPORT_HOLD_SECONDS, REPORT_LIMIT_SECONDS, REPORT_TRIES
from speechcall.shared.rules.timing import IDLE_STEPS

PROTOCOL = "1"
"""The conversation between flow and function; a call in progress keeps the flow it began with.

It gets a new number only where a function of the release before could not answer this flow: such a function hangs up
on a number that it does not know, and after a roll-back it has this flow's calls. (2 stood here for a while, for the
second tries; they ask nothing new of the function.)
"""

KEYS = {**{digit: f"key-{digit}" for digit in "0123456789"}, "*": "key-star", "#": "key-hash"}

_LAMBDA_LIMIT_SECONDS = str(REPORT_LIMIT_SECONDS)
_MOST_CONDITIONS = 15
"""Of one block. No limit is documented, and no published block with more than a few was found."""
_HOLD = f'<speak><break time="{REPORT_HOLD_SECONDS}s"/></speak>'
_COLUMN, _ROW, _A_COLUMN = 260, 180, 14
"""Of the picture that the console draws, in its units, and how many blocks stand below one another."""


def build_contact_flow(function_arn: str, apology_uri: str, flow_logging: str = "Disabled") -> dict[str, Any]:
    """The flow's content, asking the function at `function_arn`.

    In: the URI in S3 of what is played when that fails for good; whether the flow logs, `Enabled` or `Disabled`.
    """
    actions = [
        _action("log", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": flow_logging}, "answered"),
        *_report("answered", function_arn, {"event": "answered"}),
        _action("keep", "UpdateContactAttributes", _KEEP, "op", {"NoMatchingError": "sorry"}),
        *_compare("op", "$.External.op", {"ask": "seconds", "hold": "hold", "hangup": "bye"}),
        *_compare("seconds", "$.External.seconds", {str(step): f"ask-{step}" for step in IDLE_STEPS}),
        *(_input_block(step) for step in IDLE_STEPS),
        *(
            block
            for key, name in KEYS.items()
            for block in _report(name, function_arn, {"event": "key", "key": key, **_SEQ})
        ),
        *_report("key-other", function_arn, {"event": "key", "key": "other", **_SEQ}),
        *_report("idle", function_arn, {"event": "idle", **_SEQ}),
        *_report("prompt-error", function_arn, {"event": "prompt_error", **_SEQ}),
        _action("hold", "MessageParticipant", {"SSML": _HOLD}, "next", {"NoMatchingError": "next"}),
        *_report("next", function_arn, {"event": "next", **_SEQ}),
        _action("sorry", "MessageParticipant", {"Media": _media(apology_uri)}, "bye", {"NoMatchingError": "bye"}),
        {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ]
    return {"Version": "2019-10-30", "StartAction": "log", "Metadata": _picture(actions), "Actions": actions}


_SEQ = {"seq": "$.Attributes.seq"}
_KEEP = {"Attributes": {"seq": "$.External.seq"}, "TargetContact": "Current"}


def _picture(actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the console draws each block: else they would all be on one spot."""
    places = {
        action["Identifier"]: {"position": {"x": _COLUMN * (1 + number // _A_COLUMN), "y": _ROW * (number % _A_COLUMN)}}
        for number, action in enumerate(actions)
    }
    return {"entryPointPosition": {"x": 0, "y": 0}, "ActionMetadata": places}


NESTED_PARAMETERS = ("InstanceArn", "FunctionArn", "FlowName", "ApologyUri", "FlowLogging")


def nested_template() -> dict[str, Any]:
    """The CloudFormation template that deploys the flow and lets it invoke the function."""
    content = json.dumps(build_contact_flow("${FunctionArn}", "${ApologyUri}", "${FlowLogging}"), separators=(",", ":"))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The contact flow of SpeechCall. Generated (make contact-flow); do not edit.",
        "Parameters": {name: {"Type": "String"} for name in NESTED_PARAMETERS},
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
        "Media": _media("$.External.promptUri"),
        "StoreInput": "False",
        "InputTimeLimitSeconds": str(seconds),
    }
    errors = {"InputTimeLimitExceeded": "idle", "NoMatchingCondition": "key-other", "NoMatchingError": "prompt-error"}
    return _action(f"ask-{seconds}", "GetParticipantInput", parameters, "key-other", errors, KEYS)


def _media(uri: str) -> dict[str, str]:
    return {"Uri": uri, "SourceType": "S3", "MediaType": "Audio"}


def _report(name: str, function_arn: str, attributes: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The tries of one report, with a second of silence between them."""
    parameters = {
        "LambdaFunctionARN": function_arn,
        "InvocationTimeLimitSeconds": _LAMBDA_LIMIT_SECONDS,
        "LambdaInvocationAttributes": {**attributes, "protocol": PROTOCOL},
        "ResponseValidation": {"ResponseType": "STRING_MAP"},
    }
    for number in range(1, REPORT_TRIES + 1):
        this = name if number == 1 else f"{name}-{number}"
        if number == REPORT_TRIES:
            yield _action(this, "InvokeLambdaFunction", parameters, "keep", {"NoMatchingError": "sorry"})
            return
        hold, again = f"{name}-hold-{number}", f"{name}-{number + 1}"
        yield _action(this, "InvokeLambdaFunction", parameters, "keep", {"NoMatchingError": hold})
        yield _action(hold, "MessageParticipant", {"SSML": _HOLD}, again, {"NoMatchingError": again})


def _compare(name: str, value: str, targets: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Blocks that compare a value, in a chain, for one holds few conditions; what matches nowhere ends the call."""
    values = list(targets)
    for begin in range(0, len(values), _MOST_CONDITIONS):
        number, end = begin // _MOST_CONDITIONS + 1, begin + _MOST_CONDITIONS
        this = name if number == 1 else f"{name}-{number}"
        other = f"{name}-{number + 1}" if end < len(values) else "bye"
        part = {one: targets[one] for one in values[begin:end]}
        yield _action(this, "Compare", {"ComparisonValue": value}, other, {"NoMatchingCondition": other}, part)


def _action(
    name: str,
    kind: str,
    parameters: dict[str, Any],
    next_action: str,
    errors: dict[str, str] | None = None,
    conditions: dict[str, str] | None = None,
) -> dict[str, Any]:
    """One action of Amazon Connect's flow language.

    `errors`: the action that follows each type of error. `conditions`: the one that follows each value.
    """
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
