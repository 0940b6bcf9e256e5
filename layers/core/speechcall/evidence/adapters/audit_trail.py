"""The audit trail: pk `AUDIT#<account>`, sk the moment and an id, in the table Registry.

A change and its record are one transaction. The stores know nothing of that: they write through `AuditTrail.client`,
which takes the record into the first write that succeeds. Nothing is written through it that is not to be recorded.

    refused    TransactWrite: the change ──X its condition, the record ──► nothing is written
    killed     read ── (killed) ──► nothing is written
    repeated   TransactWrite: change, record ──► the answer is lost ── the same token ──► written once
    further    TransactWrite: change 1, record ── UpdateItem: change 2 ──► no change is without a record before it
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.exceptions import ClientError

from speechcall.evidence.rules.audit import KEPT_SECONDS, Actor, AuditRecord, By, Change, actor_of_key, masked
from speechcall.shared.adapters.keys import audit_key, audit_month, audit_partition, audit_place
from speechcall.shared.adapters.table import Values, from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.api.adapters.http_api import HttpRequest
    from speechcall.shared.use_cases.clock import Clock

FORM = 1
ID_DIGITS = 19
"""By chance; so many that no two records of a millisecond have the same."""
_LOOK_BACK_MSEC = (KEPT_SECONDS + 31 * 86_400) * 1000
"""Nothing is kept for longer, but for the days that DynamoDB takes to delete it."""
TRIES = 8
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Another transaction is at the same item: a call that begins or ends, for one."""
_WAIT_SECONDS = 0.05
_CURSOR = re.compile(r"[0-9]{13}#[0-9]{19}")


class Unrecorded(Exception):
    """A write that nobody has said is a change. It is not carried out."""


class AuditTrail:
    """What records the changes that are made through its client, one at a time."""

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: "Clock", sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._plain: Any = client
        self._table, self._clock, self._sleep = table, clock, sleep
        self.client = cast("DynamoDBClient", _RecordingClient(self, client))
        """What the stores write through."""

    @contextmanager
    def recording(self, describe: Callable[[], Change]) -> "Iterator[_Recording]":
        """Within it, the first write that succeeds takes a record with it.

        `describe` is asked at each write until then.
        """
        now = self._clock.now_msec()
        opened = _Recording(describe, str(secrets.randbelow(10**ID_DIGITS)), now)
        token = _opened.set(opened)
        try:
            yield opened
        finally:
            _opened.reset(token)

    def record_alone(self) -> None:
        """Writes the record of a change that is made outside the tables, before it is made."""
        self.write([])

    def about(self, account_id: str) -> None:
        """Names the account that is changed, where it was not known before something was read."""
        if opened := _opened.get():
            opened.account_id = account_id

    def hear(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Notes what the next write replaces, and by what."""
        if opened := _opened.get():
            opened.before, opened.after = before, after

    def write(self, writes: Sequence[Any], single: Callable[[], Any] | None = None, **given: Any) -> Any:
        """Makes `writes`, the parts of a transaction. The first call within `recording` writes the record with them.

        Later ones need no record of their own: each is made by `single`, as a plain request; without `single`, its
        `writes` are a transaction. `given`: what else the transaction is asked with. Out: DynamoDB's answer. Raises
        Unrecorded outside of `recording`, and what DynamoDB's client raises.
        """
        opened = _opened.get()
        if opened is None:
            raise Unrecorded("a change has to be recorded: nothing was written")
        with opened.lock:
            if not opened.is_written:
                answer = self._transact([*writes, {"Put": self._put(opened)}], **given)
                opened.is_written = True
                return answer
        return single() if single else self._plain.transact_write_items(TransactItems=list(writes), **given)

    def _transact(self, writes: list[Any], **given: Any) -> Any:
        """One transaction, TRIES times at most while only others, or the load, are in its way. Raises ClientError."""
        for tried in range(TRIES - 1):
            try:
                return self._plain.transact_write_items(TransactItems=writes, **given)
            except ClientError as error:
                if not _is_passing(error):
                    raise
            self._sleep(_WAIT_SECONDS * 2**tried)
        return self._plain.transact_write_items(TransactItems=writes, **given)

    def _put(self, opened: "_Recording") -> dict[str, Any]:
        """The write of the record, as a part of a transaction.

        Without a condition: after a lost answer the record may stand there, and the change must not be taken for
        refused.
        """
        record = AuditRecord(opened.record_id, opened.at_msec, opened.change(), opened.before, opened.after)
        return {"TableName": self._table, "Item": to_wire(dump(record))}


class _Recording:
    """One command or request: what is known of its change, and whether its record is written."""

    def __init__(self, describe: Callable[[], Change], record_id: str, at_msec: int) -> None:
        self._describe, self.record_id, self.at_msec = describe, record_id, at_msec
        self.account_id = ""
        """Whose, where that is known only when it is read."""
        self.before: Mapping[str, Any] = {}
        self.after: Mapping[str, Any] = {}
        self.is_written = False
        self.lock = threading.Lock()

    def change(self) -> Change:
        change = self._describe()
        return change._replace(account_id=change.account_id or self.account_id)


_opened: ContextVar[_Recording | None] = ContextVar("opened", default=None)
"""Of this thread: on the laptop a function answers several requests at once."""


class _RecordingClient:
    """DynamoDB's client, of which every write goes by the trail. Anything else is the plain client's."""

    def __init__(self, trail: AuditTrail, plain: Any) -> None:
        self._trail, self._plain = trail, plain

    def __getattr__(self, name: str) -> Any:
        if name.startswith("batch_write"):
            raise Unrecorded("a batch cannot be recorded")
        return getattr(self._plain, name)

    def hear_change(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self._trail.hear(before, after)

    def put_item(self, **given: Any) -> Any:
        return self._trail.write([{"Put": given}], lambda: self._plain.put_item(**given))

    def delete_item(self, **given: Any) -> Any:
        return self._trail.write([{"Delete": given}], lambda: self._plain.delete_item(**given))

    def update_item(self, *, ReturnValues: str = "NONE", **given: Any) -> Any:  # noqa: N803 - botocore's name
        """A transaction returns no item: for ALL_NEW it is read afterwards, and may be a later write's already."""
        if ReturnValues not in ("NONE", "ALL_NEW"):
            raise Unrecorded(f"ReturnValues={ReturnValues} cannot be had of a transaction")
        answer = self._trail.write(
            [{"Update": given}], lambda: self._plain.update_item(**given, ReturnValues=ReturnValues)
        )
        if ReturnValues == "NONE" or "Attributes" in answer:
            return answer
        found = self._plain.get_item(TableName=given["TableName"], Key=given["Key"], ConsistentRead=True)
        return {"Attributes": found.get("Item", {})}

    def transact_write_items(self, *, TransactItems: Sequence[Any], **given: Any) -> Any:  # noqa: N803
        return self._trail.write(TransactItems, None, **given)


def recording_requests(trail: AuditTrail) -> "Callable[[HttpRequest], AbstractContextManager[object]]":
    """What records the changes of the API's requests: by their routes, with what their paths name."""

    def recording(request: "HttpRequest") -> "AbstractContextManager[object]":
        def describe() -> Change:
            actor = actor_of_key(request.key_name)
            return Change(request.route, actor, request.account_id or "", dict(request.path))

        return trail.recording(describe)

    return recording


class AuditPage(NamedTuple):
    """Some records, the newest first. `cursor`: where those before them begin; empty: there are none."""

    records: list[AuditRecord]
    cursor: str


class AuditRecords:
    """The records, read."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def page(self, account_id: str | None, since_msec: int, now_msec: int, limit: int, cursor: str = "") -> AuditPage:
        """The records since a moment, `limit` at most: of an account ("": of what belongs to none), or (None) of all.

        For all an index is read that may lag. `cursor`: that of the page before; empty: from now back. Raises
        ValueError for one that was not given out here, StoreUnavailable.
        """
        last = _before(cursor) if cursor else audit_place(now_msec + 1, "0")
        since = audit_place(max(since_msec, now_msec - _LOOK_BACK_MSEC, 0), "0")
        found: list[AuditRecord] = []
        for asked in self._partitions(account_id, since, last):
            if since > last:  # a cursor from before that moment; BETWEEN must not be asked from later to earlier
                break
            wanted = limit - len(found) + 1  # by the one more it is known that there is another page
            with store_errors():
                pages = self._client.get_paginator("query").paginate(
                    TableName=self._table,
                    ExpressionAttributeValues=to_wire({":pk": asked.pop("pk"), ":since": since, ":last": last}),
                    ScanIndexForward=False,
                    # A query reads 1 MB at most, whatever it may give.
                    PaginationConfig={"MaxItems": wanted, "PageSize": wanted},
                    **asked,
                )
                found += [load(from_wire(item)) for page in pages for item in page["Items"]]
            if len(found) > limit:
                kept = found[:limit]
                return AuditPage(kept, audit_place(kept[-1].at_msec, kept[-1].record_id))
        return AuditPage(found, "")

    def _partitions(self, account_id: str | None, since: str, last: str) -> Iterator[dict[str, Any]]:
        """The queries that together give the records: one for an account; for all one a month, the newest first.

        `since`, `last`: the places (`audit_place`) between which they are. `pk`: the key that is asked for.
        """
        if account_id is not None:
            yield {
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :last",
                "ConsistentRead": True,
                "pk": audit_partition(account_id),
            }
            return
        first, month = _month_of(since), _month_of(last)
        while month >= first:
            yield {
                "IndexName": "order",
                "KeyConditionExpression": "order_pk = :pk AND order_sk BETWEEN :since AND :last",
                "pk": audit_month(*month),
            }
            month = (month[0], month[1] - 1) if month[1] > 1 else (month[0] - 1, 12)


def dump(record: AuditRecord) -> Values:
    """The item of a record."""
    change = record.change
    place = audit_place(record.at_msec, record.record_id)
    return {
        **audit_key(change.account_id, place),
        "v": FORM,
        "order_pk": audit_month(*_month_of(place)),
        "order_sk": place,
        "at_msec": record.at_msec,
        "record_id": record.record_id,
        "action": change.action,
        "by_kind": change.actor.by.value,
        "by_name": masked(change.actor.name),
        "account_id": change.account_id,
        "asked": masked(change.asked),
        "before": masked(record.before),
        "after": masked(record.after),
        "expires_at": record.at_msec // 1000 + KEPT_SECONDS,
    }


def load(item: Values) -> AuditRecord:
    """The record in an item. Of a later release it may hold more, which is passed over."""
    known = {kind.value: kind for kind in By}
    actor = Actor(known.get(item["by_kind"], By.OPERATOR), item.get("by_name", ""))
    change = Change(item["action"], actor, item.get("account_id", ""), item.get("asked", {}))
    return AuditRecord(item["record_id"], item["at_msec"], change, item.get("before", {}), item.get("after", {}))


def _month_of(place: str) -> tuple[int, int]:
    moment = datetime.fromtimestamp(int(place.partition("#")[0]) / 1000, UTC)
    return moment.year, moment.month


def _before(cursor: str) -> str:
    """The last place before that of a cursor. Raises ValueError."""
    if not _CURSOR.fullmatch(cursor):
        raise ValueError("no cursor of ours")
    at_msec, record_id = map(int, cursor.split("#"))
    return audit_place(at_msec, str(record_id - 1)) if record_id else audit_place(at_msec - 1, "9" * ID_DIGITS)


def _is_passing(error: ClientError) -> bool:
    """Whether nothing but other transactions, or the load, were in the way of a transaction."""
    if error.response.get("Error", {}).get("Code") != "TransactionCanceledException":
        return False
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code", "None") for reason in reasons} - {"None", None}
    return bool(codes) and codes <= _PASSING
