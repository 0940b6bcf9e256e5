"""The telephony: is it there, may it call out, does it show our number, and does it ask this stack's function?

Sources: Amazon Connect API reference, DescribeInstance, ListPhoneNumbersV2, DescribeContactFlow (State, Status),
ListLambdaFunctions; Service Quotas API reference, ListServiceQuotas; Amazon Chime SDK API reference,
GetSipMediaApplication. Where calls to the number go: see `call_back_routes`.
"""

import json
from collections.abc import Iterator
from typing import Any

from cli.doctor.findings import Check, Finding, Verdict
from cli.doctor.stack import Stack
from cli.doctor.stack_checks import PUT_BACK
from speechcall.deployment.adapters import connect_facts
from speechcall.deployment.adapters.call_back_routes import ChimeRoutes, ConnectRoutes, Routes
from speechcall.deployment.rules.checks import why_elsewhere, why_no_instance, why_not_claimed
from speechcall.telephony.connect.apology import apology_key
from speechcall.telephony.connect.contact_flow import build_contact_flow
from speechcall.telephony.provider import ProviderName, provider

MAKE_AGAIN = (
    'docs/runbook.md, "A contact flow that was deleted": when no message is unfinished, deploy with '
    "TelephonyProvider=simulated, and CallerId, ConnectInstanceArn and SmsOriginationIdentity empty, then as before: "
    "the second makes it again. To deploy without a change does not."
)
CALLS_BACK = "who calls the caller ID back is answered by the stack"
QUOTAS = {
    "Lines": ("calls at once", ("concurrent active calls per instance",)),
    "CallsPerSecond": ("calls begun a second", ("rate of startoutboundvoicecontact api requests",)),
}
"""The parameter that may not be above a quota of Amazon Connect, in words, and the quota's name in small letters."""


def telephony_checks(stack: Stack) -> Iterator[Check]:
    """The checks of the provider that places the stack's calls."""
    if not provider(ProviderName(stack.provider)).rings_phones:
        yield Check("simulated", "phones are called", _simulated)
        return
    if stack.provider == "chime":
        yield Check("application", "the SIP media application asks this stack", lambda: _application(stack))
        yield Check("call-backs", CALLS_BACK, lambda: _call_backs(stack, "CallBackApplicationId"))
        return
    yield Check("instance", "the Amazon Connect instance is active and calls out", lambda: _instance(stack))
    yield Check("caller-id", "the caller ID is claimed in the instance", lambda: _caller_id(stack))
    yield Check("flow", "the contact flow is published and active", lambda: _flow(stack))
    yield Check("flow-content", "the contact flow is the one of this release", lambda: _flow_content(stack))
    yield Check("flow-function", "the instance may invoke the function that its flow asks", lambda: _association(stack))
    yield Check("quota-lines", "the instance's quota allows as many calls as Lines", lambda: _quota(stack, "Lines"))
    yield Check("quota-rate", "the quota allows CallsPerSecond", lambda: _quota(stack, "CallsPerSecond"))
    yield Check("flow-log", "the contact flow does not log keys", lambda: _flow_log(stack))
    yield Check("call-backs", CALLS_BACK, lambda: _call_backs(stack, "CallBackFlowId"))


def _simulated() -> Iterator[Finding]:
    yield Finding(
        "Calls are simulated: no phone rings, whatever is sent. Answers and webhooks say so (webhook-simulated).",
        "That is right for a trial. To call phones, deploy with TelephonyProvider=connect when no message is "
        "unfinished (docs/telephony.md).",
        Verdict.WARNING,
    )


def _instance_id(stack: Stack) -> str:
    return stack.parameters["ConnectInstanceArn"].rpartition("/")[2]


def _instance(stack: Stack) -> Iterator[Finding]:
    arn, connect = stack.parameters["ConnectInstanceArn"], stack.client("connect")
    told = why_elsewhere(arn, stack.described["StackId"]) or why_no_instance(arn, connect_facts.instance(connect, arn))
    if told:
        yield Finding(told, "Amazon Connect console, the instance; then speechcall doctor again.")


def _caller_id(stack: Stack) -> Iterator[Finding]:
    """Whether the caller ID is claimed in the instance; not asked of a number that is not Amazon Connect's."""
    number, arn = stack.parameters["CallerId"], stack.parameters["ConnectInstanceArn"]
    if stack.parameters["ExternalCallerId"] == "true":
        return
    claimed = connect_facts.claimed_numbers(stack.client("connect"), number)
    if told := why_not_claimed(number, claimed, arn):
        yield Finding(
            told,
            "Amazon Connect console, Channels, Phone numbers: claim it again; or deploy with CallerId= one of the "
            "instance's numbers.",
        )


def _described_flow(stack: Stack) -> dict[str, Any] | None:
    """The contact flow, as Amazon Connect has it; None: it is not there."""
    connect = stack.client("connect")
    try:
        found = connect.describe_contact_flow(
            InstanceId=_instance_id(stack), ContactFlowId=stack.outputs["ContactFlowId"]
        )
    except connect.exceptions.ResourceNotFoundException:
        return None
    flow: dict[str, Any] = found["ContactFlow"]
    return flow


def _flow(stack: Stack) -> Iterator[Finding]:
    """Whether the contact flow is there, active and published."""
    flow = _described_flow(stack)
    if flow is None:
        yield Finding("The contact flow is not there any more, so no call can be placed.", MAKE_AGAIN)
    elif flow.get("State", "ACTIVE") != "ACTIVE":
        yield Finding("The contact flow is archived.", "Amazon Connect console, Flows: restore it.")
    elif flow.get("Status", "PUBLISHED") != "PUBLISHED":
        yield Finding("The contact flow is saved and not published.", "Amazon Connect console, Flows: publish it.")


def _flow_content(stack: Stack) -> Iterator[Finding]:
    """Whether the flow in the instance is, block by block, the one that this release builds."""
    flow = _described_flow(stack)
    if flow is None:
        text = "It was not looked at: the contact flow is not there."
        yield Finding(text, "What the check flow says.", Verdict.UNKNOWN)
        return
    found = json.loads(flow["Content"])
    bucket = stack.name_of("PromptsBucket")
    apology = f"https://{bucket}.s3.{stack.deployment.region}.amazonaws.com/{apology_key()}"
    wanted = build_contact_flow(_asked_function(stack), apology, stack.parameters["FlowLogging"])
    if found.get("Actions") != wanted["Actions"] or found.get("StartAction") != wanted["StartAction"]:
        yield Finding(
            "The contact flow is another than this release's: somebody has edited it, or the stack is of another one.",
            "Deploy with FlowLogging=Enabled and then with Disabled: each writes the whole flow. To deploy without a "
            "change does not.",
        )


def _asked_function(stack: Stack) -> str:
    """The ARN that the flow asks: of the alias where environments are kept ready."""
    name = stack.name_of("ConnectFlowFunction")
    arn: str = stack.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    return f"{arn}:live" if stack.parameters["ReadyForCallees"] != "0" else arn


def _association(stack: Stack) -> Iterator[Finding]:
    """Whether the instance may invoke the function that its flow asks."""
    pages = stack.client("connect").get_paginator("list_lambda_functions").paginate(InstanceId=_instance_id(stack))
    if _asked_function(stack) not in {arn for page in pages for arn in page["LambdaFunctions"]}:
        yield Finding(
            "The instance may not invoke the function that the contact flow asks: callees hear an apology.",
            f"aws connect associate-lambda-function --instance-id {_instance_id(stack)} --function-arn "
            f"{_asked_function(stack)}",
        )


def _quota(stack: Stack, parameter: str) -> Iterator[Finding]:
    """Whether Amazon Connect's quota is as high as a parameter of the stack: Lines or CallsPerSecond."""
    what, names = QUOTAS[parameter]
    wanted, found = stack.number(parameter), None
    pages = stack.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="connect")
    for one in (one for page in pages for one in page["Quotas"]):
        if one["QuotaName"].lower() in names:
            found = one["Value"]
    if found is None:
        yield Finding(
            f"Service Quotas does not say how many {what} there may be.",
            "Look at the instance's quotas in the Service Quotas console, Amazon Connect.",
            Verdict.UNKNOWN,
        )
    elif wanted > found:
        yield Finding(
            f"{parameter}={wanted}, and Amazon Connect allows {found:g} {what}: the rest is refused and dialled later.",
            f"Ask for more in Service Quotas, Amazon Connect; until then deploy with {parameter}={int(found)}.",
        )


def _flow_log(stack: Stack) -> Iterator[Finding]:
    if stack.parameters["FlowLogging"] == "Enabled":
        yield Finding(
            "The contact flow logs each step, with the keys that are pressed.",
            "Deploy with FlowLogging=Disabled when the fault is found.",
            Verdict.WARNING,
        )


def _call_backs(stack: Stack, output: str) -> Iterator[Finding]:
    """Whether calls to the caller ID go to the stack. `output`: its output that names the flow or application for them.

    Not asked where the stack is not to lead them, or the number is not its provider's.
    """
    given, target = stack.parameters, stack.outputs.get(output, "")
    if not target or given["RouteCallBacks"] != "true" or given["ExternalCallerId"] == "true":
        return  # the stack does not lead them anywhere; one of an earlier release has no such output
    arn, region = given["ConnectInstanceArn"], stack.deployment.region
    routes: Routes = (
        ConnectRoutes(stack.client("connect"), arn) if arn else ChimeRoutes(stack.client("chime-sdk-voice"), "", region)
    )
    found = routes.find(given["CallerId"], {target})
    if found is not None and found.target != target:  # None: there is no such number, which `caller-id` tells
        by_hand = f"Lead them to {target} by hand (docs/call-backs.md)"
        if arn and not found.target:
            by_hand = (
                f"aws connect associate-phone-number-contact-flow --phone-number-id {found.handle} "
                f"--instance-id {_instance_id(stack)} --contact-flow-id {target}"
            )
        yield Finding(
            f"Calls to the caller ID go {f'to {found.target}' if found.target else 'nowhere'}: who calls back does not "
            "hear who has called, and cannot opt out.",
            f"{by_hand}, or deploy with RouteCallBacks=false.",
            Verdict.WARNING,
        )


def _application(stack: Stack) -> Iterator[Finding]:
    """Whether the SIP media application is there, and asks this stack's function."""
    chime = stack.client("chime-sdk-voice")
    try:
        found = chime.get_sip_media_application(SipMediaApplicationId=stack.outputs["SipMediaApplicationId"])
    except chime.exceptions.NotFoundException:
        yield Finding("The SIP media application is not there any more, so no call can be placed.", MAKE_AGAIN)
        return
    asked = [one["LambdaArn"] for one in found["SipMediaApplication"].get("Endpoints", [])]
    name = stack.name_of("ChimeEventsFunction")
    if not any(f":function:{name}" in arn for arn in asked):
        yield Finding("The SIP media application asks another function than this stack's.", PUT_BACK)
