"""API: a client's list of messages, checked and stored."""

import base64
import secrets
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.http_answers import answer_error, answer_json, answer_problem
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.application.accept_messages import accept_messages
from speechcall.application.accounts import authenticate
from speechcall.domain.errors import RequestError

logger = Logger()
app = APIGatewayHttpResolver()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
registry = Registry(dynamodb, setting("REGISTRY_TABLE"))
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"))
clock = SystemClock()


@app.post("/bat/messagelist")
def post_messagelist() -> Response[str]:
    event = app.current_event
    account_id = authenticate({name.lower(): value for name, value in event.headers.items()}, registry.find_credential)
    given = event.body or ""
    body = base64.b64decode(given) if event.is_base64_encoded else given.encode("utf-8", "surrogatepass")
    answer = accept_messages(
        account_id, body, messages=messages, lists=registry, clock=clock, random_bits=secrets.randbits
    )
    logger.info("messages accepted", messagelist_id=answer["messagelistId"], account_id=account_id)
    return answer_json(200, answer)


@app.exception_handler(RequestError)
def on_request_error(error: RequestError) -> Response[str]:
    return answer_problem(error)


@app.exception_handler(Exception)
def on_error(error: Exception) -> Response[str]:
    logger.error("the request failed", exc_info=error)
    return answer_error(500, "INTERNAL_ERROR", "The request failed. Whether its messages were accepted is not known.")


@app.not_found
def on_not_found(_: NotFoundError) -> Response[str]:
    return answer_error(404, "NOT_FOUND", "There is nothing at this path.")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
