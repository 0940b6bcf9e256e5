"""DynamoDB in plain Python values, with its failures mapped once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Values = dict[str, Any]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()

_LOAD = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


class ConditionFailed(Exception):
    """A condition did not hold.

    `items`: what stood there, by the index of the write in its transaction (0 for a single one); only of conditions
    that did not hold. None: nothing stood there, or it was not asked for.
    """

    def __init__(self, items: Mapping[int, Values | None]) -> None:
        super().__init__("the condition of a write did not hold")
        self.items = items

    @property
    def item(self) -> Values | None:
        """What stood there, for a write of one item."""
        return self.items.get(0)


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB's attribute values; floats go as exact decimals."""
    return {name: _attribute(value) for name, value in values.items()}


def from_wire(item: Mapping[str, Any]) -> Values:
    """DynamoDB's attribute values as plain values; whole numbers as int, others as float."""
    return {name: _plain(_deserializer.deserialize(value)) for name, value in item.items()}


def _attribute(value: Any) -> Any:
    """One attribute value. Text and whole numbers, which are nearly all, without the serialiser's search for a type."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    return _serializer.serialize(_exact(value))


def _exact(value: Any) -> Any:
    """A value with its floats as the decimals that they are written as: the serialiser takes no floats."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return value


def _plain(value: Any) -> Any:
    """A value with its decimals as int where they are whole numbers, else as float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


@contextmanager
def store_errors() -> Iterator[None]:
    """Maps botocore's errors: ConditionFailed, StoreUnavailable where a repeat may succeed; others stay as they are.

    All without an answer of DynamoDB are taken for errors that may pass.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed({0: _item(error.response)}) from error
        if code == "TransactionCanceledException":
            _raise_cancelled(error)
        if code in _LOAD or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise StoreUnavailable(code) from error
        raise
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from error


def read_item(client: "DynamoDBClient", table: str, key: Mapping[str, Any]) -> Values | None:
    """What stands under a key, strongly consistent; None if nothing does. Raises StoreUnavailable."""
    with store_errors():
        found = client.get_item(TableName=table, Key=to_wire(key), ConsistentRead=True)
    return from_wire(found["Item"]) if "Item" in found else None


def read_items(client: "DynamoDBClient", table: str, keys: Sequence[Mapping[str, Any]]) -> list[Values]:
    """What stands under keys (at most 100), strongly consistent, in any order. Raises StoreUnavailable."""
    unread: Any = {table: {"Keys": [to_wire(key) for key in keys], "ConsistentRead": True}} if keys else {}
    found: list[Values] = []
    while unread:
        with store_errors():
            answer = client.batch_get_item(RequestItems=unread)
        found += map(from_wire, answer["Responses"].get(table, []))
        unread = answer.get("UnprocessedKeys")
    return found


def transact(client: "DynamoDBClient", parts: Mapping[str, Any], token: str = "") -> dict[str, Values | None]:
    """Writes named parts together, or none of them. Out: those whose conditions failed; empty: all is written.

    Each comes with what stood there. What stood there is None where it was not asked for, or nothing was there.
    `token`: a transaction whose answer was lost may be sent again under it; empty: it has none. Raises
    StoreUnavailable.
    """
    given: Any = {"ClientRequestToken": token} if token else {}
    try:
        with store_errors():
            client.transact_write_items(TransactItems=[*parts.values()], **given)
    except ConditionFailed as failed:
        return {name: failed.items[index] for index, name in enumerate(parts) if index in failed.items}
    return {}


def tell_change(client: "DynamoDBClient", before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Says to the audit trail, if the client is one's, what the next write replaces, and by what. No secret."""
    if hear := getattr(client, "hear_change", None):
        hear(before, after)


def _raise_cancelled(error: ClientError) -> NoReturn:
    """Raises for a cancelled transaction: ConditionFailed, by the part's position, if any condition did not hold.

    Otherwise StoreUnavailable: every other reason is taken for load or a conflict, which a repeat may get past.
    """
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    failed = {
        index: _item(reason) for index, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"
    }
    if failed:
        raise ConditionFailed(failed) from error
    codes = sorted({str(reason.get("Code", "")) for reason in reasons} - {"None", ""})
    raise StoreUnavailable(f"the transaction was cancelled: {', '.join(codes)}") from error


def _item(response: Mapping[str, Any]) -> Values | None:
    found = response.get("Item")
    return from_wire(found) if found else None
