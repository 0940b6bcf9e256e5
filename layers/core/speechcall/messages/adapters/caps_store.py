"""What limits for calls count, in the table Registry: calls to a number (`NUMBER#…`), minutes of a day (`MINUTES#…`),
and what the calls of a day cost (`SPEND#…`).

All are written by the transaction that takes a line, so that two of one moment cannot go beyond a limit together, and
by the one that gives it back. Only accounts with such a limit have these items; the stack's own limit has one for each
number. `calls` is a set of `<moment> <mid>-<attempt>`; the number itself is nowhere in it, but a digest in the key.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.dial_times import (
    COUNTED_MSEC,
    Caps,
    Counted,
    Counts,
    Limit,
    next_day_msec,
    still_counted,
)
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.keys import Key, minutes_key, number_calls_key, spend_key
from speechcall.shared.adapters.table import Values, from_wire, read_item, store_errors, to_wire
from speechcall.shared.rules.ids import holder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Parts = dict[str, Any]
MINUTE_MSEC = 60_000
READ_TRIES = 3
OPEN_AGAIN_MSEC = 60_000
"""After which an account is looked at again whose open calls may give minutes back when they end."""
NUMBER_LIMITS: tuple[Limit, ...] = ("account", "stack")
PREFIX = "limit "
"""The names of the parts that count a call begin with this; the name of the limit (`Limit`) follows."""
KEPT_SECONDS = 3 * 86_400
"""For how long after its day an account's minutes are kept: a call that ends late corrects them."""


def claim_parts(
    table: str, message: Message, counts: Counts, now_msec: int, found: Mapping[str, Values | None]
) -> Parts:
    """The parts of a claim that count its call, each with its limit as a condition.

    `found`: the items at which earlier tries of this claim have failed, by the names of the parts; empty at the first
    try. They were full, and yet the limit is not reached, because some calls in them count no more. These are taken
    out, on the condition that the item is as it was read.

    dialer A   TransactWrite: + m-1, if fewer than 2 are there ──► counted: 2
    dialer B        TransactWrite: + n-1 ──X 2 are there ──► one of them is of the day before yesterday
    finish m             TransactWrite: - m-1, which was never placed: another revision
    dialer B                 TransactWrite: n-1 and the other, if the revision is as read ──X it is not: read again
    """
    parts: Parts = {}
    limits = counts.limits
    for limit in NUMBER_LIMITS:
        if limit not in limits:
            continue
        entry, part = _entry(now_msec, counts.name), f"{PREFIX}{limit}"
        values: Values = {":one": 1, ":until": (now_msec + COUNTED_MSEC) // 1000 + 1}
        if found.get(part):
            read = found[part] or {}
            calls = {one for one in read.get("calls", ()) if still_counted([_moment(one)], now_msec)} | {entry}
            nobody_has_changed_it = "revision = :read"
            changed = "SET calls = :calls, expires_at = :until ADD revision :one"
            change = (changed, nobody_has_changed_it, {":calls": calls, ":read": read["revision"]})
        else:
            one_more_may_be = "attribute_not_exists(calls) OR size(calls) < :most"
            added = "SET expires_at = :until ADD calls :calls, revision :one"
            change = (added, one_more_may_be, {":calls": {entry}, ":most": limits[limit]})
        expression, condition, more = change
        parts[part] = _update(table, _key(limit, message), expression, {**values, **more}, condition)
    if "minutes" in limits:
        some_are_left = "attribute_not_exists(used_msec) OR used_msec < :most"
        values = {
            ":more": counts.estimate_msec,
            ":one": 1,
            ":most": limits["minutes"] * MINUTE_MSEC,
            ":until": next_day_msec(now_msec) // 1000 + KEPT_SECONDS,
        }
        counted = "SET expires_at = :until ADD used_msec :more, open_calls :one"
        key = _minutes_key(message.account_id, now_msec)
        parts[f"{PREFIX}minutes"] = _update(table, key, counted, values, some_are_left)
    if "spend" in limits:
        parts[f"{PREFIX}spend"] = _reserve(table, message, limits["spend"], counts.reserved, now_msec)
    return parts


def _reserve(table: str, message: Message, most: int, reserved: int, now_msec: int) -> Any:
    """The part of a claim that takes what its call may cost at most from its account's day, if so much is left.

    `most`, the limit, and `reserved` are in millionths.

    dialer A   TransactWrite: 7 of 10 are spent, 3 for m ──► 10: nothing is left
    dialer B        TransactWrite: 3 for n ──X it does not fit: its queue waits for the next day
    finish m             TransactWrite: m has cost 1: − 2 ──► 8
    dialer B                  a minute later, as m was open: TransactWrite: 2 for n ──► 10
    """
    room = most - reserved
    it_fits = "spent_amount <= :room"  # alone, for a call dearer than the limit, it refuses a day without an item too
    if room >= 0:
        it_fits = f"attribute_not_exists(spent_amount) OR {it_fits}"
    until = next_day_msec(now_msec) // 1000 + KEPT_SECONDS
    values = {":more": reserved, ":one": 1, ":room": room, ":until": until}
    counted = "SET expires_at = :until ADD spent_amount :more, open_calls :one"
    return _update(table, _day_key(spend_key, message.account_id, now_msec), counted, values, it_fits)


def end_parts(table: str, message: Message, now_msec: int, *, gives_back: bool, is_over: bool) -> Parts:
    """The parts of an end that correct what the claim of its call has counted; empty: nothing has to be corrected.

    `gives_back`: this end gives the line back; a call that was not placed is then taken from its number's calls.
    `is_over`: all is known of the call that ever will be, so its minutes and its price are corrected. Where its length
    is not known, the time for which it held its line counts; or, if the line was given back before, what was charged.
    """
    parts: Parts = {}
    name, claimed_msec = holder(message.mid, message.attempt), message.claimed_msec or now_msec
    for limit in NUMBER_LIMITS:
        if gives_back and limit in message.limits and message.was_not_placed:
            gone = {":gone": {_entry(claimed_msec, name)}, ":one": 1}
            taken = "ADD revision :one DELETE calls :gone"
            parts[f"{PREFIX}{limit}"] = _update(table, _key(limit, message), taken, gone)
    if is_over and "minutes" in message.limits:
        otherwise = max(now_msec - claimed_msec, 0) if gives_back else message.charged_msec
        used = 0 if message.was_not_placed else message.talked_msec
        more = {":more": (otherwise if used is None else used) - message.charged_msec, ":less": -1}
        key = _minutes_key(message.account_id, claimed_msec)
        parts[f"{PREFIX}minutes"] = _update(table, key, "ADD used_msec :more, open_calls :less", more)
    if is_over and "spend" in message.limits:
        more = {":more": -_unspent(message), ":less": -1}
        key = _day_key(spend_key, message.account_id, claimed_msec)
        parts[f"{PREFIX}spend"] = _update(table, key, "ADD spent_amount :more, open_calls :less", more)
    return parts


def _unspent(message: Message) -> int:
    """What is left of the amount that was reserved for a call that is over; 0 where its cost is not known."""
    if message.was_not_placed:
        return message.reserved
    return 0 if message.spent is None else message.reserved - message.spent


def caps_in(failed: Mapping[str, Values | None], limits: Mapping[str, int], now_msec: int) -> Caps:
    """What is known of the limits for which a claim has failed. `limits`: those of the claim; `failed`: the items at
    which it failed, by the names of the parts.
    """
    counted = tuple(
        _counted(limits[name], failed[f"{PREFIX}{name}"])
        for name in NUMBER_LIMITS
        if name in limits and f"{PREFIX}{name}" in failed
    )
    of_day = [failed[part] for part in (f"{PREFIX}minutes", f"{PREFIX}spend") if part in failed]
    return Caps(counted, max((_looked_again_msec(item, now_msec) for item in of_day), default=0))


def _looked_again_msec(item: Values | None, now_msec: int) -> int:
    """When an account whose day is used up is looked at again: at midnight, or in a minute while calls are in progress.

    Those count with what they may take, so their ends may give minutes, or money, back. `item`: that of the day; None:
    nothing of the day is counted yet.
    """
    if (item or {}).get("open_calls", 0) > 0:
        return min(now_msec + OPEN_AGAIN_MSEC, next_day_msec(now_msec))
    return next_day_msec(now_msec)


def read_caps(client: "DynamoDBClient", table: str, message: Message, limits: Mapping[str, int], now_msec: int) -> Caps:
    """What is counted of a message's number and account now, for the limits that are given. Strongly consistent.

    For a message whose call has just ended, and whose end is not written yet: what that will give back of the number's
    calls, of the minutes and of the spend is left out already. The spend is used up if one more call as dear as this
    one may be does not fit.
    """
    claimed_msec = message.claimed_msec or now_msec
    not_placed = _entry(claimed_msec, holder(message.mid, message.attempt)) if message.was_not_placed else None
    counted = tuple(
        _counted(limits[name], read_item(client, table, _key(name, message)), not_placed)
        for name in NUMBER_LIMITS
        if name in limits
    )
    is_of_today = next_day_msec(claimed_msec) == next_day_msec(now_msec)  # else its day gets it back, not this one
    known = 0 if message.was_not_placed else message.talked_msec
    gives_back = message.charged_msec - known if is_of_today and known is not None else 0
    minutes = limits.get("minutes")
    spent_until = _minutes_used_up_until(client, table, message.account_id, minutes, now_msec, gives_back)
    if "spend" in limits and not spent_until:
        spent = spent_of_day(client, table, message.account_id, now_msec) - (_unspent(message) if is_of_today else 0)
        spent_until = next_day_msec(now_msec) if spent + message.reserved > limits["spend"] else 0
    return Caps(counted, spent_until)


def read_numbers(
    client: "DynamoDBClient",
    table: str,
    account: Account,
    numbers: Sequence[str],
    now_msec: int,
    digest: Callable[[str], str],
) -> dict[str, Caps]:
    """What is counted of an account's calls to numbers (at most 100), and of its minutes. May be a little behind.

    Out: by number. One whose count DynamoDB has not given in READ_TRIES requests stands as never called. `digest`: of
    a number, as its messages have it. The stack's own count is not told: it would say whom other accounts call.
    """
    spent = _minutes_used_up_until(client, table, account.account_id, account.minutes_per_day, now_msec)
    most = account.calls_per_number
    if most is None:
        return dict.fromkeys(numbers, Caps((), spent))
    keys = {number: number_calls_key(account.account_id, digest(number)) for number in numbers}
    asked: Any = {table: {"Keys": [to_wire(key) for key in keys.values()]}} if keys else {}
    found: dict[str, Values] = {}
    for _ in range(READ_TRIES):
        if not asked:
            break
        with store_errors():
            page = client.batch_get_item(RequestItems=asked)
        found |= {item["pk"]: item for item in map(from_wire, page["Responses"].get(table, ()))}
        asked = page.get("UnprocessedKeys")
    return {number: Caps((_counted(most, found.get(key["pk"])),), spent) for number, key in keys.items()}


def used_of_day(client: "DynamoDBClient", table: str, account_id: str, at_msec: int) -> int:
    """How long an account's calls of a day were, in ms: 0 where nothing limits that.

    A call that is not over counts with what was reckoned with when it was begun.
    """
    return int((read_item(client, table, _minutes_key(account_id, at_msec)) or {}).get("used_msec", 0))


def spent_of_day(client: "DynamoDBClient", table: str, account_id: str, at_msec: int) -> int:
    """What an account's calls of a day have cost, in millionths: 0 where nothing limits that.

    A call that is not over counts with what it may cost at most.
    """
    return int((read_item(client, table, _day_key(spend_key, account_id, at_msec)) or {}).get("spent_amount", 0))


def _minutes_used_up_until(
    client: "DynamoDBClient", table: str, account_id: str, minutes: int | None, now_msec: int, gives_back_msec: int = 0
) -> int:
    """Until when an account has used up its minutes: the end of the day (UTC) of `now_msec`; 0: it has not.

    `minutes`: how many it has in a day; None: any number. `gives_back_msec`: what the end of a call will give back, and
    is still counted.
    """
    if minutes is None:
        return 0
    used = used_of_day(client, table, account_id, now_msec)
    return next_day_msec(now_msec) if used - gives_back_msec >= minutes * MINUTE_MSEC else 0


def _counted(most: int, item: Values | None, without: str | None = None) -> Counted:
    """What an item counts of the calls to a number; `without` an entry that is going to be taken from it."""
    return Counted(most, tuple(sorted(_moment(one) for one in (item or {}).get("calls", ()) if one != without)))


def _update(table: str, key: Key, expression: str, values: Values, condition: str = "") -> Any:
    """A part that updates the item under `key`. If its condition fails, the item comes back with the failure."""
    conditions = {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return {
        "Update": {
            "TableName": table,
            "Key": to_wire(key),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": to_wire(values),
            **(conditions if condition else {}),
        }
    }


def _entry(moment_msec: int, name: str) -> str:
    return f"{moment_msec} {name}"


def _moment(entry: str) -> int:
    return int(entry.partition(" ")[0])


def _key(limit: Limit, message: Message) -> Key:
    return number_calls_key(
        message.account_id if limit == "account" else "", message.number_digest or unkeyed(message.number)
    )


def unkeyed(number: str) -> str:
    """Stands for the digest of a number whose message has none: a release before has accepted it."""
    return hashlib.sha256(number.encode()).hexdigest()


def _minutes_key(account_id: str, moment_msec: int) -> Key:
    return _day_key(minutes_key, account_id, moment_msec)


def _day_key(key_of: Callable[[str, str], Key], account_id: str, moment_msec: int) -> Key:
    return key_of(account_id, f"{datetime.fromtimestamp(moment_msec / 1000, UTC):%Y-%m-%d}")
