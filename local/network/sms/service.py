"""AWS End User Messaging SMS on the laptop: SendTextMessage, and what it tells of itself. What is sent is shown on the
phone page.

Source: AWS End User Messaging SMS API reference, version 2, "SendTextMessage"; its description in botocore says which
requests are well formed. There is no idempotency token: each request that is taken is another text message. A number
that has answered STOP is refused (user guide, "Opt-out lists": ConflictException,
DESTINATION_PHONE_NUMBER_OPTED_OUT). The message's id and the lack of throttling are made up.
"""

import uuid
from collections.abc import Mapping
from threading import Lock
from typing import Any, NamedTuple

from local.common.journal import Journal
from local.network.shared.faults import Chance, Faults
from local.network.shared.service_api import ServiceApi
from local.network.shared.wire import ServiceDescription, ServiceError
from local.network.sms.origination import Origination

SERVICE = "pinpoint-sms-voice-v2"
SEND = "SendTextMessage"


class TextMessage(NamedTuple):
    """One that was sent."""

    number: str
    text: str
    context: Mapping[str, str]


class SmsService:
    """The service of one account and Region, with one origination identity. `api` is a WSGI application."""

    def __init__(self, region: str, identity: str, journal: Journal) -> None:
        self._identity, self._journal = identity, journal
        self._lock = Lock()
        self._sent: list[TextMessage] = []
        self._stopped: set[str] = set()
        self.origination = Origination(identity)
        told = self.origination.operations(self._missing)
        self._description = ServiceDescription(
            SERVICE,
            (SEND, *told),
            malformed="ValidationException",
            invalid="ValidationException",
            throttled="ThrottlingException",
            broken="InternalServerException",
        )
        self.api = ServiceApi(self._description, region, {SEND: self._send, **told}, {}, Chance(Faults()))

    @property
    def sent(self) -> list[TextMessage]:
        """All that was sent, in its order."""
        with self._lock:
            return [*self._sent]

    def stop(self, number: str) -> None:
        """A number has answered STOP: it gets no text messages any more."""
        with self._lock:
            self._stopped.add(number)

    def _missing(self, what: str) -> ServiceError:
        return self._description.error("ResourceNotFoundException", what)

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        number, context = request["DestinationPhoneNumber"], request.get("Context", {})
        if request.get("OriginationIdentity") != self._identity:
            raise self._missing("there is no such origination identity")
        with self._lock:
            if number in self._stopped:
                reason = {"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}
                raise self._description.error("ConflictException", "the number has opted out", reason)
            text = request["MessageBody"]
            self._sent.append(TextMessage(number, text, context))
        self._journal.record("sms", context.get("mid"), number=number, text=text)
        return {"MessageId": str(uuid.uuid4())}
