"""All that is stored of a message, in one query; and where the messages of a list stand."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from speechcall.calls.adapters.call_items import load_call
from speechcall.messages.adapters import message_items
from speechcall.messages.rules.message import State
from speechcall.shared.adapters.keys import (
    CALLS,
    DELIVERIES,
    FALLBACK,
    MESSAGE,
    due_shards,
    message_key,
    message_partition,
    waiting_partition,
    waiting_place,
)
from speechcall.shared.adapters.table import Values, from_wire, store_errors, to_wire
from speechcall.status.use_cases.status import History, Summary
from speechcall.webhooks.adapters import delivery_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.calls.rules.call import Call
    from speechcall.messages.rules.fallback import FallbackState
    from speechcall.money.adapters.rates_store import DynamoRates
    from speechcall.money.rules.rate import Prices

MOST_COUNTED = 1000
"""Of a queue: an estimate needs no more."""


class Backlog(NamedTuple):
    """How many messages wait, as far as they were counted. `is_all`: no others do; else there may be more."""

    counted: int
    is_all: bool


def read_partition(client: "DynamoDBClient", table: str, mid: str) -> list[Values]:
    """All items of a message, strongly consistent."""
    items: list[Values] = []
    with store_errors():
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_wire({":pk": message_partition(mid)}),
            ConsistentRead=True,
        )
        for page in pages:
            items += [from_wire(item) for item in page["Items"]]
    return items


def _fallback_in(items: Sequence[Values]) -> "FallbackState | None":
    found = next((item for item in items if item["sk"] == FALLBACK), None)
    if found is None:
        return None
    from speechcall.messages.adapters.fallback_items import load_state  # noqa: PLC0415, few messages have one

    return load_state(found)


class DynamoHistory:
    """Reads for the status answers. A message's own answer is strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str, rates: "DynamoRates | None" = None) -> None:
        """`rates`: with them, what calls cost is told."""
        self._client, self._table, self._rates = client, table, rates

    def read(self, mid: str) -> History | None:
        """A message with its calls and deliveries; None if there is none."""
        items = read_partition(self._client, self._table, mid)
        found = [item for item in items if item["sk"] == MESSAGE]
        if not found:
            return None
        hooks = [item for item in items if item["sk"].startswith(DELIVERIES)]
        message = message_items.load(found[0])
        calls = [load_call(item) for item in items if item["sk"].startswith(CALLS)]
        return History(
            message,
            calls,
            [(delivery_items.load_task(item), delivery_items.load(item)) for item in hooks],
            _fallback_in(items),
            self._prices(message.number, calls),
        )

    def _prices(self, number: str, calls: "Sequence[Call]") -> "Prices | None":
        if self._rates is None:
            return None
        from speechcall.status.adapters.call_prices import prices_of  # noqa: PLC0415, only answers about calls need it

        return prices_of(self._rates, number, calls)

    def summaries(self, mids: Sequence[str], *, is_now: bool = False) -> list[Summary]:
        """Where these messages (at most 100) stand, in their order; without those that are not there any more.

        `is_now`: strongly consistent, for twice the price; else it may lag. Raises StoreUnavailable.
        """
        table: Any = {
            "Keys": [to_wire(message_key(mid)) for mid in mids],
            "ProjectionExpression": "mid, recipient, #state, outcome, reason, created_msec, ttl_seconds, customer_id, "
            "campaign, urgent, held_back, hangup_msec, " + message_items.SETTLING_END,
            "ExpressionAttributeNames": {"#state": "state"},
            "ConsistentRead": is_now,
        }
        unread: Any = {self._table: table}
        found: dict[str, Summary] = {}
        while unread:
            with store_errors():
                answer = self._client.batch_get_item(RequestItems=unread)
            for item in map(from_wire, answer["Responses"].get(self._table, [])):
                end = message_items.told_end(item)
                found[item["mid"]] = Summary(
                    mid=item["mid"],
                    recipient=item["recipient"],
                    state=message_items.state_of(item),
                    outcome=end.get("outcome"),
                    reason=end.get("reason"),
                    dial_until_msec=item["created_msec"] + item["ttl_seconds"] * 1000,
                    customer_id=item.get("customer_id"),
                    campaign=item.get("campaign", ""),
                    is_urgent=item.get("urgent", False),
                    is_held=item.get("held_back", False),
                    was_hung_up="hangup_msec" in item,
                )
            unread = answer.get("UnprocessedKeys")
        return [found[mid] for mid in mids if mid in found]

    def waiting_before(self, account_id: str, campaign: str, mid: str) -> int:
        """How many messages wait for a line up to `mid`, it too; counted to 1,000.

        Of the campaign's queue that is not urgent and has no calling hours: others are not counted.
        """
        values = {":pk": waiting_partition(account_id, campaign, False), ":place": waiting_place(mid)}
        with store_errors():
            answer = self._client.query(
                TableName=self._table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk AND order_sk <= :place",
                ExpressionAttributeValues=to_wire(values),
                Select="COUNT",
                Limit=MOST_COUNTED,
            )
        return answer["Count"]

    def backlog(self) -> Backlog:
        """How many messages wait for a line, of all accounts; counted to 1,000 in each shard, in an index that lags.

        Those whose calling hours are shut count; those in `later` do not: they were put off, wait for a redial or for
        their `sendAt`, or were held back as their list is paused. Raises StoreUnavailable.
        """
        count, is_all = 0, True
        for shard in due_shards(State.QUEUED.value):
            with store_errors():
                answer = self._client.query(
                    TableName=self._table,
                    IndexName="due",
                    KeyConditionExpression="due_shard = :shard",
                    ExpressionAttributeValues=to_wire({":shard": shard}),
                    Select="COUNT",
                    Limit=MOST_COUNTED,
                )
            count += answer["Count"]
            is_all = is_all and "LastEvaluatedKey" not in answer
        return Backlog(count, is_all)
