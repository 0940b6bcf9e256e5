"""The stores that are held equal: those in memory and DynamoDB (moto), by the same names."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.use_cases.ports import CallStore
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from tests.kit.registry import dynamodb_client, table_requests
from tests.kit.store_samples import Stores


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, Any]]:
    return table_requests()


@pytest.fixture(scope="module")
def client() -> Any:
    return dynamodb_client()


@pytest.fixture
def dynamodb(client, tables) -> Iterator[Stores]:
    with mock_aws():
        for name, request in tables.items():
            client.create_table(TableName=name, **request)
        messages_table, registry_table = tables
        yield Stores(
            DynamoCalls(client, messages_table),
            DynamoMessages(client, *tables),
            DynamoPool(client, registry_table),
            client,
            *tables,
        )


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request) -> Stores:
    if request.param == "memory":
        memory = MemoryMessages()
        return Stores(MemoryCalls(), memory, memory.pool)
    return request.getfixturevalue("dynamodb")


@pytest.fixture
def calls(stores) -> CallStore:
    return stores.calls


@pytest.fixture
def messages(stores) -> MessageStore:
    return stores.messages


@pytest.fixture
def lines(stores) -> PoolStore:
    return stores.lines


@pytest.fixture
def turns(messages):
    return messages.turns


@pytest.fixture
def change_turn(stores):
    """What an operator, or a release before, has made of a turn."""

    def change(account_id, is_urgent=False, **fields):
        if stores.client is None:
            turns = stores.messages.turns
            turns.change(replace(turns.find(account_id, is_urgent), **fields))
            return
        names = {"share": "line_share", "is_paused": "paused_msec"}
        for name, value in fields.items():
            stores.client.update_item(
                TableName=stores.registry_table,
                Key={"pk": {"S": f"TURN#{account_id}"}, "sk": {"S": "URGENT" if is_urgent else "NORMAL"}},
                UpdateExpression=f"SET {names.get(name, name)} = :value",
                ExpressionAttributeValues={":value": {"N": str(int(value))}},
            )

    return change
