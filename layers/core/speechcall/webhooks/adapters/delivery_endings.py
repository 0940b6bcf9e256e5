"""The deliveries of webhooks that end without having arrived, and those of them that are sent again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from speechcall.shared.adapters.keys import Key, delivery_key, delivery_names, undelivered_shard
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_items,
    store_errors,
    tell_change,
    to_wire,
)
from speechcall.webhooks.adapters.delivery_items import NEXT, begun_anyway, ended, load, load_task, waiting
from speechcall.webhooks.rules.delivery import (
    MAX_WAKES,
    UNDELIVERED,
    Attempt,
    Delivery,
    DeliveryState,
    GivenUp,
    PlaceAmongGivenUp,
    Wait,
)
from speechcall.webhooks.rules.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoEndings:
    """The part of a `DeliveryStore` on DynamoDB that gives up and begins again."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def give_up_woken(self, mid: str, event_id: str, attempt: Attempt) -> bool:
        """Ends a delivery that is due and was woken as often as it may be. False: it is not so (any more).

        `attempt`: what is added to its attempts, to say why it ended.

        tick 1    woken 48 times ──► UpdateItem: dead
        tick 2    (the index lags) ──► UpdateItem ──X not pending: nothing
        worker    of the 48th time ──► record ──X not pending: dead it stays
        """
        it_is_due = "delivery = :pending AND due_at <= :now"
        nothing_came_of_it = "woken >= :most"
        assignments, values = ended(attempt, DeliveryState.DEAD)
        given = {**values, ":now": attempt.at_msec, ":most": MAX_WAKES}
        return self._end(delivery_key(mid, event_id), assignments, {}, given, f"{it_is_due} AND {nothing_came_of_it}")

    def finish(self, task: WebhookTask, attempt: Attempt, state: DeliveryState) -> bool:
        """Ends a delivery in `state`, with a last attempt. False: it has ended already.

        Nothing is read before. One that was not begun gets an item; one that was keeps whatever else is in it.

        worker A   can neither read nor record it ──► UpdateItem: dead, whatever else is there
        worker B   record: delivered ──► UpdateItem ──X not pending: delivered it stays
        """
        it_was_not_begun = "attribute_not_exists(pk)"
        it_is_pending = "delivery = :pending"
        assignments, values = ended(attempt, state)
        begun, names, more = begun_anyway(task, attempt)
        condition = f"{it_was_not_begun} OR {it_is_pending}"
        item_key = delivery_key(task.mid, task.event_id)
        return self._end(item_key, begun + assignments, names, {**values, **more}, condition)

    def _end(self, item_key: Key, assignments: str, names: dict[str, str], values: Values, condition: str) -> bool:
        """Changes a delivery under `condition`, which may use `:pending`.

        False: it did not hold, and nothing is changed. `assignments`: behind SET, with removals if there are any;
        `names`, `values`: of their placeholders.
        """
        change: Any = {
            "TableName": self._table,
            "Key": to_wire(item_key),
            "UpdateExpression": f"SET {assignments}",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_wire({**values, ":pending": DeliveryState.PENDING.value}),
        }
        if names:
            change["ExpressionAttributeNames"] = names
        try:
            with store_errors():
                self._client.update_item(**change)
        except ConditionFailed:
            return False
        return True

    def replay(self, task: WebhookTask, delivery: Delivery, now_msec: int) -> WebhookTask | None:
        """Lets a delivery that has ended begin again: pending, its next attempt due now. Out: the task to queue.

        `delivery`: as it was read. None: it is not so any more, as another request came first. The audit trail is told.

        replay A   dead, version 9 ──► UpdateItem: pending, 10 ──► queued as 10
        replay B   dead, version 9         UpdateItem ──X version is 10: it queues nothing
        """
        it_has_ended = "delivery <> :pending"
        tell_change(self._client, {"first": task.event_id, "state": delivery.state.value}, {"state": "pending"})
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
                    Key=to_wire(delivery_key(task.mid, task.event_id)),
                    UpdateExpression="SET delivery = :pending, version = :later, round_start = :made, "
                    f"waits = :none, woken = :none, {NEXT}",
                    ConditionExpression=f"{it_has_ended} AND {as_it_was_read}",
                    ExpressionAttributeValues=to_wire(values),
                )
        except ConditionFailed:
            return None
        return replace(task, version=delivery.version + 1)

    def undelivered(self, account_id: str, since_msec: int) -> Iterator[tuple[str, str]]:
        """The message id and `webhook-id` of each delivery given up for an account since a moment, the oldest first.

        The index lags: one that was replayed since may be among them, so read each before acting on it. Pages are read
        while iterating.
        """
        # Of what was given up, `due_at` is when that happened.
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at >= :since",
                ExpressionAttributeValues=to_wire({":shard": undelivered_shard(account_id), ":since": since_msec}),
            )
            for page in pages:
                yield from (delivery_names(from_wire(item)) for item in page["Items"])

    def given_up_page(
        self,
        account_id: str,
        between_msec: tuple[int, int],
        limit: int,
        after: PlaceAmongGivenUp | None = None,
        *,
        latest_first: bool = False,
    ) -> tuple[list[GivenUp], PlaceAmongGivenUp | None]:
        """What was given up for an account from one moment to another, both included; and where the page ends.

        `limit` of them (at most 100: they are read in one batch). A page may be short: the index lags, and what was
        sent again since is left out. Only None for its end says that no page follows. `after`: the end of the page
        before.
        """
        shard, (since, until) = undelivered_shard(account_id), between_msec
        if since > until:  # which DynamoDB refuses
            return [], None
        asked: Any = {
            "TableName": self._table,
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard AND due_at BETWEEN :since AND :until",
            "ExpressionAttributeValues": to_wire({":shard": shard, ":since": since, ":until": until}),
            "ScanIndexForward": not latest_first,
            "Limit": limit,
        }
        if after:
            key = {"due_shard": shard, "due_at": after.at_msec, **delivery_key(after.mid, after.event_id)}
            asked["ExclusiveStartKey"] = to_wire(key)
        with store_errors():
            page = self._client.query(**asked)
        places = [_place(item) for item in page["Items"]]
        last = _place(page["LastEvaluatedKey"]) if "LastEvaluatedKey" in page else None
        keys = [delivery_key(one.mid, one.event_id) for one in places]
        items = {delivery_names(item): item for item in read_items(self._client, self._table, keys)}
        found = []
        for place in places:
            item = items.get((place.mid, place.event_id))
            if item and (delivery := load(item)).state in UNDELIVERED:
                found.append(GivenUp(load_task(item), delivery, place.at_msec))
        return found, last


def _place(item: Any) -> PlaceAmongGivenUp:
    key = from_wire(item)
    return PlaceAmongGivenUp(int(key["due_at"]), *delivery_names(key))
