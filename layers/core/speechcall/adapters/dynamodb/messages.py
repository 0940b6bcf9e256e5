"""The messages (pk `M#<mid>`, sk `MESSAGE`) and the lines that they hold.

The pool is one item of the Registry: `held`, the set of call attempts that have a line, and
`next_msec`, the rate's next free moment. A line is taken in one transaction with the message's
change of state, and given back by deleting from the set: idempotent, nothing to count or repair.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from speechcall.adapters.dynamodb.message_items import CALLING_CHECK_MSEC, due_values, dump, key, load
from speechcall.adapters.dynamodb.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.application.ports import Claim, LinesFull, LineTaken, NotQueued, Pool, TooSoon
from speechcall.domain.errors import StoreUnavailable
from speechcall.domain.ids import SHARDS, holder
from speechcall.domain.message import Ask, Message, State
from speechcall.domain.outcome import Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

POOL_KEY = {"pk": "POOL", "sk": "POOL"}


_SHARD = "due_shard = :shard, due_at = :due"


class DynamoMessages:
    """A `MessageStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", messages_table: str, registry_table: str) -> None:
        self._client, self._messages, self._registry = client, messages_table, registry_table

    def get(self, mid: str) -> Message | None:
        with store_errors():
            found = self._client.get_item(TableName=self._messages, Key=to_wire(key(mid)), ConsistentRead=True)
        return load(from_wire(found["Item"])) if "Item" in found else None

    def add(self, messages: Sequence[Message]) -> None:
        puts: list[Any] = [
            {
                "Put": {
                    "TableName": self._messages,
                    "Item": to_wire(dump(message)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for message in messages
        ]
        try:
            self._transact(puts)
        except ConditionFailed as failed:
            # All of them are there, from the same list: a repeat. Or another request drew the same ids.
            found = self.get(messages[0].mid)
            if found is None or found.list_id != messages[0].list_id:
                raise StoreUnavailable("the id of a message is taken") from failed

    def queue(self, mid: str, asks: tuple[Ask, ...], now_msec: int) -> bool:
        values = {":asks": [asdict(ask) for ask in asks], **due_values(mid, State.QUEUED, now_msec)}
        return self._move(mid, State.PREPARING, State.QUEUED, f"SET #state = :to, asks = :asks, {_SHARD}", values)

    def refuse(self, mid: str, outcome: Outcome, cause: str, now_msec: int) -> bool:
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":cause": cause, ":now": now_msec}
        expression = "SET #state = :to, outcome = :outcome, reason = :reason, cause = :cause, finished_msec = :now"
        return self._move(mid, State.PREPARING, State.FINISHED, f"{expression} REMOVE due_shard, due_at", values)

    def claim_line(self, message: Message, flow_arn: str, pool: Pool, now_msec: int) -> Claim:
        """
        dialer A   TransactWrite: held + m-1, m queued → calling ──► taken
        dialer B        TransactWrite: the same ──X m is calling: somebody else has it
        dialer B        TransactWrite: n ──X next_msec is in the future: too soon
        finish m             held - m-1, m calling → finished
        """
        attempt = message.attempt + 1
        a_line_is_free = "(attribute_not_exists(held) OR size(held) < :lines)"
        the_slot_has_come = "(attribute_not_exists(next_msec) OR next_msec <= :now)"
        it_waits_for_this_attempt = "#state = :queued AND attempt = :before"
        take_line = {
            "TableName": self._registry,
            "Key": to_wire(POOL_KEY),
            "UpdateExpression": "SET next_msec = :next ADD held :holder",
            "ConditionExpression": f"{a_line_is_free} AND {the_slot_has_come}",
            "ExpressionAttributeValues": to_wire(
                {
                    ":lines": pool.lines,
                    ":now": now_msec,
                    ":next": now_msec + -(-1000 // pool.calls_per_second),
                    ":holder": {holder(message.mid, attempt)},
                }
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        call_it = {
            "TableName": self._messages,
            "Key": to_wire(key(message.mid)),
            "UpdateExpression": f"SET #state = :calling, attempt = :attempt, flow_arn = :flow, {_SHARD}",
            "ConditionExpression": it_waits_for_this_attempt,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(
                {
                    ":queued": State.QUEUED.value,
                    ":calling": State.CALLING.value,
                    ":before": message.attempt,
                    ":attempt": attempt,
                    ":flow": flow_arn,
                    **due_values(message.mid, State.CALLING, now_msec + CALLING_CHECK_MSEC),
                }
            ),
        }
        try:
            self._transact([{"Update": take_line}, {"Update": call_it}])
        except ConditionFailed as failed:
            return _why_no_line(failed, pool, now_msec)
        return LineTaken()

    def finish(self, mid: str, attempt: int, outcome: Outcome, now_msec: int) -> bool:
        it_is_this_call = "#state = :calling AND attempt = :attempt"
        finish_it = {
            "TableName": self._messages,
            "Key": to_wire(key(mid)),
            "UpdateExpression": "SET #state = :finished, outcome = :outcome, reason = :reason, finished_msec = :now"
            " REMOVE due_shard, due_at",
            "ConditionExpression": it_is_this_call,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(
                {
                    ":calling": State.CALLING.value,
                    ":finished": State.FINISHED.value,
                    ":attempt": attempt,
                    ":outcome": outcome.outcome,
                    ":reason": outcome.reason,
                    ":now": now_msec,
                }
            ),
        }
        give_back = {
            "TableName": self._registry,
            "Key": to_wire(POOL_KEY),
            "UpdateExpression": "DELETE held :holder",
            "ExpressionAttributeValues": to_wire({":holder": {holder(mid, attempt)}}),
        }
        try:
            self._transact([{"Update": finish_it}, {"Update": give_back}])
        except ConditionFailed:
            return False
        return True

    def due(self, state: str, now_msec: int, limit: int) -> list[str]:
        found: list[Values] = []
        for shard in range(SHARDS):
            with store_errors():
                page = self._client.query(
                    TableName=self._messages,
                    IndexName="due",
                    KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                    ExpressionAttributeValues=to_wire({":shard": f"{state}#{shard}", ":now": now_msec}),
                    Limit=limit,
                )
            found += [from_wire(item) for item in page["Items"]]
        found.sort(key=lambda item: int(item["due_at"]))
        return [str(item["pk"]).removeprefix("M#") for item in found[:limit]]

    def postpone(self, mid: str, state: str, due_msec: int) -> None:
        values = due_values(mid, State(state), due_msec)
        self._move(mid, State(state), State(state), f"SET #state = :to, {_SHARD}", values)

    def _move(self, mid: str, before: State, after: State, expression: str, values: dict[str, Any]) -> bool:
        """Leaves a state, once: of two that try, one finds the message gone from it."""
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._messages,
                    Key=to_wire(key(mid)),
                    UpdateExpression=expression,
                    ConditionExpression="#state = :from",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=to_wire({":from": before.value, ":to": after.value, **values}),
                )
        except ConditionFailed:
            return False
        return True

    def _transact(self, items: list[Any]) -> None:
        with store_errors():
            self._client.transact_write_items(TransactItems=items)


def _why_no_line(failed: ConditionFailed, pool: Pool, now_msec: int) -> Claim:
    if 1 in failed.items:
        return NotQueued()
    found = failed.items.get(0) or {}
    if len(found.get("held", ())) >= pool.lines:
        return LinesFull()
    return TooSoon(int(found.get("next_msec", now_msec)))
