"""The webhook deliveries: pk `M#<mid>`, sk `HOOK#<event id>`.

In the due index a pending one is under `webhook#<shard>`, by the moment at which it should be looked after; one
that was given up under `undelivered#<account>`, by the moment of that.
"""

from collections.abc import Iterator

from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.due_index import due_in
from speechcall.shared.adapters.keys import (
    DELIVERIES,
    WEBHOOK,
    deliveries_of_a_call,
    delivery_key,
    delivery_names,
    due_shards,
    message_partition,
)
from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, read_item, store_errors, to_wire
from speechcall.webhooks.adapters.delivery_endings import DynamoEndings
from speechcall.webhooks.adapters.delivery_items import (
    NEXT,
    dump,
    dump_attempt,
    listed_as_given_up,
    load,
    load_task,
    waiting,
)
from speechcall.webhooks.rules.delivery import (
    MAX_WAKES,
    PATIENCE_MSEC,
    Attempt,
    Delivery,
    DeliveryState,
    Wait,
    comes_before,
)
from speechcall.webhooks.rules.webhook import WebhookTask


class DynamoDeliveries(DynamoEndings):
    """A `DeliveryStore`, and the deliveries that are due, on DynamoDB."""

    def begin(self, task: WebhookTask, message: Message, goes_to: str, now_msec: int) -> Delivery:
        """Writes a delivery as pending, if there is none yet. Out: the delivery as it is stored, new or not.

        `goes_to`: its destination.

        receive 1   PutItem ──► pending ──► POST ──► delivered
        receive 2        PutItem ──X exists: delivered ──► nothing is sent again
        """
        item = dump(task, message, goes_to, now_msec)
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(item),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            return load(failed.item or item)  # what stood there comes with the refusal
        return load(item)

    def record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        """Adds an attempt, with the state and the wait that follow from it.

        `wait`: until the next attempt; None: the delivery has ended. False: it is not pending in the task's version,
        and nothing is written.

        copy A   POST 200 ──► delivered
        copy B   POST fails          UpdateItem ──X not pending in its version: delivered it stays, and A's schedule
        """
        values: Values = {":state": state.value, ":attempts": [dump_attempt(attempt)], ":none": 0}
        change = "delivery = :state, attempts = list_append(attempts, :attempts), waits = :none"
        if wait:
            return self._write(task, f"{change}, {NEXT}", "", {**values, **waiting(task.mid, wait)})
        if state is DeliveryState.DELIVERED:
            return self._write(task, change, "REMOVE due_shard, due_at, next_msec", values)
        listed, more = listed_as_given_up(attempt)
        return self._write(task, f"{change}, {listed}", "REMOVE next_msec", values | more)

    def put_off(self, task: WebhookTask, wait: Wait) -> bool:
        """Notes that a delivery waits once more for its turn. False: it is not pending in the task's version.

        waits   version 3 ──► UpdateItem: version 4 ──► queued as 4
        another copy of 3           UpdateItem ──X version is 4: it queues nothing
        """
        values = {":none": 0, ":one": 1, **waiting(task.mid, wait)}
        return self._write(task, f"waits = if_not_exists(waits, :none) + :one, {NEXT}", "", values)

    def has_earlier_untried(self, task: WebhookTask) -> bool:
        untried = self._untried(task.mid, deliveries_of_a_call(task.mid, task.attempt))
        return any((one["seq"], one["step"]) < (task.seq, task.step) for one in untried)

    def has_untried_before(self, task: WebhookTask) -> bool:
        untried = self._untried(task.mid, DELIVERIES)
        return any(comes_before((one["call_attempt"], one["key"]), task.attempt, task.key) for one in untried)

    def _untried(self, mid: str, beginning: str) -> Iterator[Values]:
        """The pending deliveries of a message that have no attempt yet. `beginning`: of their sort keys.

        Out: `seq`, `step`, `call_attempt` and `key` of each. Pages are read while iterating: a query reads 1 MB at most
        before it filters, which a call of many menus may exceed.
        """
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :beginning)",
                FilterExpression="delivery = :pending AND size(attempts) = :none",
                ProjectionExpression="seq, step, call_attempt, #key",
                ExpressionAttributeNames={"#key": "key"},
                ExpressionAttributeValues=to_wire(
                    {":pk": message_partition(mid), ":beginning": beginning, ":pending": "pending", ":none": 0}
                ),
                ConsistentRead=True,
            )
            for page in pages:
                yield from (from_wire(item) for item in page["Items"])

    def due(self, now_msec: int, limit: int) -> list[tuple[str, str]]:
        found = [
            item for shard in due_shards(WEBHOOK) for item in due_in(self._client, self._table, shard, now_msec, limit)
        ]
        found.sort(key=lambda item: int(item["due_at"]))
        return [delivery_names(item) for item in found[:limit]]

    def wake(self, mid: str, event_id: str, now_msec: int) -> WebhookTask | None:
        """Puts off a delivery whose queue may have lost it; the task to queue again.

        None: it is not pending, or not due any more, or was woken MAX_WAKES times.

        tick 1   due at 12:00 ──► UpdateItem: 12:15 ──► queued
        tick 2   due at 12:00 (the index lags) ──► UpdateItem ──X due at 12:15: nothing

        The version stays: a queue that is merely late still brings the task that counts.
        """
        it_is_due = "delivery = :pending AND due_at <= :now"
        it_may_help = "(attribute_not_exists(woken) OR woken < :most)"
        values = {
            ":pending": "pending",
            ":now": now_msec,
            ":due": now_msec + PATIENCE_MSEC,
            ":most": MAX_WAKES,
            ":one": 1,
        }
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(delivery_key(mid, event_id)),
                    UpdateExpression="SET due_at = :due ADD woken :one",
                    ConditionExpression=f"{it_is_due} AND {it_may_help}",
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailed:
            return None
        return load_task(from_wire(changed["Attributes"]))

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        """One delivery, and the task of its version; None if there is none. Strongly consistent."""
        item = read_item(self._client, self._table, delivery_key(mid, event_id))
        return (load_task(item), load(item)) if item else None

    def _write(self, task: WebhookTask, assignments: str, removal: str, values: Values) -> bool:
        """Changes a delivery that is pending in the task's version, into the next version. False: it is not.

        In: what is set (`assignments`), the clause behind that (`removal`, may be empty), and the values of both.
        """
        it_is_pending = "delivery = :pending"
        no_other_came_first = "version = :version"
        given = {**values, ":pending": "pending", ":version": task.version, ":later": task.version + 1, ":not_woken": 0}
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(delivery_key(task.mid, task.event_id)),
                    UpdateExpression=f"SET {assignments}, version = :later, woken = :not_woken {removal}",
                    ConditionExpression=f"{it_is_pending} AND {no_other_came_first}",
                    ExpressionAttributeValues=to_wire(given),
                )
        except ConditionFailed:
            return False
        return True
