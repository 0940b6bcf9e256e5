"""The events by which Amazon Connect tells EventBridge how a contact fares, and times as it writes them.

Source: Amazon Connect administrator guide, "Amazon Connect contact events". They carry neither the
contact's attributes nor, outside campaigns, a reason for the end.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from local.network.connect.settings import CarrierSettings


def now() -> datetime:
    """The time, in whole milliseconds as Connect keeps it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """2026-01-10T10:00:00.100Z"""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def contact_event(
    settings: CarrierSettings,
    event_type: str,
    *,
    contact_id: str,
    caller_id: str,
    initiated: datetime,
    connected: datetime | None,
    disconnected: datetime | None,
    initiated_by: str = "API",
) -> dict[str, Any]:
    """The whole envelope. A time that has not come is left out: an unanswered call never has a connected one."""
    detail: dict[str, Any] = {
        "eventType": event_type,
        "contactId": contact_id,
        "initialContactId": contact_id,
        "channel": "VOICE",
        "instanceArn": settings.instance_arn,
        "initiationMethod": initiated_by,
        "initiationTimestamp": iso(initiated),
        "tags": {"aws:connect:instanceId": settings.instance_id, "aws:connect:systemEndpoint": caller_id},
    }
    if connected is not None:
        detail["connectedToSystemTimestamp"] = iso(connected)
    if disconnected is not None:
        detail["disconnectTimestamp"] = iso(disconnected)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": settings.account,
        "time": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": settings.region,
        "resources": [settings.instance_arn, f"{settings.instance_arn}/contact/{contact_id}"],
        "detail": detail,
    }
