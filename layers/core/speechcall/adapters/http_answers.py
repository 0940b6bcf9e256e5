"""The API's HTTP: who asks, what is answered; the one place where errors become HTTP."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.metrics import count
from speechcall.application.accounts import authenticate
from speechcall.domain.account import Account
from speechcall.domain.errors import RateLimited, RequestError


def account_of(event: APIGatewayProxyEventV2, accounts: DynamoAccounts) -> Account:
    """The account whose credentials a request carries. Raises Unauthorized."""
    headers = {name.lower(): value for name, value in event.headers.items()}
    return authenticate(headers, accounts.find_credential, accounts.find)


def body_of(event: APIGatewayProxyEventV2) -> bytes:
    """A request's body, as it was sent: the gateway encodes what it does not know as text."""
    given = event.body or ""
    return base64.b64decode(given) if event.is_base64_encoded else given.encode("utf-8", "surrogatepass")


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
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="SpeechCall", charset="UTF-8"'
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    return answer_error(error.status, error.code, error.message, details, headers)


def map_errors(app: APIGatewayHttpResolver, logger: Logger) -> APIGatewayHttpResolver:
    """Gives the API its answers to every error: a client's mistake, a path that is none, a failure of ours."""

    @app.exception_handler(RequestError)  # type: ignore[untyped-decorator]
    def on_request_error(error: RequestError) -> "Response[str]":
        count("RequestsRefused", code=error.code)
        return answer_problem(error)

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def on_error(error: Exception) -> "Response[str]":
        count("RequestsFailed")
        logger.error("the request failed", exc_info=error)
        text = "The request failed. Whether its messages were accepted is not known; repeat it with an Idempotency-Key."
        return answer_error(500, "INTERNAL_ERROR", text)

    @app.not_found
    def on_not_found(_: NotFoundError) -> "Response[str]":
        return answer_error(404, "NOT_FOUND", "There is nothing at this path.")

    return app
