"""How a message leaves a state: once, by a conditional write; and a call, with what becomes of its line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speechcall.accounts.adapters.days_store import take_calls
from speechcall.messages.adapters.lines_store import give_back
from speechcall.messages.adapters.message_items import SETTLING_END, due_values, shard_name
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.messages.adapters.turns_store import DynamoTurns, call_ended, settle_queue, settle_turn
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.turns import cost
from speechcall.messages.use_cases.message_ports import Redialled
from speechcall.shared.adapters.keys import LATER, campaign_key, list_brake_key, message_key, turn_key
from speechcall.shared.adapters.table import ConditionFailed, Values, store_errors, to_wire
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import End, Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARD = "due_shard = :shard, due_at = :due"
PLACE = "order_pk = :order_pk, order_sk = :order_sk"
PLACE_NAMES = "order_pk, order_sk"
NOT_DUE = f"REMOVE due_shard, due_at, {PLACE_NAMES}"
FINISHED = "SET #state = :to, outcome = :outcome, reason = :reason, finished_msec = :now"
NOT_FINISHED = f"REMOVE outcome, reason, finished_msec, {SETTLING_END}, {PLACE_NAMES}"


def it_is(state: State) -> tuple[str, State]:
    """The clause of a state, and its `:from`: a message that settles is written down as finished (`state_of`)."""
    if state is State.SETTLING:
        return f"#state = :from AND attribute_exists({SETTLING_END})", State.FINISHED
    return "#state = :from", state


class LeavingMessages(DynamoMessageReader):
    """The part of a `MessageStore` that leaves states."""

    def __init__(self, client: "DynamoDBClient", messages_table: str, registry_table: str) -> None:
        super().__init__(client, messages_table)
        self._registry = registry_table
        self.turns = DynamoTurns(client, messages_table, registry_table)

    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:
        """The time-line is at `_leave`."""
        values = {":outcome": guess.outcome, ":reason": guess.reason, ":now": now_msec, ":end": end.value}
        due = due_values(shard_name(message.mid, State.SETTLING), now_msec)
        expression = f"{FINISHED}, {SETTLING_END} = :end, {SHARD}"
        return self._leaves(message, State.FINISHED, expression, values | due, now_msec)

    def finish(self, message: Message, outcome: Outcome, now_msec: int) -> bool:
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
        return self._leaves(message, State.FINISHED, f"{FINISHED} {NOT_DUE}, {SETTLING_END}", values, now_msec)

    def _leaves(self, message: Message, after: State, expression: str, values: Values, now_msec: int) -> bool:
        try:
            self._leave(message, after, expression, values, now_msec)
        except ConditionFailed:
            return False
        return True

    def requeue(self, message: Message, redials: int, due_msec: int, now_msec: int) -> Redialled:
        return self._queue_again(message, redials, due_msec, now_msec)

    def redial(self, message: Message, due_msec: int, calls_per_day: int, now_msec: int) -> Redialled:
        """
        finish 1   TransactWrite: m calling → queued, held - m-1, the day + 1 ──► queued
        finish 2        TransactWrite: the same ──X m is not calling: it was done, and counted once
        finish 3        TransactWrite: n calling → queued, held - n-1, the day + 1 ──X the day is full
        """
        if calls_per_day < 1:  # a day without a call yet has no item to compare
            return Redialled.DAY_FULL
        day = take_calls(self._registry, message.account_id, 1, calls_per_day, due_msec)
        return self._queue_again(message, message.redials + 1, due_msec, now_msec, day)

    def _queue_again(self, message: Message, redials: int, due_msec: int, now_msec: int, *more: Any) -> Redialled:
        """
        cancel     UpdateItem: the list is cancelled
        finish 1        TransactWrite: m calling → queued ──X cancelled ──► m calling → finished
        or
        finish 1   TransactWrite: m calling → queued ──► waits
        cancel          UpdateItem: the list is cancelled ──► no claim of m is possible; its worker finishes it
        """
        values = {":redials": redials, **due_values(LATER, due_msec)}
        expression = f"SET #state = :to, redials = :redials, {SHARD} {NOT_FINISHED}"
        checks = self._nothing_is_cancelled(message)
        try:
            self._leave(message, State.QUEUED, expression, values, now_msec, *more, checks=checks)
        except ConditionFailed as failed:
            return _why_not_again(failed, message, is_counted=bool(more))
        return Redialled.QUEUED

    def _nothing_is_cancelled(self, message: Message) -> list[Any]:
        """The conditions under which a message may be dialled again, beside its own."""
        it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
        keys = [list_brake_key(message.list_id)]
        if message.campaign:
            keys.append(campaign_key(message.account_id, message.campaign))
        checks: list[Any] = [
            {"TableName": self._registry, "Key": to_wire(key), "ConditionExpression": it_is_not_cancelled}
            for key in keys
        ]
        of_turn = turn_key(message.account_id, message.is_urgent)
        the_message_is_not_cancelled = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :mid)"
        account = {"TableName": self._registry, "Key": to_wire(of_turn)}
        values = {"ExpressionAttributeValues": to_wire({":mid": int(message.mid)})}
        checks.append({**account, "ConditionExpression": the_message_is_not_cancelled, **values})
        return checks

    def _leave(
        self,
        message: Message,
        after: State,
        expression: str,
        values: Values,
        now_msec: int,
        *more: Any,
        checks: Sequence[Any] = (),
    ) -> None:
        """Raises ConditionFailed, of item 0 if it was done before. Who leaves the state of calling gives its line back.

        finish 1   TransactWrite: m calling → finished, held - m-1 ──► done
        finish 2        TransactWrite: the same ──X m is not calling: it was done
        finish 1, late       TransactWrite: m, attempt 1 ──X m is calling for the second time
        or
        finish 1   TransactWrite: m calling → settling, held - m-1 ──► asks why
        finish 2        TransactWrite: m calling → settling ──X m is not calling
        n, its number       TransactWrite: held + n-1 ──► the number is n's now: m gives nothing back any more
        sweeper                  TransactWrite: m settling → finished ──► done
        finish 1                      TransactWrite: m settling → finished ──X m is not settling: it was done

        `checks`: what else has to hold, of other items; the message itself must not be cancelled then. What `more` has
        comes directly behind the message's own part.
        """
        is_settling = message.state is State.SETTLING
        it_is_in_its_state, before = it_is(State.SETTLING if is_settling else State.CALLING)
        it_is_this_call = f"{it_is_in_its_state} AND attempt = :attempt"
        of_this_call = {":from": before.value, ":to": after.value, ":attempt": message.attempt}
        if checks:
            it_is_this_call += " AND attribute_not_exists(cancelled_msec)"
        change = self._change(message.mid, expression, it_is_this_call, {**of_this_call, **values})
        change["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        line = [] if is_settling else self._line_parts(message, now_msec)
        alone = _join(line, checks)
        self._transact([*({"Update": update} for update in [change, *more, *line]), *alone])

    def _line_parts(self, message: Message, now_msec: int) -> list[Any]:
        """The parts of an end that give a line back, and correct what its account was charged for it."""
        name = holder(message.mid, message.attempt)
        parts = [give_back(self._registry, name, message.number)]
        if message.share is not None:
            line_msec = max(now_msec - (message.claimed_msec or now_msec), 0)
            owed = cost(line_msec - message.charged_msec, message.share)
            account, campaign, is_urgent = message.account_id, message.campaign, message.is_urgent
            of_turn = (self._registry, account, is_urgent, name, line_msec, owed)
            parts.append(settle_turn(*of_turn, is_limited=message.is_limited))
            parts.append(settle_queue(self._registry, account, campaign, is_urgent, owed))
            if campaign:
                parts.append(call_ended(self._registry, account, campaign))
        return parts

    def _end(self, message: Message, before: State, expression: str, values: Values) -> bool:
        """The end of a message without a line."""
        return self._move(message.mid, before, State.FINISHED, expression, values)

    def _change(self, mid: str, expression: str, condition: str, values: Values) -> Any:
        return {
            "TableName": self._messages,
            "Key": to_wire(message_key(mid)),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(values),
        }

    def _move(self, mid: str, before: State, after: State, expression: str, values: dict[str, Any]) -> bool:
        """Leaves a state, once: of two that try, one finds the message gone from it."""
        it_is_in_its_state, stored = it_is(before)
        values = {":from": stored.value, ":to": after.value, **values}
        change = self._change(mid, expression, it_is_in_its_state, values)
        try:
            with store_errors():
                self._client.update_item(**change)
        except ConditionFailed:
            return False
        return True

    def _transact(self, items: list[Any]) -> None:
        with store_errors():
            self._client.transact_write_items(TransactItems=items)


def _join(updates: list[Any], checks: Sequence[Any]) -> list[Any]:
    """Puts conditions to the updates of the same items: a transaction has one part for each. The rest, as parts."""
    alone = []
    for check in checks:
        update = next((one for one in updates if one["Key"] == check["Key"]), None)
        if update is None:
            alone.append({"ConditionCheck": check})
            continue
        values = {**update["ExpressionAttributeValues"], **check.get("ExpressionAttributeValues", {})}
        update |= {"ConditionExpression": check["ConditionExpression"], "ExpressionAttributeValues": values}
    return alone


def _why_not_again(failed: ConditionFailed, message: Message, *, is_counted: bool) -> Redialled:
    """Why a message is not dialled again. `is_counted`: the second part takes a call of the account's day."""
    if 0 in failed.items:
        found = failed.items[0] or {}
        is_this_call = "cancelled_msec" in found and found.get("attempt") == message.attempt
        settles = message.state is State.SETTLING
        is_in_its_state = (SETTLING_END in found) if settles else found.get("state") == State.CALLING.value
        return Redialled.CANCELLED if is_this_call and is_in_its_state else Redialled.DONE_BEFORE
    is_of_the_day = is_counted and set(failed.items) == {1}
    return Redialled.DAY_FULL if is_of_the_day else Redialled.CANCELLED
