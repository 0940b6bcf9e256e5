"""The messages (pk `M#<mid>`, sk `MESSAGE`) and the lines that they hold (see `pool`)."""

from collections.abc import Sequence
from typing import Any

from speechcall.menus.adapters.ask_items import dump_ask
from speechcall.menus.rules.ask import Ask
from speechcall.messages.adapters.leaving_messages import FINISHED, NOT_DUE, SHARD, LeavingMessages
from speechcall.messages.adapters.lines_store import take_line, why_no_line
from speechcall.messages.adapters.message_items import (
    CALLING_CHECK_MSEC,
    SETTLING_END,
    due_values,
    dump,
    parts,
    shard_name,
    take_turns,
)
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_ports import Claim, LinesFull, LineTaken, NotQueued, Pool
from speechcall.shared.adapters.due_index import due_in
from speechcall.shared.adapters.keys import LATER, mid_of
from speechcall.shared.adapters.table import ConditionFailed, from_wire, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import Outcome


class DynamoMessages(LeavingMessages):
    """A `MessageStore` on DynamoDB."""

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
        values = {":asks": [dump_ask(ask) for ask in asks], **due_values(shard_name(mid, State.QUEUED), now_msec)}
        return self._move(mid, State.PREPARING, State.QUEUED, f"SET #state = :to, asks = :asks, {SHARD}", values)

    def refuse(self, mid: str, before: State, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        values = {":outcome": outcome.outcome, ":reason": outcome.reason, ":now": now_msec}
        expression = FINISHED
        if cause:
            expression, values = f"{expression}, cause = :cause", {**values, ":cause": cause}
        return self._move(mid, before, State.FINISHED, f"{expression} {NOT_DUE}, {SETTLING_END}", values)

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
        """Takes a line for a queued message and makes it `calling`, in one transaction; or says why not.

        "m-1" is message m's first attempt, as the pool's set `held` has it; `flow_arn` its state machine.

        dialer A   TransactWrite: add m-1 to held, m queued → calling ──► taken
        dialer B        TransactWrite: the same ──X m is calling: another dialer has it
        dialer B        TransactWrite: n, of the same number ──X the number is in a call
        dialer B        TransactWrite: o ──X next_msec is in the future: too soon
        finish m             remove m-1 from held, m calling → finished
        """
        if pool.lines < 1:  # an empty set does not exist, and has no size
            return LinesFull()
        attempt = message.attempt + 1
        it_waits_for_this_attempt = "#state = :from AND attempt = :before"
        call_it = self._change(
            message.mid,
            "SET #state = :to, attempt = :attempt, claimed_msec = :now, dial_wait_seconds = :wait, "
            f"machine_arn = :flow, {SHARD} REMOVE flow_arn",  # its name in the release before
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

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        lists = []
        for shards in parts(state):
            found = [item for shard in shards for item in due_in(self._client, self._messages, shard, now_msec, limit)]
            found.sort(key=lambda item: (item["due_at"], item["pk"]))
            lists.append([mid_of(item["pk"]) for item in found])
        return take_turns(lists, limit)

    def postpone(self, mid: str, state: State, due_msec: int) -> None:
        shard = LATER if state is State.QUEUED else shard_name(mid, state)
        self._move(mid, state, state, f"SET #state = :to, {SHARD}", due_values(shard, due_msec))
