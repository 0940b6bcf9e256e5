"""All contacts of the instance, and the rules under which Amazon Connect accepts a new one."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local.network.connect.contact import Contact
from local.network.connect.exchange import Exchange
from local.network.shared.call_register import Register
from local.network.shared.wire import ServiceDescription

_RING_SECONDS = 60
WITHHELD = "anonymous"
"""The address of a customer who shows no number. Nothing is written about it; by telephone networks' custom."""
_ATTRIBUTE_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_MAX_ATTRIBUTE_BYTES = 32_768


class Contacts(Register[Contact]):
    """The contacts of an instance."""

    def __init__(self, exchange: Exchange, description: ServiceDescription) -> None:
        super().__init__()
        self._exchange = exchange
        self._service = description
        self._settings = exchange.settings
        self._by_token: dict[str, Contact] = {}

    def start(self, request: Mapping[str, Any]) -> Contact:
        """StartOutboundVoiceContact. Raises ServiceError.

        A ClientToken seen before gives the contact that it started (API reference: valid for seven
        days), whatever else the request says.
        """
        token = request.get("ClientToken")
        with self._lock:
            if token is not None and (known := self._by_token.get(token)):
                return known
            self._check(request)
            attributes = dict(request.get("Attributes", {}))
            number, caller_id = request["DestinationPhoneNumber"], request["SourcePhoneNumber"]
            contact = Contact(self._exchange, str(uuid.uuid4()), number, caller_id, attributes)
            self._by_id[contact.id] = contact
            if token is not None:
                self._by_token[token] = contact
        contact.dial(float(request.get("RingTimeoutInSeconds", _RING_SECONDS)))
        self._call_out(contact)
        return contact

    def call_in(self, number: str, dialled: str) -> Contact | None:
        """Somebody calls a number of the instance; None: no flow answers there, or all lines are taken.

        In: the caller's number, "" where it is withheld. Inbound contacts count among the concurrent calls.
        """
        flow = self._exchange.call_back_flow
        with self._lock:
            claimed = self._settings.claimed_numbers
            if flow is None or not self._open or (claimed and dialled not in claimed):
                return None
            if self._is_full(self._settings.concurrent_calls):
                return None
            caller = number or WITHHELD
            contact = Contact(self._exchange, str(uuid.uuid4()), caller, dialled, {}, initiated_by="INBOUND")
            self._by_id[contact.id] = contact
        contact.call_in(flow)
        return contact

    def simulate(self, number: str, attributes: dict[str, str], begin: Callable[[Contact], object]) -> None:
        """A simulated call: nobody calls, and the flow of our calls runs. `begin` is given the contact before that."""
        with self._lock:
            contact = Contact(self._exchange, str(uuid.uuid4()), number, number, attributes, initiated_by="INBOUND")
            self._by_id[contact.id] = contact
        begin(contact)
        contact.call_in(self._exchange.flow)

    def close(self) -> None:
        """The carrier stops: every call is cut off without a word, and no new one begins."""
        for contact in self._close():
            contact.end("OTHER", announce=False)

    def _call_out(self, contact: Contact) -> None:
        caller_for = self._settings.caller_for
        caller = caller_for(contact.phone.number) if caller_for else None
        if caller is not None:
            self._exchange.workers.spawn(f"caller-{contact.id}", lambda: caller.take(contact.phone))

    def _check(self, request: Mapping[str, Any]) -> None:
        """What the service knows beyond the form of a request."""
        asks_for_time, campaign = "RingTimeoutInSeconds" in request, request.get("TrafficType") == "CAMPAIGN"
        if self._settings.ring_timeout_needs_campaign and asks_for_time and not campaign:
            raise self._service.error("InvalidRequestException", "RingTimeoutInSeconds needs TrafficType CAMPAIGN")
        settings, number = self._settings, str(request["DestinationPhoneNumber"])
        if not self._open:
            raise self._service.error("InternalServiceException", "the carrier has stopped")
        if request["InstanceId"] != settings.instance_id:
            raise self._service.error("ResourceNotFoundException", "no such instance")
        if request["ContactFlowId"] != settings.flow_id:
            raise self._service.error("ResourceNotFoundException", "no such contact flow")
        if "QueueId" in request:
            raise self._service.error("ResourceNotFoundException", "no such queue")
        if "SourcePhoneNumber" not in request:
            raise self._service.error("InvalidRequestException", "neither SourcePhoneNumber nor QueueId")
        if settings.claimed_numbers and request["SourcePhoneNumber"] not in settings.claimed_numbers:
            raise self._service.error("InvalidParameterException", "SourcePhoneNumber is not claimed in the instance")
        if request.get("TrafficType", "GENERAL") != "GENERAL" or "AnswerMachineDetectionConfig" in request:
            raise self._service.error("InvalidRequestException", "the instance has no campaign traffic")
        self._check_attributes(request.get("Attributes", {}))
        if settings.not_permitted and settings.not_permitted(number):
            raise self._service.error("OutboundContactNotPermittedException", "The contact is not permitted")
        if not number.startswith(settings.allowed_prefixes):
            raise self._service.error("DestinationNotAllowedException", "Outbound calls to this number are not allowed")
        if self._is_full(settings.concurrent_calls):
            self._exchange.journal.record("over_quota", number=number)
            raise self._service.error("LimitExceededException", "concurrent active calls per instance")

    def _check_attributes(self, attributes: Mapping[str, str]) -> None:
        if any(not set(name) <= _ATTRIBUTE_NAME for name in attributes):
            raise self._service.error("InvalidParameterException", "an attribute's name has more than A-Z a-z 0-9 _ -")
        if sum(len((name + value).encode()) for name, value in attributes.items()) > _MAX_ATTRIBUTE_BYTES:
            raise self._service.error("InvalidParameterException", f"attributes over {_MAX_ATTRIBUTE_BYTES} bytes")
