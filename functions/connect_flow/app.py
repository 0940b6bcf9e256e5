"""Contact flow: what the callee did, and what to do next."""

from speechcall.shared.adapters.start import started  # isort: skip

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.warm_functions import WARM, make_ready
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import HANG_UP
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.invocation_start import Began
from speechcall.shared.adapters.log_fields import log_failures
from speechcall.shared.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.telephony.connect.conversation import parse_report, render_next
from speechcall.telephony.heard_metrics import tell_of

logger = Logger()

dynamodb = boto3.client("dynamodb", config=CALLER_WAITS_CONFIG)
calls = DynamoCalls(dynamodb, setting("MESSAGES_TABLE"), setting("WEBHOOK_SECRETS_KEY"))
engine = TaskEngine(boto3.client("stepfunctions", config=CALLER_WAITS_CONFIG))
clock = SystemClock()
began = Began(clock.now_msec)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """In: what the contact flow reports, or WARM. Out: what it does next, as the strings that it reads."""
    begin = began()
    if event == WARM:
        make_ready(calls, engine)
        return {}
    report = parse_report(event)
    if report is None:
        logger.warning("an unknown contact, or one of another protocol, was told to hang up")
        return render_next(HANG_UP)
    report = report.begun(begin)
    with log_failures(logger, mid=report.mid, attempt=report.attempt):
        step = follow_call(report, calls=calls, engine=engine, clock=clock)
    tell_of(step, report.heard, clock.now_msec())
    return render_next(step)
