"""API: where a message or a list of messages stands."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json, answer_text
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.openapi import openapi_text
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.use_cases.message_ports import Pool
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.use_cases.read_status import read_list, read_message

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
lists_store = DynamoLists(dynamodb, setting("REGISTRY_TABLE"))
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
lines = DynamoPool(dynamodb, setting("REGISTRY_TABLE"))
stack = Pool(int(setting("LINES")), int(setting("CALLS_PER_SECOND")))
stops = DynamoStops(dynamodb, setting("REGISTRY_TABLE"))
clock = SystemClock()


@app.route("GET /bat/messagelist/{messagelistId}")
def get_messagelist(request: HttpRequest) -> Answer:
    account, query = account_of(request, accounts), request.query
    pool = lambda: lines.read().in_effect(stack)  # noqa: E731
    given = (request.path["messagelistId"], query, clock.now_msec())
    found = read_list(account, *given, store=history, lists=lists_store, stops=stops, pool=pool)
    return answer_json(200, found)


@app.route("GET /bat/message/{messageId}")
def get_message(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    found = read_message(account, request.path["messageId"], clock.now_msec(), store=history, stops=stops)
    return answer_json(200, found)


@app.route("GET /openapi.json")
def get_openapi(_request: HttpRequest) -> Answer:
    return answer_text(200, openapi_text())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
