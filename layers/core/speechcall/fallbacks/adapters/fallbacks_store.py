"""The fallbacks in the tables: what may be sent is claimed by one transaction that also asks whether it still may."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from speechcall.accounts.adapters.days_store import DAY_KEPT_SECONDS
from speechcall.accounts.rules.throttle import next_day
from speechcall.fallbacks.rules.next_send import LOST_MSEC
from speechcall.fallbacks.use_cases.fallback_ports import End, Intent, Waiting
from speechcall.messages.adapters.fallback_items import SENDING
from speechcall.messages.adapters.message_items import NOT_DUE, SHARD, due_values
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.messages.adapters.status_items import fallback_event, fallback_event_part
from speechcall.messages.rules.fallback import FallbackStatus
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import StatusEvent
from speechcall.shared.adapters.due_index import due_in
from speechcall.shared.adapters.keys import (
    FALLBACKS,
    campaign_key,
    fallback_key,
    list_brake_key,
    message_key,
    mid_of,
    opt_out_key,
    sms_key,
    turn_key,
)
from speechcall.shared.adapters.table import Values, read_item, to_wire, transact
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.shared.rules.unforeseen import told

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

FALLBACK, DAY, EVENT, OPT_OUT, LIST, CAMPAIGN, TURN, MESSAGE = (
    *("fallback", "day", "event", "optOut:", "list", "campaign", "turn", "message"),
)
"""The names of the transaction's writes (not parts of a text message); one of an opt-out is OPT_OUT and its list."""


class DynamoFallbacks:
    """A `FallbackStore` on DynamoDB."""

    def __init__(
        self,
        client: "DynamoDBClient",
        messages_table: str,
        registry_table: str,
        tell: Callable[[StatusEvent], object] | None = None,
    ) -> None:
        """`tell` queues a status event at once; without it, the event is found when it is due."""
        self._client, self._messages, self._registry = client, messages_table, registry_table
        self._reader = DynamoMessageReader(client, messages_table)
        self._queue_event = tell

    def due(self, now_msec: int, limit: int) -> list[str]:
        return [mid_of(item["pk"]) for item in due_in(self._client, self._messages, FALLBACKS, now_msec, limit)]

    def find(self, mid: str) -> Waiting | None:
        item = read_item(self._client, self._messages, fallback_key(mid))
        if item is None or item["state"] not in (FallbackStatus.PENDING.value, SENDING):
            return None
        return Waiting(mid, item["until_msec"], item["state"] == SENDING, item.get("intent_msec", 0))

    def message(self, mid: str) -> Message | None:
        return self._reader.get(mid)

    def intend(self, message: Message, parts: int, parts_per_day: int, now_msec: int) -> Intent:
        """See `FallbackStore.intend`. Each line below is a run, or a change by others, in the order of time:

        run A      TransactWrite: pending → sending, the day + 2 ──► written: A sends
        run B           TransactWrite: the same ──X it is sending
        opt-out    UpdateItem: its number
        run C           TransactWrite: pending → sending ──X opted out; so nothing is sent after the opt-out is written
        cancel     UpdateItem: its list is cancelled, or paused
        run D           TransactWrite: pending → sending ──X cancelled, or paused
        run E      TransactWrite: another message's, the day + 2 ──► it has its 100 parts of 100: E sends
        run F           TransactWrite: a third message's, the day + 2 ──X the day is full
        """
        if parts > parts_per_day:  # a day without a part yet has no item to compare
            return Intent.DAY_FULL
        it_waits = "#state = :from"
        claim = self._change(
            message.mid,
            f"SET #state = :to, intent_msec = :now, {SHARD}",
            it_waits,
            {
                ":from": FallbackStatus.PENDING.value,
                ":to": SENDING,
                ":now": now_msec,
                **due_values(FALLBACKS, now_msec + LOST_MSEC),
            },
        )
        day = self._take(message.account_id, parts, parts_per_day, now_msec)
        checks = {name: {"ConditionCheck": check} for name, check in self._checks(message).items()}
        failed = transact(self._client, {FALLBACK: {"Update": claim}, DAY: {"Update": day}, **checks})
        return _why_not(failed, message) if failed else Intent.WRITTEN

    def put_off(self, mid: str, at_msec: int) -> bool:
        it_waits = "#state = :from"
        values = {":from": FallbackStatus.PENDING.value, **due_values(FALLBACKS, at_msec)}
        change = self._change(mid, f"SET {SHARD}", it_waits, values)
        return not transact(self._client, {FALLBACK: {"Update": change}})

    def take_back(self, message: Message, parts: int, intended_msec: int, at_msec: int) -> bool:
        it_is_sending = "#state = :from"
        values = {":from": SENDING, ":to": FallbackStatus.PENDING.value, **due_values(FALLBACKS, at_msec)}
        change = self._change(message.mid, f"SET #state = :to, {SHARD} REMOVE intent_msec", it_is_sending, values)
        back = {DAY: {"Update": self._give_back(message.account_id, parts, intended_msec)}}
        return not transact(self._client, {FALLBACK: {"Update": change}, **back})

    def end(
        self, message: Message, end: End, now_msec: int, *, was_sending: bool, parts: int = 0, intended_msec: int = 0
    ) -> bool:
        """See `FallbackStore.end`.

        run A      SendTextMessage ──► sending → sent, its event ──► told
        run B           (5 minutes later) sending → unknown ──X it is sent
        or
        run A      SendTextMessage ──► sleeps
        run B           (5 minutes later) sending → unknown, its event ──► told
        run A                sending → sent ──X it is unknown, and stays so: its sender was told
        """
        writes = {FALLBACK: {"Update": self._ending(message.mid, end, now_msec, was_sending=was_sending)}}
        event = fallback_event(message)
        if event is not None:
            facts: Values = {"event_msec": now_msec, "event_fallback": end.status.value}
            facts |= {"event_outcome": message.outcome, "event_reason": message.reason}
            if end.reason:
                facts["event_fallback_reason"] = end.reason
            # It is queued below, if at all: then it is looked for only when the queue may have lost it.
            due_msec = now_msec + (QUEUE_LOST_SECONDS * 1000 if self._queue_event else 0)
            writes[EVENT] = fallback_event_part(self._messages, message, event, facts, due_msec)
        if parts:
            writes[DAY] = {"Update": self._give_back(message.account_id, parts, intended_msec)}
        if transact(self._client, writes):
            return False
        self._tell(event)
        return True

    def end_unreadable(self, mid: str, end: End, now_msec: int) -> bool:
        was_sending = end.status is FallbackStatus.UNKNOWN  # the end of one that is being sent, and of no other
        change = self._ending(mid, end, now_msec, was_sending=was_sending)
        return not transact(self._client, {FALLBACK: {"Update": change}})

    def _ending(self, mid: str, end: End, now_msec: int, *, was_sending: bool) -> Any:
        """The update that ends a fallback if it is `sending` (`was_sending`), else if it is pending."""
        it_is_in_its_state = "#state = :from"
        before = SENDING if was_sending else FallbackStatus.PENDING.value
        values: Values = {":from": before, ":to": end.status.value, ":now": now_msec}
        expression = "SET #state = :to, ended_msec = :now"
        if end.reason:
            expression, values[":reason"] = f"{expression}, reason = :reason", end.reason
        return self._change(mid, f"{expression} {NOT_DUE}", it_is_in_its_state, values)

    def _tell(self, event: StatusEvent | None) -> None:
        """Queues the event of an end, for its webhook. Never raises: an event not queued is found when it is due."""
        if event is None or self._queue_event is None:
            return
        try:
            self._queue_event(event)
        except Exception as error:  # noqa: BLE001 - the fallback has ended, and the event will be found
            fields = {"mid": event.name, "webhook_id": event.event_id}
            logger.warning("an event was not queued at once: %s", told(error), extra=fields)

    def _change(self, mid: str, expression: str, condition: str, values: Values) -> Any:
        """An update of the item of a message's fallback; `#state` in it is the fallback's state."""
        return {
            "TableName": self._messages,
            "Key": to_wire(fallback_key(mid)),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(values),
        }

    def _checks(self, message: Message) -> Mapping[str, Any]:
        """What else has to hold, by the names of the writes: nobody has opted out, and nothing stops the message."""
        nothing_stops_it = "attribute_not_exists(paused_msec) AND attribute_not_exists(cancelled_msec)"
        keys = {LIST: list_brake_key(message.list_id)}
        if message.campaign:
            keys[CAMPAIGN] = campaign_key(message.account_id, message.campaign)
        checks: dict[str, Any] = {name: self._check(key, nothing_stops_it) for name, key in keys.items()}
        it_is_not_paused = "attribute_not_exists(paused_msec)"
        # Who cancels an account's queue cancels its messages up to the latest id; later messages have larger ids.
        the_message_is_not_cancelled = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :mid)"
        checks[TURN] = {
            **self._check(
                turn_key(message.account_id, message.is_urgent),
                f"{it_is_not_paused} AND {the_message_is_not_cancelled}",
            ),
            "ExpressionAttributeValues": to_wire({":mid": int(message.mid)}),
        }
        it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
        checks[MESSAGE] = {**self._check(message_key(message.mid), it_is_not_cancelled), "TableName": self._messages}
        nobody_has_opted_out = "attribute_not_exists(since_msec)"
        for name in message.obeyed_lists:
            key = opt_out_key(message.account_id, name, message.number_digest)
            checks[f"{OPT_OUT}{name}"] = self._check(key, nobody_has_opted_out)
        return checks

    def _check(self, key: Mapping[str, str], condition: str) -> dict[str, Any]:
        return {
            "TableName": self._registry,
            "Key": to_wire(key),
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _take(self, account_id: str, parts: int, parts_per_day: int, now_msec: int) -> Any:
        """The update that adds a text message's `parts` to those counted in the account's day.

        It is refused beyond `parts_per_day`. A day without an item accepts any number: `intend` has looked whether they
        fit into an empty day.
        """
        day = datetime.fromtimestamp(now_msec / 1000, UTC)
        within_the_day = "attribute_not_exists(parts) OR parts <= :before"
        until = int(next_day(day).timestamp()) + DAY_KEPT_SECONDS
        return {
            "TableName": self._registry,
            "Key": to_wire(_day_key(account_id, now_msec)),
            "UpdateExpression": "SET expires_at = :until ADD parts :parts",
            "ConditionExpression": within_the_day,
            "ExpressionAttributeValues": to_wire({":parts": parts, ":before": parts_per_day - parts, ":until": until}),
        }

    def _give_back(self, account_id: str, parts: int, intended_msec: int) -> Any:
        """The update that gives parts back to the day from which they were taken, that of `intended_msec`.

        It happens once, since the fallback leaves `sending` in the same transaction.
        """
        return {
            "TableName": self._registry,
            "Key": to_wire(_day_key(account_id, intended_msec)),
            "UpdateExpression": "ADD parts :less",
            "ExpressionAttributeValues": to_wire({":less": -parts}),
        }


def _day_key(account_id: str, at_msec: int) -> Mapping[str, str]:
    return sms_key(account_id, f"{datetime.fromtimestamp(at_msec / 1000, UTC):%Y-%m-%d}")


def _why_not(failed: Mapping[str, Values | None], message: Message) -> Intent:
    """Why a fallback may not be sent, by the items whose conditions failed. What is for good comes first.

    `failed`: the names of `intend`'s writes, each with the item that stood there.
    """
    if FALLBACK in failed:
        return Intent.TAKEN
    if any(name.startswith(OPT_OUT) for name in failed):
        return Intent.OPTED_OUT
    stopped = [failed[name] or {} for name in (LIST, CAMPAIGN, MESSAGE) if name in failed]
    turn = failed.get(TURN) or {}
    if any("cancelled_msec" in one for one in stopped) or turn.get("cancelled_upto", 0) >= int(message.mid):
        return Intent.CANCELLED
    return Intent.PAUSED if stopped or TURN in failed else Intent.DAY_FULL
