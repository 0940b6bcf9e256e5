"""Answers of the API; the one place where errors become HTTP."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from speechcall.domain.errors import RequestError


def answer_json(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> "Response[str]":
    """A JSON answer."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(status, "application/json", text, headers=dict(headers or {}))


def answer_error(
    status: int,
    code: str,
    message: str,
    details: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> "Response[str]":
    """`{"error":{"code","message","details"}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = details
    return answer_json(status, {"error": error}, headers)


def answer_problem(error: RequestError) -> "Response[str]":
    """The answer to a client's mistake, with all its problems."""
    details = [{"code": problem.code, "path": problem.path, "message": problem.message} for problem in error.problems]
    headers = {"WWW-Authenticate": 'Basic realm="SpeechCall", charset="UTF-8"'} if error.status == 401 else None
    return answer_error(error.status, error.code, error.message, details, headers)
