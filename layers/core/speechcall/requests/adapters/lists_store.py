"""Message lists with their idempotency keys, and what accounts have spent: in the table Registry."""

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from speechcall.accounts.adapters.days_store import DAY_KEPT_SECONDS, give_calls_back, take_calls
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.throttle import (
    TICKS_A_MESSAGE,
    latest_full,
    refusal_of_day,
    refusal_of_minute,
    refusal_too_fast,
    ticks,
)
from speechcall.messages.rules.dial_times import Caps
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import Prompt
from speechcall.requests.adapters.shapes_store import DynamoShapes
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.keys import Key, bucket_key, idempotency_key, list_key, urgent_key
from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, read_item, store_errors, to_wire
from speechcall.shared.rules.errors import RateLimited, StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.campaigns.adapters.campaigns_store import DynamoCampaigns, NewList
    from speechcall.money.adapters.rates_store import DynamoRates
    from speechcall.requests.use_cases.foresee_cost import Costs

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""


class DynamoLists:
    """A `ListStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self._prompts, self._shapes = DynamoPrompts(client, table), DynamoShapes(client, table)
        self._rates: DynamoRates | None = None

    @cached_property
    def campaigns(self) -> "DynamoCampaigns":
        """The campaigns, in which their lists are counted."""
        from speechcall.campaigns.adapters.campaigns_store import DynamoCampaigns  # noqa: PLC0415, few lists have one

        return DynamoCampaigns(self._client, self._table)

    def find_prompt(self, account_id: str, identifier: str) -> Prompt | None:
        known = self._prompts.find(account_id, identifier)
        return known.prompt if known else None

    def caps_of(
        self, account: Account, numbers: Sequence[str], now_msec: int, digest: Callable[[str], str]
    ) -> dict[str, Caps]:
        """How far an account has used its limits, for each of `numbers`; `digest` gives the digest of a number."""
        from speechcall.messages.adapters.caps_store import read_numbers  # noqa: PLC0415, few accounts have limits

        return read_numbers(self._client, self._table, account, numbers, now_msec, digest)

    def costs_of(self, account: Account, now_msec: int) -> "Costs | None":
        """The rates in force now and, where the account's spending is limited, what it has spent today.

        None: there are no rates.
        """
        # Only a check asks for prices: requests that send start without these modules.
        from speechcall.messages.adapters.caps_store import spent_of_day  # noqa: PLC0415
        from speechcall.money.adapters.rates_store import DynamoRates  # noqa: PLC0415
        from speechcall.requests.use_cases.foresee_cost import Costs  # noqa: PLC0415

        self._rates = self._rates or DynamoRates(self._client, self._table)
        versions = self._rates.versions()
        version = versions.at(now_msec)
        if version is None:
            return None
        spent = 0
        if account.spend_per_day is not None:
            spent = spent_of_day(self._client, self._table, account.account_id, now_msec)
        return Costs(versions.currency, partial(self._rates.rate_of, version), spent)

    def find_list(self, list_id: str) -> MessageList | None:
        """A list by its id."""
        found = self._get(list_key(list_id))
        return _load(found) if found else None

    def message_ids(self, list_id: str) -> tuple[str, ...]:
        """The ids of a list's messages; none if there is no such list (any more)."""
        found = self.find_list(list_id)
        return found.message_ids if found else ()

    def find_list_by_key(self, account_id: str, key: str) -> MessageList | None:
        found = self._get(_idempotency_key(account_id, key))
        return self.find_list(found["list_id"]) if found else None

    def add_list(self, made: MessageList, key: str | None) -> MessageList | None:
        """Writes a list and its idempotency key together. Raises as `ListStore.add_list`.

        Out: the list that has the key, `made` or an earlier one; None: another list has the id of `made`.

        request A   TransactWrite: list 1, key k ──► written
        request B        TransactWrite: list 2, key k ──X k exists ──► list 1 is B's as well
        request C        TransactWrite: list 1 ──X another request drew the same id ──► None
        """
        try:
            if made.campaign:
                funnels = self.campaigns.count_list(_new(made), lambda own: self._puts(made._replace(funnels=own), key))
                return made._replace(funnels=funnels)
            with store_errors():
                self._client.transact_write_items(TransactItems=self._puts(made, key))
        except ConditionFailed as failed:
            if not key or 1 not in failed.items:  # 1 is the write of the key, see `_puts`
                return None
            first = self.find_list_by_key(made.account_id, key)
            if first is None:
                raise StoreUnavailable("the list of this key is not there") from failed
            return first
        return made

    def _puts(self, made: MessageList, key: str | None) -> list[Any]:
        """The writes of a new list, in this order: its item, its idempotency key, the counter of its ended messages."""
        puts = [self._put(list_key(made.list_id), _dump(made), "attribute_not_exists(pk)")]
        if key:
            named = {"list_id": made.list_id, "expires_at": made.expires_at}
            # DynamoDB deletes an expired item late: until then its key is free all the same.
            it_is_free = "attribute_not_exists(pk) OR expires_at <= :now"
            now = {":now": made.created_msec // 1000}
            puts.append(self._put(_idempotency_key(made.account_id, key), named, it_is_free, now))
        if made.status_url:
            from speechcall.messages.adapters.status_items import new_ends  # noqa: PLC0415, few lists are told of

            ends = new_ends(
                made.list_id,
                made.account_id,
                len(made.message_ids),
                made.status_url,
                made.expires_at,
                is_simulated=made.is_simulated,
            )
            puts.append({"Put": {"TableName": self._table, "Item": to_wire(ends)}})
        return puts

    def note_erased(self, list_id: str, mids: Sequence[str]) -> frozenset[str]:
        """Notes messages of a list as erased: no repeat of its request writes them again.

        Out: those noted before; without a list (any more), which nothing can repeat, all of `mids`.

        repeat    reads the list ── TransactWrite: its messages, if they are not there
        erasure        UpdateItem: m is erased ── a minute later: m is deleted ──► no repeat writes it any more
        """
        it_is_there = "attribute_exists(pk)"
        try:
            with store_errors():
                before = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(list_key(list_id)),
                    UpdateExpression="ADD erased :mids",
                    ConditionExpression=it_is_there,
                    ExpressionAttributeValues=to_wire({":mids": set(mids)}),
                    ReturnValues="ALL_OLD",
                )
        except ConditionFailed:
            return frozenset(mids)  # without its list nothing can be written again
        return frozenset(from_wire(before.get("Attributes", {})).get("erased", ()))

    def keep_accepting(self, stored: MessageList, now_msec: int) -> None:
        self.campaigns.keep_accepting(_new(stored), now_msec)

    def confirm_list(self, stored: MessageList) -> None:
        self.campaigns.confirm_list(stored.list_id, stored.account_id, stored.campaign)

    def admit_shapes(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        self._shapes.admit(account, shapes, now_msec)

    def spend(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        """Takes messages from the account's bucket and from its day. Raises RateLimited, and then nothing is taken;
        StoreUnavailable, and then some may be.

        request A   UpdateItem bucket ──► UpdateItem day ──► taken
        request B   UpdateItem bucket ──► UpdateItem day ──X the day is full ──► UpdateItem bucket: given back, 429
        Urgent ones are taken from their minute before, and given back in the same way.
        """
        if urgent:
            self._spend_minute(account, urgent, now_msec)
        try:
            self._spend_bucket(account, messages, now_msec)
        except RateLimited:
            self._give_minute_back(account, urgent, now_msec)
            raise
        try:
            self._spend_day(account, messages, now_msec)
        except RateLimited:
            self._refill(account, messages)
            self._give_minute_back(account, urgent, now_msec)
            raise

    def give_back(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        self._refill(account, messages)
        self._give_minute_back(account, urgent, now_msec)
        with suppress(ConditionFailed), store_errors():
            self._client.update_item(**give_calls_back(self._table, account.account_id, messages, now_msec))

    def _spend_minute(self, account: Account, urgent: int, now_msec: int) -> None:
        """Takes urgent messages from what the account may send in this minute of the clock. Raises RateLimited."""
        if urgent > account.urgent_per_minute:
            raise refusal_of_minute(account, urgent, now_msec)
        within_the_minute = "attribute_not_exists(messages) OR messages <= :before"
        values = {
            ":more": urgent,
            ":before": account.urgent_per_minute - urgent,
            ":until": now_msec // 1000 + DAY_KEPT_SECONDS,
        }
        taken = "SET expires_at = :until ADD messages :more"
        try:
            self._update(urgent_key(account.account_id, now_msec // 60_000), taken, within_the_minute, values)
        except ConditionFailed as failed:
            raise refusal_of_minute(account, urgent, now_msec) from failed

    def _give_minute_back(self, account: Account, urgent: int, now_msec: int) -> None:
        """Gives urgent messages back to the minute of `now_msec`; nothing if not so many were taken from it."""
        if urgent:
            were_taken = "messages >= :less"
            key = urgent_key(account.account_id, now_msec // 60_000)
            with suppress(ConditionFailed):
                self._update(key, "SET messages = messages - :less", were_taken, {":less": urgent})

    def _refill(self, account: Account, messages: int) -> None:
        """Gives messages back to the bucket: it is full that much sooner. A bucket without an item is full already."""
        it_is_there = "attribute_exists(full_at)"
        values = {":cost": messages * TICKS_A_MESSAGE}
        with suppress(ConditionFailed):
            self._update(_bucket_key(account), "SET full_at = full_at - :cost", it_is_there, values)

    def _spend_bucket(self, account: Account, messages: int, now_msec: int) -> None:
        """Takes messages from the account's bucket, which is stored as the moment when it is full again (ticks).
        Raises RateLimited.

        full_at ≤ now: the bucket is full ──► full_at = now + cost
        full_at > now, not too far ─────────► full_at + cost
        else ───────────────────────────────► 429

        A request that is refused elsewhere gives back what it took (`_refill`), perhaps between the two writes:

        one       full? ──X full_at > now                        enough? ──X full_at ≤ now   full? ──► now + cost
        another                            refill ──► full_at ≤ now
        """
        now, cost = ticks(now_msec, account.rate), messages * TICKS_A_MESSAGE
        latest = latest_full(now_msec, messages, account.rate, account.burst)
        it_is_full = "attribute_not_exists(full_at) OR full_at <= :now"
        it_has_enough = "full_at > :now AND full_at <= :latest"
        bucket = _bucket_key(account)
        # The item may expire then: by that time the bucket is full, which is the same as a bucket without an item.
        kept = {":until": now_msec // 1000 + account.burst // account.rate + DAY_KEPT_SECONDS}
        if_full = {":now": now, ":full": now + cost, **kept}
        if_enough = {":now": now, ":latest": latest, ":cost": cost, **kept}
        while True:
            with suppress(ConditionFailed):
                return self._update(bucket, "SET full_at = :full, expires_at = :until", it_is_full, if_full)
            try:
                set_it = "SET full_at = full_at + :cost, expires_at = :until"
                return self._update(bucket, set_it, it_has_enough, if_enough)
            except ConditionFailed as failed:
                full = int((failed.item or {}).get("full_at", now))
                if full > now:
                    raise refusal_too_fast(account, full, messages, now_msec) from failed

    def _spend_day(self, account: Account, messages: int, now_msec: int) -> None:
        """Takes messages from the calls that the account may make today. Raises RateLimited."""
        if messages > account.calls_per_day:
            raise refusal_of_day(account, messages, now_msec)
        taken = take_calls(self._table, account.account_id, messages, account.calls_per_day, now_msec)
        try:
            with store_errors():
                self._client.update_item(**taken)
        except ConditionFailed as failed:
            raise refusal_of_day(account, messages, now_msec) from failed

    def _get(self, key: Key) -> Values | None:
        return read_item(self._client, self._table, key)

    def _put(self, key: Key, values: Values, condition: str, given: Values | None = None) -> Any:
        item = to_wire({**key, **values})
        put = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        return {"Put": {**put, "ExpressionAttributeValues": to_wire(given)} if given else put}

    def _update(self, key: Key, expression: str, condition: str, values: Values) -> None:
        """Changes an item. Raises ConditionFailed, which holds the item as it is; StoreUnavailable."""
        with store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire(key),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )


def _new(made: MessageList) -> "NewList":
    """What is written of a list into its campaign. There is a first message: a request without one is refused."""
    from speechcall.campaigns.adapters.campaigns_store import NewList  # noqa: PLC0415, as above

    return NewList(
        list_id=made.list_id,
        account_id=made.account_id,
        campaign=made.campaign,
        first_mid=made.message_ids[0],
        messages=len(made.message_ids),
        created_msec=made.created_msec,
        expires_at=made.expires_at,
        shapes=made.funnels,
    )


def _bucket_key(account: Account) -> Key:
    return bucket_key(account.account_id, account.rate)


def _idempotency_key(account_id: str, key: str) -> Key:
    return idempotency_key(account_id, hashlib.sha256(key.encode()).hexdigest())


def _dump(made: MessageList) -> Values:
    """The item of a new list, without its key; what most lists do not have is left out."""
    return {
        "v": FORM,
        "list_id": made.list_id,
        "account_id": made.account_id,
        "message_ids": list(made.message_ids),
        "created_msec": made.created_msec,
        "expires_at": made.expires_at,
        "fingerprint": made.fingerprint,
        "answer": _packed(made.answer),
        **({"keep_days": made.keep_days} if made.keep_days else {}),
        **({"status_url": made.status_url} if made.status_url else {}),
        **({"simulated": True} if made.is_simulated else {}),
        **({"campaign": made.campaign, "funnels": list(made.funnels)} if made.campaign else {}),
    }


def _load(item: Values) -> MessageList:
    """The list in an item."""
    return MessageList(
        list_id=item["list_id"],
        account_id=item["account_id"],
        message_ids=tuple(item["message_ids"]),
        created_msec=item["created_msec"],
        expires_at=item["expires_at"],
        fingerprint=item["fingerprint"],
        answer=json.loads(zlib.decompress(bytes(item["answer"].value))),
        campaign=item.get("campaign", ""),
        funnels=tuple(item.get("funnels", ())),
        status_url=item.get("status_url", ""),
        is_simulated=item.get("simulated", False),
        keep_days=item.get("keep_days", 0),
        erased=frozenset(item.get("erased", ())),
    )


def _packed(answer: Mapping[str, object]) -> bytes:
    """An answer in the room of an item (400 KB): a hundred messages, each with twenty problems, repeat themselves."""
    return zlib.compress(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
