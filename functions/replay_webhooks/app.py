"""API: the webhooks of a message that were given up begin anew."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.dynamodb.deliveries import DynamoDeliveries
from speechcall.adapters.dynamodb.history import DynamoHistory
from speechcall.adapters.http_answers import account_of, answer_json, map_errors
from speechcall.adapters.metrics import count
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.webhook_queue import SqsWebhookQueue
from speechcall.application.replay_webhooks import replay_of_message

logger = Logger()
app = map_errors(APIGatewayHttpResolver(), logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
deliveries = DynamoDeliveries(dynamodb, setting("MESSAGES_TABLE"))
queue = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_RETRY_QUEUE_URL"))


@app.post("/bat/message/<message_id>/webhooks/replay")
def post_replay(message_id: str) -> Response[str]:
    account = account_of(app.current_event, accounts)
    webhook_id = app.current_event.query_string_parameters.get("webhookId")
    stores: dict[str, Any] = {"store": history, "deliveries": deliveries, "queue": queue, "clock": SystemClock()}
    answer = replay_of_message(account, message_id, webhook_id, **stores)
    count("WebhooksReplayed", len(answer["replayed"]))
    return answer_json(202, answer)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
