"""The webhook deliveries: pk `M#<mid>`, sk `HOOK#<event id>`."""

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from speechcall.adapters.dynamodb.table import ConditionFailed, Values, store_errors, to_wire
from speechcall.application.deliver_webhook import Attempt, Delivery
from speechcall.domain.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDeliveries:
    """A `DeliveryStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def begin(self, task: WebhookTask, expires_at: int) -> Delivery:
        """
        receive 1   PutItem ──► pending ──► POST ──► delivered
        receive 2        PutItem ──X exists: delivered ──► nothing is sent again
        """
        item = {
            **_key(task),
            **{name: value for name, value in asdict(task).items() if name != "attempt"},
            "call_attempt": task.attempt,
            "delivery": "pending",
            "attempts": [],
            "expires_at": expires_at,
        }
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
        return Delivery("pending", ())

    def record(self, task: WebhookTask, attempt: Attempt, state: str) -> None:
        """
        copy A   POST 200 ──► delivered
        copy B   POST fails          UpdateItem ──X not pending: delivered it stays
        """
        values = {":state": state, ":attempts": [asdict(attempt)], ":pending": "pending"}
        with suppress(ConditionFailed), store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire(_key(task)),
                UpdateExpression="SET delivery = :state, attempts = list_append(attempts, :attempts)",
                ConditionExpression="delivery = :pending",
                ExpressionAttributeValues=to_wire(values),
            )


def _key(task: WebhookTask) -> Values:
    return {"pk": f"M#{task.mid}", "sk": f"HOOK#{task.event_id}"}


def load(item: Values) -> Delivery:
    """The delivery in an item."""
    return Delivery(item["delivery"], tuple(Attempt(**attempt) for attempt in item["attempts"]))


def load_task(item: Values) -> WebhookTask:
    """The webhook that a delivery item is about."""
    return WebhookTask(
        mid=item["mid"],
        attempt=item["call_attempt"],
        seq=item["seq"],
        menu=item["menu"],
        key=item["key"],
        step=item["step"],
        event_id=item["event_id"],
    )
