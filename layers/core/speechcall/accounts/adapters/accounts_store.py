"""Accounts (pk `ACCOUNTS`, sk their id) and their credentials, in the table Registry."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.account import DEFAULT_SHARE, Account
from speechcall.accounts.use_cases.accounts import Credential, Refusals
from speechcall.shared.adapters.keys import ACCOUNTS, Key, account_key, credential_key, turn_key
from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.shared.rules.calling_hours import Window

_NEWER: Mapping[str, object] = {
    "share": DEFAULT_SHARE,
    "max_lines": None,
    "urgent_per_minute": 0,
    "denied": [],
    "premium": False,
    "windows": [],
    "time_zone": None,
}
"""Settings that items of the release before lack, with what they are then."""
FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""


class DynamoAccounts:
    """The accounts. Lookups by key; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self.refusals = Refusals(time.monotonic)
        """Of this environment."""

    def find_credential(self, name: str) -> Credential | None:
        """The credential stored under a name of `accounts.use_cases.accounts`."""
        found = self._get(credential_key(name))
        return Credential(found["account_id"], found["secret_sha256"]) if found else None

    def find(self, account_id: str) -> Account | None:
        """An account by its id."""
        found = self._get(account_key(account_id))
        return _load(found) if found else None

    def all(self) -> list[Account]:
        """Every account, by id."""
        found: list[Account] = []
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": ACCOUNTS}),
                ConsistentRead=True,
            )
            for page in pages:
                found += [_load(from_wire(item)) for item in page["Items"]]
        return found

    def add(self, account: Account, credentials: dict[str, Credential]) -> bool:
        """Writes an account and its credentials together. False if the id or a name is taken."""
        new = "attribute_not_exists(pk)"
        item = {
            **account_key(account.account_id),
            "v": FORM,
            **_settings(account),
            "credential_names": sorted(credentials),
        }
        put = {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": new}
        turns = self._turn_updates(account) if _queues_otherwise(account, Account("", ())) else []
        return self._write([{"Put": put}, *self._credential_puts(account.account_id, credentials), *turns])

    def save(self, account: Account, instead_of: Account) -> bool:
        """Replaces an account's settings if they are as they were read. False if they are not, or there are none.

        Share and lines are its turn's too, which claims go by: both are written together, so they hold from the next
        claim on.

        set --rate 5   find: rate 50, enabled ───────────────────► UpdateItem ──X not as read: find again
        disable            find: rate 50, enabled ──► UpdateItem ──► disabled, and stays so
        rotate                                     credential_names: neither read nor written here
        """
        settings, read = _settings(account), _settings(instead_of)
        as_read = [_as_read(name, value) for name, value in read.items()]
        assignments = [f"#{name} = :{name}" for name in settings]
        values = {f":{name}": value for name, value in settings.items()}
        values |= {f":read_{name}": value for name, value in read.items()}
        update = {
            "TableName": self._table,
            "Key": to_wire(account_key(account.account_id)),
            "UpdateExpression": f"SET {', '.join(assignments)}",
            "ConditionExpression": " AND ".join(as_read),
            "ExpressionAttributeNames": {f"#{name}": name for name in settings},
            "ExpressionAttributeValues": to_wire(values),
        }
        turns = self._turn_updates(account) if _queues_otherwise(account, instead_of) else []
        return self._write([{"Update": update}, *turns])

    def _turn_updates(self, account: Account) -> list[Any]:
        """What its turns go by from now on. The limit of lines is of those calls that are not urgent."""
        of_all = ("SET line_share = :share REMOVE max_lines", {":share": account.share})
        of_normal = of_all
        if account.max_lines is not None:
            limited = {":share": account.share, ":most": account.max_lines}
            of_normal = ("SET line_share = :share, max_lines = :most", limited)
        return [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": to_wire(turn_key(account.account_id, is_urgent)),
                    "UpdateExpression": expression,
                    "ExpressionAttributeValues": to_wire(values),
                }
            }
            for is_urgent, (expression, values) in ((False, of_normal), (True, of_all))
        ]

    def replace_credentials(self, account_id: str, credentials: dict[str, Credential]) -> bool:
        """Takes the place of all credentials of an account, at once.

        False if there is no such account, or its credentials were replaced by another in this moment.

        rotate A   read: key 1 ──► transaction: key 1 ─► key 2 ──► written
        rotate B   read: key 1 ────────────────────────────► transaction ──X names not as read
                                   (else key 2 would open the account for ever, unknown to anybody)
        """
        found = self._get(account_key(account_id))
        if found is None:
            return False
        names_as_read = "credential_names = :read"
        names = {":read": found["credential_names"], ":names": sorted(credentials)}
        update = {
            "TableName": self._table,
            "Key": to_wire(account_key(account_id)),
            "UpdateExpression": "SET credential_names = :names",
            "ConditionExpression": names_as_read,
            "ExpressionAttributeValues": to_wire(names),
        }
        old = [name for name in found["credential_names"] if name not in credentials]
        deletes = [{"Delete": {"TableName": self._table, "Key": to_wire(credential_key(name))}} for name in old]
        return self._write([{"Update": update}, *self._credential_puts(account_id, credentials), *deletes])

    def _credential_puts(self, account_id: str, credentials: dict[str, Credential]) -> list[Any]:
        free_or_its_own = "attribute_not_exists(pk) OR account_id = :account"
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": to_wire({**credential_key(name), **_dump_credential(credential)}),
                    "ConditionExpression": free_or_its_own,
                    "ExpressionAttributeValues": to_wire({":account": account_id}),
                }
            }
            for name, credential in credentials.items()
        ]

    def _write(self, writes: list[Any]) -> bool:
        try:
            with store_errors():
                self._client.transact_write_items(TransactItems=writes)
        except ConditionFailed:
            return False
        return True

    def _get(self, key: Key) -> Values | None:
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire(key), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None


def _dump_credential(credential: Credential) -> Values:
    return {"account_id": credential.account_id, "secret_sha256": credential.secret_sha256}


def _settings(account: Account) -> Values:
    return {
        "prefixes": list(account.prefixes),
        "calls_per_day": account.calls_per_day,
        "rate": account.rate,
        "burst": account.burst,
        "senders": dict(account.senders),
        "disabled": account.disabled,
        "share": account.share,
        "max_lines": account.max_lines,
        "urgent_per_minute": account.urgent_per_minute,
        "denied": list(account.denied),
        "premium": account.premium,
        "windows": _dump_windows(account.windows) if account.windows else [],
        "time_zone": account.time_zone,
    }


def _as_read(name: str, value: object) -> str:
    """The clause that a setting is as it was read. A release before wrote none of the newer ones."""
    default = _NEWER.get(name, ...)
    return (
        f"(attribute_not_exists(#{name}) OR #{name} = :read_{name})" if value == default else f"#{name} = :read_{name}"
    )


def _queues_otherwise(account: Account, before: Account) -> bool:
    """Whether its turn goes by something else than before."""
    return (account.share, account.max_lines) != (before.share, before.max_lines)


def _load(item: Values) -> Account:
    return Account(
        account_id=item["sk"],
        prefixes=tuple(item["prefixes"]),
        calls_per_day=item["calls_per_day"],
        rate=item["rate"],
        burst=item["burst"],
        senders=item["senders"],
        disabled=item["disabled"],
        share=item.get("share", DEFAULT_SHARE),
        max_lines=item.get("max_lines"),
        urgent_per_minute=item.get("urgent_per_minute", 0),
        denied=tuple(item.get("denied", ())),
        premium=item.get("premium", False),
        windows=_load_windows(stored) if (stored := item.get("windows")) else (),
        time_zone=item.get("time_zone"),
    )


def _dump_windows(windows: "tuple[Window, ...]") -> list[dict[str, Any]]:
    from speechcall.shared.rules.calling_hours import dump_windows  # noqa: PLC0415, few accounts have windows

    return dump_windows(windows)


def _load_windows(stored: list[dict[str, Any]]) -> "tuple[Window, ...]":
    from speechcall.shared.rules.calling_hours import load_windows  # noqa: PLC0415, as above

    return load_windows(stored)
