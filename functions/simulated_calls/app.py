"""The queue of simulated calls: what happens next in one is due."""

from speechcall.shared.adapters.start import started  # isort: skip

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.warm_functions import WARM, make_ready
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.adapters.stream import Record, process_each
from speechcall.telephony.heard_metrics import tell_of
from speechcall.telephony.simulated.events import SimulatedCalls
from speechcall.telephony.simulated.moments import fields_of, parse
from speechcall.telephony.simulated.queue import CLIENT_CONFIG, SqsMoments

logger = Logger()

sqs = once(partial(boto3.client, "sqs", config=CLIENT_CONFIG))
simulated = SimulatedCalls(
    calls=DynamoCalls(
        boto3.client("dynamodb", config=AWS_CONFIG), setting("MESSAGES_TABLE"), setting("WEBHOOK_SECRETS_KEY")
    ),
    engine=TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG)),
    moments=SqsMoments(sqs, setting("SIMULATED_CALLS_QUEUE_URL"), float(setting("SIMULATION_SPEED"))),
    clock=SystemClock(),
    logger=logger,
    tell_of=tell_of,
)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event == WARM:
        make_ready(simulated.calls, simulated.engine)
        return {}
    return process_each(event, take, logger, fields_of)


def take(record: Record) -> None:
    simulated.take(parse(record["body"]), int(record["attributes"]["SentTimestamp"]))
