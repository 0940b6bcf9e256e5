"""The events that a SIP media application's function gets.

Source: Amazon Chime SDK developer guide, "Understanding telephony events", and real logs that are public:
`Sequence` counts the invocations of a call, `Status` is there as soon as the leg is up, times are texts.
"""

from collections.abc import Mapping
from typing import Any

from local.network.chime.actions import Action
from local.network.chime.settings import ChimeSettings


def action_data(action: Action, call_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of the action that it is about: what was sent, with the leg filled in."""
    parameters = {"CallId": call_id, "ParticipantTag": "LEG-A", **action.parameters}
    return {"Type": action.type, "Parameters": parameters, **data}


def participant(
    call_id: str, number: str, caller_id: str, started_msec: int, status: str | None, *, calls_in: bool = False
) -> dict[str, str | None]:
    """The one leg of a call. `number` is the person's, who is called or, `calls_in`, who calls."""
    called, calls = (caller_id, number) if calls_in else (number, caller_id)
    leg = {
        "CallId": call_id,
        "ParticipantTag": "LEG-A",
        "To": called,
        "From": calls,
        "Direction": "Inbound" if calls_in else "Outbound",
        "StartTimeInMilliseconds": str(started_msec),
    }
    return {**leg, **({"Status": status} if status else {})}


def call_event(
    settings: ChimeSettings,
    kind: str,
    sequence: int,
    transaction_id: str,
    attributes: Mapping[str, str],
    leg: Mapping[str, Any],
    data: Mapping[str, Any] | None,
    sip_rule_id: str = "",
) -> dict[str, Any]:
    """One invocation's event, as the function gets it; empty `attributes` and `data` are left out, as AWS does.

    `kind`: the InvocationEventType, such as HANGUP. `sequence`: of this call's invocations, from 1. `data`: the action
    that the event is about. `sip_rule_id`: of an inbound call alone, which belongs to the application of calls back.
    """
    application_id = settings.call_back_application_id if sip_rule_id else settings.application_id
    details: dict[str, Any] = {
        "TransactionId": transaction_id,
        "AwsAccountId": settings.account,
        "AwsRegion": settings.region,
        **({"SipRuleId": sip_rule_id} if sip_rule_id else {}),
        "SipMediaApplicationId": application_id,
        "Participants": [dict(leg)],
    }
    if attributes:
        details["TransactionAttributes"] = dict(attributes)
    return {
        "SchemaVersion": "1.0",
        "Sequence": sequence,
        "InvocationEventType": kind,
        **({"ActionData": dict(data)} if data else {}),
        "CallDetails": details,
    }
