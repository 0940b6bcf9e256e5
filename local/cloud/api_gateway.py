"""An API Gateway HTTP API: HTTP in, payload format 2.0 to the functions, HTTP out."""

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from local.cloud.account import ACCOUNT
from local.cloud.template import Template
from local.network.shared.invoker import FunctionError

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_EVENT_BYTES = 6 * 1024 * 1024
"""What Lambda takes in a request (quotas, "Invocation payload"); base64 makes 4.5 MB of a body of that."""

# Everything else is handed over in base64, forms too: what `curl -d` sends unless told otherwise.
_TEXT = re.compile(r"text/.*|application/(json|javascript|xml)")
_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One route key and the function behind it."""

    method: str
    path: str
    function_arn: str
    pattern: re.Pattern[str]

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Small is chosen first: fixed paths before parameters before `{proxy+}`, a method before ANY."""
        return "+}" in self.path, len(_PARAMETER.findall(self.path)), self.method == "ANY"


class ApiGateway:
    """A WSGI application with the HttpApi routes of a template, on its `$default` stage."""

    def __init__(self, template: Template, invoke: Callable[[str, Any], Any]) -> None:
        self._invoke = invoke
        self._routes = sorted(_routes(template), key=lambda route: route.rank)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        return self.respond(request)(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The API's answer to a request."""
        is_too_large = (request.content_length or 0) > MAX_BODY_BYTES
        body = b"" if is_too_large else request.stream.read(MAX_BODY_BYTES + 1)
        if is_too_large or len(body) > MAX_BODY_BYTES:
            too_large = _message(413, "Request Entity Too Large")
            too_large.headers["Connection"] = "close"  # the rest of its body is still on the way
            return too_large
        found = self._route(request.method, request.path)
        if found is None:
            return _message(404, "Not Found")
        route, parameters = found
        event = _event(request, body, route, parameters)
        if len(body) > MAX_EVENT_BYTES // 2 and len(json.dumps(event)) > MAX_EVENT_BYTES:
            return _message(413, "Request Entity Too Large")
        try:
            return _response(self._invoke(route.function_arn, event))
        except (FunctionError, _MalformedAnswerError):
            return _message(500, "Internal Server Error")

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._routes:
            match = route.pattern.fullmatch(path)
            if match and route.method in (method, "ANY"):
                return route, match.groupdict()
        return None


class _MalformedAnswerError(ValueError):
    """A function's answer that API Gateway cannot turn into a response."""


def _routes(template: Template) -> Iterable[Route]:
    """The routes of all functions, as their HttpApi events name them."""
    for function in template.functions.values():
        for event in function.events:
            if event.type == "HttpApi":
                path = event.properties["Path"]
                method = event.properties["Method"].upper()
                yield Route(method, path, function.arn, _path_pattern(path))


def _path_pattern(path: str) -> re.Pattern[str]:
    parts, end = [], 0
    for parameter in _PARAMETER.finditer(path):
        parts.append(re.escape(path[end : parameter.start()]))
        parts.append(f"(?P<{parameter[1]}>{'.+' if parameter[2] else '[^/]+'})")
        end = parameter.end()
    return re.compile("".join(parts) + re.escape(path[end:]))


def _event(request: Request, body: bytes, route: Route, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The event of an HTTP API, payload format 2.0, for one request: what the function is invoked with."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    cookies = headers.pop("cookie", None)
    query = request.query_string.decode("latin-1")
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": request.host,
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": request.remote_addr or "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route.key,
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": round(now * 1000),
        },
        "isBase64Encoded": False,
    }
    # Members that have nothing to say are left out, as API Gateway leaves them out.
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if parameters:
        event["pathParameters"] = dict(parameters)
    if query:
        values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        event["queryStringParameters"] = values
    if body:
        event.update(_body(body, headers.get("content-type", "")))
    return event


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """API Gateway goes by the content type; a text that is not UTF-8 is encoded all the same, so nothing is lost."""
    if _TEXT.fullmatch(content_type.partition(";")[0].strip().lower()):
        try:
            return {"body": body.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _response(answer: Any) -> Response:
    """Format 2.0: with a `statusCode` the answer is a response; without one it is the body of a 200 in JSON."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type="application/json")
    body = answer.get("body") or ""
    try:
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        status = int(answer["statusCode"])
    except (AttributeError, TypeError, ValueError) as error:
        raise _MalformedAnswerError from error
    response = Response(data, status, content_type="text/plain; charset=utf-8")
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = value if isinstance(value, str) else json.dumps(value)
    for cookie in answer.get("cookies") or []:
        response.headers.add("Set-Cookie", cookie)
    return response


def _message(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")
