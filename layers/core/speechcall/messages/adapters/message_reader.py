"""Messages as they are read: all that a function needs that changes none of them."""

from typing import TYPE_CHECKING

from speechcall.messages.adapters.message_items import load
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.keys import message_key
from speechcall.shared.adapters.table import read_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoMessageReader:
    """A `MessageReader` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", messages_table: str) -> None:
        self._client, self._messages = client, messages_table

    def get(self, mid: str) -> Message | None:
        item = read_item(self._client, self._messages, message_key(mid))
        return load(item) if item else None
