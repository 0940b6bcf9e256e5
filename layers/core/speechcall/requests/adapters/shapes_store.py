"""Which shapes of menus were sent before, and how many an account has brought: in the table Registry."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.accounts.rules.throttle import refusal_of_shapes
from speechcall.shared.adapters.keys import new_shapes_key, shape_key, shape_of
from speechcall.shared.adapters.table import ConditionFailed, from_wire, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_KEPT_SECONDS = 3 * 24 * 3600
MOST_REMEMBERED = 10_000


class DynamoShapes:
    """The known shapes. Those that this process has met cost nothing, all others of a request one read together."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self._remembered: set[str] = set()

    def admit(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        """Makes shapes of menus known; new ones count for the account's day. Raises TooManyMenuShapes.

        request A   is shape s known? no ──► ADD s to the account's day ──────────────────► s is known
        request B   is shape s known? no ──────────► ADD s: it is among them, none more ──► s is known
        request C   is shape t known? no ──► ADD t ──X 200 are among them ──► 422, nothing becomes known

        The day holds the set of its shapes, not their number: a request that died after the ADD
        counts nothing twice when it is repeated.
        """
        unmet = shapes - self._remembered
        new = unmet - self.known(unmet) if unmet else frozenset[str]()
        if new:
            self._count(account, new, now_msec)
        for shape in sorted(new):
            with store_errors():
                self._client.put_item(TableName=self._table, Item=to_wire(shape_key(shape)))
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered = set()
        self._remembered |= shapes

    def known(self, shapes: AbstractSet[str]) -> set[str]:
        """Those of `shapes` (1 to 100, as many as a request has messages) that were sent before, by any account.

        Raises StoreUnavailable, also where not all could be read.
        """
        keys = [to_wire(shape_key(shape)) for shape in shapes]
        with store_errors():
            found = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        if found.get("UnprocessedKeys"):
            raise StoreUnavailable("not every shape could be read")
        items = found.get("Responses", {}).get(self._table, [])
        return {shape_of(from_wire(item)["pk"]) for item in items}

    def _count(self, account: Account, new: AbstractSet[str], now_msec: int) -> None:
        """Adds new shapes to the account's day, if there is room for those that it does not hold yet.

        The first try takes it that none is there. If that does not fit, the failed write tells which the day holds
        (after a repeat or a race), and only the others are tried again. Raises TooManyMenuShapes.
        """
        now = datetime.fromtimestamp(now_msec / 1000, UTC)
        counted: AbstractSet[str] = frozenset()
        while more := new - counted:
            if len(counted) + len(more) > NEW_SHAPES_PER_DAY:
                raise refusal_of_shapes(len(counted), len(more))
            values = {
                ":more": set(more),
                ":room": NEW_SHAPES_PER_DAY - len(more),
                ":until": int((now + timedelta(days=1)).timestamp()) + DAY_KEPT_SECONDS,
            }
            try:
                with store_errors():
                    self._client.update_item(
                        TableName=self._table,
                        Key=to_wire(new_shapes_key(account.account_id, f"{now:%Y-%m-%d}")),
                        UpdateExpression="SET expires_at = :until ADD shapes :more",
                        ConditionExpression="attribute_not_exists(shapes) OR size(shapes) <= :room",
                        ExpressionAttributeValues=to_wire(values),
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
            except ConditionFailed as failed:
                counted = (failed.item or {}).get("shapes", frozenset())
            else:
                return
