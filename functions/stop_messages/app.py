"""API: messages, lists and campaigns are paused, resumed and cancelled."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.stopping.adapters.stop_worker import CLIENT_CONFIG, StopWorker
from speechcall.stopping.use_cases import stop_requests as asked
from speechcall.stopping.use_cases.stop_message import cancel_message
from speechcall.telephony.provider import chosen_telephony

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
tables = setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")
accounts, messages, clock = DynamoAccounts(dynamodb, tables[1]), DynamoMessages(dynamodb, *tables), SystemClock()
cancel = partial(
    cancel_message,
    messages=messages,
    calls=DynamoCalls(dynamodb, tables[0]),
    telephony=chosen_telephony(),
    engine=TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG)),
    clock=clock,
)
worker = StopWorker(once(partial(boto3.client, "lambda", config=CLIENT_CONFIG)), setting("STOP_WORKER"))
desk = asked.StopDesk(
    messages=messages,
    stops=DynamoStops(dynamodb, tables[1]),
    turns=messages.turns,
    lists=DynamoLists(dynamodb, tables[1]),
    history=DynamoHistory(dynamodb, tables[0]),
    cancel=cancel,
    wake_worker=worker.wake,
    clock=clock,
)


@app.route("POST /bat/message/{messageId}/cancel")
def cancel_message_(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    answer, goes_on = asked.cancel_one(account, request.path["messageId"], request.body, request.query, desk)
    return answer_json(202 if goes_on else 200, answer)


def _told(request: HttpRequest, name: str, answer: Any) -> Answer:
    account = account_of(request, accounts)
    return answer_json(200, answer(account, name, request.body, request.query, desk))


@app.route("POST /bat/messagelist/{messagelistId}/cancel")
def cancel_list(request: HttpRequest) -> Answer:
    return _told(request, request.path["messagelistId"], asked.cancel_list)


@app.route("POST /bat/messagelist/{messagelistId}/pause")
def pause_list(request: HttpRequest) -> Answer:
    return _told(request, request.path["messagelistId"], asked.pause_list)


@app.route("POST /bat/messagelist/{messagelistId}/resume")
def resume_list(request: HttpRequest) -> Answer:
    return _told(request, request.path["messagelistId"], asked.resume_a_list)


@app.route("POST /bat/campaign/{campaign}/cancel")
def cancel_campaign(request: HttpRequest) -> Answer:
    return _told(request, request.path["campaign"], asked.cancel_campaign)


@app.route("POST /bat/campaign/{campaign}/pause")
def pause_campaign(request: HttpRequest) -> Answer:
    return _told(request, request.path["campaign"], asked.pause_campaign)


@app.route("POST /bat/campaign/{campaign}/resume")
def resume_campaign(request: HttpRequest) -> Answer:
    return _told(request, request.path["campaign"], asked.resume_a_campaign)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
