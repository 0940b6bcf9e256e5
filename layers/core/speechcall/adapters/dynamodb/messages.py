"""The messages (pk `M#<mid>`, sk `MESSAGE`) and the lines that they hold (see `pool`)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from speechcall.adapters.dynamodb.days import take_calls
from speechcall.adapters.dynamodb.due_index import due_in
from speechcall.adapters.dynamodb.message_items import (
    CALLING_CHECK_MSEC,
    LATER,
    due_values,
    dump,
    key,
    load,
    parts,
    shard_name,
    take_turns,
)
from speechcall.adapters.dynamodb.pool import give_back, take_line, why_no_line
from speechcall.adapters.dynamodb.table import ConditionFailed, Values, from_wire, store_errors, to_wire
from speechcall.application.message_ports import Claim, LinesFull, LineTaken, NotQueued, Pool, Redialled
from speechcall.domain.ask import Ask
from speechcall.domain.errors import StoreUnavailable
from speechcall.domain.ids import holder
from speechcall.domain.message import Message, State
from speechcall.domain.outcome import Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SHARD = "due_shard = :shard, due_at = :due"
_NOT_DUE = "REMOVE due_shard, due_at"


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
        values = {":asks": [asdict(ask) for ask in asks], **due_values(shard_name(mid, State.QUEUED), now_msec)}
        return self._move(mid, State.PREPARING, State.QUEUED, f"SET #state = :to, asks = :asks, {_SHARD}", values)

    def refuse(self, mid: str, before: State, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
        expression = "SET #state = :to, outcome = :outcome, reason = :reason, finished_msec = :now"
        if cause:
            expression, values = f"{expression}, cause = :cause", {**values, ":cause": cause}
        return self._move(mid, before, State.FINISHED, f"{expression} {_NOT_DUE}", values)

    def note_fault(self, mid: str) -> int:
        """
        worker    UpdateItem faults + 1 ──► counted
        sweeper   preparing → finished (expired)
        worker        UpdateItem faults + 1 ──X it is not preparing any more: nothing is left to be counted
        """
        it_is_preparing = "#state = :from"
        change = self._change(mid, "ADD faults :one", it_is_preparing, {":from": State.PREPARING.value, ":one": 1})
        try:
            with store_errors():
                changed = self._client.update_item(**change, ReturnValues="UPDATED_NEW")
        except ConditionFailed:
            return 0
        return int(from_wire(changed["Attributes"])["faults"])

    def claim_line(self, message: Message, flow_arn: str, pool: Pool, now_msec: int) -> Claim:
        """
        dialer A   TransactWrite: held + m-1, m queued → calling ──► taken
        dialer B        TransactWrite: the same ──X m is calling: somebody else has it
        dialer B        TransactWrite: n, of the same number ──X the number is in a call
        dialer B        TransactWrite: o ──X next_msec is in the future: too soon
        finish m             held - m-1, m calling → finished
        """
        if pool.lines < 1:  # an empty set does not exist, and has no size
            return LinesFull()
        attempt = message.attempt + 1
        it_waits_for_this_attempt = "#state = :from AND attempt = :before"
        call_it = self._change(
            message.mid,
            "SET #state = :to, attempt = :attempt, claimed_msec = :now, dial_wait_seconds = :wait, "
            f"machine_arn = :flow, {_SHARD} REMOVE flow_arn",  # see `message_items`
            it_waits_for_this_attempt,
            {
                ":from": State.QUEUED.value,
                ":to": State.CALLING.value,
                ":before": message.attempt,
                ":attempt": attempt,
                ":flow": flow_arn,
                ":now": now_msec,
                ":wait": message.dial_wait_seconds,
                **due_values(shard_name(message.mid, State.CALLING), now_msec + CALLING_CHECK_MSEC),
            },
        )
        take = take_line(self._registry, holder(message.mid, attempt), message.number, pool, now_msec)
        try:
            self._transact([{"Update": take}, {"Update": call_it}])
        except ConditionFailed as failed:
            if 1 in failed.items:
                return NotQueued()
            return why_no_line(failed.items.get(0), message.number, pool, now_msec)
        return LineTaken()

    def finish(self, message: Message, outcome: Outcome, now_msec: int) -> bool:
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
        expression = "SET #state = :to, outcome = :outcome, reason = :reason, finished_msec = :now"
        try:
            self._give_back(message, State.FINISHED, f"{expression} {_NOT_DUE}", values)
        except ConditionFailed:
            return False
        return True

    def requeue(self, message: Message, redials: int, due_msec: int) -> bool:
        return self._queue_again(message, redials, due_msec) is Redialled.QUEUED

    def redial(self, message: Message, due_msec: int, calls_per_day: int) -> Redialled:
        """
        finish 1   TransactWrite: m calling → queued, held - m-1, the day + 1 ──► queued
        finish 2        TransactWrite: the same ──X m is not calling: it was done, and counted once
        finish 3        TransactWrite: n calling → queued, held - n-1, the day + 1 ──X the day is full
        """
        if calls_per_day < 1:  # a day that nobody has begun yet has no item to compare
            return Redialled.DAY_FULL
        day = take_calls(self._registry, message.account_id, 1, calls_per_day, due_msec)
        return self._queue_again(message, message.redials + 1, due_msec, day)

    def _queue_again(self, message: Message, redials: int, due_msec: int, *more: Any) -> Redialled:
        values = {":redials": redials, **due_values(LATER, due_msec)}
        expression = f"SET #state = :to, redials = :redials, {_SHARD}"
        try:
            self._give_back(message, State.QUEUED, expression, values, *more)
        except ConditionFailed as failed:
            return Redialled.DONE_BEFORE if 0 in failed.items else Redialled.DAY_FULL
        return Redialled.QUEUED

    def _give_back(self, message: Message, after: State, expression: str, values: Values, *more: Any) -> None:
        """Raises ConditionFailed, of item 0 if it was done before.

        finish 1   TransactWrite: m calling → finished, held - m-1 ──► done
        finish 2        TransactWrite: the same ──X m is not calling: it was done
        finish 1, late       TransactWrite: m, attempt 1 ──X m is calling for the second time
        """
        it_is_this_call = "#state = :from AND attempt = :attempt"
        of_this_call = {":from": State.CALLING.value, ":to": after.value, ":attempt": message.attempt}
        change = self._change(message.mid, expression, it_is_this_call, {**of_this_call, **values})
        give = give_back(self._registry, holder(message.mid, message.attempt), message.number)
        self._transact([{"Update": update} for update in (change, give, *more)])

    def _change(self, mid: str, expression: str, condition: str, values: Values) -> Any:
        return {
            "TableName": self._messages,
            "Key": to_wire(key(mid)),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(values),
        }

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        lists = []
        for shards in parts(state):
            found = [item for shard in shards for item in due_in(self._client, self._messages, shard, now_msec, limit)]
            found.sort(key=lambda item: (item["due_at"], item["pk"]))
            lists.append([str(item["pk"]).removeprefix("M#") for item in found])
        return take_turns(lists, limit)

    def postpone(self, mid: str, state: State, due_msec: int) -> None:
        shard = LATER if state is State.QUEUED else shard_name(mid, state)
        self._move(mid, state, state, f"SET #state = :to, {_SHARD}", due_values(shard, due_msec))

    def _move(self, mid: str, before: State, after: State, expression: str, values: dict[str, Any]) -> bool:
        """Leaves a state, once: of two that try, one finds the message gone from it."""
        change = self._change(mid, expression, "#state = :from", {":from": before.value, ":to": after.value, **values})
        try:
            with store_errors():
                self._client.update_item(**change)
        except ConditionFailed:
            return False
        return True

    def _transact(self, items: list[Any]) -> None:
        with store_errors():
            self._client.transact_write_items(TransactItems=items)
