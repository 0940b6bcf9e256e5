"""The API's answers, as payload format 2.0 has them; errors become HTTP here."""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechcall.shared.rules.errors import RateLimited, RequestError, UnsupportedEncoding

if TYPE_CHECKING:
    from speechcall.api.rules.answers import Error, Place

Answer = dict[str, Any]

MOST_BYTES = 4_500_000
"""Of an answer that is no text: Lambda's answers have 6 MB (quotas, "Invocation payload"), and base64 makes 4 of 3."""
_AS_IT_IS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
"""A browser takes no answer for a page or a script (Fetch, "X-Content-Type-Options header")."""


def answer_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose text is JSON already."""
    told = {"Content-Type": "application/json", **_AS_IT_IS, **(headers or {})}
    return {"statusCode": status, "headers": told, "body": text, "isBase64Encoded": False}


def answer_bytes(status: int, content: bytes, content_type: str) -> Answer:
    """An answer that is no text, of at most MOST_BYTES."""
    text = base64.b64encode(content).decode()
    told = {"Content-Type": content_type, **_AS_IT_IS}
    return {"statusCode": status, "headers": told, "body": text, "isBase64Encoded": True}


def answer_json(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return answer_text(status, text, headers)


def answer_written(status: int, content: Mapping[str, object]) -> Answer:
    """A JSON answer in which numbers of a request keep the digits that its sender wrote."""
    from speechcall.shared.rules.json_text import dump_json  # noqa: PLC0415, few answers have such numbers

    return answer_text(status, dump_json(content))


def answer_error(
    status: int,
    code: str,
    message: str,
    details: "list[Place] | None" = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of an error: `{"error":{"code","message","details"}}`; `details` only where there are any."""
    content: Error = {"error": {"code": code, "message": message}}
    if details:
        content["error"]["details"] = details
    return answer_json(status, content, headers)


def answer_problem(error: RequestError) -> Answer:
    """The answer to a client's mistake, with all its problems, and the headers that its status asks for."""
    details: list[Place] = [
        {"code": problem.code, "path": problem.path, "message": problem.message} for problem in error.problems
    ]
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="SpeechCall", charset="UTF-8"'
    if isinstance(error, UnsupportedEncoding):
        headers["Accept-Encoding"] = "identity"  # RFC 9110, section 15.5.16
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    return answer_error(error.status, error.code, error.message, details, headers)
