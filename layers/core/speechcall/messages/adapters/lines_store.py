"""The pool of lines: one item of the table Registry.

`held` is the set of call attempts that have a line, each with its number; `numbers` the set of these numbers, so
that one write can see that a number is in a call; `held_normal` those of `held` that are not urgent, as long as lines
are kept free for urgent ones; `next_msec` the rate's next free moment; and the clocks are the virtual times of the
accounts that took the latest lines. A line is taken and
given back in the transaction that changes its message's state: nothing is counted, nothing can be counted wrong.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.lines import PoolSetting, PoolState
from speechcall.shared.adapters.keys import POOL
from speechcall.shared.adapters.table import ConditionFailed, Values, read_item, store_errors, tell_change, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


CLOCKS = {False: "clock_normal", True: "clock_urgent"}
"""By whether it is urgent: the field with the virtual time of the account that took the latest such line."""


class DynamoPool:
    """A `PoolStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", registry_table: str) -> None:
        self._client, self._table = client, registry_table

    def read(self) -> PoolState:
        """As `PoolStore` says. A pool in which nothing was written yet is empty."""
        item = read_item(self._client, self._table, POOL) or {}
        return PoolState(
            lines=item.get("chosen_lines"),
            calls_per_second=item.get("chosen_calls_per_second"),
            stack=_stack_of(item),
            held={number: holder for holder, number in map(_holder_and_number, item.get("held", ()))},
            normal=frozenset(_holder_and_number(entry)[0] for entry in item.get("held_normal", ())),
            strays=frozenset(item.get("held_normal", ())) - frozenset(item.get("held", ())),
            next_msec=item.get("next_msec", 0),
            waiting_shares=item.get("waiting_shares", 0),
            waiting_told_msec=item.get("waiting_told_msec", 0),
        )

    def choose(self, changes: Mapping[PoolSetting, int | None]) -> None:
        """Writes what an operator chooses; a setting that is None is forgotten, so that the stack's parameter holds."""
        before = read_item(self._client, self._table, POOL) or {}
        tell_change(
            self._client,
            {name: before.get(f"chosen_{name}") for name in changes},
            {str(name): value for name, value in changes.items()},
        )
        chosen = {name: value for name, value in changes.items() if value is not None}
        assigned = ", ".join(f"chosen_{name} = :{name}" for name in chosen)
        forgotten = ", ".join(f"chosen_{name}" for name in changes if name not in chosen)
        expression = f"{f'SET {assigned}' if chosen else ''} {f'REMOVE {forgotten}' if forgotten else ''}"
        self._update(expression.strip(), {f":{name}": value for name, value in chosen.items()})

    def tell_stack(self, stack: Pool) -> None:
        values = {":lines": stack.lines, ":rate": stack.calls_per_second, ":urgent": stack.urgent_lines}
        told = "SET stack_lines = :lines, stack_calls_per_second = :rate, stack_urgent_lines = :urgent, "
        self._update(f"{told}stack_calls_per_number = :number", {**values, ":number": stack.calls_per_number})

    def tell_waiting(self, shares: int, now_msec: int) -> None:
        values = {":shares": shares, ":now": now_msec}
        self._update("SET waiting_shares = :shares, waiting_told_msec = :now", values)

    def slow_down(self, next_msec: int) -> None:
        """No line is taken before `next_msec`, as a provider wants fewer calls; of several moments the latest holds.

        throttle A   UpdateItem next_msec = 2000 ─────────► 2000
        throttle B        UpdateItem next_msec = 1900 ──X it is later already
        """
        it_is_sooner = "attribute_not_exists(next_msec) OR next_msec < :next"
        self._update("SET next_msec = :next", {":next": next_msec}, it_is_sooner)

    def release(self, holder: str, number: str) -> bool:
        """Takes the line from a call attempt whose call is over. False: it holds none.

        finish    TransactWrite: calling → finished, m-1 and its number given back
        sweeper        UpdateItem: m-1 and its number ──X m-1 holds no line: the number may be another's by now
        """
        it_holds_a_line = "contains(held, :entry)"
        given_back = _given_back(holder, number)
        return self._update(_GIVE_BACK, {**given_back, ":entry": _entry(holder, number)}, it_holds_a_line)

    def forget_strays(self, strays: Collection[str]) -> None:
        """An attempt that has left `held` never comes back, so this needs no condition."""
        if strays:
            self._update("DELETE held_normal :strays", {":strays": set(strays)})

    def _update(self, expression: str, values: Values, condition: str | None = None) -> bool:
        """Updates the item of the pool; False: the condition did not hold, and nothing changed."""
        more: Any = {"ExpressionAttributeValues": to_wire(values)} if values else {}
        if condition:
            more["ConditionExpression"] = condition
        try:
            with store_errors():
                self._client.update_item(TableName=self._table, Key=to_wire(POOL), UpdateExpression=expression, **more)
        except ConditionFailed:
            return False
        return True


def _stack_of(item: Values) -> Pool | None:
    """The stack's parameters as they were told; a release before knew no urgent lines, and no calls to a number."""
    if "stack_lines" not in item:
        return None
    lines, rate = item["stack_lines"], item["stack_calls_per_second"]
    return Pool(lines, rate, item.get("stack_urgent_lines", 0), item.get("stack_calls_per_number", 0))


_GIVE_BACK = "DELETE held :entries, held_normal :entries, numbers :numbers"


def take_line(table: str, holder: str, number: str, pool: Pool, now_msec: int, *, is_urgent: bool, clock: int) -> Any:
    """The update of a transaction that takes a line for the attempt `holder`, if one is free for such a message, no
    call to its number is live, and the rate's next moment has come.

    `clock`: the virtual time of the account that takes it; an account that comes to wait begins there at the earliest.
    """
    a_line_is_free = "(attribute_not_exists(held) OR size(held) < :lines)"
    the_number_is_free = "(attribute_not_exists(numbers) OR NOT contains(numbers, :number))"
    the_slot_has_come = "(attribute_not_exists(next_msec) OR next_msec <= :now)"
    conditions = [a_line_is_free, the_number_is_free, the_slot_has_come]
    values: Values = {
        ":lines": pool.lines,
        ":number": number,
        ":now": now_msec,
        ":next": now_msec + pool.slot_msec,
        ":clock": clock,
        **_given_back(holder, number),
    }
    kept_free = ""
    if pool.urgent_lines and not is_urgent:
        lines_are_left_for_urgent_ones = "(attribute_not_exists(held_normal) OR size(held_normal) < :normal)"
        conditions.append(lines_are_left_for_urgent_ones)
        values[":normal"] = pool.lines_for(is_urgent=False)
        kept_free = ", held_normal :entries"
    return {
        "TableName": table,
        "Key": to_wire(POOL),
        "UpdateExpression": f"SET next_msec = :next, {CLOCKS[is_urgent]} = :clock "
        f"ADD held :entries, numbers :numbers{kept_free}",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": to_wire(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def give_back(table: str, holder: str, number: str) -> Any:
    """The update of a transaction that gives a line back.

    It does not ask whether the attempt `holder` has the line; the part of its message has to, in the same transaction.
    Else it would take the number away, which may be in another's call by now.
    """
    return {
        "TableName": table,
        "Key": to_wire(POOL),
        "UpdateExpression": _GIVE_BACK,
        "ExpressionAttributeValues": to_wire(_given_back(holder, number)),
    }


def _entry(holder: str, number: str) -> str:
    return f"{holder} {number}"


def _holder_and_number(entry: str) -> tuple[str, str]:
    holder, _, number = entry.partition(" ")
    return holder, number


def _given_back(holder: str, number: str) -> Values:
    return {":entries": {_entry(holder, number)}, ":numbers": {number}}
