"""The API's answers, as payload format 2.0 has them; errors become HTTP here."""

import json
from collections.abc import Mapping
from typing import Any

from speechcall.shared.rules.errors import RateLimited, RequestError, UnsupportedEncoding

Answer = dict[str, Any]


def answer_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose text is JSON already."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return {"statusCode": status, "headers": told, "body": text, "isBase64Encoded": False}


def answer_json(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return answer_text(status, text, headers)


def answer_error(
    status: int,
    code: str,
    message: str,
    details: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """`{"error":{"code","message","details"}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = details
    return answer_json(status, {"error": error}, headers)


def answer_problem(error: RequestError) -> Answer:
    """The answer to a client's mistake, with all its problems."""
    details = [{"code": problem.code, "path": problem.path, "message": problem.message} for problem in error.problems]
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="SpeechCall", charset="UTF-8"'
    if isinstance(error, UnsupportedEncoding):
        headers["Accept-Encoding"] = "identity"  # RFC 9110, section 15.5.16
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    return answer_error(error.status, error.code, error.message, details, headers)
