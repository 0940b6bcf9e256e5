"""Who has called whom: the call attempts by the digest of their number, in the index `order` of MessagesTable.

Each attempt stands there as soon as it is dialled, for as long as its message is kept. The index is a moment behind.
"""

from typing import TYPE_CHECKING

from speechcall.callbacks.use_cases.answer_call_back import LastCall
from speechcall.shared.adapters.keys import called_partition, message_key, mid_of
from speechcall.shared.adapters.table import from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "order"


class DynamoCalledNumbers:
    """`CalledNumbers` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def last_call(self, digest: str) -> LastCall | None:
        """As `CalledNumbers` says: by the latest attempt that the index shows, of whichever account."""
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="order_pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": called_partition(digest)}),
                ScanIndexForward=False,
                Limit=1,
            )
        found = next((from_wire(item) for item in page["Items"]), None)
        return self.call_of(mid_of(found["pk"])) if found else None

    def call_of(self, mid: str) -> LastCall | None:
        """As `CalledNumbers` says, strongly consistent. Whether the message was dialled is not looked at."""
        with store_errors():
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire(message_key(mid)),
                # Its menus are not read: they are long, and the caller waits in silence meanwhile.
                ProjectionExpression="account_id, sender, number_digest",
                ConsistentRead=True,
            )
        if "Item" not in answer:
            return None
        item = from_wire(answer["Item"])
        return LastCall(mid, item["account_id"], item["sender"], item.get("number_digest", ""))
