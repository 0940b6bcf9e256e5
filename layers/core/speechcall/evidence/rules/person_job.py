"""A request about a person: that what is kept of them be erased, or be told. Pure.

The number itself is nowhere: a request knows its digest, and after an erasure not even that.
"""

from dataclasses import dataclass
from enum import StrEnum

DAY_MSEC = 86_400_000
SETTLED_MSEC = 60_000
"""So long behind a request nothing can be missed any more: an index lags by seconds, a request runs for 30 s."""
WEBHOOKS_WAIT_MSEC = DAY_MSEC
"""So long an erasure waits for webhooks that are pending; their retries take nine hours."""
CLEAN_PASSES = 2
"""So many passes in a row have to leave nothing over: a message changes its place in an index while that is read."""
LONGEST_PAUSE_MSEC = 900_000
RECEIPT_KEPT_SECONDS = 1096 * 86_400
EXPORT_KEPT_SECONDS = 7 * 86_400
RECOVERY_DAYS, STREAM_DAYS, HISTORY_DAYS, DEAD_LETTER_DAYS = 35, 1, 90, 14
"""Point-in-time recovery (Amazon DynamoDB developer guide: 1 to 35 days, 35 if nothing is said), DynamoDB Streams (24
hours), the history of an execution of Step Functions (90 days), and our dead-letter queues (template.yaml)."""
CONTACT_MONTHS = 24
"""Amazon Connect keeps contact records for 24 months (administrator guide, "Contact records data model")."""
MOST_MESSAGES = 10_000
"""Of one export: its ids have to stand in one item."""


class Kind(StrEnum):
    """What is asked for."""

    ERASURE = "erasure"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class PersonJob:
    """What has become of a request."""

    job_id: str
    kind: Kind
    account_id: str
    digest: str
    """Of the number; empty once everything is erased."""
    begun_msec: int
    """What was accepted until then is meant."""
    revision: int = 0
    """Grows with each write: who has read an older one cannot write."""
    cursor: str = ""
    """How far the present pass has come; empty: it is at its beginning."""
    pass_msec: int | None = None
    """When it began; None: none is under way."""
    passes: int = 0
    left: int = 0
    """What this pass has found that cannot be done yet."""
    clean: int = 0
    """Passes in a row that have left nothing over."""
    finished_msec: int | None = None
    """When all was done; None: it is not."""
    messages: int = 0
    """Of an erasure: so many have been deleted so far, and so many calls and webhooks of theirs."""
    calls: int = 0
    webhooks: int = 0
    last_call_msec: int | None = None
    """The latest call that was erased: until when Amazon keeps its record."""
    mids: frozenset[str] = frozenset()
    """Of an export: the messages that were found."""


def next_look_msec(job: PersonJob, now_msec: int) -> int:
    """When a job is looked at again whose pass is over: a minute later, then twice as late each time, up to 15 minutes.

    After a pass that has left nothing over it is a minute again.
    """
    tries = 0 if job.clean else job.passes - 1
    return now_msec + min(SETTLED_MSEC << max(0, min(tries, 4)), LONGEST_PAUSE_MSEC)


def is_done(job: PersonJob) -> bool:
    """Whether a pass that is over was the last one."""
    if job.kind is Kind.EXPORT:
        return True
    return not job.left and job.clean >= CLEAN_PASSES


def may_erase(job: PersonJob) -> bool:
    """Whether this pass may delete: no request that had read a list before it was noted there still writes."""
    return (job.pass_msec or 0) >= job.begun_msec + SETTLED_MSEC
