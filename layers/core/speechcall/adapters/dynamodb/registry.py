"""Published flows, in the table Registry."""

from typing import TYPE_CHECKING

from speechcall.adapters.dynamodb.table import Values, from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Registry:
    """What is known beside the messages. Lookups by key only; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find_flow(self, name: str) -> str | None:
        """The ARN of a state machine that was published under `name`."""
        found = self._get(f"FLOW#{name}", "FLOW")
        return found["arn"] if found else None

    def put_flow(self, name: str, arn: str) -> None:
        self._put(f"FLOW#{name}", "FLOW", {"arn": arn})

    def _get(self, pk: str, sk: str) -> Values | None:
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None

    def _put(self, pk: str, sk: str, values: Values) -> None:
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire({"pk": pk, "sk": sk, **values}))
