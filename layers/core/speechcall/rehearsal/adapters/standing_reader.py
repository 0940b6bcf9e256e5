"""What waits in a stack now, read for a rehearsal. Nothing is written.

Queued messages are found by the index `due`, where each of them has a place as long as it waits. So the read costs the
index's keys, and each message once: half a read unit for each 4 KB of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.message_items import load
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.stops import Held, StopState
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.rehearsal.adapters.virtual_stack import Standing
from speechcall.shared.adapters.keys import LATER, due_shards, message_key, mid_of
from speechcall.shared.adapters.table import from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.messages.rules.turns import Queue, Turn

MOST_READ = 200_000
"""Messages that wait."""
_AT_ONCE = 100


class Stops(Protocol):
    """What is paused or cancelled."""

    def held(self, account_id: str, list_id: str, campaign: str, *, is_urgent: bool) -> Held: ...


class TooManyWait(Exception):
    """More messages wait than a rehearsal reads."""


def read_standing(
    client: "DynamoDBClient",
    table: str,
    *,
    accounts: Iterable[Account],
    new: Sequence[Message],
    lines: PoolState,
    turns: TurnStore,
    stops: Stops,
    progress: Callable[[int], object] = lambda _count: None,
) -> Standing:
    """All that waits or is in a call, a little behind. `table`: Messages; `progress` hears how many were read.

    `accounts`: all that the stack has, because the messages of all are read. `lines`: as just read.

    Raises TooManyWait, StoreUnavailable.
    """
    read: list[tuple[Sequence[Turn], Sequence[Queue]]] = [turns.all_of(one.account_id) for one in accounts]
    messages: list[Message] = []
    for mids in in_parts(_waiting(client, table)):
        messages += read_messages(client, table, mids)
        progress(len(messages))
    return Standing(
        lines,
        [turn for found, _ in read for turn in found],
        [queue for _, found in read for queue in found],
        messages,
        stopped_lists([*messages, *new], stops),
    )


def stopped_lists(messages: Iterable[Message], stops: Stops) -> dict[tuple[Brake, object], str]:
    """Of the lists of messages those that are stopped, by themselves or with their campaign or account.

    Out: `paused` or `cancelled`, by `Brake.LIST` and the list's id.
    """
    lists = {(one.account_id, one.list_id, one.campaign, one.is_urgent) for one in messages}
    stopped: dict[tuple[Brake, object], str] = {}
    for account_id, list_id, campaign, is_urgent in sorted(lists):
        state = stops.held(account_id, list_id, campaign, is_urgent=is_urgent).state
        if state is not StopState.ACTIVE:
            stopped[Brake.LIST, list_id] = state.value
    return stopped


def _waiting(client: "DynamoDBClient", table: str) -> Iterator[str]:
    """The ids of all messages that are being prepared, are queued or in a call. Raises TooManyWait."""
    states = (State.PREPARING, State.QUEUED, State.CALLING)
    count = 0
    for shard in (*(shard for state in states for shard in due_shards(state.value)), LATER):
        with store_errors():
            pages = client.get_paginator("query").paginate(
                TableName=table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard",
                ExpressionAttributeValues=to_wire({":shard": shard}),
            )
            for page in pages:
                count += len(page["Items"])
                if count > MOST_READ:
                    raise TooManyWait(f"more than {MOST_READ} messages wait")
                yield from (mid_of(from_wire(item)["pk"]) for item in page["Items"])


def in_parts(mids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, each once, `_AT_ONCE` at a time."""
    part: list[str] = []
    for mid in dict.fromkeys(mids):  # what moves from shard to shard meanwhile is seen twice
        part.append(mid)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def read_messages(client: "DynamoDBClient", table: str, mids: Sequence[str]) -> list[Message]:
    """The messages of these ids (at most 100) that are still there. Raises StoreUnavailable."""
    unread = {table: {"Keys": [to_wire(message_key(mid)) for mid in mids]}}
    found: list[Message] = []
    while unread:
        with store_errors():
            answer = client.batch_get_item(RequestItems=unread)  # type: ignore[arg-type]
        found += [load(from_wire(item)) for item in answer["Responses"].get(table, [])]
        unread = answer.get("UnprocessedKeys")  # type: ignore[assignment]
    return found
