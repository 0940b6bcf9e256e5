"""Amazon Connect on the laptop."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from local.cloud.account import ACCOUNT, REGION, arn
from local.cloud.event_files import COMMON_EVENT_FILES, EventFile, has, is_nothing
from local.cloud.providers.record import Need, SimulatedProvider, Surroundings
from speechcall.telephony.provider import ProviderName, provider

if TYPE_CHECKING:
    from local.network.connect.simulator import Carrier

INSTANCE_ID = "5eec4ca1-0000-4000-8000-00000000ca11"
INSTANCE_ARN = arn("connect", f"instance/{INSTANCE_ID}")

_OF_AN_INSTANCE = {
    "instance": "DescribeInstance",
    "contact-flows-summary": "ListContactFlows",
    "flow-associations-summary": "ListFlowAssociations",
}
_OF_A_NUMBER = {"PUT": "AssociatePhoneNumberContactFlow", "DELETE": "DisassociatePhoneNumberContactFlow"}
_TOLD_AGAIN = "TelephonyUnavailable"  # whose a contact is stands in its record alone, which may lag behind the news
_HANG_UP = has({"op": "hangup", "seq": "0"})

_EVENT_FILES = (
    EventFile("connect/flow-answered.json", "ConnectFlowFunction", _HANG_UP, hears="answered"),
    EventFile("connect/flow-key.json", "ConnectFlowFunction", _HANG_UP, hears="key"),
    EventFile("connect/flow-key-other.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-prompt-error.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-idle.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-next.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-called-back.json", "CallBacksFunction", has({"op": "tell", "mid": "none"})),
    EventFile("connect/flow-opt-out.json", "CallBacksFunction", has({"op": "refused"})),
    EventFile("connect/contact-initiated.json", "ConnectEventsFunction", has({"ours": False})),
    EventFile("connect/contact-connected.json", "ConnectEventsFunction", has({"ours": False})),
    EventFile("connect/contact-disconnected.json", "ConnectEventsFunction", is_nothing, _TOLD_AGAIN),
    EventFile("connect/contact-completed.json", "ConnectEventsFunction", has({"ours": False})),
    EventFile("connect/contact-unanswered-disconnected.json", "ConnectEventsFunction", is_nothing, _TOLD_AGAIN),
    EventFile("connect/contact-unanswered-completed.json", "ConnectEventsFunction", has({"ours": False})),
)


def _make(here: Surroundings, changes: Mapping[str, Any]) -> "Carrier":
    from local.network.connect.settings import CarrierSettings  # noqa: PLC0415 - see `SimulatedProvider.make`
    from local.network.connect.simulator import Carrier  # noqa: PLC0415

    stack = provider(ProviderName.CONNECT).stack
    settings = CarrierSettings(
        **{
            "instance_id": INSTANCE_ID,
            "instance_arn": here.template.parameters["ConnectInstanceArn"],
            "region": REGION,
            "account": ACCOUNT,
            "flow_id": here.template.get_att(stack, "Outputs.ContactFlowId"),
            **changes,
        }
    )
    nested, is_routed = here.template.nested(stack), "CallBackRoute" in here.template.logical_ids
    flow, call_back_flow = (
        json.loads(nested.resource(name)["Properties"]["Content"]) for name in ("ContactFlow", "CallBackFlow")
    )
    return Carrier(
        settings,
        invoke=here.invoke,
        emit=here.emit,
        flow=flow,
        call_back_flow=call_back_flow if is_routed else None,
        read_prompt=here.read_prompt,
        journal=here.journal,
    )


def _request_of(method: str, path: str, body: bytes) -> tuple[str, Mapping[str, Any]]:
    parts = path.split("/")[1:]
    if method == "GET" and parts[0] in _OF_AN_INSTANCE:
        return _OF_AN_INSTANCE[parts[0]], {"InstanceId": parts[1]}
    if method == "GET":
        return "DescribeContact", {"InstanceId": parts[1], "ContactId": parts[2]}
    if parts == ["phone-number", "list"]:
        return "ListPhoneNumbersV2", {}
    if parts[0] == "phone-number":
        return _OF_A_NUMBER[method], {}
    operation = "StartOutboundVoiceContact" if parts[-1] == "outbound-voice" else "StopContact"
    return operation, json.loads(body or b"{}")


def _needs(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    if operation in _OF_AN_INSTANCE.values():
        yield Need(f"connect:{operation}", arn("connect", f"instance/{given['InstanceId']}"))
        if operation == "DescribeInstance":
            yield Need("ds:DescribeDirectories", "")
        return
    if operation == "ListPhoneNumbersV2" or operation in _OF_A_NUMBER.values():
        yield Need(f"connect:{operation}", arn("connect", "phone-number/*"))
        return
    contact = given.get("ContactId", "new")
    yield Need(f"connect:{operation}", arn("connect", f"instance/{given['InstanceId']}/contact/{contact}"))


def _attributes_of(identifier: str) -> Mapping[str, dict[str, str]]:
    return {
        "AWS::Connect::ContactFlow": {
            "ContactFlowArn": arn("connect", f"instance/{INSTANCE_ID}/contact-flow/{identifier}"),
        }
    }


CONNECT = SimulatedProvider(
    parameters={"ConnectInstanceArn": INSTANCE_ARN},
    make=_make,
    event_files=(*COMMON_EVENT_FILES, *_EVENT_FILES),
    request_of=_request_of,
    needs=_needs,
    attributes_of=_attributes_of,
)
