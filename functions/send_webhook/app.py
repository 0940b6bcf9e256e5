"""Queues: the webhooks of pressed keys are sent."""

import random
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.deliveries import DynamoDeliveries
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.http import WebhookSender, make_client
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stream import Record, process_each
from speechcall.adapters.webhook_queues import SqsWebhookQueues, parse_task
from speechcall.application.deliver_webhook import deliver_webhook

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), "")
deliveries = DynamoDeliveries(dynamodb, setting("MESSAGES_TABLE"))
queues = SqsWebhookQueues(
    boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_RETRY_QUEUE_URL"), setting("WEBHOOK_DEAD_LETTER_QUEUE_URL")
)
sender = WebhookSender(make_client(setting("WEBHOOK_RECEIVER")))
clock = SystemClock()


def deliver(record: Record) -> None:
    deliver_webhook(
        parse_task(record["body"]),
        messages=messages,
        deliveries=deliveries,
        queues=queues,
        post=sender,
        clock=clock,
        uniform=random.uniform,
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process_each(event, deliver, logger)
