"""Queues: the webhooks of pressed keys and of status events are sent."""

import random
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.entered_digits import EnteredDigits
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stream import Record, process_each, sequence_number
from speechcall.status.adapters.status_reader import DynamoNotices
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.places_store import DynamoPlaces
from speechcall.webhooks.adapters.queue import SqsWebhookQueue, task_fields
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.adapters.webhook_log import delivery_fields
from speechcall.webhooks.rules.delivery import places_of_an_account
from speechcall.webhooks.use_cases.deliver_webhook import Sending
from speechcall.webhooks.use_cases.webhook_secrets import Signer
from speechcall.webhooks.use_cases.work_webhooks import WebhookWork

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
clock = SystemClock()
entered = EnteredDigits(dynamodb, setting("MESSAGES_TABLE"), setting("WEBHOOK_SECRETS_KEY"))
secrets = DynamoWebhookSecrets(dynamodb, setting("REGISTRY_TABLE"))
seal = KmsSeal(partial(boto3.client, "kms", config=AWS_CONFIG), setting("WEBHOOK_SECRETS_KEY"))
queue = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_RETRY_QUEUE_URL"))
sending = Sending(
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), ""),
    deliveries=DynamoDeliveries(dynamodb, setting("MESSAGES_TABLE")),
    places=DynamoPlaces(dynamodb, setting("REGISTRY_TABLE"), int(setting("WEBHOOKS_IN_FLIGHT"))),
    of_accounts=DynamoPlaces(
        dynamodb, setting("REGISTRY_TABLE"), places_of_an_account(int(setting("WEBHOOK_CONCURRENCY")))
    ),
    queue=queue,
    post=WebhookSender(make_client(setting("WEBHOOK_RECEIVER"))),
    sign=Signer(secrets, seal.unseal, clock),
    clock=clock,
    uniform=random.uniform,
    digits_of=entered.of,
    erase_digits=entered.erase,
    is_over=entered.call_is_over,
    notice_of=DynamoNotices(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")).find,
)


work = WebhookWork(sending, lambda task, result: logger.info("webhook", extra=delivery_fields(task, result)))


def deliver(record: Record) -> None:
    """Does the task in a record of either queue. Raises what has to make the queue bring it again."""
    event_id, result = queue.work(record, work.do)
    count("WebhookAttempts", result=result)
    if not event_id:
        logger.error("a queue message that is no task went to the retries", record=sequence_number(record))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process_each(event, deliver, logger, task_fields)
