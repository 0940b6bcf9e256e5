"""The part of the Chime SDK's API (chime-sdk-voice) that places and updates calls, as a WSGI application.

Any AWS SDK speaks to it by its endpoint URL. Source: Amazon Chime SDK API reference,
CreateSipMediaApplicationCall and UpdateSipMediaApplicationCall.
"""

import re
from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.carrier.chime.calls import ChimeCalls
from local.carrier.chime.settings import ChimeSettings
from local.carrier.connect_wire import ConnectError, ConnectModel, failure, success

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CREATE, UPDATE = "CreateSipMediaApplicationCall", "UpdateSipMediaApplicationCall"
_STATUS = {CREATE: 201, UPDATE: 202}


def service_model() -> ConnectModel:
    """The operations that are offered."""
    return ConnectModel((CREATE, UPDATE), "chime-sdk-voice", "BadRequestException", "BadRequestException")


class ChimeApi:
    """The WSGI application."""

    def __init__(self, settings: ChimeSettings, calls: ChimeCalls, model: ConnectModel) -> None:
        self._settings, self._calls, self._model = settings, calls, model
        self._lock = Lock()
        self._faults: dict[str, deque[tuple[ConnectError, bool]]] = {CREATE: deque(), UPDATE: deque()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            response = self._respond(Request(environ))
        except ConnectError as error:
            response = failure(error)
        return response(environ, start_response)

    def fail(self, operation: str, code: str, times: int = 1, *, after_doing: bool = False) -> None:
        """Answer the next `times` requests of `operation` with the error `code`, as a service in trouble does.

        `after_doing`: what was asked for is done all the same, and only the answer is an error.
        """
        with self._lock:
            self._faults[operation].extend([(self._model.error(code, "told to fail"), after_doing)] * times)

    def _respond(self, request: Request) -> Response:
        self._check_signature(request.headers.get("Authorization", ""))
        name, parameters = self._model.read(request)
        with self._lock:
            fault, is_done = self._faults[name].popleft() if self._faults[name] else (None, True)
        if fault is not None and not is_done:
            raise fault
        transaction_id = self._create(parameters) if name == CREATE else self._update(parameters)
        if fault is not None:
            raise fault
        return success({"SipMediaApplicationCall": {"TransactionId": transaction_id}}, _STATUS[name])

    def _check_signature(self, authorization: str) -> None:
        """Signature version 4 for this service and Region. Not its value: there are no secrets here."""
        scope = re.search(r"^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", authorization)
        if not scope or scope.groups() != (self._settings.region, "chime"):
            raise self._model.error("MissingAuthenticationTokenException", "not signed for chime in this Region")

    def _create(self, request: dict[str, Any]) -> str:
        self._check_application(request)
        return self._calls.start(request).id

    def _update(self, request: dict[str, Any]) -> str:
        self._check_application(request)
        transaction_id = str(request["TransactionId"])
        self._calls.update(transaction_id, request["Arguments"])
        return transaction_id

    def _check_application(self, request: dict[str, Any]) -> None:
        if request["SipMediaApplicationId"] != self._settings.application_id:
            raise self._model.error("BadRequestException", "no such SIP media application")
