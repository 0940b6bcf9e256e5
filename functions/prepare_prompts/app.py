"""Stream: a message was accepted; its introductions are made ready, or are asked for."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.prompts import DynamoPrompts
from speechcall.adapters.prompt_queue import PromptQueue
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stream import message_id, process_each
from speechcall.application.prepare_prompts import Preparation, prepare_message
from speechcall.domain.wav import Encoding

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
world = Preparation(
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")),
    prompts=DynamoPrompts(dynamodb, setting("REGISTRY_TABLE")),
    ask_for=PromptQueue(boto3.client("sqs", config=AWS_CONFIG), setting("PROMPT_QUEUE_URL")).ask_for,
    clock=SystemClock(),
    grace_seconds=int(setting("GRACE_SECONDS")),
    encoding=Encoding.of(setting("PROMPT_ENCODING")),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process_each(event, lambda record: prepare_message(message_id(record), world), logger)
