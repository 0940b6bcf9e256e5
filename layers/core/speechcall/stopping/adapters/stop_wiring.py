"""What the functions that stop messages work with: the use cases, with their stores, telephony and engine."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import StatusEvent
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.use_cases.clock import Clock
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.stopping.use_cases.stop_message import Cancelled, cancel_message
from speechcall.stopping.use_cases.stop_requests import StopDesk
from speechcall.telephony.provider import chosen_telephony

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient


def canceller(
    dynamodb: "DynamoDBClient", stepfunctions: "SFNClient", messages_table: str, messages: MessageStore, clock: Clock
) -> Callable[[Message | None, bool], Cancelled | None]:
    """`cancel_message`, for the telephony that the function's environment names."""
    return partial(
        cancel_message,
        messages=messages,
        calls=DynamoCalls(dynamodb, messages_table),
        telephony=chosen_telephony(),
        engine=TaskEngine(stepfunctions),
        clock=clock,
    )


def stop_desk(
    dynamodb: "DynamoDBClient",
    changes: "DynamoDBClient",
    stepfunctions: "SFNClient",
    messages_table: str,
    registry_table: str,
    wake_worker: Callable[[], object],
    clock: Clock,
    tell: Callable[[StatusEvent], object],
) -> StopDesk:
    """What the API's requests to pause, resume and cancel work with.

    `changes`: the audit trail's client, through which they write what they were asked for, so that it is recorded.
    `dynamodb`: a plain one, for what they read. `tell`: queues status events.
    """
    messages = DynamoMessages(changes, messages_table, registry_table, tell)
    return StopDesk(
        messages=messages,
        stops=DynamoStops(changes, registry_table),
        turns=messages.turns,
        lists=DynamoLists(dynamodb, registry_table),
        history=DynamoHistory(dynamodb, messages_table),
        cancel=canceller(dynamodb, stepfunctions, messages_table, messages, clock),
        wake_worker=wake_worker,
        clock=clock,
    )
