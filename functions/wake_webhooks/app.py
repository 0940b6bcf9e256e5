"""Clock: the webhooks whose next attempt is due are queued."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.rules.ids import call_attempt_of
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.queue import SqsWebhookQueue
from speechcall.webhooks.use_cases.wake_webhooks import wake_webhooks

MARGIN_SECONDS = 15

logger = Logger()

deliveries = DynamoDeliveries(boto3.client("dynamodb", config=AWS_CONFIG), setting("MESSAGES_TABLE"))
queue = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_RETRY_QUEUE_URL"))


def tell_of(mid: str, event_id: str, word: str) -> None:
    logger.info("webhook", mid=mid, attempt=call_attempt_of(event_id), webhook_id=event_id, result=word)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Queues what is due, until MARGIN_SECONDS before the function's time is up. Out: how many were queued."""
    woken = wake_webhooks(
        deliveries=deliveries,
        queue=queue,
        clock=SystemClock(),
        time_left=lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS,
        tell_of=tell_of,
    )
    count("WebhookAttempts", woken.given_up, result="dead")
    return {"woken": woken.queued}
