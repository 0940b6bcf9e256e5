"""SIP media application: what happened in a call, and what to do next."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.began import Began
from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.adapters.stepfunctions import TaskEngine
from speechcall.adapters.telephony.chime_events import ChimeEvents
from speechcall.adapters.telephony.heard_metrics import tell_of
from speechcall.adapters.warm import WARM, make_ready

logger = Logger()

clock = SystemClock()
events = ChimeEvents(
    calls=DynamoCalls(boto3.client("dynamodb", config=CALLER_WAITS_CONFIG), setting("MESSAGES_TABLE")),
    engine=TaskEngine(boto3.client("stepfunctions", config=CALLER_WAITS_CONFIG)),
    clock=clock,
    logger=logger,
    began=Began(clock.now_msec),
    tell_of=tell_of,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event == WARM:
        make_ready(events.calls, events.engine)
        return {}
    return events.answer(event)
