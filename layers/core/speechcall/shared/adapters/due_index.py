"""The sparse index `due` of the table Messages: a shard's items by the moment at which to look after them."""

from typing import TYPE_CHECKING

from speechcall.shared.adapters.table import Values, from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def due_in(
    client: "DynamoDBClient", table: str, shard: str, now_msec: int, limit: int, since_msec: int = 0
) -> list[Values]:
    """The keys and `due_at` of what is due in one shard, from a moment until now: the oldest first, `limit` at most.

    The index may lag behind the table. Raises StoreUnavailable.
    """
    with store_errors():
        page = client.query(
            TableName=table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at BETWEEN :since AND :now",
            ExpressionAttributeValues=to_wire({":shard": shard, ":since": since_msec, ":now": now_msec}),
            Limit=limit,
        )
    return [from_wire(item) for item in page["Items"]]
