"""Repairs of moto's DynamoDB: a request is one step, a transaction touches only its items, a stream tells of news."""

import copy
import json
import os
import re
import threading
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlparse

from moto.core.botocore_stubber import BotocoreStubber
from moto.core.utils import utcnow
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler
from moto.iam.models import get_account_id_from
from werkzeug.http import http_date

from local.cloud.moto_patches.replace import Replacement, instead_of

_one_at_a_time = threading.RLock()


def one_request_at_a_time() -> AbstractContextManager[bool]:
    """Held while a request to DynamoDB is answered; code that reads moto's tables themselves holds it too."""
    return _one_at_a_time


def take_one_request_at_a_time() -> None:
    """Two conditional writes at the same time both find their condition true; ADD loses counts.

    Moto checks and writes in two steps, in whichever thread the caller has.
    """

    @instead_of(BotocoreStubber, "process_request")
    def process_request(stock: Replacement, stubber: Any, request: Any) -> Any:
        if "dynamodb" in urlparse(request.url).netloc:
            with _one_at_a_time:
                return stock(stubber, request)
        return stock(stubber, request)


class _Savepoint:
    """Stands for a table's copy: what a failed transaction needs to put the table back as it was."""

    def __init__(self, table: Table, keys: list[tuple[DynamoType, DynamoType | None]]) -> None:
        self.table = table
        self._items = [(key, copy.deepcopy(table.get_item(*key))) for key in keys]
        self._records = len(table.stream_shard.items) if table.stream_shard else 0

    def restore(self) -> Table:
        for (hash_value, range_value), item in self._items:
            if range_value is None:
                self._put_back(self.table.items, hash_value, item)
            else:
                self._put_back(self.table.items[hash_value], range_value, item)
        if self.table.stream_shard:
            del self.table.stream_shard.items[self._records :]
        return self.table

    @staticmethod
    def _put_back(place: Any, key: DynamoType, item: Any) -> None:
        if item is None:
            place.pop(key, None)
        else:
            place[key] = item


def copy_only_what_a_transaction_touches() -> None:
    """TransactWriteItems copies its tables whole: 27 ms with 1,000 items, 129 ms with 5,000.

    And a transaction that fails puts the copy in the table's place, with a copy of its stream: who reads the stream
    holds on to the old one and never sees a record again.
    """
    savepoints = threading.local()

    class SavingCopy:
        """Stands in for the module `copy` where moto copies the tables of a transaction."""

        @staticmethod
        def deepcopy(value: Any) -> Any:
            keys = getattr(savepoints, "keys", None)
            if keys is not None and isinstance(value, Table):
                return _Savepoint(value, keys.get(value.name, []))
            return copy.deepcopy(value)

        def __getattr__(self, name: str) -> Any:
            return getattr(copy, name)

    moto_models: Any = models
    moto_models.copy = SavingCopy()

    @instead_of(DynamoDBBackend, "transact_write_items")
    def transact_write_items(stock: Replacement, backend: Any, transact_items: list[dict[str, Any]]) -> None:
        savepoints.keys = _touched_keys(backend, transact_items)
        try:
            stock(backend, transact_items)
        finally:
            savepoints.keys = None
            for name, table in list(backend.tables.items()):
                if isinstance(table, _Savepoint):
                    backend.tables[name] = table.restore()


def _touched_keys(
    backend: Any, transact_items: list[dict[str, Any]]
) -> dict[str, list[tuple[DynamoType, DynamoType | None]]]:
    """By table, the keys of the items that a transaction writes; what is malformed is left for moto to refuse."""
    touched: dict[str, list[tuple[DynamoType, DynamoType | None]]] = {}
    for operation in (next(iter(item.values())) for item in transact_items):
        table = backend.tables.get(operation.get("TableName", ""))
        attributes = operation.get("Key") or operation.get("Item") or {}
        if table is None or any(name not in attributes for name in table.table_key_attrs):
            continue
        range_value = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
        touched.setdefault(table.name, []).append((DynamoType(attributes[table.hash_key_attr]), range_value))
    return touched


class StreamNews:
    """Tells readers of streams that there is something to read."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often there was news, of all streams together."""
        return self._count

    def tell(self) -> None:
        """Wake who waits: a record has been written, or a reader is to stop."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_beyond(self, count: int, timeout: float) -> None:
        """Return as soon as there was news beyond `count`, or after `timeout` seconds."""
        with self._changed:
            if self._count <= count:
                self._changed.wait(timeout)


STREAM_NEWS = StreamNews()


def announce_stream_records() -> None:
    """Nothing tells that a stream has a new record, so readers would have to poll."""

    @instead_of(StreamShard, "add")
    def add(stock: Replacement, shard: Any, *images: Any) -> None:
        stock(shard, *images)
        STREAM_NEWS.tell()


_HOST = re.compile(r"https://dynamodb\.([a-z0-9-]+)\.amazonaws\.com/?\Z")
_BYTES = re.compile(rb'"BS?": ?["\[]')
"""What bytes look like in a request; a text that looks so costs no more than the stock way."""
_QUICK = frozenset(
    f"DynamoDB_20120810.{name}"
    for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchGetItem", "TransactWriteItems")
)


def hand_requests_to_dynamodb_at_once() -> None:
    """A GetItem takes 0.3 ms of moto's DynamoDB, and 2 ms of what looks for it.

    Moto compares the URL with those of all services, makes a web server's request of botocore's, looks through it for
    a form, and turns the body, which is JSON already, into one by the service's description.
    """

    @instead_of(BotocoreStubber, "process_request")
    def process_request(stock: Replacement, stubber: Any, request: Any) -> Any:
        headers = request.headers
        operation, host = _text(headers.get("X-Amz-Target")), _HOST.match(request.url)
        body = request.body
        if operation not in _QUICK or host is None or not isinstance(body, bytes) or _BYTES.search(body):
            return stock(stubber, request)
        if "MOTO_ACCOUNT_ID" in os.environ or "x-moto-account-id" in headers:
            return stock(stubber, request)
        handler: Any = DynamoHandler()
        handler.headers = {"x-amz-target": operation, "Content-Type": _text(headers.get("Content-Type"))}
        handler.querystring = handler.data = {}
        handler.params = json.loads(body)
        handler.region = host[1]
        key = handler.access_key_regex.search(_text(headers.get("Authorization")))
        handler.access_key = key[1] if key else "AKIAEXAMPLE"
        handler.current_account = get_account_id_from(handler.access_key)
        handler.response_headers = {"server": "amazon.com", "date": http_date(utcnow())}
        return handler.call_action()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
