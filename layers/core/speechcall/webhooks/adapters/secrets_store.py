"""The sealed webhook secrets: pk `WEBHOOK_SECRETS`, sk the account's id, in the table Registry.

A key of their own, so that who signs may be allowed to read them and nothing else of the table.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PK = "WEBHOOK_SECRETS"


class DynamoWebhookSecrets:
    """A `SecretStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def secrets_of(self, account_id: str) -> tuple[SealedSecret, ...]:
        """Strongly consistent."""
        key = to_wire({"pk": _PK, "sk": account_id})
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _load(from_wire(found.get("Item", {})))

    def replace(self, account_id: str, secrets: Sequence[SealedSecret], instead_of: Sequence[SealedSecret]) -> bool:
        """
        rotate A   read: 1 ──► PutItem: 2, 1 ──► written
        rotate B   read: 1          PutItem ──X not as read
                                    (else secret 2, which somebody was shown, would never sign)
        """
        as_read = "secrets = :read" if instead_of else "attribute_not_exists(pk) OR secrets = :read"
        read: Any = [asdict(one) for one in instead_of]
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire({"pk": _PK, "sk": account_id, "secrets": [asdict(one) for one in secrets]}),
                    ConditionExpression=as_read,
                    ExpressionAttributeValues=to_wire({":read": read}),
                )
        except ConditionFailed:
            return False
        return True

    def signed_accounts(self, now_msec: int) -> set[str]:
        """One query for all of them."""
        found: set[str] = set()
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": _PK}),
                ConsistentRead=True,
            )
            for page in pages:
                for item in map(from_wire, page["Items"]):
                    if any(one.signs_at(now_msec) for one in _load(item)):
                        found.add(item["sk"])
        return found


def _load(item: Values) -> tuple[SealedSecret, ...]:
    return tuple(SealedSecret(**one) for one in item.get("secrets", ()))
