"""The calls of an account's day (UTC): pk `DAY#<account>#<date>`, in the table Registry.

A message counts on the day on which it is accepted, a redial on the day for which it is due.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.throttle import next_day
from speechcall.shared.adapters.keys import day_key
from speechcall.shared.adapters.table import read_item, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_KEPT_SECONDS = 3 * 24 * 3600


def take_calls(table: str, account_id: str, calls: int, calls_per_day: int, at_msec: int) -> Any:
    """An update, by itself or as a part of a transaction, that takes `calls` (at most `calls_per_day`) of a day (UTC).

    The day is that of `at_msec`. Its condition fails where the day has not so many left.
    """
    day = datetime.fromtimestamp(at_msec / 1000, UTC)
    within_the_day = "attribute_not_exists(calls) OR calls <= :before"
    values = {
        ":calls": calls,
        ":before": calls_per_day - calls,
        ":until": int(next_day(day).timestamp()) + DAY_KEPT_SECONDS,
    }
    return {
        "TableName": table,
        "Key": _key(account_id, day),
        "UpdateExpression": "SET expires_at = :until ADD calls :calls",
        "ConditionExpression": within_the_day,
        "ExpressionAttributeValues": to_wire(values),
    }


def give_calls_back(table: str, account_id: str, calls: int, at_msec: int) -> Any:
    """An update that gives `calls` back to the day of `at_msec`. Its condition fails where not so many were taken."""
    were_taken = "calls >= :calls"
    return {
        "TableName": table,
        "Key": _key(account_id, datetime.fromtimestamp(at_msec / 1000, UTC)),
        "UpdateExpression": "SET calls = calls - :calls",
        "ConditionExpression": were_taken,
        "ExpressionAttributeValues": to_wire({":calls": calls}),
    }


def calls_of_day(client: "DynamoDBClient", table: str, account_id: str, at_msec: int) -> int:
    """How many calls of an account's day were taken, those of its redials with them."""
    day = datetime.fromtimestamp(at_msec / 1000, UTC)
    item = read_item(client, table, day_key(account_id, f"{day:%Y-%m-%d}"))
    return max(int(item.get("calls", 0)), 0) if item else 0


def _key(account_id: str, day: datetime) -> Any:
    return to_wire(day_key(account_id, f"{day:%Y-%m-%d}"))
