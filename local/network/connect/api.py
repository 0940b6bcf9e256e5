"""What the part of Amazon Connect's API does that places, stops and looks up calls.

Source: Amazon Connect API reference, StartOutboundVoiceContact, StopContact, DescribeContact. For simulated calls see
`simulated_calls`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from local.network.connect.contact import Contact
from local.network.connect.contact_events import now
from local.network.connect.contacts import Contacts
from local.network.connect.settings import CarrierSettings
from local.network.connect.simulated_calls import OPERATIONS as SIMULATED_CALLS
from local.network.connect.simulated_calls import SimulatedCalls
from local.network.shared.faults import Chance
from local.network.shared.service_api import ServiceApi
from local.network.shared.wire import ServiceDescription

START, STOP, DESCRIBE = "StartOutboundVoiceContact", "StopContact", "DescribeContact"


def connect_description() -> ServiceDescription:
    """The operations that are offered."""
    return ServiceDescription(
        "connect",
        (START, STOP, DESCRIBE, *SIMULATED_CALLS),
        malformed="InvalidRequestException",
        invalid="InvalidParameterException",
        throttled="TooManyRequestsException",
        broken="InternalServiceException",
    )


def connect_api(
    settings: CarrierSettings,
    contacts: Contacts,
    simulated: SimulatedCalls,
    description: ServiceDescription,
    chance: Chance,
) -> ServiceApi:
    """The API of an instance."""
    does = _Operations(settings, contacts, description, chance)
    operations = {START: does.start, STOP: does.stop, DESCRIBE: does.describe, **simulated.operations}
    return ServiceApi(description, settings.region, operations, settings.quotas, chance)


class _Operations:
    def __init__(
        self, settings: CarrierSettings, contacts: Contacts, description: ServiceDescription, chance: Chance
    ) -> None:
        self._settings, self._contacts, self._service = settings, contacts, description
        self._chance = chance

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ContactId": self._contacts.start(request).id}

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        contact = self._contact(request, "ContactNotFoundException")
        if not contact.stop():
            raise self._service.error("ContactNotFoundException", "the contact is not active")
        return {}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        contact = self._contact(request, "ResourceNotFoundException")
        with contact.phone.changed:
            return {"Contact": self._describe_contact(contact)}

    def _contact(self, request: Mapping[str, Any], unknown: str) -> Contact:
        if request["InstanceId"] != self._settings.instance_id:
            raise self._service.error("ResourceNotFoundException", "no such instance")
        contact = self._contacts.get(request["ContactId"])
        if contact is None or now() - contact.initiated < timedelta(seconds=self._chance.faults.record_late_seconds):
            raise self._service.error(unknown, "no such contact")
        return contact

    def _describe_contact(self, contact: Contact) -> dict[str, Any]:
        """The contact as DescribeContact tells it; what has not happened is left out. Times are epoch seconds."""
        shown_until = now() - timedelta(seconds=self._chance.faults.record_lag_seconds)
        happened = {
            "ConnectedToSystemTimestamp": contact.connected,
            "DisconnectTimestamp": contact.disconnected,
        }
        times = {name: moment for name, moment in happened.items() if moment is not None and moment <= shown_until}
        told_from = shown_until - timedelta(seconds=self._chance.faults.reason_lag_seconds)
        is_told = contact.disconnected is not None and contact.disconnected <= told_from
        reason = contact.reason if is_told else None
        times["InitiationTimestamp"] = contact.initiated
        times["LastUpdateTimestamp"] = max(times.values())
        return {
            "Arn": f"{self._settings.instance_arn}/contact/{contact.id}",
            "Id": contact.id,
            "InitialContactId": contact.id,
            "InitiationMethod": contact.initiated_by,
            "Channel": "VOICE",
            "Attributes": contact.attributes,
            "CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": contact.phone.number},
            "SystemEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": contact.phone.caller_id},
            **({"DisconnectReason": reason} if reason else {}),
            **{name: moment.timestamp() for name, moment in times.items()},
        }
