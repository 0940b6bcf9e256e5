"""Stream: a message was accepted; its introductions are made ready."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.http import fetch_audio, make_client
from speechcall.adapters.s3_prompts import S3Prompts
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stream import message_id, process_each
from speechcall.application.prepare_prompts import prepare_message

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
prepare = partial(
    prepare_message,
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")),
    prompts=S3Prompts(
        boto3.client("s3", config=AWS_CONFIG), setting("PROMPTS_BUCKET"), Registry(dynamodb, setting("REGISTRY_TABLE"))
    ),
    fetch=partial(fetch_audio, make_client(setting("WEBHOOK_RECEIVER"))),
    clock=SystemClock(),
    grace_seconds=int(setting("GRACE_SECONDS")),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process_each(event, lambda record: prepare(message_id(record)), logger)
