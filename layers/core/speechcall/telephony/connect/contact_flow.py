"""The contact flow that Amazon Connect runs for every call.

It knows no menu. It asks the function connect_flow for the next command, carries it out, reports
what it heard and asks again:

    answered ─► keep ─► op ─┬─ ask ───► barge-in ─► seconds ─► one input block ─► key, idle, prompt_error ─► keep
                            ├─ input ─► barge-in ─► end key ─► seconds ─► one storing block ─► digits, prompt_error
                            │                                                                  ─► keep
                            ├─ hold ──► one second of silence, or of what is to be played ─► next ─► keep
                            └─ hangup ► disconnect

A report that fails is made again after a second, the same one, three times; then the callee hears an apology. Each try
is a block of its own, so that nothing but the flow's form bounds their number. What a failed invocation leaves in
$.External is not written, so the `seq` to which a report belongs is kept in the contact's attributes. A key never is:
it is in its blocks, for attributes are kept with the contact for two years.

Input blocks play what the attribute `prompt` says. Mostly that is the introduction, which a key cuts short. Of a menu
that takes no key during it (barge-in: "false") it is played before, by a block that listens to none ("Play prompt";
what is pressed meanwhile is lost, for touchtone buffering is off by default: "Set touchtone buffer behavior"), and then
the attribute says a moment of silence.

Several digits are gathered by one block, which stores them for as long as it takes to report them
($.StoredCustomerInput, "Timeout" for silence). How many and how long the next one is awaited it takes from the
function's answer; the wait for the first one and the end key have to be static (GetParticipantInput: MaximumLength and
InterdigitTimeLimitSeconds "may be defined statically or dynamically", InputTimeLimitSeconds "must be defined
statically", of InputTerminationSequence nothing is said), so there is a block for each pair of these. Key by key they
could not be gathered: what is pressed while a function runs is lost. `*` is a key like others (DisableCancelKey).
While a block has them, and they are reported, the flow logs nothing, whatever the stack says of its logs: "Set logging
behavior" holds from its block on (administrator guide), and a report's block would be logged with its parameters.

Written for the flow language 2019-10-30 (Amazon Connect API reference, "Flow language"). Run as a
program it prints the nested stack that deploys this flow and that of calls back: `make contact-flow`.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from speechcall.calls.use_cases.report import DIGITS
from speechcall.menus.rules.ask import END_KEYS
from speechcall.shared.rules.timing import IDLE_STEPS, INPUT_STEPS
from speechcall.telephony.connect.call_back_flow import build_call_back_flow
from speechcall.telephony.connect.conversation import INPUT, NO_BARGE_IN, WAIT_SECONDS
from speechcall.telephony.connect.flow_language import HOLD, action, compare, flow, invoke, media

PROTOCOL = "1"
"""The conversation between flow and function; a call in progress keeps the flow it began with.

It gets a new number only where a function of the release before could not answer this flow: such a function hangs up
on a number that it does not know, and after a roll-back it has this flow's calls. (2 stood here for a while, for the
second tries; they ask nothing new of the function.)
"""

_END_NAMES = {"#": "hash", "*": "star"}
KEYS = {**{digit: f"key-{digit}" for digit in "0123456789"}, "*": "key-star", "#": "key-hash"}


def build_contact_flow(function_arn: str, apology_uri: str, flow_logging: str = "Disabled") -> dict[str, Any]:
    """The flow's content, asking the function at `function_arn`.

    In: the URI in S3 of what is played when that fails for good; whether the flow logs, `Enabled` or `Disabled`.
    """
    actions = [
        _logging("log", flow_logging, "answered"),
        *_report("answered", function_arn, {"event": "answered"}),
        action("keep", "UpdateContactAttributes", _KEEP, "op", {"NoMatchingError": "sorry"}),
        *compare("op", "$.External.op", {"ask": "begins", INPUT: "begins", "hold": "holds", "hangup": "bye"}),
        *compare("begins", "$.External.bargeIn", {NO_BARGE_IN: "introduce"}, "listens"),
        action("introduce", "MessageParticipant", _WHAT_IS_TOLD, "silent", {"NoMatchingError": "prompt-error"}),
        action("silent", "UpdateContactAttributes", _KEEP_SILENCE, "listens", {"NoMatchingError": "sorry"}),
        *compare("listens", "$.External.op", {"ask": "seconds", INPUT: "quiet"}),
        *compare("holds", "$.External.seconds", {str(WAIT_SECONDS): "wait"}, "hold"),
        *compare("seconds", "$.External.seconds", {str(step): f"ask-{step}" for step in IDLE_STEPS}),
        *(_input_block(step) for step in IDLE_STEPS),
        _logging("quiet", "Disabled", "end-key"),
        *compare("end-key", "$.External.endKey", {key: f"seconds-{_END_NAMES[key]}" for key in END_KEYS}),
        *(block for key in END_KEYS for block in _storing_blocks(key)),
        *(
            block
            for key, name in KEYS.items()
            for block in _report(name, function_arn, {"event": "key", "key": key, **_SEQ})
        ),
        *_report("key-other", function_arn, {"event": "key", "key": "other", **_SEQ}),
        *_report("digits", function_arn, {"event": DIGITS, "digits": "$.StoredCustomerInput", **_SEQ}, "loud"),
        _logging("loud", flow_logging, "keep"),
        _logging("loud-prompt-error", flow_logging, "prompt-error"),
        *_report("idle", function_arn, {"event": "idle", **_SEQ}),
        *_report("prompt-error", function_arn, {"event": "prompt_error", **_SEQ}),
        action("hold", "MessageParticipant", {"SSML": HOLD}, "next", {"NoMatchingError": "next"}),
        action("wait", "MessageParticipant", _WHAT_IS_TOLD, "next", {"NoMatchingError": "hold"}),
        *_report("next", function_arn, {"event": "next", **_SEQ}),
        action("sorry", "MessageParticipant", {"Media": media(apology_uri)}, "bye", {"NoMatchingError": "bye"}),
        {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ]
    return flow(actions)


_WHAT_IS_TOLD = {"Media": media("$.External.promptUri")}
_SEQ = {"seq": "$.Attributes.seq"}
_KEEP = {"Attributes": {"seq": "$.External.seq", "prompt": "$.External.promptUri"}, "TargetContact": "Current"}
_KEEP_SILENCE = {"Attributes": {"prompt": "$.External.silenceUri"}, "TargetContact": "Current"}


NESTED_PARAMETERS = (
    "InstanceArn",
    "FunctionArn",
    "FlowName",
    "ApologyUri",
    "FlowLogging",
    "CallBackFunctionArn",
    "CallBackFlowName",
)


def nested_template() -> dict[str, Any]:
    """The CloudFormation template that deploys the flows and lets each invoke its function."""
    content = build_contact_flow("${FunctionArn}", "${ApologyUri}", "${FlowLogging}")
    call_back = build_call_back_flow("${CallBackFunctionArn}", "${FlowLogging}")
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The contact flows of SpeechCall. Generated (make contact-flow); do not edit.",
        "Parameters": {name: {"Type": "String"} for name in NESTED_PARAMETERS},
        "Resources": {
            "FunctionAssociation": _association("FunctionArn"),
            "ContactFlow": _deployed(content, "FunctionAssociation", "FlowName", "Plays the menus of SpeechCall"),
            "CallBackAssociation": _association("CallBackFunctionArn"),
            "CallBackFlow": _deployed(
                call_back,
                "CallBackAssociation",
                "CallBackFlowName",
                "Answers who calls the caller ID of SpeechCall back",
            ),
        },
        "Outputs": {
            "ContactFlowId": {"Value": _flow_id("ContactFlow")},
            "CallBackFlowId": {"Value": _flow_id("CallBackFlow")},
        },
    }


def _association(function: str) -> dict[str, Any]:
    """The resource that lets the instance invoke a function. `function`: the parameter that has its ARN."""
    return {
        "Type": "AWS::Connect::IntegrationAssociation",
        "Properties": {
            "InstanceId": {"Ref": "InstanceArn"},
            "IntegrationType": "LAMBDA_FUNCTION",
            "IntegrationArn": {"Ref": function},
        },
    }


def _deployed(content: dict[str, Any], association: str, name: str, description: str) -> dict[str, Any]:
    """The resource of a flow. `association`: that of the function it asks; `name`: the parameter that has its name."""
    return {
        "Type": "AWS::Connect::ContactFlow",
        # Publishing checks that the instance may invoke the function.
        "DependsOn": association,
        "Properties": {
            "InstanceArn": {"Ref": "InstanceArn"},
            "Name": {"Ref": name},
            "Description": description,
            "Type": "CONTACT_FLOW",
            "Content": {"Fn::Sub": json.dumps(content, separators=(",", ":"))},
        },
    }


def _flow_id(name: str) -> dict[str, Any]:
    return {"Fn::Select": [3, {"Fn::Split": ["/", {"Fn::GetAtt": [name, "ContactFlowArn"]}]}]}


def _input_block(seconds: int) -> dict[str, Any]:
    """The block that plays a menu's introduction, and waits so many seconds for one key."""
    parameters = {
        "Media": media("$.Attributes.prompt"),
        "StoreInput": "False",
        "InputTimeLimitSeconds": str(seconds),
    }
    errors = {"InputTimeLimitExceeded": "idle", "NoMatchingCondition": "key-other", "NoMatchingError": "prompt-error"}
    return action(f"ask-{seconds}", "GetParticipantInput", parameters, "key-other", errors, KEYS)


def _storing_blocks(end_key: str) -> Iterator[dict[str, Any]]:
    """The blocks that gather digits up to one end key: one for each wait for the first digit, and what picks one.

    After silence a block continues in the same way: it has stored "Timeout".
    """
    name = _END_NAMES[end_key]
    yield from compare(
        f"seconds-{name}", "$.External.seconds", {str(step): f"input-{name}-{step}" for step in INPUT_STEPS}
    )
    for step in INPUT_STEPS:
        parameters = {
            "Media": media("$.Attributes.prompt"),
            "StoreInput": "True",
            "InputTimeLimitSeconds": str(step),
            "InputValidation": {"CustomValidation": {"MaximumLength": "$.External.maxDigits"}},
            "DTMFConfiguration": {
                "InputTerminationSequence": end_key,
                "DisableCancelKey": "True",
                "InterdigitTimeLimitSeconds": "$.External.interDigitSeconds",
            },
        }
        yield action(
            f"input-{name}-{step}",
            "GetParticipantInput",
            parameters,
            "digits",
            {"NoMatchingError": "loud-prompt-error"},
        )


def _logging(name: str, behaviour: str, then: str) -> dict[str, Any]:
    return action(name, "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": behaviour}, then)


def _report(name: str, function_arn: str, attributes: dict[str, str], then: str = "keep") -> Iterator[dict[str, Any]]:
    """The tries of one report."""
    return invoke(name, function_arn, {**attributes, "protocol": PROTOCOL}, then, "sorry")


if __name__ == "__main__":
    json.dump(nested_template(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
