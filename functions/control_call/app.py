"""State machine: dial, ask a menu, hang up, look up."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.pool import DynamoPool
from speechcall.adapters.lazy import once
from speechcall.adapters.metrics import count
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stepfunctions import TaskEngine
from speechcall.adapters.telephony.provider import chosen_telephony
from speechcall.adapters.warm import CLIENT_CONFIG, Warming
from speechcall.application.control_call import Control
from speechcall.domain.call import Bounds, Kind

logger = Logger()
warm = Warming(once(partial(boto3.client, "lambda", config=CLIENT_CONFIG)), setting("WARM_FUNCTION"))

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
control = Control(
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), ""),
    engine=TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG)),
    telephony=chosen_telephony(dials=True),
    clock=SystemClock(),
    bounds=Bounds(int(setting("MAX_MENU_VISITS")), int(setting("MAX_CALL_SECONDS")), int(setting("SILENT_REPEATS"))),
    lines=DynamoPool(dynamodb, setting("REGISTRY_TABLE")),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    logger.append_keys(mid=event["mid"], attempt=event["attempt"], command=event["command"])
    answer = control.handle(event)
    if event["command"] == Kind.DIAL and not answer:
        warm()
    if reason := answer.get("refused"):
        logger.error("the provider refuses the call", reason=reason)
        count("DialsRefused", reason=reason)
    return answer
