"""A telephony's API on the wire: which request means which operation, whether it is well formed, and errors.

Everything follows the service's own description (botocore's; protocols REST-JSON and JSON 1.0), so a request that the
real service cannot have been sent by an SDK is refused here as well.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator
from werkzeug.wrappers import Request, Response

_UNMODELLED = {
    "TooManyRequestsException": 429,
    "UnknownOperationException": 404,
    "MissingAuthenticationTokenException": 403,
}


class ServiceError(Exception):
    """An error answer of the service: its code, a message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.more = more or {}
        """Further members of the answer, such as Reason."""
        self.code = code
        self.message = message
        self.status = status


class ServiceDescription:
    """The operations of a service that are offered, by its description.

    `malformed`, `invalid`, `throttled`, `broken`: its errors for a request of the wrong form, for a value out of
    bounds, for requests too close to each other, and for trouble of its own.
    """

    def __init__(
        self, service: str, operations: tuple[str, ...], *, malformed: str, invalid: str, throttled: str, broken: str
    ) -> None:
        model = _service_model(service)
        self.signing_name = model.signing_name
        self._target = str(model.metadata.get("targetPrefix", ""))
        """What X-Amz-Target begins with, where it names the operation (protocol JSON 1.0); else the path does."""
        self._malformed, self._invalid, self._throttled, self._broken = malformed, invalid, throttled, broken
        self._operations = {name: model.operation_model(name) for name in operations}
        self._statuses = dict(_UNMODELLED)
        for operation in self._operations.values():
            for error in operation.error_shapes:
                # Protocol JSON 1.0 describes none: 400 for the client's faults, 500 for the service's.
                other = 500 if error.name == broken else 400
                self._statuses[error.name] = int(error.metadata.get("error", {}).get("httpStatusCode", other))

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations."""
        return tuple(self._operations)

    def success(self, operation: str, body: Mapping[str, Any]) -> Response:
        """The answer of an operation that was done."""
        status = self._operations[operation].http.get("responseCode", 200)
        return Response(json.dumps(body), status, content_type="application/json")

    def error(self, code: str, message: str, more: Mapping[str, Any] | None = None) -> ServiceError:
        """The error `code` with the status that the description gives it, and further members."""
        return ServiceError(code, message, self._statuses[code], more)

    def throttled(self) -> ServiceError:
        """What is answered to requests that come too close to each other."""
        return self.error(self._throttled, "Rate exceeded")

    def broken(self, message: str) -> ServiceError:
        """What is answered by a service in trouble."""
        return self.error(self._broken, message)

    def read(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The operation's name and its parameters. Raises ServiceError for what is malformed or not offered."""
        if self._target:
            return self._read_target(request)
        for name, operation in self._operations.items():
            match = re.fullmatch(_path_pattern(operation), request.path)
            if match and request.method == operation.http["method"]:
                labels = _labels(operation, match.groupdict())
                parameters = {**self._body(request), **_queried(operation, request.args), **labels}
                self._check(operation, parameters)
                return name, parameters
        raise self.error("UnknownOperationException", f"not offered here: {request.method} {request.path}")

    def _read_target(self, request: Request) -> tuple[str, dict[str, Any]]:
        prefix, _, name = request.headers.get("X-Amz-Target", "").partition(".")
        if request.method != "POST" or prefix != self._target or name not in self._operations:
            raise self.error("UnknownOperationException", f"not offered here: {prefix}.{name}")
        parameters = self._body(request)
        self._check(self._operations[name], parameters)
        return name, parameters

    def _body(self, request: Request) -> dict[str, Any]:
        try:
            body = json.loads(request.get_data() or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise self.error(self._malformed, "the body is not a JSON object")
        return body

    def _check(self, operation: OperationModel, parameters: dict[str, Any]) -> None:
        shape = operation.input_shape
        if shape is None:
            return
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise self.error(self._malformed, report.generate_report())
        if problems := list(_bounds(shape, parameters, "")):
            raise self.error(self._invalid, "; ".join(problems))


def failure(error: ServiceError) -> Response:
    """An error answer, as REST-JSON services give it, with the code in a header, and those of JSON 1.0, in the body."""
    body = {"__type": error.code, "Message": error.message, **error.more}
    response = Response(json.dumps(body), error.status, content_type="application/json")
    response.headers["x-amzn-errortype"] = error.code
    return response


@cache
def _service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _labels(operation: OperationModel, found: Mapping[str, str]) -> dict[str, str]:
    """What stands in the path, by the names of the members."""
    shape = operation.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {name: found[place] for name, member in members.items() if (place := _place(name, member)) in found}


def _queried(operation: OperationModel, query: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the query, by the names of the members. A number that is none is left for the check."""
    shape, found = operation.input_shape, {}
    for name, member in shape.members.items() if isinstance(shape, StructureShape) else ():
        text = query.get(_place(name, member))
        if member.serialization.get("location") == "querystring" and text is not None:
            is_number = member.type_name in ("integer", "long") and text.isdecimal()
            found[name] = int(text) if is_number else text
    return found


def _place(name: str, member: Shape) -> str:
    return str(member.serialization.get("name", name))


def _path_pattern(operation: OperationModel) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"])


def _bounds(shape: Shape, value: Any, name: str) -> list[str]:
    """What botocore's validator leaves to the service: longest lengths, largest numbers, patterns and enumerations."""
    if isinstance(shape, StructureShape):
        return [p for key, inner in value.items() for p in _bounds(shape.members[key], inner, f"{name} {key}".strip())]
    if isinstance(shape, MapShape):
        pairs = value.items()
        if len(pairs) > shape.metadata.get("max", len(pairs)):
            return [f"{name} has over {shape.metadata['max']} members"]
        return [p for k, v in pairs for p in (*_bounds(shape.key, k, name), *_bounds(shape.value, v, f"{name}.{k}"))]
    if isinstance(shape, ListShape):
        return [p for inner in value for p in _bounds(shape.member, inner, name)]
    problems = []
    size = value if isinstance(value, int) else len(value) if isinstance(value, str) else 0
    if size > shape.metadata.get("max", size):
        problems.append(f"{name} is over {shape.metadata['max']}")
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        problems.append(f"{name} is none of {', '.join(shape.enum)}")
    # The description of some patterns has its backslashes twice.
    pattern = shape.metadata.get("pattern", "").replace("\\\\", "\\")
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        problems.append(f"{name} does not match {pattern}")
    return problems
