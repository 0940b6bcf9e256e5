"""Queue: a list that somebody wants rehearsed is dialled on a clock that nobody waits for. Nobody is called."""

import time
from collections.abc import Sequence
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.adapters.turns_store import DynamoTurns
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.own_standing import read_place
from speechcall.rehearsal.adapters.rehearsal_queue import RehearsalQueue
from speechcall.rehearsal.adapters.rehearsal_store import DynamoRehearsals
from speechcall.rehearsal.adapters.virtual_stack import apart
from speechcall.rehearsal.use_cases.work_rehearsals import Place, RehearsalWork
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
sqs = boto3.client("sqs", config=AWS_CONFIG)
tables = setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")
queue = RehearsalQueue(lambda: sqs, setting("REHEARSAL_QUEUE_URL"))
lines, turns = DynamoPool(dynamodb, tables[1]), DynamoTurns(dynamodb, *tables)
stops = DynamoStops(dynamodb, tables[1])
stack = Pool(
    *map(int, (setting("LINES"), setting("CALLS_PER_SECOND"), setting("URGENT_LINES"), setting("CALLS_PER_NUMBER")))
)


def place_of(account: Account, new: Sequence[Message]) -> Place:
    return read_place(dynamodb, tables[0], account, new, stack=stack, lines=lines.read(), turns=turns, stops=stops)


work = RehearsalWork(
    jobs=DynamoRehearsals(dynamodb, tables[1]),
    find_account=DynamoAccounts(dynamodb, tables[1]).find,
    place_of=place_of,
    clock=SystemClock(),
    seconds=time.monotonic,
    apart=apart,
    count=count,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"batchItemFailures": queue.work(event["Records"], work.do)}
