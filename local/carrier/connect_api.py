"""The part of Amazon Connect's API that places, stops and looks up calls, as a WSGI application.

Any AWS SDK speaks to it by its endpoint URL. Source: Amazon Connect API reference,
StartOutboundVoiceContact, StopContact, DescribeContact.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.carrier.connect_wire import ConnectError, ConnectModel, failure, success
from local.carrier.contact import Contact
from local.carrier.contact_events import now
from local.carrier.contacts import Contacts
from local.carrier.faults import Chance, Quota
from local.carrier.settings import CarrierSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OPERATIONS = ("StartOutboundVoiceContact", "StopContact", "DescribeContact")


class _Bucket:
    """A token bucket, as the throttling of AWS is described. Guarded by its owner's lock."""

    def __init__(self, quota: Quota) -> None:
        self._quota, self._tokens, self._filled = quota, float(quota.burst), time.monotonic()

    def take(self) -> bool:
        moment = time.monotonic()
        self._tokens = min(float(self._quota.burst), self._tokens + (moment - self._filled) * self._quota.rate)
        self._filled = moment
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class ConnectApi:
    """The WSGI application."""

    def __init__(self, settings: CarrierSettings, contacts: Contacts, model: ConnectModel, chance: Chance) -> None:
        self._settings = settings
        self._chance = chance
        self._buckets = {name: _Bucket(quota) for name, quota in settings.quotas.items()}
        self._contacts = contacts
        self._model = model
        self._lock = Lock()
        self._faults: dict[str, deque[ConnectError]] = {name: deque() for name in OPERATIONS}
        self._operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartOutboundVoiceContact": self._start,
            "StopContact": self._stop,
            "DescribeContact": self._describe,
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            response = self._respond(Request(environ))
        except ConnectError as error:
            response = failure(error)
        return response(environ, start_response)

    def fail(self, operation: str, code: str, times: int = 1) -> None:
        """Answer the next `times` requests of `operation` with the error `code`, as a service in trouble does."""
        with self._lock:
            self._faults[operation].extend([self._model.error(code, "told to fail")] * times)

    def _respond(self, request: Request) -> Response:
        self._check_signature(request.headers.get("Authorization", ""))
        name, parameters = self._model.read(request)
        with self._lock:
            if name in self._buckets and not self._buckets[name].take():
                raise self._model.error("TooManyRequestsException", "Too Many Requests")
            if self._faults[name]:
                raise self._faults[name].popleft()
        faults = self._chance.faults
        if self._chance.happens(faults.requests_failed):
            raise self._model.error("InternalServiceException", "it failed, and nothing was done")
        answer = self._operations[name](parameters)
        if self._chance.happens(faults.requests_lost):
            raise self._model.error("InternalServiceException", "it was done, but the answer was lost")
        return success(answer)

    def _check_signature(self, authorization: str) -> None:
        """Signature version 4 for this service and Region. Not its value: there are no secrets here."""
        scope = re.search(r"^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", authorization)
        if not scope or scope.groups() != (self._settings.region, "connect"):
            raise self._model.error("MissingAuthenticationTokenException", "not signed for connect in this Region")

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ContactId": self._contacts.start(request).id}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        contact = self._contact(request, "ContactNotFoundException")
        if not contact.stop():
            raise self._model.error("ContactNotFoundException", "the contact is not active")
        return {}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        contact = self._contact(request, "ResourceNotFoundException")
        with contact.phone.changed:
            return {"Contact": self._description(contact)}

    def _contact(self, request: Mapping[str, Any], unknown: str) -> Contact:
        if request["InstanceId"] != self._settings.instance_id:
            raise self._model.error("ResourceNotFoundException", "no such instance")
        if (contact := self._contacts.get(request["ContactId"])) is None:
            raise self._model.error(unknown, "no such contact")
        return contact

    def _description(self, contact: Contact) -> dict[str, Any]:
        """The contact as DescribeContact tells it; what has not happened is left out. Times are epoch seconds."""
        shown_until = now() - timedelta(seconds=self._chance.faults.record_lag_seconds)
        happened = {
            "ConnectedToSystemTimestamp": contact.connected,
            "DisconnectTimestamp": contact.disconnected,
        }
        times = {name: moment for name, moment in happened.items() if moment is not None and moment <= shown_until}
        reason = contact.reason if "DisconnectTimestamp" in times else None
        times["InitiationTimestamp"] = contact.initiated
        times["LastUpdateTimestamp"] = max(times.values())
        return {
            "Arn": f"{self._settings.instance_arn}/contact/{contact.id}",
            "Id": contact.id,
            "InitialContactId": contact.id,
            "InitiationMethod": "API",
            "Channel": "VOICE",
            "Attributes": contact.attributes,
            "CustomerEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": contact.phone.number},
            "SystemEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": contact.phone.caller_id},
            **({"DisconnectReason": reason} if reason else {}),
            **{name: moment.timestamp() for name, moment in times.items()},
        }
