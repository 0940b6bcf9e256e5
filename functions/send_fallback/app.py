"""Clock: the text messages that are due in place of calls that reached nobody are sent."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.fallbacks.adapters.fallbacks_store import DynamoFallbacks
from speechcall.fallbacks.adapters.sms import ONCE_CONFIG, TextMessages
from speechcall.fallbacks.use_cases.fallback_ports import End
from speechcall.fallbacks.use_cases.send_fallbacks import Fallbacks
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

MARGIN_SECONDS = 20
"""Longer than the service is waited for: what was asked for is written down before the function's time is up."""

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
webhooks = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
service = boto3.client("pinpoint-sms-voice-v2", config=ONCE_CONFIG)


def tell_end(mid: str, end: End) -> None:
    logger.info("fallback", mid=mid, result=end.status.value, reason=end.reason)
    count("Fallbacks", result=end.status.value)


fallbacks = Fallbacks(
    store=DynamoFallbacks(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), webhooks.tell),
    sms=TextMessages(service, setting("SMS_ORIGINATION_IDENTITY")),
    find_account=DynamoAccounts(dynamodb, setting("REGISTRY_TABLE")).find,
    clock=SystemClock(),
    tell_end=tell_end,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    time_left = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    return {"ended": fallbacks.send_due(time_left)}
