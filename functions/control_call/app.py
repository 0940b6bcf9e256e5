"""State machine: dial, ask a menu, hang up, look up."""

from speechcall.shared.adapters.start import started  # isort: skip

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.warm_functions import CLIENT_CONFIG, Warming
from speechcall.calls.rules.call import Bounds, Kind
from speechcall.calls.use_cases.control_call import Control
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.log_fields import log_failures
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.telephony.provider import chosen_telephony

logger = Logger()
invoker = once(partial(boto3.client, "lambda", config=CLIENT_CONFIG))
warm = Warming(invoker, setting("WARM_FUNCTION"))

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
control = Control(
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=DynamoMessageReader(dynamodb, setting("MESSAGES_TABLE")),
    engine=TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG)),
    telephony=chosen_telephony(dials=True),
    clock=SystemClock(),
    bounds=Bounds(int(setting("MAX_MENU_VISITS")), int(setting("MAX_CALL_SECONDS")), int(setting("SILENT_REPEATS"))),
    lines=DynamoPool(dynamodb, setting("REGISTRY_TABLE")),
    warm_lookups=Warming(invoker, setting("ASK_RECEIVER_FUNCTION")),
)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carries out one command of a state machine: see `Control.handle` for what goes in, comes out and is raised."""
    names = {"mid": event["mid"], "attempt": event["attempt"], "command": event["command"]}
    with log_failures(logger, **names):
        answer = control.handle(event)
    # The phone is about to ring, if the provider has not refused: the function that the callee waits for is made ready.
    if event["command"] == Kind.DIAL and not answer:
        warm()
    if reason := answer.get("refused"):
        logger.error("the provider refuses the call", **names, reason=reason)
        count("DialsRefused", reason=reason)
    return answer
