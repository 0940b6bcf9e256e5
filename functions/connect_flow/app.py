"""Contact flow: what the callee did, and what to do next."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.adapters.stepfunctions import TaskEngine
from speechcall.adapters.telephony.connect_conversation import parse_report, render_next
from speechcall.application.follow_call import follow_call
from speechcall.application.report import HANG_UP

logger = Logger()

calls = DynamoCalls(boto3.client("dynamodb", config=CALLER_WAITS_CONFIG), setting("MESSAGES_TABLE"))
engine = TaskEngine(boto3.client("stepfunctions", config=CALLER_WAITS_CONFIG))
clock = SystemClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    report = parse_report(event)
    if report is None:
        logger.warning("a contact that is none of ours, or speaks another protocol, was told to hang up")
        return render_next(HANG_UP)
    step = follow_call(
        report.mid, report.attempt, report.contact_id, report.heard, calls=calls, engine=engine, clock=clock
    )
    return render_next(step)
