"""How many webhooks are in flight to a destination: pk `DESTINATION#<scheme://host:port>`, in the table Registry.

A place is a member of the item's set and says itself until when it holds, so that one whose function was killed frees
itself. Giving back deletes from the set: nothing is counted, so nothing can be counted wrong.
"""

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from speechcall.shared.adapters.keys import destination_key
from speechcall.shared.adapters.table import ConditionFailed, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE_MSEC = 35_000
"""Longer than the function that sends webhooks may run."""
PROMPT_LEASE_MSEC = 70_000
"""Longer than the function that fetches prompts may run."""
_KEPT_SECONDS = 86_400


class DynamoPlaces:
    """The `Places` on DynamoDB, at most `most` for each destination.

    A "destination" may be anything by whose name places are counted, such as `account <id>` or `prompts at <host>`.
    """

    def __init__(self, client: "DynamoDBClient", table: str, most: int, lease_msec: int = LEASE_MSEC) -> None:
        """`lease_msec`: how long a place holds that is not given back; longer than the function may run."""
        self._client, self._table, self._most, self._lease_msec = client, table, most, lease_msec

    def take(self, destination: str, now_msec: int) -> str | None:
        """Takes a place among the attempts in flight; its name to give it back by, None: none can be had now.

        A   ADD a ──► size 1
        B        ADD b ──X size is not < 1: none
        A                     DELETE a ──► size 0       (killed instead: a has run out 35 s later, and C deletes it)
        """
        name = f"{now_msec + self._lease_msec}/{secrets.token_hex(8)}"
        try:
            try:
                self._add(destination, name, now_msec)
            except ConditionFailed as full:
                run_out = {one for one in (full.item or {}).get("held", ()) if int(one.partition("/")[0]) < now_msec}
                if not run_out:
                    return None
                self._delete(destination, run_out)
                self._add(destination, name, now_msec)
        except (ConditionFailed, StoreUnavailable):
            # The item takes about a thousand writes a second: a worker beyond them waits for a turn as well.
            return None
        return name

    def give_back(self, destination: str, name: str) -> None:
        """Gives a place back. One that cannot be given back now frees itself when its lease has run out."""
        with suppress(StoreUnavailable):
            self._delete(destination, {name})

    def _add(self, destination: str, name: str, now_msec: int) -> None:
        """Adds a place to those in flight. Raises ConditionFailed, with all that are held, if none is free.

        And StoreUnavailable.
        """
        a_place_is_free = "attribute_not_exists(held) OR size(held) < :most"
        values = {":most": self._most, ":name": {name}, ":expires": now_msec // 1000 + _KEPT_SECONDS}
        with store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire(destination_key(destination)),
                UpdateExpression="SET expires_at = :expires ADD held :name",
                ConditionExpression=a_place_is_free,
                ExpressionAttributeValues=to_wire(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

    def _delete(self, destination: str, names: set[str]) -> None:
        with store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire(destination_key(destination)),
                UpdateExpression="DELETE held :names",
                ExpressionAttributeValues=to_wire({":names": names}),
            )
