"""What a runtime interface emulator answers to an invocation, told apart: a payload, or a function's error.

Lambda says in the header X-Amz-Function-Error that a function has failed. The emulator has no such header, and neither
has `sam local start-lambda` for what today's runtime client reports, so a state machine's Catch would never see it.
This is the one place that puts it back.
"""

import json
import re
from typing import Any

from local.network.shared.invoker import FunctionError

_REPORT = frozenset({"cause", "errorMessage", "errorType", "requestId", "stackTrace"})
_TIMED_OUT = re.compile(rb"Task timed out after [\d.]+ seconds")

TIMED_OUT = "Sandbox.Timedout"
"""The error type by which Step Functions knows a function that was cut off."""


def read_answer(status: int, body: bytes) -> Any:
    """The function's payload. Raises FunctionError if it raised, was cut off, ended or answered too much."""
    if _TIMED_OUT.search(body) and not body.lstrip().startswith((b"{", b"[", b'"')):
        raise FunctionError(TIMED_OUT, body.decode("utf-8", "replace").strip())
    try:
        payload = json.loads(body or b"null")
    except ValueError:
        raise FunctionError("Runtime.Unknown", body[:500].decode("utf-8", "replace")) from None
    if is_report(payload):
        trace = [str(line) for line in payload.get("stackTrace") or []]
        raise FunctionError(str(payload["errorType"]), str(payload["errorMessage"]), trace)
    if status >= 300:
        raise FunctionError("Runtime.Unknown", f"the runtime answered {status}: {json.dumps(payload)[:500]}")
    return payload


def is_report(payload: Any) -> bool:
    """Whether a payload is the runtime client's report of an error: its members and no others."""
    return (
        isinstance(payload, dict)
        and {"errorMessage", "errorType"} <= set(payload) <= _REPORT
        and isinstance(payload["errorType"], str)
    )
