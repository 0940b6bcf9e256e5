"""Published flows and their use, in the table Registry."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from speechcall.menus.rules.retirement import DELETED_WITHIN_MSEC, FlowUse, is_use_to_be_noted
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.keys import flow_key, flow_of
from speechcall.shared.adapters.table import ConditionFailed, Values, from_wire, read_item, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GOING = "the state machine is being deleted, and is then made again"


class Registry:
    """The published flows. Lookups by key only; reads are strongly consistent.

    Members of an item: `arn`; `used_msec` (older items have none); `marked_msec`, unused for long; `deleting_msec`.
    """

    def __init__(self, client: "DynamoDBClient", table: str, now_msec: Callable[[], int] | None = None) -> None:
        self._client, self._table = client, table
        self._now_msec = now_msec or SystemClock().now_msec

    def find_flow(self, name: str) -> str | None:
        """The ARN of the state machine that was published under `name`; its use is noted, if none was lately.

        None: there is none, or its deletion began so long ago (DELETED_WITHIN_MSEC) that it has to be created again.
        Raises StoreUnavailable while it is being deleted, and where the table cannot be asked.
        """
        item = read_item(self._client, self._table, flow_key(name))
        if item is None:
            return None
        use, now = _use(item), self._now_msec()
        if use.deleting_msec is not None:
            if now - use.deleting_msec >= DELETED_WITHIN_MSEC:
                return None
            raise StoreUnavailable(GOING)
        if is_use_to_be_noted(use, now):
            not_deleted = "attribute_exists(pk) AND attribute_not_exists(deleting_msec)"
            if not self._update(name, "SET used_msec = :now REMOVE marked_msec", not_deleted, {":now": now}):
                raise StoreUnavailable(GOING)
        return str(item["arn"])

    def put_flow(self, name: str, arn: str) -> None:
        """Notes that a machine was published, and used now, in the place of all that was known of it."""
        item = {**flow_key(name), "arn": arn, "used_msec": self._now_msec()}
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire(item))

    # ------------------------------------------------------------- their end
    def of(self, names: Sequence[str]) -> Mapping[str, FlowUse]:
        """What is known of the use of machines (at most a hundred), by their names; unknown ones are left out.

        Raises StoreUnavailable, also where not all of them could be read.
        """
        request = {self._table: {"Keys": [to_wire(flow_key(name)) for name in names], "ConsistentRead": True}}
        with store_errors():
            found = self._client.batch_get_item(RequestItems=request)  # type: ignore[arg-type]
        if found.get("UnprocessedKeys"):
            raise StoreUnavailable("not every flow could be read")
        items = map(from_wire, found.get("Responses", {}).get(self._table, []))
        return {flow_of(item["pk"]): _use(item) for item in items}

    def count_from(self, name: str, arn: str, now_msec: int) -> bool:
        """Begins a machine's time where nothing is known of its use. False: something is known by now."""
        unknown = "attribute_not_exists(used_msec) AND attribute_not_exists(deleting_msec)"
        return self._update(name, "SET arn = :arn, used_msec = :now", unknown, {":arn": arn, ":now": now_msec})

    def mark(self, name: str, use: FlowUse, now_msec: int) -> bool:
        """Marks a machine as unused for long. False: it was used since `use` was read, or is marked already."""
        unused = "used_msec = :used AND attribute_not_exists(marked_msec)"
        return self._update(name, "SET marked_msec = :now", unused, {":now": now_msec, ":used": use.used_msec})

    def begin_deletion(self, name: str, use: FlowUse, now_msec: int) -> bool:
        """Notes that a machine is being deleted, so that it may not be used from now on.

        `use`: as it was read, with a mark, or with a deletion that a run which died has begun. False: it is not so any
        more: the machine was used or made again since, or another run has begun to delete it.
        """
        if use.deleting_msec is not None:
            as_it_was = {":now": now_msec, ":then": use.deleting_msec}
            return self._update(name, "SET deleting_msec = :now", "deleting_msec = :then", as_it_was)
        still_marked = "marked_msec = :marked AND attribute_not_exists(deleting_msec)"
        values = {":now": now_msec, ":marked": use.marked_msec}
        return self._update(name, "SET deleting_msec = :now", still_marked, values)

    def give_up_deletion(self, name: str) -> None:
        """Takes back that a machine is being deleted: it is still there, and marked."""
        # The condition: there is a moment of a deletion, whichever it is.
        self._update(name, "REMOVE deleting_msec", "deleting_msec > :never", {":never": 0})

    def forget(self, name: str) -> None:
        """Deletes the item of a flow whose state machine is gone."""
        with store_errors():
            self._client.delete_item(TableName=self._table, Key=to_wire(flow_key(name)))

    def _update(self, name: str, update: str, condition: str, values: Values) -> bool:
        """Changes a flow's item. False: the condition does not hold; nothing is changed. Raises StoreUnavailable."""
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(flow_key(name)),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_wire(values),
                )
        except ConditionFailed:
            return False
        return True


def _use(item: Values) -> FlowUse:
    return FlowUse(item.get("used_msec"), item.get("marked_msec"), item.get("deleting_msec"))
