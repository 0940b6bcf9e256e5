"""Clock: what nobody heard of is mended."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.pool import DynamoPool
from speechcall.adapters.ended_metrics import count_end, owing
from speechcall.adapters.executions import resume_execution
from speechcall.adapters.metrics import count
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stepfunctions import TaskEngine
from speechcall.adapters.telephony.provider import chosen_telephony
from speechcall.adapters.webhook_queue import SqsWebhookQueue
from speechcall.application.finish_call import finish_call
from speechcall.application.sweep import Calls, sweep
from speechcall.domain.outcome import End

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
stepfunctions = boto3.client("stepfunctions", config=AWS_CONFIG)
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"))
clock = SystemClock()
webhooks = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
telephony = chosen_telephony()
finish = partial(
    finish_call,
    owe=owing(webhooks.first),
    tell_end=count_end,
    end=End.FAILED,
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=messages,
    telephony=telephony,
    engine=TaskEngine(stepfunctions),
    clock=clock,
    find_account=DynamoAccounts(dynamodb, setting("REGISTRY_TABLE")).find,
)
calls = Calls(
    messages=messages,
    lines=DynamoPool(dynamodb, setting("REGISTRY_TABLE")),
    start=partial(resume_execution, stepfunctions),
    finish=finish,
    clock=clock,
    count=count,
    has_records=telephony.has_records,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> None:
    sweep(calls.mends())
