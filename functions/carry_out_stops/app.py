"""Clock, or a cancellation: the messages of what was cancelled are finished, and people are erased."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.evidence.adapters.person_jobs import DynamoPersonJobs
from speechcall.evidence.adapters.person_records import DynamoPersonRecords
from speechcall.evidence.use_cases.work_for_people import PeopleWork
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.stopping.adapters.stop_wiring import canceller
from speechcall.stopping.use_cases.carry_out_stops import StopWork
from speechcall.webhooks.adapters.queue import telling

logger = Logger()
MARGIN_SECONDS = 10
"""To hang up one call may take so long: when less time is left, nothing more is begun."""

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
tables = setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")
tell = telling(partial(boto3.client, "sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
messages, lists, clock = DynamoMessages(dynamodb, *tables, tell), DynamoLists(dynamodb, tables[1]), SystemClock()
cancel = canceller(dynamodb, boto3.client("stepfunctions", config=AWS_CONFIG), tables[0], messages, clock)
work = partial(
    StopWork,
    stops=DynamoStops(dynamodb, tables[1]),
    messages=messages,
    turns=messages.turns,
    lists=lists,
    cancel=cancel,
    clock=clock,
    count=count,
)
people = partial(
    PeopleWork,
    jobs=DynamoPersonJobs(dynamodb, tables[1]),
    records=DynamoPersonRecords(dynamodb, tables[0], lists),
    messages=messages,
    cancel=lambda message: cancel(message, False),
    clock=clock,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> None:
    time_left = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    work(time_left=time_left).do()
    people(time_left=time_left).do()
