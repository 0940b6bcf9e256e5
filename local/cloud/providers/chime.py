"""The Chime SDK on the laptop."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from local.cloud.account import ACCOUNT, REGION, arn
from local.cloud.event_files import EventFile, has
from local.cloud.providers.record import Need, SimulatedProvider, Surroundings
from speechcall.telephony.provider import ProviderName, provider

if TYPE_CHECKING:
    from local.network.chime.simulator import ChimeCarrier

_CARRIES_ON = has({"SchemaVersion": "1.0", "Actions": None})
_HANGS_UP = has({"Actions": [{"Type": "Hangup", "Parameters": {"ParticipantTag": "LEG-A", "SipResponseCode": "0"}}]})


def _says_last_words(answer: Any) -> bool:
    return [action["Type"] for action in answer["Actions"]] == ["Speak", "Hangup"]


_EVENT_FILES = (
    EventFile("chime/new-outbound-call.json", "ChimeEventsFunction", has({"Actions": []})),
    EventFile("chime/call-answered.json", "ChimeEventsFunction", _HANGS_UP, hears="answered"),
    EventFile("chime/digits-received.json", "ChimeEventsFunction", _HANGS_UP, hears="key"),
    EventFile("chime/action-successful-idle.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/action-successful-hold.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/action-failed-prompt.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/action-failed-digits.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/call-update-hang-up.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/call-update-look-up.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/invalid-lambda-response.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/new-inbound-call.json", "ChimeEventsFunction", _HANGS_UP),
    EventFile("chime/call-back-new.json", "CallBacksFunction", _says_last_words),
    EventFile("chime/call-back-digits.json", "CallBacksFunction", _says_last_words),
    EventFile("chime/ringing.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-interrupted.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-successful-after-hangup.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-successful-digits.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-normal.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-busy.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-no-answer.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-without-code.json", "ChimeEventsFunction", _CARRIES_ON),
)


def _make(here: Surroundings, changes: Mapping[str, Any]) -> "ChimeCarrier":
    from local.network.chime.settings import ChimeSettings  # noqa: PLC0415 - see `SimulatedProvider.make`
    from local.network.chime.simulator import ChimeCarrier  # noqa: PLC0415

    stack = provider(ProviderName.CHIME).stack
    nested, is_routed = here.template.nested(stack), "CallBackRoute" in here.template.logical_ids
    (endpoint,) = nested.resource("SipMediaApplication")["Properties"]["Endpoints"]
    (of_call_backs,) = nested.resource("CallBackApplication")["Properties"]["Endpoints"]
    call_back_application = here.template.get_att(stack, "Outputs.CallBackApplicationId")
    settings = ChimeSettings(
        **{
            "call_back_application_id": call_back_application if is_routed else "",
            "call_back_function_arn": of_call_backs["LambdaArn"],
            "application_id": here.template.get_att(stack, "Outputs.SipMediaApplicationId"),
            "function_arn": endpoint["LambdaArn"],
            "region": REGION,
            "account": ACCOUNT,
            **changes,
        }
    )
    return ChimeCarrier(settings, invoke=here.invoke, read_prompt=here.read_prompt, journal=here.journal)


_OF_RULES = {"GET": "ListSipRules", "POST": "CreateSipRule", "PUT": "UpdateSipRule", "DELETE": "DeleteSipRule"}


def _request_of(method: str, path: str, _body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The operation of a request to /sip-rules[/ID] or /sip-media-applications/ID/calls[/TRANSACTION]; that id."""
    if path.startswith("/sip-rules"):
        return _OF_RULES[method], {}
    operation = "Create" if path.endswith("/calls") else "Update"
    return f"{operation}SipMediaApplicationCall", {"SipMediaApplicationId": path.split("/")[2]}


def _needs(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    application = given.get("SipMediaApplicationId")
    yield Need(f"chime:{operation}", arn("chime", f"sma/{application}") if application else "")


def _attributes_of(identifier: str) -> Mapping[str, dict[str, str]]:
    return {
        "AWS::Chime::SipMediaApplication": {
            "SipMediaApplicationId": identifier,
            "SipMediaApplicationArn": arn("chime", f"sma/{identifier}"),
        }
    }


CHIME = SimulatedProvider(
    parameters={},
    make=_make,
    event_files=_EVENT_FILES,
    request_of=_request_of,
    needs=_needs,
    attributes_of=_attributes_of,
)
