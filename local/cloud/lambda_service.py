"""Lambda's API for the AWS clients of this process: Step Functions tasks and the product's own calls reach the host."""

import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlparse

from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

from local.cloud.functions import UnknownFunctionError
from local.network.shared.invoker import FunctionError

Invoke = Callable[[str, Any], Any]
Submit = Callable[[str, Any], None]

_active: list[tuple[Invoke, Submit]] = []


@contextmanager
def served_by(invoke: Invoke, submit: Submit) -> Iterator[None]:
    """Within it, every Lambda call of this process is answered by these: the second one is for `Event` invocations."""
    _active.append((invoke, submit))
    try:
        yield
    finally:
        _active.remove((invoke, submit))


def _answer(request: Any, event_name: str, **_rest: Any) -> AWSResponse | None:
    """Botocore's event `before-send.lambda`: what it returns is the response, and nothing is sent."""
    if not _active:
        return None
    if not event_name.endswith(".Invoke"):
        operation = event_name.rsplit(".", 1)[-1]
        return _response(request, 501, {"Message": f"Lambda's {operation} is not offered here"}, error="NotImplemented")
    match = re.search(r"/functions/(.+)/invocations", urlparse(request.url).path)
    function = unquote(match[1]) if match else ""
    body = request.body.read() if hasattr(request.body, "read") else request.body
    event = json.loads(body or b"{}")
    invoke, submit = _active[-1]
    try:
        if request.headers.get("X-Amz-Invocation-Type") in (b"Event", "Event"):
            submit(function, event)
            return _response(request, 202, None)
        return _response(request, 200, invoke(function, event))
    except UnknownFunctionError as missing:
        message = {"Type": "User", "Message": str(missing)}
        return _response(request, 404, message, error="ResourceNotFoundException")
    except FunctionError as failure:
        payload = {
            "errorType": failure.error_type,
            "errorMessage": failure.message,
            "stackTrace": failure.stack_trace,
        }
        return _response(request, 200, payload, **{"X-Amz-Function-Error": "Unhandled"})


def _response(request: Any, status: int, payload: Any, error: str = "", **headers: str) -> AWSResponse:
    body = b"" if status == 202 else json.dumps(payload, ensure_ascii=False).encode()
    if error:
        headers["X-Amzn-ErrorType"] = error
    headers.update(
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            # Moto reads it where a task fails.
            "x-amzn-RequestId": str(uuid.uuid4()),
        }
    )
    raw: Any = _Raw(body)
    return AWSResponse(request.url, status, headers, raw)  # type: ignore[arg-type]


class _Raw(io.BytesIO):
    """A body that can be read as urllib3's can."""

    def stream(self, **_options: Any) -> Iterator[bytes]:
        """The rest of the body, in one piece."""
        if rest := self.read():
            yield rest


# A session takes over the built-in handlers when it is made, so this must be there before the first one is.
BUILTIN_HANDLERS.append(("before-send.lambda", _answer))
