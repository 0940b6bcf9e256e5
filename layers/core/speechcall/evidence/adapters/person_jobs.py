"""Requests about people: pk `PERSON#<id>`, sk `JOB`, in the table Registry, with a place in its index while they last.

The number is not in them: its digest is, until all is done.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from speechcall.evidence.rules.person_job import EXPORT_KEPT_SECONDS, RECEIPT_KEPT_SECONDS, Kind, PersonJob
from speechcall.shared.adapters.keys import PEOPLE, person_job_key, person_job_place, person_jobs_until
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_item,
    store_errors,
    tell_change,
    to_wire,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FORM = 1
_KEPT = {Kind.ERASURE: RECEIPT_KEPT_SECONDS, Kind.EXPORT: EXPORT_KEPT_SECONDS}


class DynamoPersonJobs:
    """A `PersonJobs` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add(self, job: PersonJob) -> None:
        it_is_new = "attribute_not_exists(pk)"
        tell_change(self._client, {}, {f"{job.kind.value}Id": job.job_id})
        with store_errors():
            self._client.put_item(
                TableName=self._table, Item=to_wire(_dump(job, job.begun_msec)), ConditionExpression=it_is_new
            )

    def find(self, job_id: str) -> PersonJob | None:
        item = read_item(self._client, self._table, person_job_key(job_id))
        return _load(item) if item else None

    def due(self, now_msec: int, limit: int) -> Sequence[PersonJob]:
        """As `PersonJobs.due`."""
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk AND order_sk < :until",
                ExpressionAttributeValues=to_wire({":pk": PEOPLE, ":until": person_jobs_until(now_msec)}),
                Limit=limit,
            )
        return [_load(from_wire(item)) for item in page["Items"]]

    def take(self, job: PersonJob, now_msec: int, until_msec: int) -> PersonJob | None:
        """As `PersonJobs.take`.

        worker A   UpdateItem: A's until 12:01 ──► works ── is killed
        worker B        UpdateItem ──X another's until 12:01
        worker C                                           (12:01) UpdateItem: C's ──► continues at the cursor
        """
        it_waits = "attribute_exists(order_pk)"
        no_worker_has_it = "(attribute_not_exists(until_msec) OR until_msec <= :now)"
        values = {":now": now_msec, ":until": until_msec, ":one": 1}
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(person_job_key(job.job_id)),
                    UpdateExpression="SET until_msec = :until ADD revision :one",
                    ConditionExpression=f"{it_waits} AND {no_worker_has_it}",
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailed:
            return None
        return _load(from_wire(changed["Attributes"]))

    def save(self, job: PersonJob, next_msec: int | None) -> PersonJob | None:
        """As `PersonJobs.save`.

        worker A   takes it ── is slow ──────────────────────── PutItem ──X not as read: it is C's
        worker C                    (12:01) takes it ── PutItem: cursor 2 ──► written
        """
        it_is_as_read = "revision = :revision"
        saved = replace(job, revision=job.revision + 1)
        item = _dump(saved, next_msec)
        if next_msec is not None:
            item["until_msec"] = next_msec  # until then no other worker takes it
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(item),
                    ConditionExpression=it_is_as_read,
                    ExpressionAttributeValues=to_wire({":revision": job.revision}),
                )
        except ConditionFailed:
            return None
        return saved


def _dump(job: PersonJob, next_msec: int | None) -> Values:
    """The item of a job. `next_msec`: when it is looked at next; None: it is done, and is not in the index.

    An erasure that is done no longer has the digest of the number. One that is not done is kept for however long it
    takes, because it was promised; an export that is not done is asked for again.
    """
    item: Values = {
        **person_job_key(job.job_id),
        "v": FORM,
        "job_id": job.job_id,
        "kind": job.kind.value,
        "account_id": job.account_id,
        "begun_msec": job.begun_msec,
        "revision": job.revision,
        "passes": job.passes,
        "left_count": job.left,
        "clean": job.clean,
        "messages": job.messages,
        "calls": job.calls,
        "webhooks": job.webhooks,
        "expires_at": (job.finished_msec or job.begun_msec) // 1000 + _KEPT[job.kind],
    }
    if job.finished_msec is None or job.kind is Kind.EXPORT:
        item["digest"] = job.digest
    optional = {
        "place": job.cursor or None,
        "pass_msec": job.pass_msec,
        "finished_msec": job.finished_msec,
        "last_call_msec": job.last_call_msec,
        "mids": set(job.mids) or None,
    }
    item |= {name: value for name, value in optional.items() if value is not None}
    if next_msec is not None:
        item |= {"order_pk": PEOPLE, "order_sk": person_job_place(next_msec, job.job_id)}
        if job.kind is Kind.ERASURE:  # one that is not done does not go
            del item["expires_at"]
    return item


def _load(item: Values) -> PersonJob:
    return PersonJob(
        job_id=item["job_id"],
        kind=Kind(item["kind"]),
        account_id=item["account_id"],
        digest=item.get("digest", ""),
        begun_msec=item["begun_msec"],
        revision=item["revision"],
        cursor=item.get("place", ""),
        pass_msec=item.get("pass_msec"),
        passes=item["passes"],
        left=item["left_count"],
        clean=item["clean"],
        finished_msec=item.get("finished_msec"),
        messages=item["messages"],
        calls=item["calls"],
        webhooks=item["webhooks"],
        last_call_msec=item.get("last_call_msec"),
        mids=frozenset(item.get("mids", ())),
    )
