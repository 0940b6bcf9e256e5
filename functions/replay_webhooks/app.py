"""API: the webhooks that were given up: listed, and sent again."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.query import parameter
from speechcall.evidence.adapters.audit_trail import AuditTrail, recording_requests
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.rules.ids import call_attempt_of
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.use_cases.read_webhooks import read_webhooks, replay_webhooks
from speechcall.status.use_cases.replay_webhooks import replay_of_message
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
trail = AuditTrail(dynamodb, setting("REGISTRY_TABLE"), SystemClock())
app = HttpApi(logger, recording_requests(trail))
deliveries = DynamoDeliveries(trail.client, setting("MESSAGES_TABLE"))
queue = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_RETRY_QUEUE_URL"))


@app.route("POST /bat/message/{messageId}/webhooks/replay")
def post_replay(request: HttpRequest) -> Answer:
    """Sends again those of one message that were given up, or the one that `webhookId` names."""
    account = account_of(request, accounts)
    answer = replay_of_message(
        account,
        request.path["messageId"],
        parameter(request.query, "webhookId"),
        store=history,
        deliveries=deliveries,
        queue=queue,
        clock=SystemClock(),
    )
    tell(account, answer["replayed"])
    return answer_json(202, answer)


@app.route("GET /bat/webhook")
def get_webhooks(request: HttpRequest) -> Answer:
    return answer_json(200, read_webhooks(account_of(request, accounts), request.query, deliveries=deliveries))


@app.route("POST /bat/webhook/replay")
def post_replay_all(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    answer = replay_webhooks(account, request.body, deliveries=deliveries, queue=queue, clock=SystemClock())
    tell(account, answer["replayed"])
    return answer_json(202, answer)


def tell(account: Account, replayed: list[str]) -> None:
    """Counts and logs what is sent again. `replayed`: event ids."""
    count("WebhooksReplayed", len(replayed))
    for name in replayed:
        fields = {"mid": name.partition("-")[0], "webhook_id": name, "attempt": call_attempt_of(name)}
        logger.info("webhook", extra=fields, account=account.account_id, result="replayed")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
