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
    call_id: str, number: str, caller_id: str, started_msec: int, status: str | None
) -> dict[str, str | None]:
    """The one leg of an outbound call."""
    leg = {
        "CallId": call_id,
        "ParticipantTag": "LEG-A",
        "To": number,
        "From": caller_id,
        "Direction": "Outbound",
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
) -> dict[str, Any]:
    """The whole event. What has not been set is left out."""
    details: dict[str, Any] = {
        "TransactionId": transaction_id,
        "AwsAccountId": settings.account,
        "AwsRegion": settings.region,
        "SipMediaApplicationId": settings.application_id,
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
