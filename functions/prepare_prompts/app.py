"""Stream: a message was accepted; its introductions are made ready, or are asked for."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.queue import PromptQueue
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.use_cases.prepare_prompts import Preparation, prepare_message
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stream import message_id, process_each
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

logger = Logger()

dynamodb, sqs = boto3.client("dynamodb", config=AWS_CONFIG), boto3.client("sqs", config=AWS_CONFIG)
webhooks = SqsWebhookQueue(sqs, setting("WEBHOOK_QUEUE_URL"))
world = Preparation(
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), webhooks.tell),
    prompts=DynamoPrompts(dynamodb, setting("REGISTRY_TABLE")),
    ask_for=PromptQueue(sqs, setting("PROMPT_QUEUE_URL")).ask_for,
    clock=SystemClock(),
    grace_seconds=int(setting("GRACE_SECONDS")),
    encoding=Encoding.of(setting("PROMPT_ENCODING")),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process_each(event, lambda record: prepare_message(message_id(record), world), logger)
