"""The webhook deliveries: pk `M#<mid>`, sk `HOOK#<event id>`.

In the due index a pending one stands under `webhook#<shard>`, by the moment at which somebody should look after it; one
that was given up under `undelivered#<account>`, by the moment of that.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from speechcall.adapters.dynamodb.delivery_items import (
    NEXT,
    dump,
    key,
    load,
    load_task,
    names_of,
    shard,
    undelivered_shard,
    waiting,
)
from speechcall.adapters.dynamodb.due_index import due_in
from speechcall.adapters.dynamodb.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.domain.delivery import PATIENCE_MSEC, Attempt, Delivery, DeliveryState, Wait
from speechcall.domain.ids import SHARDS
from speechcall.domain.message import Message
from speechcall.domain.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDeliveries:
    """A `DeliveryStore`, and the deliveries that are due, on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def begin(self, task: WebhookTask, message: Message, place: str, now_msec: int) -> Delivery:
        """
        receive 1   PutItem ──► pending ──► POST ──► delivered
        receive 2        PutItem ──X exists: delivered ──► nothing is sent again
        """
        item = dump(task, message, place, now_msec)
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(item),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            return load(failed.item or item)
        return load(item)

    def record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        """
        copy A   POST 200 ──► delivered
        copy B   POST fails          UpdateItem ──X not pending in its version: delivered it stays, and A's schedule
        """
        values: Values = {":state": state.value, ":attempts": [asdict(attempt)], ":none": 0}
        change = "delivery = :state, attempts = list_append(attempts, :attempts), waits = :none"
        if wait:
            return self._write(task, f"{change}, {NEXT}", "", {**values, **waiting(task.mid, wait)})
        if state is DeliveryState.DELIVERED:
            return self._write(task, change, "REMOVE due_shard, due_at, next_msec", values)
        listed = "due_shard = undelivered_shard, due_at = :due"
        ended = {**values, ":due": attempt.at_msec + attempt.msec}
        return self._write(task, f"{change}, {listed}", "REMOVE next_msec", ended)

    def put_off(self, task: WebhookTask, wait: Wait) -> bool:
        """
        waits   version 3 ──► UpdateItem: version 4 ──► queued as 4
        another copy of 3           UpdateItem ──X version is 4: it queues nothing
        """
        values = {":none": 0, ":one": 1, **waiting(task.mid, wait)}
        return self._write(task, f"waits = if_not_exists(waits, :none) + :one, {NEXT}", "", values)

    def has_earlier_untried(self, task: WebhookTask) -> bool:
        with store_errors():
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :call)",
                FilterExpression="delivery = :pending AND size(attempts) = :none",
                ProjectionExpression="seq, step",
                ExpressionAttributeValues=to_wire(
                    {
                        ":pk": f"M#{task.mid}",
                        ":call": f"HOOK#{task.mid}-{task.attempt}-",
                        ":pending": "pending",
                        ":none": 0,
                    }
                ),
                ConsistentRead=True,
            )
        waiting = [from_wire(item) for item in found["Items"]]
        return any((one["seq"], one["step"]) < (task.seq, task.step) for one in waiting)

    def due(self, now_msec: int, limit: int) -> list[tuple[str, str]]:
        found = [
            item
            for number in range(SHARDS)
            for item in due_in(self._client, self._table, shard(number), now_msec, limit)
        ]
        found.sort(key=lambda item: int(item["due_at"]))
        return [names_of(item) for item in found[:limit]]

    def wake(self, mid: str, event_id: str, now_msec: int) -> WebhookTask | None:
        """
        tick 1   due at 12:00 ──► UpdateItem: 12:15 ──► queued
        tick 2   due at 12:00 (the index lags) ──► UpdateItem ──X due at 12:15: nothing

        The version stays: a queue that is merely late still brings the task that counts.
        """
        it_is_due = "delivery = :pending AND due_at <= :now"
        values = {":pending": "pending", ":now": now_msec, ":due": now_msec + PATIENCE_MSEC}
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(key(mid, event_id)),
                    UpdateExpression="SET due_at = :due",
                    ConditionExpression=it_is_due,
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailed:
            return None
        return load_task(from_wire(changed["Attributes"]))

    def replay(self, task: WebhookTask, delivery: Delivery, now_msec: int) -> WebhookTask | None:
        """A delivery that has ended begins anew, as it was read; None if somebody else came first.

        replay A   dead, version 9 ──► UpdateItem: pending, 10 ──► queued as 10
        replay B   dead, version 9         UpdateItem ──X version is 10: it queues nothing
        """
        it_has_ended = "delivery <> :pending"
        as_it_was_read = "version = :version"
        values = {
            ":pending": DeliveryState.PENDING.value,
            ":version": delivery.version,
            ":later": delivery.version + 1,
            ":made": len(delivery.attempts),
            ":none": 0,
            **waiting(task.mid, Wait.of(0, now_msec)),
        }
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(key(task.mid, task.event_id)),
                    UpdateExpression=f"SET delivery = :pending, version = :later, round_start = :made, waits = :none, "
                    f"{NEXT}",
                    ConditionExpression=f"{it_has_ended} AND {as_it_was_read}",
                    ExpressionAttributeValues=to_wire(values),
                )
        except ConditionFailed:
            return None
        return replace(task, version=delivery.version + 1)

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        """One delivery; None if there is none."""
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire(key(mid, event_id)), ConsistentRead=True)
        item = from_wire(found["Item"]) if "Item" in found else None
        return (load_task(item), load(item)) if item else None

    def undelivered(self, account_id: str, since_msec: int) -> Iterator[tuple[str, str]]:
        """Message and event ids of what was given up for an account since a moment, the oldest first."""
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at >= :since",
                ExpressionAttributeValues=to_wire({":shard": undelivered_shard(account_id), ":since": since_msec}),
            )
            for page in pages:
                yield from (names_of(from_wire(item)) for item in page["Items"])

    def _write(self, task: WebhookTask, assignments: str, removal: str, values: Values) -> bool:
        it_is_pending = "delivery = :pending"
        nobody_came_first = "version = :version"
        given = {**values, ":pending": "pending", ":version": task.version, ":later": task.version + 1}
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(key(task.mid, task.event_id)),
                    UpdateExpression=f"SET {assignments}, version = :later {removal}",
                    ConditionExpression=f"{it_is_pending} AND {nobody_came_first}",
                    ExpressionAttributeValues=to_wire(given),
                )
        except ConditionFailed:
            return False
        return True
