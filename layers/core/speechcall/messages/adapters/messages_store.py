"""The messages (pk `M#<mid>`, sk `MESSAGE`) and the lines that they hold (see `pool`)."""

from collections.abc import Mapping
from typing import Any

from speechcall.menus.adapters.ask_items import dump_ask
from speechcall.menus.rules.ask import Ask
from speechcall.messages.adapters.leaving_messages import MESSAGE, PLACE, PLACE_NAMES, LeavingMessages, it_is
from speechcall.messages.adapters.lines_store import take_line
from speechcall.messages.adapters.message_items import (
    CALLING_CHECK_MSEC,
    SHARD,
    due_ranges,
    due_values,
    ended_place,
    shard_lists,
    shard_name,
    take_turns,
    waiting_values,
)
from speechcall.messages.adapters.new_messages import DynamoNewMessages
from speechcall.messages.adapters.stops_store import job_part
from speechcall.messages.adapters.turns_store import charge_queue, charge_turn, load_turn
from speechcall.messages.rules.dial_times import NO_CAPS, Caps, Counts
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.opening import opens_later_msec
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Turn
from speechcall.messages.use_cases.message_ports import (
    AccountFull,
    Brake,
    Capped,
    Claim,
    HeldBack,
    LinesFull,
    LineTaken,
    NotQueued,
    NumberBusy,
    OptedOut,
    QueueShut,
    TooSoon,
    TurnMoved,
)
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.adapters.due_index import due_in
from speechcall.shared.adapters.keys import LATER, campaign_key, list_brake_key, mid_of, opt_out_key
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    store_errors,
    tell_change,
    to_wire,
    transact,
)
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import holder

OPT_OUT = "opt-out of "
"""The names of a claim's opt-out checks begin with this."""
CLAIM_TRIES = 3
"""Of a claim refused only by the count of calls to its number, which was out of date or just changed."""


class DynamoMessages(LeavingMessages, DynamoNewMessages):
    """A `MessageStore` on DynamoDB."""

    def queue(self, message: Message, asks: tuple[Ask, ...], now_msec: int) -> bool:
        """preparing → queued. False: it was not preparing.

        Wakes the message's queue before the message stands in it, so that a dialer finds it even if this function dies
        just then.
        """
        values = {":asks": [dump_ask(ask) for ask in asks], **self._wake_and_place(message, now_msec)}
        place = f", {PLACE}" if ":order_pk" in values else ""
        expression = f"SET #state = :to, asks = :asks, {SHARD}{place}"
        return self._move(message.mid, State.PREPARING, State.QUEUED, expression, values)

    def _wake_and_place(self, message: Message, now_msec: int) -> Values:
        """Wakes the queue of a queued message; returns the values that put the message into it.

        Before its `sendAt` no queue is woken, and the values make the message wait for that moment, apart from queues.
        """
        if message.send_at_msec > now_msec:
            return due_values(LATER, message.send_at_msec)
        opens_msec = opens_later_msec(message, now_msec)
        account, campaign, is_urgent = message.account_id, message.campaign, message.is_urgent
        self.turns.wake(account, campaign, is_urgent, now_msec, window=message.window, opens_msec=opens_msec)
        return waiting_values(message)

    def promote(self, message: Message, now_msec: int) -> bool:
        """Puts a queued message into its queue again, or to the moment of its `sendAt`. False: it is not queued.

        dialer A   wake its queue ── UpdateItem: m in its place in its queue ──► waits
        dialer B                           the same ──► the same again
        dialer C                      claims m         B ──X it is not queued any more
        dialer C                      claims m ── busy: queued for in ten minutes
        dialer B                                         ──X it has had a call since: it keeps its ten minutes
        """
        values = self._wake_and_place(message, now_msec)
        place = f", {PLACE} REMOVE held_back" if ":order_pk" in values else f" REMOVE {PLACE_NAMES}, held_back"
        return self._move(
            message.mid, State.QUEUED, State.QUEUED, f"SET #state = :to, {SHARD}{place}", values, message.attempt
        )

    def forget_place(self, message: Message) -> None:
        """Takes the queue's place from a finished message's item; for erasure it is listed by its number's digest."""
        place = ended_place(message.account_id, message.number_digest, message.mid)
        change = f"SET #state = :to, {PLACE}" if place else f"SET #state = :to REMOVE {PLACE_NAMES}"
        self._move(message.mid, State.FINISHED, State.FINISHED, change, place)

    def note_fault(self, mid: str) -> int:
        """Counts a fault of ours in preparing a message; returns how many there were, 0 if it is not preparing.

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

    def claim_line(
        self, message: Message, flow_arn: str, pool: Pool, now_msec: int, charge: Charge | None = None
    ) -> Claim:
        """Takes a line for a queued message and makes it `calling`, in one transaction; or says why not.

        `flow_arn`: its state machine. `charge` None: no account is charged, and of the limits only the stack's holds.
        "m-1" is message m's first attempt, as the pool's set `held` has it. Raises StoreUnavailable.

        dialer A   TransactWrite: add m-1 to held, m queued → calling ──► taken
        dialer B        TransactWrite: the same ──X m is calling: another dialer has it
        dialer B        TransactWrite: n, of the same number ──X the number is in a call
        dialer B        TransactWrite: o ──X next_msec is in the future: too soon
        dialer C        TransactWrite: p, for the account as it was before A ──X A has charged it: another may be next
        pause              UpdateItem: the campaign is paused
        dialer D             TransactWrite: q of the campaign ──X paused; so no call begins after the pause is written
        8 pm               UpdateItem: the queue of r is shut
        dialer E             TransactWrite: r ──X shut: no call begins after that is written
        dialer F   TransactWrite: s, its number's calls + 1, if fewer than 2 are counted ──► taken, the second
        dialer G        TransactWrite: t, of the same number, when s has ended ──X two are counted
        set             UpdateItem: the account may make 1 call to a number
        dialer H             TransactWrite: u, under a limit of 2 ──X the limit is not as read
        opt-out            UpdateItem: the number of v
        dialer J             TransactWrite: v ──X opted out; so no call begins after the opt-out is written
        finish m             remove m-1 from held, m calling → finished
        """
        if pool.lines_for(message.is_urgent) < 1:  # an empty set does not exist, and has no size
            return LinesFull()
        attempt = message.attempt + 1
        name = holder(message.mid, attempt)
        limits = limits_of(charge, pool)
        kept, gone = (", limits = :limits, reserved_amount = :reserved", "") if limits else ("", ", limits")
        reserved = reserved_of(limits, charge)
        it_waits_for_this_attempt = "#state = :from AND attempt = :before"
        call_it = self._change(
            message.mid,
            "SET #state = :to, attempt = :attempt, claimed_msec = :now, dial_wait_seconds = :wait, "
            f"machine_arn = :flow, line_share = :share, charged_msec = :charged, has_limit = :limited, {SHARD}"
            f"{kept} REMOVE flow_arn, held_back, {PLACE_NAMES}{gone}",  # `flow_arn`: its name in the release before
            it_waits_for_this_attempt,
            {
                ":from": State.QUEUED.value,
                ":to": State.CALLING.value,
                ":before": message.attempt,
                ":attempt": attempt,
                ":flow": flow_arn,
                ":now": now_msec,
                ":wait": message.dial_wait_seconds,
                ":share": charge.turn.share if charge else 0,
                ":charged": charge.line_msec if charge else 0,
                ":limited": charge is not None and charge.turn.max_lines is not None,
                **due_values(shard_name(message.mid, State.CALLING), now_msec + CALLING_CHECK_MSEC),
                **({":limits": limits, ":reserved": reserved} if limits else {}),
            },
        )
        take = take_line(
            self._registry,
            name,
            message.number,
            pool,
            now_msec,
            is_urgent=message.is_urgent,
            clock=charge.turn.standing if charge else 0,
        )
        parts = {"pool": {"Update": take}, "message": {"Update": call_it}, **self._brakes(message)}
        parts |= _opt_out_checks(self._registry, message)
        if charge:
            parts["turn"] = {"Update": charge_turn(self._registry, charge, name, message.mid)}
            parts["queue"] = {"Update": charge_queue(self._registry, charge)}
        if limits:
            estimate = charge.line_msec if charge else 0
            counts = Counts(limits, name, estimate, reserved)
            return self._claim_within(counts, parts, message, pool, now_msec, charge)
        failed = transact(self._client, parts)
        return _why_not(failed, message, pool, now_msec, charge) if failed else LineTaken()

    def _claim_within(
        self,
        counts: Counts,
        parts: Mapping[str, Any],
        message: Message,
        pool: Pool,
        now_msec: int,
        charge: Charge | None,
    ) -> Claim:
        """Makes a claim of a call that counts against limits. `parts`: all but those that count it.

        Capped: only limits refuse it, and one is reached. If they refuse it because of calls to the number that count
        no more, it is tried again without these; raises StoreUnavailable after CLAIM_TRIES.
        """
        # Few accounts have limits: functions that claim nothing need not load it.
        from speechcall.messages.adapters.caps_store import PREFIX, caps_in, claim_parts  # noqa: PLC0415

        found: dict[str, Values | None] = {}
        for _ in range(CLAIM_TRIES):
            counting = claim_parts(self._registry, message, counts, now_msec, found)
            failed = transact(self._client, {**parts, **counting})
            if not failed:
                return LineTaken()
            if not all(name.startswith(PREFIX) for name in failed):
                return _why_not(failed, message, pool, now_msec, charge)
            caps = caps_in(failed, counts.limits, now_msec)
            if caps.allow_msec > now_msec:
                return Capped(caps)
            found |= failed
        raise StoreUnavailable("the calls to a number change too fast")

    def caps_of(self, message: Message, now_msec: int) -> Caps:
        if not message.limits:
            return NO_CAPS
        from speechcall.messages.adapters.caps_store import read_caps  # noqa: PLC0415, as above

        return read_caps(self._client, self._registry, message, message.limits, now_msec)

    def _brakes(self, message: Message) -> dict[str, Any]:
        """The parts of a claim that refuse it while the message's list or campaign is paused or cancelled.

        That of the campaign also counts the call as one in progress.
        """
        nothing_stops_it = "attribute_not_exists(paused_msec) AND attribute_not_exists(cancelled_msec)"
        given = {"ConditionExpression": nothing_stops_it, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        of_list = {"TableName": self._registry, "Key": to_wire(list_brake_key(message.list_id)), **given}
        parts: dict[str, Any] = {Brake.LIST.value: {"ConditionCheck": of_list}}
        if message.campaign:
            call_more = {
                "UpdateExpression": "ADD in_calls :one",
                "ExpressionAttributeValues": to_wire({":one": 1}),
            }
            key = to_wire(campaign_key(message.account_id, message.campaign))
            parts[Brake.CAMPAIGN.value] = {"Update": {"TableName": self._registry, "Key": key, **call_more, **given}}
        return parts

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        """The ids of messages in `state` that are due, at most `limit`: the oldest of each list of shards
        (`shard_lists`), in turns.
        """
        lists = []
        for shards in shard_lists(state):
            found = [
                item
                for shard in shards
                for since_msec, until_msec in due_ranges(shard, now_msec)
                for item in due_in(self._client, self._messages, shard, until_msec, limit, since_msec)
            ]
            found.sort(key=lambda item: (item["due_at"], item["pk"]))
            lists.append([mid_of(item["pk"]) for item in found])
        return take_turns(lists, limit)

    def to_promote(self, now_msec: int, limit: int) -> list[str]:
        return [mid_of(item["pk"]) for item in due_in(self._client, self._messages, LATER, now_msec, limit)]

    def postpone(self, mid: str, state: State, due_msec: int, attempt: int | None = None) -> None:
        if state is State.QUEUED:
            expression, shard = f"SET #state = :to, {SHARD} REMOVE {PLACE_NAMES}", LATER
        else:
            expression, shard = f"SET #state = :to, {SHARD}", shard_name(mid, state)
        self._move(mid, state, state, expression, due_values(shard, due_msec), attempt)

    def hold_back(self, message: Message, due_msec: int) -> bool:
        """Takes a message out of its queue until `due_msec`, if its list is paused. False: nothing changed.

        dialer    TransactWrite: m leaves its queue, if the list is paused ──► held back
        resume         UpdateItem: not paused ──► reads m: it is held back ──► promotes it
        or
        resume    UpdateItem: not paused ──► reads m: it stands in its queue
        dialer         TransactWrite ──X the list is not paused: m keeps its place
        """
        its_list_is_paused = "attribute_exists(paused_msec)"
        it_waits_for_this_attempt = "#state = :from AND attempt = :attempt"
        expression = f"SET held_back = :yes, {SHARD} REMOVE {PLACE_NAMES}"
        values = {
            ":from": State.QUEUED.value,
            ":attempt": message.attempt,
            ":yes": True,
            **due_values(LATER, due_msec),
        }
        brake = {
            "TableName": self._registry,
            "Key": to_wire(list_brake_key(message.list_id)),
            "ConditionExpression": its_list_is_paused,
        }
        move = self._change(message.mid, expression, it_waits_for_this_attempt, values)
        return not self._write({MESSAGE: {"Update": move}, Brake.LIST.value: {"ConditionCheck": brake}})

    def stop_redials(self, message: Message, now_msec: int, *, hangs_up: bool) -> bool:
        """Notes that a message in a call, or just after one, is not dialled again; with `hangs_up` also that its call
        is to be ended, and a job of that. False: it has left the state or the attempt of `message`; nothing is noted.

        cancel     UpdateItem: m, which is calling, is cancelled ──► told that it is too late
        finish          TransactWrite: m calling → queued ──X cancelled ──► calling → finished
        or
        finish     TransactWrite: m calling → queued
        cancel          UpdateItem ──X m is not calling any more ──► reads it again: it waits, and is finished
        """
        it_is_in_its_state, before = it_is(message.state)
        it_is_this_call = f"{it_is_in_its_state} AND attempt = :attempt"
        expression = "SET cancelled_msec = if_not_exists(cancelled_msec, :now)"
        if hangs_up:
            expression += ", hangup_msec = if_not_exists(hangup_msec, :now)"
        values = {":from": before.value, ":attempt": message.attempt, ":now": now_msec}
        parts = {MESSAGE: {"Update": self._change(message.mid, expression, it_is_this_call, values)}}
        tell_change(self._client, {"state": message.state.value}, {"redials": False, "hangup": hangs_up})
        if hangs_up:
            what = Stopped(Brake.MESSAGE, message.account_id, message.mid)
            parts["job"] = {"Update": job_part(self._registry, what, now_msec, hangs_up=True)}
        return not self._write(parts)


def limits_of(charge: Charge | None, pool: Pool) -> dict[str, int]:
    """The limits that hold for a call, by the names in `dial_times.Limit`; empty: none.

    `account`, `stack`: calls to its number in 24 hours; `minutes`, `spend` (millionths): its account's, in a day (UTC).
    Without a charge only the stack's holds.
    """
    # Of the pool 0 is no limit; of an account None is.
    limits: dict[str, int] = {}
    if charge and charge.turn.calls_per_number is not None:
        limits["account"] = charge.turn.calls_per_number
    if pool.calls_per_number:
        limits["stack"] = pool.calls_per_number
    if charge and charge.turn.minutes_per_day is not None:
        limits["minutes"] = charge.turn.minutes_per_day
    if charge and charge.turn.spend_per_day is not None:
        limits["spend"] = charge.turn.spend_per_day
    return limits


def reserved_of(limits: Mapping[str, int], charge: Charge | None) -> int:
    """Spend reserved until the call ends, in millionths: its highest price; 0: its account has no limit of spend.

    Without a price, all of the day's, to be safe; the dialler never claims so.
    """
    if charge is None or "spend" not in limits:
        return 0
    return limits["spend"] if charge.most_price is None else charge.most_price


def _why_not(
    failed: Mapping[str, Values | None], message: Message, pool: Pool, now_msec: int, charge: Charge | None
) -> Claim:
    """Why a claim could not be made. `failed`: the parts whose conditions did not hold, with what stood there.

    What ends or stops the message weighs most; then its account's pause; then the pool; then its queue's hours; then
    its account's lines. TurnMoved: none of these, so the turn or its limits are not as they were read. That the number
    or the day is used up, `_claim_within` says.
    """
    if "message" in failed:
        return NotQueued()
    if any(name.startswith(OPT_OUT) for name in failed):
        return OptedOut()
    for brake in (Brake.LIST, Brake.CAMPAIGN):
        if brake.value in failed:
            return HeldBack(brake, is_final="cancelled_msec" in (failed[brake.value] or {}))
    turn = load_turn(failed["turn"] or {}) if failed.get("turn") else None
    if turn and turn.cancelled_upto >= int(message.mid):
        return HeldBack(Brake.ACCOUNT, is_final=True)
    if turn and turn.is_paused:
        return HeldBack(Brake.ACCOUNT, is_final=False)
    if "pool" in failed:
        return _why_no_line(failed["pool"], message.number, pool, now_msec, is_urgent=message.is_urgent)
    if "queue" in failed:
        return QueueShut()
    # With its turn as it was read, only the account's own lines are left as a reason.
    if turn and charge and turn.virtual == charge.turn.virtual and not turn.has_room:
        return AccountFull()
    return TurnMoved(turn or Turn(message.account_id, message.is_urgent))


def _why_no_line(item: Values | None, number: str, pool: Pool, now_msec: int, *, is_urgent: bool) -> Claim:
    """Why a line could not be taken of the pool as it was found (`item`): it is full, the number is in a call, or else
    the rate's next moment has not come. Full weighs most: then no message of this kind, urgent or not, finds a line.
    """
    found = item or {}
    # `held_normal` is kept, and limits anything, only where lines are kept free for urgent messages.
    normal = 0 if is_urgent or not pool.urgent_lines else len(found.get("held_normal", ()))
    if len(found.get("held", ())) >= pool.lines or (normal and normal >= pool.lines_for(is_urgent)):
        return LinesFull()
    if number in found.get("numbers", ()):
        return NumberBusy()
    return TooSoon(int(found.get("next_msec", now_msec)))


def _opt_out_checks(table: str, message: Message) -> dict[str, Any]:
    """The parts of a claim that refuse it if the message's number is on a list of opt-outs that the message obeys."""
    nobody_has_opted_out = "attribute_not_exists(since_msec)"
    return {
        f"{OPT_OUT}{name}": {
            "ConditionCheck": {
                "TableName": table,
                "Key": to_wire(opt_out_key(message.account_id, name, message.number_digest)),
                "ConditionExpression": nobody_has_opted_out,
            }
        }
        for name in message.obeyed_lists
    }
