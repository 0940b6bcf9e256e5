"""Accounts (pk `ACCOUNTS`, sk their id) and their credentials, in the table Registry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speechcall.adapters.dynamodb.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.application.accounts import Credential
from speechcall.domain.account import Account

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAccounts:
    """The accounts. Lookups by key; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find_credential(self, name: str) -> Credential | None:
        """The credential stored under a name of `application.accounts`."""
        found = self._get(f"CREDENTIAL#{name}", "CREDENTIAL")
        return Credential(found["account_id"], found["secret_sha256"]) if found else None

    def find(self, account_id: str) -> Account | None:
        """An account by its id."""
        found = self._get("ACCOUNTS", account_id)
        return _load(found) if found else None

    def all(self) -> list[Account]:
        """Every account, by id."""
        found: list[Account] = []
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": "ACCOUNTS"}),
            )
            for page in pages:
                found += [_load(from_wire(item)) for item in page["Items"]]
        return found

    def add(self, account: Account, credentials: dict[str, Credential]) -> bool:
        """Writes an account and its credentials together. False if the id or a name is taken."""
        return self._write(account, credentials, (), "attribute_not_exists(pk)")

    def save(self, account: Account) -> bool:
        """Replaces an account's settings. False if there is no such account."""
        item = _dump(account)
        names = self._get("ACCOUNTS", account.account_id)
        if names is None:
            return False
        with store_errors():
            kept = {**item, "credential_names": names["credential_names"]}
            self._client.put_item(TableName=self._table, Item=to_wire(kept))
        return True

    def replace_credentials(self, account: Account, credentials: dict[str, Credential]) -> bool:
        """Takes the place of all credentials of an account, at once. False if there is no such account."""
        found = self._get("ACCOUNTS", account.account_id)
        if found is None:
            return False
        old = [name for name in found["credential_names"] if name not in credentials]
        return self._write(account, credentials, old, "attribute_exists(pk)")

    def _write(
        self, account: Account, credentials: dict[str, Credential], removed: Sequence[str], condition: str
    ) -> bool:
        item = {**_dump(account), "credential_names": sorted(credentials)}
        writes: list[Any] = [
            {"Put": {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": condition}}
        ]
        for name, credential in credentials.items():
            its_own = "attribute_not_exists(pk) OR account_id = :account"
            values = {"account_id": credential.account_id, "secret_sha256": credential.secret_sha256}
            put = {
                "TableName": self._table,
                "Item": to_wire({**_credential_key(name), **values}),
                "ConditionExpression": its_own,
                "ExpressionAttributeValues": to_wire({":account": account.account_id}),
            }
            writes.append({"Put": put})
        writes += [{"Delete": {"TableName": self._table, "Key": to_wire(_credential_key(name))}} for name in removed]
        try:
            with store_errors():
                self._client.transact_write_items(TransactItems=writes)
        except ConditionFailed:
            return False
        return True

    def _get(self, pk: str, sk: str) -> Values | None:
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None


def _credential_key(name: str) -> dict[str, str]:
    return {"pk": f"CREDENTIAL#{name}", "sk": "CREDENTIAL"}


def _dump(account: Account) -> Values:
    return {
        "pk": "ACCOUNTS",
        "sk": account.account_id,
        "prefixes": list(account.prefixes),
        "calls_per_day": account.calls_per_day,
        "rate": account.rate,
        "burst": account.burst,
        "senders": dict(account.senders),
        "disabled": account.disabled,
    }


def _load(item: Values) -> Account:
    return Account(
        account_id=item["sk"],
        prefixes=tuple(item["prefixes"]),
        calls_per_day=item["calls_per_day"],
        rate=item["rate"],
        burst=item["burst"],
        senders=item["senders"],
        disabled=item["disabled"],
    )
