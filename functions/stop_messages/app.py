"""API: messages, lists and campaigns are paused, resumed and cancelled."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.evidence.adapters.audit_trail import AuditTrail, recording_requests
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.stopping.adapters.stop_wiring import stop_desk
from speechcall.stopping.adapters.stop_worker import CLIENT_CONFIG, StopWorker
from speechcall.stopping.use_cases import stop_requests as asked
from speechcall.webhooks.adapters.queue import telling

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
stepfunctions = boto3.client("stepfunctions", config=AWS_CONFIG)
tables = setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")
accounts = DynamoAccounts(dynamodb, tables[1])
worker = StopWorker(once(partial(boto3.client, "lambda", config=CLIENT_CONFIG)), setting("STOP_WORKER"))
tell = telling(partial(boto3.client, "sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
trail = AuditTrail(dynamodb, tables[1], SystemClock())
app = HttpApi(logger, recording_requests(trail))
desk = stop_desk(dynamodb, trail.client, stepfunctions, *tables, worker.wake, SystemClock(), tell)


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
