"""Messages as they are read: all that a function needs that changes none of them."""

from typing import TYPE_CHECKING

from speechcall.messages.adapters.message_items import load
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.keys import message_key
from speechcall.shared.adapters.table import from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoMessageReader:
    """A `MessageReader` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", messages_table: str) -> None:
        self._client, self._messages = client, messages_table

    def get(self, mid: str) -> Message | None:
        with store_errors():
            found = self._client.get_item(TableName=self._messages, Key=to_wire(message_key(mid)), ConsistentRead=True)
        return load(from_wire(found["Item"])) if "Item" in found else None
