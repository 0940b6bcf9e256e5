"""API: where a message, a list of messages or a campaign stands; and what the API itself is."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json, answer_text, answer_written
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.openapi import health, openapi_text
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.adapters.turns_store import DynamoTurns
from speechcall.messages.rules.pool import Pool
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.use_cases.read_campaigns import read_campaign, read_campaigns, read_lists
from speechcall.status.use_cases.read_export import export_campaign, export_list
from speechcall.status.use_cases.read_status import read_list, read_message

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
lists_store = DynamoLists(dynamodb, setting("REGISTRY_TABLE"))
campaigns = lists_store.campaigns
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"), DynamoRates(dynamodb, setting("REGISTRY_TABLE")))
turns = DynamoTurns(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"))
lines = DynamoPool(dynamodb, setting("REGISTRY_TABLE"))
stack = Pool(int(setting("LINES")), int(setting("CALLS_PER_SECOND")), int(setting("URGENT_LINES")))
shared: Any = {"turns": turns, "capacity": lambda: lines.read().capacity(stack)}
stops = DynamoStops(dynamodb, setting("REGISTRY_TABLE"))
clock, provider = SystemClock(), setting("TELEPHONY_PROVIDER")


@app.route("GET /bat/messagelist/{messagelistId}")
def get_messagelist(request: HttpRequest) -> Answer:
    given = (account_of(request, accounts), request.path["messagelistId"], request.query, clock.now_msec())
    stores: Any = {"store": history, "lists": lists_store, "stops": stops, "open_campaigns": campaigns.count_open}
    return answer_json(200, read_list(*given, **stores | shared))


@app.route("GET /bat/messagelist/{messagelistId}/export")
def get_list_export(request: HttpRequest) -> Answer:
    given = (account_of(request, accounts), request.path["messagelistId"], request.query, clock.now_msec())
    page = export_list(*given, store=history, lists=lists_store, stops=stops)
    return answer_text(200, page.text, page.headers)


@app.route("GET /bat/campaign/{campaign}/export")
def get_campaign_export(request: HttpRequest) -> Answer:
    given = (account_of(request, accounts), request.path["campaign"], request.query, clock.now_msec())
    page = export_campaign(*given, store=history, lists=lists_store, stops=stops, campaigns=campaigns)
    return answer_text(200, page.text, page.headers)


@app.route("GET /bat/messagelist")
def get_messagelists(request: HttpRequest) -> Answer:
    return answer_json(200, read_lists(account_of(request, accounts), request.query, campaigns=campaigns))


@app.route("GET /bat/campaign")
def get_campaigns(request: HttpRequest) -> Answer:
    return answer_json(200, read_campaigns(account_of(request, accounts), request.query, campaigns=campaigns))


@app.route("GET /bat/campaign/{campaign}")
def get_campaign(request: HttpRequest) -> Answer:
    given = (account_of(request, accounts), request.path["campaign"], clock.now_msec())
    return answer_json(200, read_campaign(*given, campaigns=campaigns, **shared))


@app.route("GET /bat/message/{messageId}")
def get_message(request: HttpRequest) -> Answer:
    given = (account_of(request, accounts), request.path["messageId"], request.query, clock.now_msec())
    told = read_message(*given, store=history, stops=stops)
    return answer_written(200, told) if "menu" in told else answer_json(200, told)


@app.route("GET /openapi.json")
def get_openapi(_request: HttpRequest) -> Answer:
    return answer_text(200, openapi_text())


@app.route("GET /health")
def get_health(_request: HttpRequest) -> Answer:
    return answer_json(200, health(provider))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
