"""One service's API as a WSGI application, to which any AWS SDK speaks by its endpoint URL.

What an operation does belongs to its provider; here is what every request goes through: the signature, the
form, the quotas, and the trouble that the service was told to have.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.network.shared.faults import Chance
from local.network.shared.quota import Bucket, Quota
from local.network.shared.wire import ServiceDescription, ServiceError, failure

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Operation = Callable[[dict[str, Any]], dict[str, Any]]
"""Gets a request's members and gives the answer's, or raises ServiceError."""


class ServiceApi:
    """The WSGI application. `operations`: what is done, by the name of each operation that `description` has."""

    def __init__(
        self,
        description: ServiceDescription,
        region: str,
        operations: Mapping[str, Operation],
        quotas: Mapping[str, Quota],
        chance: Chance,
    ) -> None:
        self._service, self._operations = description, operations
        self._scope = (region, description.signing_name)
        self._chance = chance
        self._lock = Lock()
        self._buckets = {name: Bucket(quota) for name, quota in quotas.items()}
        self._told: dict[str, deque[tuple[ServiceError, bool]]] = {name: deque() for name in description.operations}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            response = self._respond(Request(environ))
        except ServiceError as error:
            response = failure(error)
        return response(environ, start_response)

    def fail(self, operation: str, code: str, times: int = 1, *, after_doing: bool = False) -> None:
        """Answer the next `times` requests of `operation` with the error `code`, as a service in trouble does.

        `after_doing`: what was asked for is done all the same, and only the answer is an error.
        """
        with self._lock:
            self._told[operation].extend([(self._service.error(code, "told to fail"), after_doing)] * times)

    def _respond(self, request: Request) -> Response:
        self._check_signature(request.headers.get("Authorization", ""))
        name, parameters = self._service.read(request)
        before, after = self._trouble(name)
        if before:
            raise before
        answer = self._operations[name](parameters)
        if after:
            raise after
        return self._service.success(name, answer)

    def _trouble(self, name: str) -> tuple[ServiceError | None, ServiceError | None]:
        """What a request is refused with before anything is done, and after."""
        with self._lock:
            if name in self._buckets and not self._buckets[name].take():
                return self._service.throttled(), None
            if self._told[name]:
                error, is_done = self._told[name].popleft()
                return (None, error) if is_done else (error, None)
        faults, broken = self._chance.faults, self._service.broken
        before = broken("it failed, and nothing was done") if self._chance.happens(faults.requests_failed) else None
        after = broken("it was done, but the answer was lost") if self._chance.happens(faults.requests_lost) else None
        return before, after

    def _check_signature(self, authorization: str) -> None:
        """Signature version 4 for this service and Region. Not its value: there are no secrets here."""
        scope = re.search(r"^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", authorization)
        if not scope or scope.groups() != self._scope:
            region, service = self._scope
            problem = f"not signed for {service} in {region}"
            raise self._service.error("MissingAuthenticationTokenException", problem)
