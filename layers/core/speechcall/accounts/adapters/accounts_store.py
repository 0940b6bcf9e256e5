"""Accounts (pk `ACCOUNTS`, sk their id) and their credentials, in the table Registry."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.account import DEFAULT_KEEP_DAYS, DEFAULT_SHARE, Account, CallBack
from speechcall.accounts.rules.scope import WITHOUT_A_NAME, Scope
from speechcall.accounts.use_cases.accounts import NAMED, Change, Credential, Refusals
from speechcall.shared.adapters.keys import ACCOUNTS, Key, account_key, credential_key, turn_key
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_item,
    store_errors,
    tell_change,
    to_wire,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.shared.rules.calling_hours import Window

_NEWER: Mapping[str, object] = {
    "share": DEFAULT_SHARE,
    "max_lines": None,
    "urgent_per_minute": 0,
    "denied": [],
    "premium": False,
    "ignores_opt_out": False,
    "windows": [],
    "time_zone": None,
    "call_back": {},
    "calls_per_number": None,
    "minutes_per_day": None,
    "spend_per_day": None,
    "status_url": "",
    "status_events": ["final"],
    "requires": "",
    "sms_per_day": 0,
    "keep_days": DEFAULT_KEEP_DAYS,
}
"""Settings that an item of any earlier release may lack, with the value that this means; `_load` has the same."""
FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""


class DynamoAccounts:
    """The accounts. Lookups by key; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self.refusals = Refusals(time.monotonic)
        """Credentials refused lately, known to this execution environment alone."""

    def find_credential(self, name: str) -> Credential | None:
        """The credential stored under a name (see `user_name`, `key_name`); None: there is none."""
        found = self._get(credential_key(name))
        return load_credential(found) if found else None

    def find(self, account_id: str) -> Account | None:
        """An account by its id."""
        found = self._get(account_key(account_id))
        return _load(found) if found else None

    def all(self) -> list[Account]:
        """Every account, also disabled ones, in the order of their ids."""
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
        """Writes an account and its credentials, by their names, together. False: the id or one of the names is taken,
        and nothing is written.
        """
        new = "attribute_not_exists(pk)"
        item = {
            **account_key(account.account_id),
            "v": FORM,
            **_settings(account),
            "credential_names": sorted(credentials),
        }
        put = {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": new}
        # An account with the defaults needs no item of its turns.
        turns = self._turn_updates(account) if _changes_turns(account, Account("", ())) else []
        self._tell({}, _settings(account))
        return self._write([{"Put": put}, *self._credential_puts(account.account_id, credentials), *turns])

    def save(self, account: Account, instead_of: Account) -> bool:
        """Replaces an account's settings if they are as they were read (`instead_of`). False: they are not, or there is
        no such account; nothing is written.

        Share, lines, calls to a number, minutes and spend stand in the items of its turns too, which claims of lines
        read: both are written together, so they hold from the next claim on.

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
        turns = self._turn_updates(account) if _changes_turns(account, instead_of) else []
        self._tell(read, settings)
        return self._write([{"Update": update}, *turns])

    def _tell(self, before: Values, after: Values) -> None:
        """Says to the audit trail, where there is one, which settings change."""
        from speechcall.accounts.adapters.told_settings import told  # noqa: PLC0415, requests change no account

        tell_change(self._client, *told(before, after))

    def _turn_updates(self, account: Account) -> list[Any]:
        """Writes of the settings by which the account's two turns, normal and urgent, take lines.

        Only normal calls are limited by `max_lines`.
        """
        of_all: dict[str, int | None] = {
            "line_share": account.share,
            "max_lines": None,
            "calls_per_number": account.calls_per_number,
            "minutes_per_day": account.minutes_per_day,
            "spend_per_day": account.spend_per_day,
        }
        of_normal = {**of_all, "max_lines": account.max_lines}
        return [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": to_wire(turn_key(account.account_id, is_urgent)),
                    "UpdateExpression": _set_or_remove(settings),
                    "ExpressionAttributeValues": to_wire(
                        {f":{name}": value for name, value in settings.items() if value is not None}
                    ),
                }
            }
            for is_urgent, settings in ((False, of_normal), (True, of_all))
        ]

    def replace_credentials(self, account_id: str, credentials: dict[str, Credential]) -> bool:
        """Replaces the credentials without a name of an account, all at once. Keys with a name stay.

        False: there is no such account, or another has changed its credentials in this moment; nothing is written.

        rotate A   read: key 1 ──► transaction: key 1 ─► key 2 ──► written
        rotate B   read: key 1 ────────────────────────────► transaction ──X names not as read
                                   (else key 2 would open the account for ever, unknown to anybody)
        """
        found = self._get(account_key(account_id))
        if found is None:
            return False
        read = found["credential_names"]
        gone = [name for name in read if not name.startswith(NAMED) and name not in credentials]
        return self._change_credentials(account_id, read, credentials, gone)

    def named_keys(self, account_id: str) -> dict[str, Credential] | None:
        """The keys with a name of an account, by the names under which they are stored; None: no such account."""
        found = self._get(account_key(account_id))
        return None if found is None else self._named_keys(found["credential_names"])

    def add_named_key(self, stored_as: str, key: Credential, most: int) -> Change:
        """Adds a key with a name under `stored_as`, if the account has none of this name, and fewer than `most`.
        Out: DONE, or why it was not added.

        create A `shop`   read: names 1 ──► transaction ──► names 2
        create B `shop`   read: names 1 ──────────────────────► transaction ──X names not as read: read again, TAKEN
                                     (else two keys had one name, and revoking it would stop one of them)

        rotate            read: names 1 ──► transaction ──► names 2 (the rotated, and what has a name)
        create            read: names 1 ──────────────────────► transaction ──X names not as read: read again
                                     (else the rotated credentials were no longer among the account's)

        disable           its condition is on the settings alone: both are written, in any order
        """
        found = self._get(account_key(key.account_id))
        if found is None:
            return Change.NOT_THERE
        read = found["credential_names"]
        there = self._named_keys(read)
        if any(one.key_name == key.key_name for one in there.values()):
            return Change.TAKEN
        if len(there) >= most:
            return Change.TOO_MANY
        tell_change(self._client, {}, _told_key(key))
        done = self._change_credentials(key.account_id, read, {stored_as: key}, [])
        return Change.DONE if done else Change.RACED

    def remove_named_key(self, account_id: str, key_name: str) -> Change:
        """Takes the key of a name away: it opens nothing from the next request on. Out: DONE, NOT_THERE or RACED.

        revoke `shop`            read: names 1 ──► transaction: item deleted ──► names 2
        create `shop`, TAKEN     read: names 1 ──X has one of this name (a repeat finds the name free)
        create `till`            read: names 1 ─────────────────────────────────────► transaction ──X names not as read
                                     (else `till` would bring the revoked name back into the account's names)
        """
        found = self._get(account_key(account_id))
        if found is None:
            return Change.NOT_THERE
        read = found["credential_names"]
        going = {name: key for name, key in self._named_keys(read).items() if key.key_name == key_name}
        if not (gone := [*going]):
            return Change.NOT_THERE
        tell_change(self._client, _told_key(going[gone[0]]), {})
        return Change.DONE if self._change_credentials(account_id, read, {}, gone) else Change.RACED

    def _named_keys(self, credential_names: list[str]) -> dict[str, Credential]:
        """The keys with a name among an account's credentials; one read for each.

        The items never change, so each is as it was when the names were read, or gone.
        """
        found = {name: self.find_credential(name) for name in credential_names if name.startswith(NAMED)}
        return {name: credential for name, credential in found.items() if credential}

    def _change_credentials(
        self, account_id: str, read: list[str], put: dict[str, Credential], gone: list[str]
    ) -> bool:
        """Writes and deletes credentials, and the account's list of their names, if that is still as `read`.

        False: the list has changed, or a name is another account's; nothing is written.
        """
        names_as_read = "credential_names = :read"
        names = {":read": read, ":names": sorted((set(read) | set(put)) - set(gone))}
        update = {
            "TableName": self._table,
            "Key": to_wire(account_key(account_id)),
            "UpdateExpression": "SET credential_names = :names",
            "ConditionExpression": names_as_read,
            "ExpressionAttributeValues": to_wire(names),
        }
        deletes = [{"Delete": {"TableName": self._table, "Key": to_wire(credential_key(name))}} for name in gone]
        return self._write([{"Update": update}, *self._credential_puts(account_id, put), *deletes])

    def _credential_puts(self, account_id: str, credentials: dict[str, Credential]) -> list[Any]:
        """Writes of credentials, each under its name, which must be free or the account's own."""
        free_or_its_own = "attribute_not_exists(pk) OR account_id = :account"
        return [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": to_wire({**credential_key(name), **dump_credential(credential)}),
                    "ConditionExpression": free_or_its_own,
                    "ExpressionAttributeValues": to_wire({":account": account_id}),
                }
            }
            for name, credential in credentials.items()
        ]

    def _write(self, writes: list[Any]) -> bool:
        """Writes all in one transaction. False: a condition does not hold, and nothing is written."""
        try:
            with store_errors():
                self._client.transact_write_items(TransactItems=writes)
        except ConditionFailed:
            return False
        return True

    def _get(self, key: Key) -> Values | None:
        return read_item(self._client, self._table, key)


def dump_credential(credential: Credential) -> Values:
    """The item of a credential, without its key. One without a name is written in the form of the earlier releases."""
    item: Values = {"account_id": credential.account_id, "secret_sha256": credential.secret_sha256}
    if credential.key_name is None:
        return item
    return {
        **item,
        "v": FORM,
        "key_name": credential.key_name,
        "scopes": sorted(credential.scopes),
        "from_ips": list(credential.from_ips),
        "created_msec": credential.created_msec,
    }


def load_credential(item: Values) -> Credential:
    """The credential in an item. A scope that is not known here (a later release wrote it) allows nothing here."""
    account_id, digest = item["account_id"], item["secret_sha256"]
    if "key_name" not in item:
        return Credential(account_id, digest, WITHOUT_A_NAME)
    scopes = frozenset(scope for scope in Scope if scope in item["scopes"])
    return Credential(account_id, digest, scopes, item["key_name"], tuple(item["from_ips"]), item.get("created_msec"))


def _settings(account: Account) -> Values:
    """An account's settings as its item has them."""
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
        "ignores_opt_out": account.ignores_opt_out,
        "windows": _dump_windows(account.windows) if account.windows else [],
        "time_zone": account.time_zone,
        "call_back": {name: text for name, text in account.call_back._asdict().items() if text},
        "calls_per_number": account.calls_per_number,
        "minutes_per_day": account.minutes_per_day,
        "spend_per_day": account.spend_per_day,
        "status_url": account.status_url,
        "status_events": list(account.status_events),
        "requires": account.requires,
        "sms_per_day": account.sms_per_day,
        "keep_days": account.keep_days,
    }


def _told_key(key: Credential) -> Values:
    """What the audit trail tells of a key: not where it is stored, which is made of its secret."""
    return {"key": key.key_name, "scopes": sorted(key.scopes), "fromIps": list(key.from_ips)}


def _set_or_remove(settings: Mapping[str, object]) -> str:
    """The expression that writes settings: what is None goes."""
    assigned = ", ".join(f"{name} = :{name}" for name, value in settings.items() if value is not None)
    gone = ", ".join(name for name, value in settings.items() if value is None)
    return f"SET {assigned}" + (f" REMOVE {gone}" if gone else "")


def _as_read(name: str, value: object) -> str:
    """The clause that a setting still has the `value` that was read of it.

    Where that is what a missing one means (`_NEWER`), it may be missing too: an earlier release did not write it.
    """
    default = _NEWER.get(name, ...)  # `...` equals no value: all other settings are in every item
    return (
        f"(attribute_not_exists(#{name}) OR #{name} = :read_{name})" if value == default else f"#{name} = :read_{name}"
    )


def _changes_turns(account: Account, before: Account) -> bool:
    """Whether a setting that is copied to the account's turns differs."""
    return _of_turns(account) != _of_turns(before)


def _of_turns(account: Account) -> tuple[int | None, ...]:
    limits = (account.calls_per_number, account.minutes_per_day, account.spend_per_day)
    return account.share, account.max_lines, *limits


def _load(item: Values) -> Account:
    """The account in an item; what is absent means what `_NEWER` says."""
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
        ignores_opt_out=item.get("ignores_opt_out", False),
        windows=_load_windows(stored) if (stored := item.get("windows")) else (),
        time_zone=item.get("time_zone"),
        call_back=CallBack(*(item.get("call_back", {}).get(name, "") for name in CallBack._fields)),
        calls_per_number=item.get("calls_per_number"),
        minutes_per_day=item.get("minutes_per_day"),
        spend_per_day=item.get("spend_per_day"),
        status_url=item.get("status_url", ""),
        status_events=tuple(item.get("status_events", ("final",))),
        requires=item.get("requires", ""),
        sms_per_day=item.get("sms_per_day", 0),
        keep_days=item.get("keep_days", DEFAULT_KEEP_DAYS),
    )


def _dump_windows(windows: "tuple[Window, ...]") -> list[dict[str, Any]]:
    from speechcall.shared.rules.calling_hours import dump_windows  # noqa: PLC0415, few accounts have windows

    return dump_windows(windows)


def _load_windows(stored: list[dict[str, Any]]) -> "tuple[Window, ...]":
    from speechcall.shared.rules.calling_hours import load_windows  # noqa: PLC0415, as above

    return load_windows(stored)
