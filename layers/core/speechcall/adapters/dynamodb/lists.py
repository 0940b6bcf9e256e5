"""Message lists with their idempotency keys, and what accounts have spent: in the table Registry."""

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.dynamodb.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.application.accept_messages import MessageList
from speechcall.domain.account import Account
from speechcall.domain.errors import RateLimited, StoreUnavailable
from speechcall.domain.throttle import cost_msec, latest_full_msec, retry_after_seconds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_KEPT_SECONDS = 3 * 24 * 3600


class DynamoLists:
    """A `ListStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self._registry = Registry(client, table)

    def has_prompt(self, account_id: str, identifier: str) -> bool:
        return self._registry.has_prompt(account_id, identifier)

    def find_list(self, list_id: str) -> MessageList | None:
        """A list by its id."""
        found = self._get(f"LIST#{list_id}", "LIST")
        return _load(found) if found else None

    def find_list_by_key(self, account_id: str, key: str) -> MessageList | None:
        found = self._get(_key_name(account_id, key), "KEY")
        return self.find_list(found["list_id"]) if found else None

    def add_list(self, made: MessageList, key: str | None) -> MessageList:
        """
        request A   TransactWrite: list 1, key k ──► written
        request B        TransactWrite: list 2, key k ──X k exists ──► list 1 is B's as well
        """
        puts = [self._put(f"LIST#{made.list_id}", "LIST", _dump(made), "attribute_not_exists(pk)")]
        if key:
            named = {"list_id": made.list_id, "expires_at": made.expires_at}
            puts.append(self._put(_key_name(made.account_id, key), "KEY", named, "attribute_not_exists(pk)"))
        try:
            with store_errors():
                self._client.transact_write_items(TransactItems=puts)
        except ConditionFailed as failed:
            first = self.find_list_by_key(made.account_id, key) if key and 1 in failed.items else None
            if first is None:  # another request drew the same id
                raise StoreUnavailable("the id of the list is taken") from failed
            return first
        return made

    def spend(self, account: Account, messages: int, now_msec: int) -> None:
        self._spend_bucket(account, messages, now_msec)
        self._spend_day(account, messages, now_msec)

    def _spend_bucket(self, account: Account, messages: int, now_msec: int) -> None:
        """
        full_msec ≤ now: the bucket is full ──► full_msec = now + cost
        full_msec > now, not too far ─────────► full_msec + cost
        else ─────────────────────────────────► 429
        """
        cost = cost_msec(messages, account.rate)
        latest = latest_full_msec(now_msec, messages, account.rate, account.burst)
        it_is_full = "attribute_not_exists(full_msec) OR full_msec <= :now"
        it_has_enough = "full_msec > :now AND full_msec <= :latest"
        name = f"BUCKET#{account.account_id}"
        try:
            # Full for ever is the same as not there: the item may go with the day's.
            kept = {":until": now_msec // 1000 + DAY_KEPT_SECONDS}
            values = {":now": now_msec, ":full": now_msec + cost, **kept}
            self._update(name, "BUCKET", "SET full_msec = :full, expires_at = :until", it_is_full, values)
        except ConditionFailed:
            try:
                values = {":now": now_msec, ":latest": latest, ":cost": cost}
                self._update(name, "BUCKET", "SET full_msec = full_msec + :cost", it_has_enough, values)
            except ConditionFailed as failed:
                full = int((failed.item or {}).get("full_msec", now_msec))
                wait = retry_after_seconds(full, now_msec, messages, account.rate, account.burst)
                text = f"At most {account.rate} messages a second, {account.burst} at once; try again in {wait} s."
                raise RateLimited(text, wait) from failed

    def _spend_day(self, account: Account, messages: int, now_msec: int) -> None:
        now = datetime.fromtimestamp(now_msec / 1000, UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        within_the_day = "attribute_not_exists(calls) OR calls <= :before"
        values = {
            ":calls": messages,
            ":before": account.calls_per_day - messages,
            ":until": int(midnight.timestamp()) + DAY_KEPT_SECONDS,
        }
        wait = max(1, int((midnight - now).total_seconds()))
        text = f"This account may make {account.calls_per_day} calls a day (UTC); these would be more."
        if messages > account.calls_per_day:
            raise RateLimited(text, wait)
        try:
            name = f"DAY#{account.account_id}#{now:%Y-%m-%d}"
            self._update(name, "DAY", "SET expires_at = :until ADD calls :calls", within_the_day, values)
        except ConditionFailed as failed:
            raise RateLimited(text, wait) from failed

    def _get(self, pk: str, sk: str) -> Values | None:
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None

    def _put(self, pk: str, sk: str, values: Values, condition: str) -> Any:
        item = to_wire({"pk": pk, "sk": sk, **values})
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": condition}}

    def _update(self, pk: str, sk: str, expression: str, condition: str, values: Values) -> None:
        with store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire({"pk": pk, "sk": sk}),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )


def _key_name(account_id: str, key: str) -> str:
    return f"IDEMPOTENCY#{account_id}#{hashlib.sha256(key.encode()).hexdigest()}"


def _dump(made: MessageList) -> Values:
    return {
        "list_id": made.list_id,
        "account_id": made.account_id,
        "message_ids": list(made.message_ids),
        "created_msec": made.created_msec,
        "expires_at": made.expires_at,
        "fingerprint": made.fingerprint,
        "answer": _packed(made.answer),
    }


def _load(item: Values) -> MessageList:
    return MessageList(
        list_id=item["list_id"],
        account_id=item["account_id"],
        message_ids=tuple(item["message_ids"]),
        created_msec=item["created_msec"],
        expires_at=item["expires_at"],
        fingerprint=item["fingerprint"],
        answer=json.loads(zlib.decompress(bytes(item["answer"].value))),
    )


def _packed(answer: dict[str, Any]) -> bytes:
    """An answer in the room of an item (400 KB): a hundred messages, each with twenty problems, repeat themselves."""
    return zlib.compress(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
