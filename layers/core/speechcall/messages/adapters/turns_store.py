"""Who waits for a line, and in which order: turns and queues, in the table Registry and its index `order`.

What belongs to an account has one partition, `TURN#<account>`. A turn or queue that waits has a place in the index;
one that does not has none, and costs a dialer nothing. Places are written by claims (see `DynamoMessages.claim_line`).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.account import DEFAULT_SHARE
from speechcall.messages.adapters.lines_store import CLOCKS
from speechcall.messages.rules.turns import NONE_CANCELLED, Queue, Turn, cost
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.adapters.keys import (
    POOL,
    QUEUES,
    SHUT,
    TURNS,
    Key,
    mid_of,
    queue_key,
    queue_names,
    queue_place,
    queues_partition,
    shut_place,
    shut_until,
    turn_key,
    turn_names,
    turn_place,
    turns_partition,
    waiting_partition,
)
from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, read_item, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
ALREADY_AWAKE_MSEC = 20_000
"""For how long an environment believes that a queue which it has woken is awake: it is for a minute (`REST_MSEC`)."""
MOST_REMEMBERED = 1000
MOST_OPENED = 100
"""How many queues are opened at once."""


class DynamoTurns:
    """A `TurnStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", messages_table: str, registry_table: str) -> None:
        self._client, self._messages, self._registry = client, messages_table, registry_table
        self._woken: dict[tuple[str, str, bool, str], int] = {}
        self._shut: dict[tuple[str, str, bool, str], int] = {}
        """When each queue opens that this environment has shut."""

    # ------------------------------------------------------------------ reads
    def waiting(self, limit: int) -> list[Turn]:
        return [load_turn(item) for item in self._in_order(self._registry, TURNS, limit)]

    def waiting_shares(self) -> int:
        """As `TurnStore` says: an account whose normal and urgent turns both wait counts once, a paused one not."""
        shares: dict[str, int] = {}
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._registry,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": TURNS}),
            )
            for turn in (load_turn(from_wire(item)) for page in pages for item in page["Items"]):
                if not turn.is_paused:
                    shares[turn.account_id] = turn.share
        return sum(shares.values())

    def queues(self, turn: Turn, limit: int) -> list[Queue]:
        partition = queues_partition(turn.account_id, turn.is_urgent)
        return [load_queue(item) for item in self._in_order(self._registry, partition, limit)]

    def heads(self, queue: Queue, limit: int) -> list[str]:
        partition = waiting_partition(queue.account_id, queue.campaign, queue.is_urgent, queue.window)
        return [mid_of(item["pk"]) for item in self._in_order(self._messages, partition, limit)]

    def find(self, account_id: str, is_urgent: bool) -> Turn:
        item = self._get(turn_key(account_id, is_urgent))
        return load_turn(item) if item else Turn(account_id, is_urgent)

    def find_queue(self, account_id: str, campaign: str, is_urgent: bool, window: str = "") -> Queue:
        item = self._get(queue_key(account_id, campaign, is_urgent, window))
        return load_queue(item) if item else Queue(account_id, campaign, is_urgent, window=window)

    def all_of(self, account_id: str) -> tuple[list[Turn], list[Queue]]:
        """As `TurnStore` says: all items of the account's partition."""
        turns, queues = [], []
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._registry,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": turns_partition(account_id)}),
                ConsistentRead=True,
            )
            for item in (from_wire(one) for page in pages for one in page["Items"]):
                if item["sk"].startswith(QUEUES):
                    queues.append(load_queue(item))
                else:
                    turns.append(load_turn(item))
        return turns, queues

    def _in_order(self, table: str, partition: str, limit: int) -> list[Values]:
        """The first items of a partition of the index `order`, which may be a little behind. Of MessagesTable the index
        has their keys alone.
        """
        with store_errors():
            page = self._client.query(
                TableName=table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": partition}),
                Limit=limit,
            )
        return [from_wire(item) for item in page["Items"]]

    # ----------------------------------------------------------------- writes
    def wake(
        self,
        account_id: str,
        campaign: str,
        is_urgent: bool,
        now_msec: int,
        *,
        window: str = "",
        opens_msec: int = 0,
        was_stopped: bool = False,
    ) -> None:
        """Wakes the queue first, then the account: a dialer takes an account without a queue out of the order again.

        Nothing is written if this environment has just woken the queue (ALREADY_AWAKE_MSEC), or has shut it until the
        same moment.

        prepare_prompts   wake ──► message queued
        dialer                                   nothing is seen of the queue (its index lags) ── rest ──X woken lately
        or
        dialer            nothing is seen of the queue, which was woken long ago
        prepare_prompts   wake: revision + 1 ──► message queued
        dialer                                ── rest ──X not the revision that it read
        """
        name = (account_id, campaign, is_urgent, window)
        if opens_msec > now_msec:
            if self._shut.get(name) != opens_msec:
                self.shut(Queue(account_id, campaign, is_urgent, window=window), opens_msec)
            return
        if not was_stopped and now_msec < self._woken.get(name, 0) + ALREADY_AWAKE_MSEC:
            return
        self._wake(
            queue_key(account_id, campaign, is_urgent, window),
            now_msec,
            queues_partition(account_id, is_urgent),
            lambda virtual: queue_place(campaign, virtual, window),
            lambda: self.find(account_id, is_urgent).queue_clock,
        )
        self._wake(
            turn_key(account_id, is_urgent),
            now_msec,
            TURNS,
            lambda virtual: turn_place(account_id, is_urgent, virtual),
            lambda: int((self._get(POOL) or {}).get(CLOCKS[is_urgent], 0)),
        )
        if len(self._woken) >= MOST_REMEMBERED:
            self._woken.clear()
        self._woken[name] = now_msec

    def _wake(
        self,
        key: Key,
        now_msec: int,
        partition: str,
        place: Callable[[int], str],
        clock: Callable[[], int],
    ) -> None:
        """Keeps a turn or queue that is in the order awake, or brings one that is not into it, among those served now.

        `key`: of its item; `partition`, `place`: its place in the index, which is made of a virtual time.
        One that was away has saved no line time: it begins at `clock`, the virtual time of what was served last, or at
        its own if that is later. One that is paused stays away until it is resumed.

        wake A   not in the order ──► virtual 7, its place ──► in the order
        wake B   not in the order ──────────────────────────► virtual 7, its place: the same again
        claim                              virtual 7 → 9
        wake C   not in the order, virtual 7 ───────────X charged meanwhile ──► from virtual 9
        """
        it_is_in_the_order = "attribute_exists(order_pk) AND attribute_not_exists(opens_msec)"
        woken = "SET woken_msec = :now ADD revision :one"
        found = self._update(key, woken, it_is_in_the_order, {":now": now_msec, ":one": 1})
        if found is None:
            return
        while found is not None and "paused_msec" not in found:
            owed, read = found.get("owed", 0), found.get("virtual_time", 0)
            virtual = max(read + owed, clock())
            nobody_has_charged_it = "(attribute_not_exists(virtual_time) OR virtual_time = :read)"
            values = {
                ":now": now_msec,
                ":one": 1,
                ":form": FORM,
                ":pk": partition,
                ":sk": place(virtual),
                ":virtual": virtual,
                ":read": read,
                ":less": -owed,
            }
            found = self._update(
                key,
                "SET order_pk = :pk, order_sk = :sk, virtual_time = :virtual, woken_msec = :now, v = :form "
                "ADD revision :one, owed :less REMOVE opens_msec",
                nobody_has_charged_it,
                values,
            )

    def shut(self, queue: Queue, opens_msec: int) -> None:
        """A queue leaves the order until its hours open.

        Needs no condition, whatever is written meanwhile: a queue that is shut although its hours are open is opened a
        minute later, and one that is open too early is found shut by the dialer that reads it.

        dialer A      9 pm: shut until 8 am ──► it costs nothing until then
        dialer B        9 pm: its index lags: the same again
        dialer C        its head is not seen ── rest ──X it was shut since it was read
        prepare           9:05 pm: wake, its hours are shut ──► the same again, once in an environment
        any dialer          8 am: open_due: wake ──► in the order
        """
        name = (queue.account_id, queue.campaign, queue.is_urgent, queue.window)
        values = {":pk": SHUT, ":sk": shut_place(opens_msec, *name), ":opens": opens_msec, ":one": 1, ":form": FORM}
        shut = "SET order_pk = :pk, order_sk = :sk, opens_msec = :opens, v = :form ADD revision :one"
        self._update(queue_key(*name), shut, None, values)
        self._woken.pop(name, None)
        if len(self._shut) >= MOST_REMEMBERED:
            self._shut.clear()
        self._shut[name] = opens_msec

    def open_due(self, now_msec: int) -> int:
        """As `TurnStore` says; counts what the index shows, which may be a little behind."""
        with store_errors():
            page = self._client.query(
                TableName=self._registry,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk AND order_sk < :end",
                ExpressionAttributeValues=to_wire({":pk": SHUT, ":end": shut_until(now_msec)}),
                Limit=MOST_OPENED,
            )
        for item in page["Items"]:
            queue = load_queue(from_wire(item))
            self.wake(queue.account_id, queue.campaign, queue.is_urgent, now_msec, window=queue.window)
        return len(page["Items"])

    def rest(self, turn: Turn, queue: Queue | None = None) -> bool:
        """Takes a queue, or without one the account's turn, out of the order. False: it was woken since it was read."""
        key = queue_key(queue.account_id, queue.campaign, queue.is_urgent, queue.window) if queue else None
        nothing_has_woken_it = "revision = :revision"
        found = self._update(
            key or turn_key(turn.account_id, turn.is_urgent),
            "REMOVE order_pk",  # `order_sk` stays: to that place `settle_turn` puts an account back
            nothing_has_woken_it,
            {":revision": queue.revision if queue else turn.revision},
        )
        if found is None and queue:
            self._woken.pop((queue.account_id, queue.campaign, queue.is_urgent, queue.window), None)
        return found is None

    def forget_live(self, turn: Turn, holders: Sequence[str]) -> None:
        """An attempt leaves the pool with its state and never comes back, so this needs no condition."""
        if holders:
            self._update(turn_key(turn.account_id, turn.is_urgent), "DELETE live :gone", None, {":gone": set(holders)})

    def _update(self, key: Key, expression: str, condition: str | None, values: Values) -> Values | None:
        """Updates the item of a turn or a queue; None: it was done. Else `condition` did not hold: what stood there."""
        more: Any = {"ConditionExpression": condition} if condition else {}
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._registry,
                    Key=to_wire(key),
                    UpdateExpression=expression,
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **more,
                )
        except ConditionFailed as failed:
            return failed.item or {}
        return None

    def _get(self, key: Key) -> Values | None:
        return read_item(self._client, self._registry, key)


# ------------------------------------------------------- parts of transactions
def charge_turn(table: str, charge: Charge, holder: str, mid: str) -> Any:
    """The part of a claim that charges an account for a call. It holds only if the turn and its limits are as they were
    read, a further line is free for the account, it is not paused, and the message is not cancelled with its queue.
    """
    turn = charge.turn
    charged = turn.charged(holder, charge.queue.standing)
    nobody_else_has_charged_it = "(attribute_not_exists(virtual_time) OR virtual_time = :read)"
    it_is_not_paused = "attribute_not_exists(paused_msec)"
    the_message_is_not_cancelled = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :mid)"
    values = {
        ":read": turn.virtual,
        ":mid": int(mid),
        ":virtual": charged.virtual,
        ":place": turn_place(turn.account_id, turn.is_urgent, charged.virtual),
        ":clock": charged.queue_clock,
        ":paid": -turn.owed,
        ":calls": charged.ended - turn.ended,
        ":msec": charged.line_msec - turn.line_msec,
        ":holders": {holder},
    }
    conditions = [nobody_else_has_charged_it, it_is_not_paused, the_message_is_not_cancelled]
    for name in ("max_lines", "calls_per_number", "minutes_per_day", "spend_per_day"):
        limit = getattr(turn, name)
        its_limit_is_as_read = f"attribute_not_exists({name})" if limit is None else f"{name} = :{name}"
        conditions.append(its_limit_is_as_read)
        if limit is not None:
            values[f":{name}"] = limit
    if turn.max_lines is not None:
        it_has_room = "(attribute_not_exists(live) OR size(live) < :most)"
        conditions.append(it_has_room)
        values[":most"] = turn.max_lines
    return {
        "TableName": table,
        "Key": to_wire(turn_key(turn.account_id, turn.is_urgent)),
        "UpdateExpression": "SET virtual_time = :virtual, order_sk = :place, queue_clock = :clock "
        "ADD owed :paid, ended :calls, line_msec :msec, live :holders",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": to_wire(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def charge_queue(table: str, charge: Charge) -> Any:
    """The part of a claim that charges the queue. Only a queue with hours has a condition: that it was not shut
    meanwhile.

    The queue may have been charged since it was read, although `charge_turn` goes by the turn as it is: an index shows
    one of them later than the other, and a dialer that gets the new turn (TurnMoved) may have read the queue before.
    So the charge is added to what stands there. Only the place is then that of the queue as it was read: it decides
    which queues are read, and the next claim puts it right.

    dialer A   reads the queue: 5 ──────────────────────────► 5 + 3: 8, its place 8
    dialer B   reads the queue: 5 ──► gets the turn ───────────────► 8 + 3: 11, its place 8
    """
    queue = charge.queue
    units = cost(charge.line_msec, charge.turn.share)
    it_is_not_shut: Any = {"ConditionExpression": "attribute_not_exists(opens_msec)"} if queue.window else {}
    return {
        "TableName": table,
        "Key": to_wire(queue_key(queue.account_id, queue.campaign, queue.is_urgent, queue.window)),
        **it_is_not_shut,
        "UpdateExpression": "SET order_sk = :place ADD virtual_time :charged, owed :paid",
        "ExpressionAttributeValues": to_wire(
            {
                ":charged": queue.owed + units,
                ":place": queue_place(queue.campaign, queue.charged(units).virtual, queue.window),
                ":paid": -queue.owed,
            }
        ),
    }


def settle_turn(
    table: str, account_id: str, is_urgent: bool, holder: str, line_msec: int, owed: int, *, is_limited: bool
) -> Any:
    """The part of an end that corrects what its account was charged, and takes the call from its live ones.

    `owed`: the virtual time that the call took beyond what was charged; negative where it took less. `is_limited`: the
    account has a limit of lines.
    An account with a limit of lines may have left the order because it held them all: it is put back, at the place that
    it had.
    """
    values = {":owed": owed, ":one": 1, ":msec": line_msec, ":holders": {holder}}
    put_back = also_woken = ""
    if is_limited:
        # A dialer that saw no room in it must not take it out of the order now: see `rest`.
        put_back, also_woken = "SET order_pk = :pk, order_sk = if_not_exists(order_sk, :sk) ", ", revision :one"
        values |= {":pk": TURNS, ":sk": turn_place(account_id, is_urgent, 0)}
    return {
        "TableName": table,
        "Key": to_wire(turn_key(account_id, is_urgent)),
        "UpdateExpression": f"{put_back}ADD owed :owed, ended :one, line_msec :msec{also_woken} DELETE live :holders",
        "ExpressionAttributeValues": to_wire(values),
    }


def settle_queue(table: str, account_id: str, campaign: str, is_urgent: bool, owed: int, window: str = "") -> Any:
    """The part of an end that corrects what its queue was charged. `owed`: as in `settle_turn`."""
    return {
        "TableName": table,
        "Key": to_wire(queue_key(account_id, campaign, is_urgent, window)),
        "UpdateExpression": "ADD owed :owed",
        "ExpressionAttributeValues": to_wire({":owed": owed}),
    }


# ------------------------------------------------------------------------ codecs
def load_turn(item: Values) -> Turn:
    """The turn in an item. An item that the end of a call has made holds nothing but what is owed."""
    account_id, is_urgent = turn_names(item)
    return Turn(
        account_id=account_id,
        is_urgent=is_urgent,
        share=item.get("line_share", DEFAULT_SHARE),
        max_lines=item.get("max_lines"),
        virtual=item.get("virtual_time", 0),
        owed=item.get("owed", 0),
        queue_clock=item.get("queue_clock", 0),
        live=frozenset(item.get("live", ())),
        is_waiting="order_pk" in item,
        woken_msec=item.get("woken_msec", 0),
        revision=item.get("revision", 0),
        is_paused="paused_msec" in item,
        cancelled_upto=item.get("cancelled_upto", NONE_CANCELLED),
        ended=item.get("ended", 0),
        line_msec=item.get("line_msec", 0),
        calls_per_number=item.get("calls_per_number"),
        minutes_per_day=item.get("minutes_per_day"),
        spend_per_day=item.get("spend_per_day"),
    )


def load_queue(item: Values) -> Queue:
    """The queue in an item."""
    account_id, campaign, is_urgent, window = queue_names(item)
    return Queue(
        account_id=account_id,
        campaign=campaign,
        is_urgent=is_urgent,
        virtual=item.get("virtual_time", 0),
        owed=item.get("owed", 0),
        is_waiting="order_pk" in item and "opens_msec" not in item,
        woken_msec=item.get("woken_msec", 0),
        revision=item.get("revision", 0),
        window=window,
        opens_msec=item.get("opens_msec", 0),
    )
