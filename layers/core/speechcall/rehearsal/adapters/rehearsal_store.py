"""Rehearsals that were asked for: pk `REHEARSAL#<id>`, sk `JOB` and, until it has ended, `LIST`, in the table Registry.

`REHEARSALS#<account>` says which is an account's latest, and how many there were in its day (UTC).
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from speechcall.accounts.adapters.days_store import DAY_KEPT_SECONDS
from speechcall.rehearsal.adapters.rehearsal_codec import (
    FORM,
    MOST_PACKED_BYTES,
    dump_job,
    load_job,
    pack_list,
    unpack_list,
)
from speechcall.rehearsal.rules.rehearsal_job import (
    MOST_A_DAY,
    WAITS_SECONDS,
    Failure,
    JobState,
    RehearsalJob,
    ends_by_msec,
    is_open,
    may_be_taken,
    taken_until_msec,
)
from speechcall.rehearsal.use_cases.rehearsal_ports import NotAdded, RehearsedList, Running
from speechcall.shared.adapters.keys import rehearsal_key, rehearsals_key, rehearsed_list_key
from speechcall.shared.adapters.table import ConditionFailed, read_item, store_errors, to_wire, transact
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LIST_KEPT_SECONDS = 86_400
"""Beyond the time in which it is rehearsed, should nobody delete it."""
MOST_TRIES = 5


class DynamoRehearsals:
    """A `RehearsalJobs` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def add(self, job: RehearsalJob, given: RehearsedList) -> NotAdded | Running | None:
        """As `RehearsalJobs.add`.

        request A   reads: none runs ──► TransactWrite: revision 1, the rehearsal, its list
        request B     reads: none runs ──────────────────────X not as read ── reads again: A's runs ──► refused
        """
        packed = pack_list(given)
        if len(packed) > MOST_PACKED_BYTES:
            return NotAdded.TOO_LARGE
        day = f"{datetime.fromtimestamp(job.asked_msec / 1000, UTC):%Y-%m-%d}"
        for _ in range(MOST_TRIES):
            latest = read_item(self._client, self._table, rehearsals_key(job.account_id)) or {}
            count = latest["begun"] if latest.get("begun_on") == day else 0
            before = self.find(latest["job_id"]) if "job_id" in latest else None
            if before and is_open(before, job.asked_msec):
                return Running(before.job_id)
            if count >= MOST_A_DAY:
                return NotAdded.DAY_FULL
            parts = {
                "latest": self._note_latest(job, day, count + 1, latest.get("revision")),
                "job": self._put(dump_job(job)),
                "list": self._put(
                    {
                        **rehearsed_list_key(job.job_id),
                        "v": FORM,
                        "packed": packed,
                        "expires_at": job.asked_msec // 1000 + WAITS_SECONDS + LIST_KEPT_SECONDS,
                    }
                ),
            }
            if before:  # if it has ended with nobody to say so, its list is still there
                parts["stray"] = {
                    "Delete": {"TableName": self._table, "Key": to_wire(rehearsed_list_key(before.job_id))}
                }
            if not transact(self._client, parts):  # no condition failed
                return None
        raise StoreUnavailable("other rehearsals of the account were in the way")

    def _note_latest(self, job: RehearsalJob, day: str, count: int, revision: int | None) -> Any:
        """The part of `add` that makes a rehearsal its account's latest, the `count`th of its day.

        `revision`: that of the account's item as it was read; None: there was none.
        """
        it_is_as_read = "attribute_not_exists(pk)" if revision is None else "revision = :revision"
        item = {
            **rehearsals_key(job.account_id),
            "v": FORM,
            "job_id": job.job_id,
            "begun_on": day,
            "begun": count,
            "revision": (revision or 0) + 1,
            "expires_at": job.expires_at + DAY_KEPT_SECONDS,
        }
        values = {} if revision is None else {"ExpressionAttributeValues": to_wire({":revision": revision})}
        return {"Put": {**self._put(item)["Put"], "ConditionExpression": it_is_as_read, **values}}

    def _put(self, item: Any) -> Any:
        it_is_new = "attribute_not_exists(pk)"
        return {"Put": {"TableName": self._table, "Item": to_wire(item), "ConditionExpression": it_is_new}}

    def confirm(self, job: RehearsalJob) -> None:
        """As `RehearsalJobs.confirm`.

        request   writes it: two minutes ── the queue has it ── killed        two minutes later it has failed
        request   writes it: two minutes ── the queue has it ─────────────── PutItem ──X a worker has taken it
        worker                                     takes it
        """
        self._replace(job, replace(job, ends_by_msec=job.asked_msec + WAITS_SECONDS * 1000))

    def withdraw(self, job: RehearsalJob) -> None:
        """As `RehearsalJobs.withdraw`. If a condition fails, all stays: a worker has taken it, say.

        request   TransactWrite ── the queue refuses ── withdraw: the rehearsal, its list and its place in the day go
        worker                        it was queued after all ──X there is none of this id
        """
        it_still_waits = "#state = :waiting AND attempt = :none"
        it_is_the_latest = "job_id = :job"
        waits = {":waiting": JobState.WAITING.value, ":none": 0}
        transact(
            self._client,
            {
                "job": {
                    "Delete": {
                        "TableName": self._table,
                        "Key": to_wire(rehearsal_key(job.job_id)),
                        "ConditionExpression": it_still_waits,
                        "ExpressionAttributeNames": {"#state": "state"},
                        "ExpressionAttributeValues": to_wire(waits),
                    }
                },
                "list": self._drop_list(job.job_id),
                "latest": {
                    "Update": {
                        "TableName": self._table,
                        "Key": to_wire(rehearsals_key(job.account_id)),
                        "UpdateExpression": "ADD begun :less, revision :one REMOVE job_id",
                        "ConditionExpression": it_is_the_latest,
                        "ExpressionAttributeValues": to_wire({":less": -1, ":one": 1, ":job": job.job_id}),
                    }
                },
            },
        )

    def find(self, job_id: str) -> RehearsalJob | None:
        item = read_item(self._client, self._table, rehearsal_key(job_id))
        return load_job(item) if item else None

    def list_of(self, job: RehearsalJob) -> RehearsedList | None:
        item = read_item(self._client, self._table, rehearsed_list_key(job.job_id))
        return unpack_list(bytes(item["packed"])) if item else None

    def take(self, job_id: str, now_msec: int) -> RehearsalJob | None:
        """As `RehearsalJobs.take`.

        worker A   attempt 1: A's for 930 s ──► works ── is killed
        worker B       (a copy of the queue's message) ──X another's
        worker C                                            (930 s later) attempt 2: C's ──► works
        """
        job = self.find(job_id)
        if job is None or not may_be_taken(job, now_msec):
            return None
        until = taken_until_msec(now_msec)
        taken = replace(
            job,
            state=JobState.RUNNING,
            attempt=job.attempt + 1,
            until_msec=until,
            ends_by_msec=ends_by_msec(job.attempt + 1, until),
        )
        return taken if self._replace(job, taken) else None

    def give_back(self, job: RehearsalJob, now_msec: int) -> bool:
        waits = replace(job, state=JobState.WAITING, until_msec=0, ends_by_msec=now_msec + WAITS_SECONDS * 1000)
        return is_open(job, now_msec) and self._replace(job, waits)

    def finish(self, job: RehearsalJob, now_msec: int, *, result: str = "", failure: Failure | None = None) -> bool:
        """As `RehearsalJobs.finish`.

        worker A   takes it ── is slow ────────────────────── TransactWrite ──X not as read: it is C's
        worker C                   (930 s later) takes it ── TransactWrite: done, its list is deleted
        """
        # Whoever asks is told that it was interrupted, once its time is over: nothing else may become of it.
        if not is_open(job, now_msec) and failure is not Failure.INTERRUPTED:
            return False
        state = JobState.FAILED if failure else JobState.DONE
        ended = replace(job, state=state, finished_msec=now_msec, failure=failure, result=result)
        parts = {"job": {"Put": self._changed(job, ended)}, "list": self._drop_list(job.job_id)}
        return not transact(self._client, parts)

    def _drop_list(self, job_id: str) -> Any:
        return {"Delete": {"TableName": self._table, "Key": to_wire(rehearsed_list_key(job_id))}}

    def _replace(self, read: RehearsalJob, changed: RehearsalJob) -> bool:
        try:
            with store_errors():
                self._client.put_item(**self._changed(read, changed))
        except ConditionFailed:
            return False
        return True

    def _changed(self, read: RehearsalJob, changed: RehearsalJob) -> Any:
        """A write of a rehearsal that stands as it was read: by this worker, if it was taken."""
        it_is_as_read = "#state = :state AND attempt = :attempt AND until_msec = :until"
        values = {":state": read.state.value, ":attempt": read.attempt, ":until": read.until_msec}
        return {
            "TableName": self._table,
            "Item": to_wire(dump_job(changed)),
            "ConditionExpression": it_is_as_read,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_wire(values),
        }
