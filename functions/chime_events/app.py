"""SIP media application: what happened in a call, and what to do next."""

from speechcall.shared.adapters.start import started  # isort: skip

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.warm_functions import WARM, make_ready
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.invocation_start import Began
from speechcall.shared.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.telephony.chime.events import ChimeEvents
from speechcall.telephony.heard_metrics import tell_of

logger = Logger()

dynamodb = boto3.client("dynamodb", config=CALLER_WAITS_CONFIG)
clock = SystemClock()
events = ChimeEvents(
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE"), setting("WEBHOOK_SECRETS_KEY")),
    engine=TaskEngine(boto3.client("stepfunctions", config=CALLER_WAITS_CONFIG)),
    clock=clock,
    logger=logger,
    began=Began(clock.now_msec),
    tell_of=tell_of,
)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event == WARM:
        make_ready(events.calls, events.engine)
        return {}
    return events.answer(event)
