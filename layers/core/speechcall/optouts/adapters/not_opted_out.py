"""The opt-outs' part of the transaction that takes a line."""

from collections.abc import Sequence
from typing import Any

from speechcall.shared.adapters.keys import opt_out_key
from speechcall.shared.adapters.table import to_wire


def not_opted_out(table: str, account_id: str, digest: str, lists: Sequence[str]) -> list[Any]:
    """The conditions that a number, by its digest, stands on none of an account's lists."""
    nobody_has_opted_out = "attribute_not_exists(since_msec)"
    return [
        {
            "ConditionCheck": {
                "TableName": table,
                "Key": to_wire(opt_out_key(account_id, list_name, digest)),
                "ConditionExpression": nobody_has_opted_out,
            }
        }
        for list_name in lists
    ]
