"""The sealed webhook secrets: pk `WEBHOOK_SECRETS`, sk the account's id, in the table Registry.

A key of their own, so that who signs may be allowed to read them and nothing else of the table.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from speechcall.shared.adapters.keys import SIGNING_SECRETS, signing_secrets_key
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_item,
    store_errors,
    tell_change,
    to_wire,
)
from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""


class DynamoWebhookSecrets:
    """A `SecretStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def secrets_of(self, account_id: str) -> tuple[SealedSecret, ...]:
        """Strongly consistent."""
        return load(read_item(self._client, self._table, signing_secrets_key(account_id)) or {})

    def replace(self, account_id: str, secrets: Sequence[SealedSecret], instead_of: Sequence[SealedSecret]) -> bool:
        """Stores an account's secrets in the place of those that were read. False: they have changed since.

        rotate A   read: 1 ──► PutItem: 2, 1 ──► written
        rotate B   read: 1          PutItem ──X not as read
                                    (else secret 2, which somebody was shown, would never sign)
        """
        as_read, read = _as_read(instead_of)
        tell_change(self._client, {"webhookSecrets": len(instead_of)}, {"webhookSecrets": len(secrets)})
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(dump(account_id, secrets)),
                    ConditionExpression=as_read,
                    ExpressionAttributeValues=to_wire(read),
                )
        except ConditionFailed:
            return False
        return True

    def signed_accounts(self, now_msec: int) -> set[str]:
        """The accounts with a secret that signs now; one query for all of them."""
        found: set[str] = set()
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": SIGNING_SECRETS}),
                ConsistentRead=True,
            )
            for page in pages:
                for item in map(from_wire, page["Items"]):
                    if any(one.signs_at(now_msec) for one in load(item)):
                        found.add(item["sk"])
        return found


def dump(account_id: str, secrets: Sequence[SealedSecret]) -> Values:
    """The item of an account's secrets."""
    members = [
        {"sealed": one.sealed, "created_msec": one.created_msec, "until_msec": one.until_msec} for one in secrets
    ]
    return {**signing_secrets_key(account_id), "v": FORM, "secrets": members}


def load(item: Values) -> tuple[SealedSecret, ...]:
    """The secrets in an item."""
    return tuple(
        SealedSecret(one["sealed"], one["created_msec"], one.get("until_msec")) for one in item.get("secrets", ())
    )


def _as_read(secrets: Sequence[SealedSecret]) -> tuple[str, Values]:
    """The condition that an item has these secrets and no other, and its values. Of none: there need be no item.

    Member by member: a newer release's item may say more of each than was read.
    """
    so_many = "size(secrets) = :count"
    clauses = [so_many]
    values: Values = {":count": len(secrets)}
    for place, one in enumerate(secrets):
        name, value = f"secrets[{place}].until_msec", f":until_{place}"
        has_no_end = f"attribute_not_exists({name}) OR {name} = {value}"
        clauses += [
            f"secrets[{place}].sealed = :sealed_{place}",
            f"({has_no_end})" if one.until_msec is None else f"{name} = {value}",
        ]
        values |= {f":sealed_{place}": one.sealed, value: one.until_msec}
    held = " AND ".join(clauses)
    return held if secrets else f"attribute_not_exists(pk) OR {held}", values
