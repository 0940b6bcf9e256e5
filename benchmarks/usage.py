"""What AWS would charge for what the functions ask for: the units of each request, counted on the laptop cloud.

DynamoDB developer guide, "Read and write operations" and "Managing Global Secondary Indexes": a read is a unit for each
4 KB (half of it where it may lag), a write one for each 1 KB of the larger of the item before and after; in a
transaction twice as many. A change of an index's entry is a write of its own for what goes and for what comes. Sizes
are those of the items as they stand before the request; what a write adds is seen by the next one.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from local.cloud import permissions
from local.cloud.account import ACCOUNT

READ_BYTES, WRITE_BYTES = 4096, 1024
INDEXES = (("due_shard", "due_at"), ("order_pk", "order_sk"))
"""By their keys."""
KEYS_BYTES = 200
"""Of an entry of an index of keys: one unit."""


class Usage:
    """Units, by what they are and by function."""

    def __init__(self) -> None:
        self.units: Counter[tuple[str, str]] = Counter()

    def total(self, what: str, without: frozenset[str] = frozenset()) -> float:
        """Of all functions but some."""
        return sum(count for (name, unit), count in self.units.items() if unit == what and name not in without)

    def note(self, function: str, service: str, operation: str, given: Mapping[str, Any]) -> None:
        """One invocation, or one request."""
        for unit, count in _units(service, operation, given):
            self.units[function, unit] += count  # type: ignore[assignment]

    @contextmanager
    def counting(self) -> Iterator["Usage"]:
        """Within it, what functions do is counted."""
        permissions.observers.append(self.note)
        try:
            yield self
        finally:
            permissions.observers.remove(self.note)


def _units(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if service == "dynamodb":
        yield from _dynamodb(operation, given)
    elif service == "sqs":
        yield ("SQS FIFO requests" if str(given.get("QueueUrl", "")).endswith(".fifo") else "SQS requests"), 1
    elif service == "lambda" and operation == "Invocation":
        yield "Lambda invocations", 1
    elif service == "s3":
        yield ("S3 writes" if operation.startswith(("Put", "Copy")) else "S3 reads"), 1
    elif service == "kms":
        yield "KMS requests", 1


def _dynamodb(operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if operation == "TransactWriteItems":
        for item in given["TransactItems"]:
            for kind, one in item.items():
                yield "DynamoDB writes", 2 * _write(kind, one)
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield "DynamoDB writes", _write(operation.removesuffix("Item"), given)
    elif operation == "BatchGetItem":
        for table, asked in given["RequestItems"].items():
            for key in asked["Keys"]:
                yield "DynamoDB reads", _read(_size(_item(table, key)), bool(asked.get("ConsistentRead")))
    elif operation == "GetItem":
        item = _item(given["TableName"], given["Key"])
        yield "DynamoDB reads", _read(_size(item), bool(given.get("ConsistentRead")))
    elif operation == "Query":
        yield "DynamoDB reads", _read(_found(given), bool(given.get("ConsistentRead")))


def _found(given: Mapping[str, Any]) -> int:
    """The bytes that a query reads: all items of a partition of the table; of an index entries, at most `Limit`."""
    if "IndexName" in given:
        return KEYS_BYTES * min(int(given.get("Limit", 1)), 10)
    pk = given.get("ExpressionAttributeValues", {}).get(":pk")
    items = list(_partition(given["TableName"], pk).values()) if pk else []
    return sum(_size(_plain(one)) for one in items)


def _read(size: int, is_consistent: bool) -> float:
    return max(math.ceil(size / READ_BYTES), 1) * (1 if is_consistent else 0.5)


def _write(kind: str, one: Mapping[str, Any]) -> int:
    """The units of a write outside a transaction, its indexes' with it."""
    table = one["TableName"]
    key = {name: one["Item"][name] for name in ("pk", "sk")} if kind == "Put" else one["Key"]
    before = _item(table, key)
    after = one["Item"] if kind == "Put" else before
    units = entry = max(math.ceil(max(_size(before), _size(after)) / WRITE_BYTES), 1)
    has_whole_items = "Registry" in table  # its index; those of the other table have keys alone
    if kind == "ConditionCheck":
        return units
    for names in INDEXES:
        had = all(name in before for name in names)
        has, is_changed = _has(kind, one, names, had)
        # Where its keys stay, an entry that has whole items is written once; one that moves goes and comes.
        writes = (had + has) if is_changed else int(had and has_whole_items)
        units += writes * (entry if has_whole_items else 1)
    return units


def _has(kind: str, one: Mapping[str, Any], names: tuple[str, ...], had: bool) -> tuple[bool, bool]:
    """Whether an item has an entry of an index after a write, and whether that is another one."""
    if kind == "Put":
        return all(name in one["Item"] for name in names), True
    if kind == "Delete":
        return False, had
    sets, _, removes = str(one.get("UpdateExpression", "")).partition("REMOVE")
    if any(name in removes for name in names):
        return False, had
    is_set = any(f"{name} =" in sets for name in names)
    return had or is_set, is_set


def _table(name: str) -> Any:
    return next(region.tables[name] for region in dynamodb_backends[ACCOUNT].values() if name in region.tables)


def _partition(table: str, pk: Mapping[str, Any]) -> Mapping[Any, Any]:
    """What stands in a partition; nothing is made where nothing is, as `get_item` of moto would."""
    return _table(table).items.get(DynamoType(dict(pk)), {})  # type: ignore[no-any-return]


def _item(table: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _partition(table, key["pk"]).get(DynamoType(dict(key["sk"])))
    return _plain(found) if found else {}


def _plain(item: Any) -> Mapping[str, Any]:
    return item.to_json()["Attributes"]  # type: ignore[no-any-return]


def _size(item: Mapping[str, Any]) -> int:
    """Of an item in DynamoDB, about: names, and texts by their bytes, numbers by half their digits."""
    return sum(len(name) + _size_of(value) for name, value in item.items())


def _size_of(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "B":
            return len(str(inner).encode())
        case "N":
            return len(str(inner)) // 2 + 1
        case "L":
            return 3 + sum(1 + _size_of(one) for one in inner)
        case "M":
            return 3 + sum(1 + len(name) + _size_of(one) for name, one in inner.items())
        case "SS" | "NS":
            return sum(len(str(one)) for one in inner)
        case _:
            return 1
