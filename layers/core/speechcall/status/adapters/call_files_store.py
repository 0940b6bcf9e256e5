"""Signed files of calls: pk `M#<mid>`, sk `FILE#<form>`, as long as their message.

Readers of a message's partition pass over what they do not know, those of the release before too.
"""

from typing import TYPE_CHECKING

from speechcall.shared.adapters.keys import call_file_key
from speechcall.shared.adapters.table import ConditionFailed, read_item, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoCallFiles:
    """Keeps the first file of a form that is made of a message."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find(self, mid: str, form: str) -> str | None:
        """The file of a form that is kept of a message; None: there is none. Strongly consistent."""
        item = read_item(self._client, self._table, call_file_key(mid, form))
        return str(item["text"]) if item else None

    def keep(self, mid: str, form: str, text: str, expires_at: int) -> str:
        """Keeps a file, unless there is one of its form. Out: the file that counts from now on.

        request A   read ──► no file ──► signs ──► PutItem ──────────────► A's file
        request B   read ──► no file ──► signs ────────────► PutItem ──X ──► reads A's file
        """
        is_the_first = "attribute_not_exists(pk)"
        item = {**call_file_key(mid, form), "text": text, "expires_at": expires_at}
        try:
            with store_errors():
                self._client.put_item(TableName=self._table, Item=to_wire(item), ConditionExpression=is_the_first)
        except ConditionFailed:
            return self.find(mid, form) or text  # it may have expired between the two
        return text
