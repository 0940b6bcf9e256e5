"""How a message leaves a state: once, by one transaction, whatever ends it.

Every way to end a message goes through `LeavingMessages.leave`: the end of its call, a refusal, expiry, cancelling,
giving up. What is known goes in (`Leaving`), the parts of the transaction come out (`_parts`): the change of the
message; its line given back and what its account was charged corrected, if it had one; its campaign's counts and
funnel, if it has one; the events of which its sender is told, if there is a `statusUrl`. Where the change stands alone
it is a single update.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from speechcall.accounts.adapters.days_store import take_calls
from speechcall.campaigns.adapters.campaign_counts import (
    CAMPAIGN,
    EndedMessage,
    Fewer,
    Parts,
    end_parts,
    fewer_of,
)
from speechcall.campaigns.adapters.campaigns_store import TRIES, patiently
from speechcall.campaigns.rules.funnel import Heard
from speechcall.messages.adapters.lines_store import give_back
from speechcall.messages.adapters.message_items import (
    NOT_DUE,
    SETTLING_END,
    SHARD,
    due_values,
    ended_place,
    shard_name,
)
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.messages.adapters.turns_store import DynamoTurns, settle_queue, settle_turn
from speechcall.messages.rules.message import (
    DAY_SECONDS,
    LIST_LONGER_SECONDS,
    Message,
    State,
    kept_after_end,
    kept_until,
)
from speechcall.messages.rules.turns import cost
from speechcall.messages.use_cases.message_ports import Redialled
from speechcall.shared.adapters.keys import (
    LATER,
    campaign_key,
    list_brake_key,
    list_ends_key,
    list_in_campaign_key,
    list_key,
    message_key,
    turn_key,
)
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    read_item,
    store_errors,
    to_wire,
    transact,
)
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import End, Outcome
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.shared.rules.unforeseen import told

_MOST_TTL_SECONDS = 100 * DAY_SECONDS
"""No message may be dialled for longer: `sendAt` is at most 30 days ahead, hours open in a month, two days follow."""

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.messages.adapters.status_items import Told
    from speechcall.messages.rules.status_event import StatusEvent

logger = logging.getLogger(__name__)

PLACE = "order_pk = :order_pk, order_sk = :order_sk"
PLACE_NAMES = "order_pk, order_sk"
FINISHED = "SET #state = :to, outcome = :outcome, reason = :reason, finished_msec = :now"
NOT_FINISHED = f"REMOVE outcome, reason, finished_msec, limits, {SETTLING_END}, {PLACE_NAMES}"
MESSAGE, DAY, FALLBACK = "message", "day", "newFallback"
"""The names of three parts."""


def it_is(state: State) -> tuple[str, State]:
    """The clause of a state, and its `:from`: a message that settles is written down as finished (`state_of`)."""
    if state is State.SETTLING:
        return f"#state = :from AND attribute_exists({SETTLING_END})", State.FINISHED
    return "#state = :from", state


@dataclass(frozen=True, slots=True)
class Leaving:
    """A message that leaves the state in which it was read, and all that has to do with that."""

    message: Message
    """As it was read: in the state that it leaves."""
    after: State
    """The state to which it goes."""
    now_msec: int
    expression: str
    """The update expression of the message. It has to set `#state = :to`."""
    values: Values
    """What the expression needs, but for `:to` and what the conditions need."""
    outcome: Outcome | None = None
    """With which it is finished for good; None: it is not."""
    heard: Heard | None = None
    """What its campaign counts of the attempt that is over for good; None: none is, it is in no campaign, or nothing is
    known of the attempt.
    """
    more: Parts = field(default_factory=dict)
    """Further parts of the transaction, by their names."""
    checks: Parts = field(default_factory=dict)
    """Conditions on other items, by the names of parts. Where there are any, the message must not be cancelled either.
    """
    settles: bool = False
    """Its call is over, and not for good: why it ended may yet change what becomes of the message."""
    again_msec: int | None = None
    """Not before this it is dialled again; None: it is not."""

    @property
    def had_line(self) -> bool:
        return self.message.state is State.CALLING

    @property
    def is_of_call(self) -> bool:
        """Whether a call attempt is left: of that very attempt alone, since the message may be in the next one."""
        return self.message.state in (State.CALLING, State.SETTLING)

    @property
    def is_over(self) -> bool:
        """Whether all is known of the attempt that will be: it does not begin to settle."""
        return self.outcome is not None or self.after is State.QUEUED


class LeavingMessages(DynamoMessageReader):
    """The part of a `MessageStore` that leaves states."""

    def __init__(
        self,
        client: "DynamoDBClient",
        messages_table: str,
        registry_table: str,
        tell: "Callable[[StatusEvent], object] | None" = None,
    ) -> None:
        """`tell` puts a status event into the queue; without it, the event is found when it is due."""
        super().__init__(client, messages_table)
        self._registry, self._queue_event = registry_table, tell
        self.turns = DynamoTurns(client, messages_table, registry_table)
        self.sleep: Callable[[float], object] = time.sleep

    # ------------------------------------------------------------ ways to leave
    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:
        """As `MessageStore` says. For a release that knows no such state the message is finished with `guess`."""
        values = {":outcome": guess.outcome, ":reason": guess.reason, ":now": now_msec, ":end": end.value}
        due = due_values(shard_name(message.mid, State.SETTLING), now_msec)
        expression = f"{FINISHED}, {SETTLING_END} = :end, {SHARD}"
        # The guess is not its outcome, and its call may turn out to have been answered: neither is counted yet.
        leaving = Leaving(_in_a_call(message), State.FINISHED, now_msec, expression, values | due, settles=True)
        return self._try_to_leave(leaving)

    def finish(self, message: Message, outcome: Outcome, now_msec: int, heard: Heard | None = None) -> bool:
        return self._try_to_leave(_finishing(_in_a_call(message), outcome, None, now_msec, heard))

    def refuse(self, message: Message, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        return self._try_to_leave(_finishing(message, outcome, cause, now_msec))

    def refuse_unreadable(self, mid: str, before: State, outcome: Outcome, now_msec: int) -> bool:
        """Ends a message whose item cannot be understood; False: it is not in the state `before` any more.

        Its campaign and its sender are told, as far as the item names them: they would wait for its end for ever. A
        line that it holds stays in the pool: the sweeper finds it there.
        """
        item = read_item(self._client, self._messages, message_key(mid)) or {}
        known = {name: item.get(name, "") for name in ("account_id", "campaign", "funnel")}
        told_of = None
        if "status_url" in item or "counts_in_list" in item:
            from speechcall.messages.adapters.status_items import told_of_item  # noqa: PLC0415, as in `_told_to_sender`

            told_of = told_of_item(item, now_msec, outcome)
        ended: EndedMessage | None = None
        if all(isinstance(value, str) for value in known.values()) and known["campaign"]:
            had_line = before is State.CALLING
            # Of a call of which nothing was heard `expires_at` does not matter.
            ended = EndedMessage(**known, mid=mid, expires_at=0, had_line=had_line, outcome=outcome, heard=None)
        it_is_in_its_state, stored = it_is(before)
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
        values |= {":from": stored.value, ":to": State.FINISHED.value}
        finished = FINISHED
        if isinstance(item.get("keep_days"), int):
            finished = f"{FINISHED}, expires_at = :expires"
            values[":expires"] = kept_after_end(now_msec, item["keep_days"])
        finished, more = _ended(finished, item.get("account_id"), item.get("number_digest"), mid)
        change = self._change(mid, finished, it_is_in_its_state, values | more)
        return not self._count_and_write({MESSAGE: {"Update": change}}, ended, now_msec, told_of=told_of)

    def ttl_seconds_of(self, mid: str) -> int | None:
        item = read_item(self._client, self._messages, message_key(mid)) or {}
        ttl_seconds = item.get("ttl_seconds")
        return ttl_seconds if isinstance(ttl_seconds, int) and 0 < ttl_seconds <= _MOST_TTL_SECONDS else None

    def requeue(
        self, message: Message, redials: int, due_msec: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        return self._queue_again(message, redials, due_msec, now_msec, heard, {})

    def redial(
        self, message: Message, due_msec: int, calls_per_day: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        """Queues a message for a redial, as one of its account's calls of the day (UTC) of `due_msec`.

        finish 1   TransactWrite: m calling → queued, held - m-1, the day + 1 ──► queued
        finish 2        TransactWrite: the same ──X m is not calling: it was done, and counted once
        finish 3        TransactWrite: n calling → queued, held - n-1, the day + 1 ──X the day is full
        """
        if calls_per_day < 1:  # a day without a call yet has no item to compare
            return Redialled.DAY_FULL
        day = {DAY: {"Update": take_calls(self._registry, message.account_id, 1, calls_per_day, due_msec)}}
        return self._queue_again(message, message.redials + 1, due_msec, now_msec, heard, day)

    def _queue_again(
        self, message: Message, redials: int, due_msec: int, now_msec: int, heard: Heard | None, more: Parts
    ) -> Redialled:
        """Puts a message back to be dialled again, unless it, its list, its campaign or its account was cancelled.

        `redials`: how many of its attempts are redials from then on. `due_msec`: not before this it is dialled. `more`:
        parts that are written with it, or not at all.

        cancel     UpdateItem: the list is cancelled
        finish 1        TransactWrite: m calling → queued ──X cancelled ──► m calling → finished
        or
        finish 1   TransactWrite: m calling → queued ──► waits
        cancel          UpdateItem: the list is cancelled ──► no claim of m is possible; its worker finishes it
        """
        values: Values = {":redials": redials, **due_values(LATER, due_msec)}
        answered = ""
        if message.answered_reason is not None:
            answered, values[":answered"] = ", answered_reason = :answered", message.answered_reason
        expression = f"SET #state = :to, redials = :redials{answered}, {SHARD} {NOT_FINISHED}"
        message = _in_a_call(message)
        checks = self._cancellation_checks(message)
        leaving = Leaving(message, State.QUEUED, now_msec, expression, values, None, heard, more, checks)
        failed = self._leave(replace(leaving, again_msec=due_msec))
        return _why_not_again(failed, message)

    def _cancellation_checks(self, message: Message) -> Parts:
        """The conditions, by the names of parts, that a message was cancelled neither with its list nor with its
        campaign, nor with its account's queue. (That it was not cancelled by itself is a clause of `_parts`.)
        """
        it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
        keys = {"list": list_brake_key(message.list_id)}
        if message.campaign:
            keys[CAMPAIGN] = campaign_key(message.account_id, message.campaign)
        checks: Parts = {
            name: {"TableName": self._registry, "Key": to_wire(key), "ConditionExpression": it_is_not_cancelled}
            for name, key in keys.items()
        }
        the_message_is_not_cancelled = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :mid)"
        checks["turn"] = {
            "TableName": self._registry,
            "Key": to_wire(turn_key(message.account_id, message.is_urgent)),
            "ConditionExpression": the_message_is_not_cancelled,
            "ExpressionAttributeValues": to_wire({":mid": int(message.mid)}),
        }
        return checks

    # ------------------------------------------------------ the one transaction
    def _try_to_leave(self, leaving: Leaving) -> bool:
        return not self._leave(leaving)

    def _leave(self, leaving: Leaving) -> Mapping[str, Values | None]:
        """Leaves a state; empty: it did. Else nothing is changed: the parts whose conditions failed, with what stood
        there. Who leaves a call gives its line back. Raises StoreUnavailable.

        finish 1   TransactWrite: m calling → finished, held - m-1 ──► done
        finish 2        TransactWrite: the same ──X m is not calling: it was done
        finish 1, late       TransactWrite: m, attempt 1 ──X m is calling for the second time
        or
        finish 1   TransactWrite: m calling → settling, held - m-1 ──► asks why
        finish 2        TransactWrite: m calling → settling ──X m is not calling
        n, its number       TransactWrite: held + n-1 ──► the number is n's now: m gives nothing back any more
        sweeper                  TransactWrite: m settling → finished ──► done
        finish 1                      TransactWrite: m settling → finished ──X m is not settling: it was done
        or
        dialer     TransactWrite: m queued → calling ──► in a call
        sweeper         TransactWrite: m queued → finished (expired), its campaign's counts ──X m is not queued:
                        nothing was counted
        """
        message = leaving.message
        if leaving.outcome and message.keep_days:
            self._keep_its_list(message, leaving.now_msec)
        ended: EndedMessage | None = None
        if message.campaign:
            ended = EndedMessage(
                message.account_id,
                message.campaign,
                message.funnel,
                message.mid,
                message.expires_at,
                leaving.had_line,
                leaving.outcome,
                leaving.heard,
            )
        return self._count_and_write(
            self._parts(leaving), ended, leaving.now_msec, leaving.checks, told_of=self._told_to_sender(leaving)
        )

    def _keep_its_list(self, message: Message, now_msec: int) -> None:
        """Keeps the list and the campaign of a message that is about to end at least as long as the message.

        It writes only where the message ends more than a week after its time was up (KNOWN_BY_SECONDS and
        LIST_LONGER_SECONDS): else they are kept longer than the message anyway.

        end        UpdateItem: its list is kept longer ──► TransactWrite: finished
        TTL             deletes the list before that ──X it is gone; nothing is made in its place
        """
        until = kept_after_end(now_msec, message.keep_days)
        if until <= kept_until(message.dial_until_msec, message.keep_days) + LIST_LONGER_SECONDS:
            return
        it_goes_before = "attribute_exists(pk) AND expires_at < :until"
        keys = [list_key(message.list_id), list_ends_key(message.list_id)]
        if message.campaign:
            keys += [
                campaign_key(message.account_id, message.campaign),
                list_in_campaign_key(message.list_id),
            ]
        for key in keys:
            with suppress(ConditionFailed), store_errors():
                self._client.update_item(
                    TableName=self._registry,
                    Key=to_wire(key),
                    UpdateExpression="SET expires_at = :until",
                    ConditionExpression=it_goes_before,
                    ExpressionAttributeValues=to_wire({":until": until}),
                )

    def _parts(self, leaving: Leaving) -> Parts:
        """The parts of the transaction, but for those of the campaign: their form depends on how many messages of it
        are left (`_count_and_write`).
        """
        message = leaving.message
        clause, before = it_is(message.state)
        values = {":from": before.value, ":to": leaving.after.value, **leaving.values}
        if leaving.is_of_call:
            it_is_this_call = "attempt = :attempt"
            clause, values[":attempt"] = f"{clause} AND {it_is_this_call}", message.attempt
        if leaving.checks:
            it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
            clause = f"{clause} AND {it_is_not_cancelled}"
        change = self._change(message.mid, leaving.expression, clause, values)
        change["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        line = self._line_parts(message, leaving.now_msec) if leaving.had_line else {}
        limits = self._limit_parts(leaving) if leaving.is_of_call else {}
        return {MESSAGE: {"Update": change}, **line, **limits, **self._fallback_parts(leaving), **leaving.more}

    def _fallback_parts(self, leaving: Leaving) -> Parts:
        """The fallback of a message that ends so that it is to be sent: another function sends it."""
        if not _awaits_fallback(leaving):
            return {}
        from speechcall.messages.adapters.fallback_items import new_fallback  # noqa: PLC0415, few messages have one

        return {FALLBACK: new_fallback(self._messages, leaving.message, leaving.now_msec)}

    def _line_parts(self, message: Message, now_msec: int) -> Parts:
        """The parts of an end that give a line back, and correct what its account was charged for it.

        Where its share is not known nothing was charged: a release before has taken the line.
        """
        name = holder(message.mid, message.attempt)
        parts: Parts = {"pool": {"Update": give_back(self._registry, name, message.number)}}
        if message.share is not None:
            line_msec = max(now_msec - (message.claimed_msec or now_msec), 0)
            owed = cost(line_msec - message.charged_msec, message.share)
            account, campaign, is_urgent = message.account_id, message.campaign, message.is_urgent
            of_turn = (self._registry, account, is_urgent, name, line_msec, owed)
            parts["turn"] = {"Update": settle_turn(*of_turn, is_limited=message.is_limited)}
            queue = settle_queue(self._registry, account, campaign, is_urgent, owed, message.window)
            parts["queue"] = {"Update": queue}
        return parts

    def _limit_parts(self, leaving: Leaving) -> Parts:
        """The parts of an end that correct what its call counts against the limits of its account and of the stack;
        empty: it counts against none, or nothing has to be corrected.
        """
        if not leaving.message.limits:
            return {}
        # Few accounts have limits.
        from speechcall.messages.adapters.caps_store import end_parts  # noqa: PLC0415

        return end_parts(
            self._registry, leaving.message, leaving.now_msec, gives_back=leaving.had_line, is_over=leaving.is_over
        )

    def _told_to_sender(self, leaving: Leaving) -> "Told | None":
        """What the sender is told of the end of a message, or of its attempt, and where; None: nothing.

        Of most messages nothing is told, as no `statusUrl` is known; nor of one that begins to settle.
        """
        message = leaving.message
        if leaving.settles or not (message.status_url or message.counts_in_list):
            return None
        from speechcall.messages.adapters.status_items import told_of_message  # noqa: PLC0415, few have a statusUrl

        return told_of_message(
            message,
            leaving.now_msec,
            leaving.outcome,
            ends_attempt=leaving.is_of_call,
            again_msec=leaving.again_msec,
            fallback=_fallback_status(leaving),
        )

    def _count_and_write(
        self,
        parts: Parts,
        ended: EndedMessage | None,
        now_msec: int,
        checks: Parts | None = None,
        *,
        told_of: "Told | None" = None,
    ) -> Mapping[str, Values | None]:
        """Writes the parts with those of campaign, list and sender; returns the parts whose conditions failed.

        `ended`: for the campaign; None: the message is in none. `checks`: see `Leaving`. `told_of`: for list and
        sender; None: neither is told.
        Where only a count failed, because the last message of a campaign or list takes another form than the ones
        before it (`Fewer`), the other form is written.
        Many ends of one campaign or list at once are in each other's way: each is tried again for half a second, and
        one that still fails raises StoreUnavailable, and its caller tries it again: nothing was written.
        """
        if told_of is not None:
            return self._tell_and_write(parts, ended, told_of, checks)
        if ended is None:
            return self._write(_join(parts, checks or {}))
        fewer = Fewer.SOME_LEFT
        for _ in range(TRIES):
            every = _join({**parts, **end_parts(self._registry, ended, fewer, now_msec)}, checks or {})
            failed = patiently(partial(self._write, every), self.sleep)
            if CAMPAIGN not in failed or ended.outcome is None or any(name in failed for name in parts):
                return failed
            fewer = fewer_of(failed[CAMPAIGN], 1)
        raise StoreUnavailable("the campaign changes too fast")

    def _tell_and_write(
        self, parts: Parts, ended: EndedMessage | None, told_of: "Told", checks: Parts | None
    ) -> Mapping[str, Values | None]:
        """As `_count_and_write`, with the status events for the sender; they are queued when all is written, and one
        that could not be queued is found when it is due.

        finish     TransactWrite: m finished, its event pending ──► queued ──► sent
        killed     TransactWrite: m finished, its event pending ──► killed
        the minute's tick                      its event is due ──► queued ──► sent
        """
        from speechcall.messages.adapters.status_items import (  # noqa: PLC0415, as in `_told_to_sender`
            ENDS,
            LIST_EVENT,
            Open,
            ends_parts,
            event_parts,
            events_of,
            list_event,
            open_after,
        )

        due_msec = told_of.now_msec + (QUEUE_LOST_SECONDS * 1000 if self._queue_event else 0)
        parts = {**parts, **event_parts(self._messages, told_of, due_msec)}
        fewer, left, counter = Fewer.SOME_LEFT, Open.SOME_LEFT, Values()
        for _ in range(TRIES):
            counted = end_parts(self._registry, ended, fewer, told_of.now_msec) if ended else {}
            ends = ends_parts(self._messages, self._registry, told_of, left, counter, due_msec)
            every = _join({**parts, **counted, **ends}, checks or {})
            failed = patiently(partial(self._write, every), self.sleep)
            if not failed:
                of_list = [list_event(told_of.list_id)] if LIST_EVENT in ends else []
                self._queue_events([*events_of(told_of), *of_list])
            # Only a counter of the campaign or of the list is in the way: the other form of it may be right.
            is_of_counters = failed and told_of.outcome and not any(name in failed for name in parts)
            if not (is_of_counters and {CAMPAIGN, ENDS} & failed.keys()):
                return failed
            if CAMPAIGN in failed:
                fewer = fewer_of(failed[CAMPAIGN], 1)
            if ENDS in failed:
                counter = failed[ENDS] or {}
                left = open_after(counter)
        raise StoreUnavailable("the campaign or the list changes too fast")

    def _queue_events(self, events: "list[StatusEvent]") -> None:
        """Puts events into the queue. One for which that fails is found when it is due."""
        queue = self._queue_event
        if queue is None:
            return
        for event in events:
            try:
                queue(event)
            except Exception as error:  # noqa: BLE001 - the message has ended, and the event will be found
                fields = {"mid": event.name, "webhook_id": event.event_id}
                logger.warning("an event was not queued at once: %s", told(error), extra=fields)

    def _write(self, parts: Parts, token: str = "") -> Mapping[str, Values | None]:
        """What failed, by the names of the parts; empty: all is written. `token`: as in `transact`.

        One part alone is no transaction; it is always that of the message.
        """
        if len(parts) > 1:
            return transact(self._client, parts, token)
        try:
            with store_errors():
                self._client.update_item(**parts[MESSAGE]["Update"])
        except ConditionFailed as failed:
            return {MESSAGE: failed.item}
        return {}

    # ----------------------------------------------------------------- changes
    def _change(self, mid: str, expression: str, condition: str, values: Values) -> Any:
        """The update of a message's item, for a request or for a part."""
        return {
            "TableName": self._messages,
            "Key": to_wire(message_key(mid)),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(values),
        }

    def _move(
        self,
        mid: str,
        before: State,
        after: State,
        expression: str,
        values: dict[str, Any],
        attempt: int | None = None,
    ) -> bool:
        """Changes the item of a message alone; False: it is not in the state `before` (any more), and nothing changed.

        `after` is `before` where the state stays. Of two that leave a state, one finds the message gone from it.
        `attempt`: how many calls it has had, where it may have had one more since; None: that may be any number.
        """
        it_is_in_its_state, stored = it_is(before)
        values = {":from": stored.value, ":to": after.value, **values}
        condition = it_is_in_its_state
        if attempt is not None:
            it_has_had_no_call_since = "attempt = :attempt"
            condition, values = f"{condition} AND {it_has_had_no_call_since}", {**values, ":attempt": attempt}
        return not self._write({MESSAGE: {"Update": self._change(mid, expression, condition, values)}})


def _finishing(
    message: Message, outcome: Outcome, cause: str | None, now_msec: int, heard: Heard | None = None
) -> Leaving:
    """A message that ends for good, from the state in which it was read. `cause`: a text that says more of why; None:
    there is none.
    """
    values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
    expression = f"{FINISHED}, cause = :cause" if cause else FINISHED
    if cause:
        values[":cause"] = cause
    if message.keep_days:
        until = kept_after_end(now_msec, message.keep_days)
        if message.fallback:  # which may wait for a day, and needs the number and its text
            until += DAY_SECONDS
        values[":expires"], expression = until, f"{expression}, expires_at = :expires"
        # What is written with its end is kept for as long at least.
        message = replace(message, expires_at=max(message.expires_at, until))
    expression, more = _ended(expression, message.account_id, message.number_digest, message.mid)
    return Leaving(message, State.FINISHED, now_msec, expression, values | more, outcome, heard)


def _ended(expression: str, account_id: object, digest: object, mid: str) -> tuple[str, Values]:
    """`expression` with what every end adds to it, and the values which that needs: the message is due no more, and
    stands among those to its number, or nowhere if `ended_place` knows no place.
    """
    place = ended_place(account_id, digest, mid)
    if not place:
        return f"{expression} {NOT_DUE}, {SETTLING_END}, {PLACE_NAMES}", {}
    return f"{expression}, {PLACE} {NOT_DUE}, {SETTLING_END}", place


def _join(parts: Parts, checks: Parts) -> Parts:
    """One transaction out of `parts` and `checks`, also of the same items: DynamoDB takes one entry for an item.

    A check of an item that is updated becomes the condition of that update, which has none of its own here; the others
    become condition checks.
    """
    joined = dict(parts)
    for name, check in checks.items():
        update = parts.get(name, {}).get("Update")
        if update is None:
            joined[name] = {"ConditionCheck": check}
            continue
        values = {**update["ExpressionAttributeValues"], **check.get("ExpressionAttributeValues", {})}
        condition = {"ConditionExpression": check["ConditionExpression"], "ExpressionAttributeValues": values}
        joined[name] = {"Update": {**update, **condition}}
    return joined


def _why_not_again(failed: Mapping[str, Values | None], message: Message) -> Redialled:
    """What became of a message that was to be dialled again. `failed`: the parts whose conditions did not hold, with
    what stood there.

    That it had left its call before weighs most, then that something was cancelled, then the account's full day.
    """
    if not failed:
        return Redialled.QUEUED
    if MESSAGE in failed:
        found = failed[MESSAGE] or {}
        is_cancelled = "cancelled_msec" in found and found.get("attempt") == message.attempt
        settles = message.state is State.SETTLING
        is_in_its_state = (SETTLING_END in found) if settles else found.get("state") == State.CALLING.value
        return Redialled.CANCELLED if is_cancelled and is_in_its_state else Redialled.DONE_BEFORE
    return Redialled.DAY_FULL if set(failed) == {DAY} else Redialled.CANCELLED


def _fallback_status(leaving: Leaving) -> str:
    """What becomes of its fallback with this end; empty: nothing yet, or it has none."""
    if leaving.outcome is None or leaving.message.fallback is None:
        return ""
    from speechcall.messages.adapters.fallback_items import status_at_end  # noqa: PLC0415, few messages have one

    return status_at_end(leaving.message, leaving.outcome) or ""


def _awaits_fallback(leaving: Leaving) -> bool:
    return _fallback_status(leaving) == "pending"


def _in_a_call(message: Message) -> Message:
    """The message as one that is in a call, or settles: what ends it is the end of a call, however it was read."""
    return message if message.state is State.SETTLING else replace(message, state=State.CALLING)
