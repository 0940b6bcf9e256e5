"""API: where a message or a list of messages stands."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.dynamodb.history import DynamoHistory
from speechcall.adapters.dynamodb.lists import DynamoLists
from speechcall.adapters.dynamodb.pool import DynamoPool
from speechcall.adapters.http_answers import account_of, answer_json, map_errors
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.application.message_ports import Pool
from speechcall.application.openapi import openapi_text
from speechcall.application.read_status import read_list, read_message

logger = Logger()
app = map_errors(APIGatewayHttpResolver(), logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
lists_store = DynamoLists(dynamodb, setting("REGISTRY_TABLE"))
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
lines = DynamoPool(dynamodb, setting("REGISTRY_TABLE"))
stack = Pool(int(setting("LINES")), int(setting("CALLS_PER_SECOND")))
clock = SystemClock()


@app.get("/bat/messagelist/<list_id>")
def get_messagelist(list_id: str) -> Response[str]:
    account, query = account_of(app.current_event, accounts), app.current_event.query_string_parameters
    pool = lambda: lines.read().in_effect(stack)  # noqa: E731
    found = read_list(account, list_id, query, clock.now_msec(), store=history, lists=lists_store, pool=pool)
    return answer_json(200, found)


@app.get("/bat/message/<message_id>")
def get_message(message_id: str) -> Response[str]:
    account = account_of(app.current_event, accounts)
    return answer_json(200, read_message(account, message_id, clock.now_msec(), store=history))


@app.get("/openapi.json")
def get_openapi() -> Response[str]:
    return Response(200, "application/json", openapi_text())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
