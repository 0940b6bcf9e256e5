"""A rehearsal that was asked for over the API: what it may take, how far it has come, and how it ends.

waiting ──► running ──► done, or failed with a reason
▲           │ what was needed could not be had, or its function died
└───────────┘ three times in all; then it has failed
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

MOST_MESSAGES = 1000
"""Of a list that is rehearsed."""
MOST_SEEDS, DEFAULT_SEEDS = 20, 10
MOST_OWN_WAITING = 10_000
"""Messages of the account that wait already, and are dialled with the list."""
MOST_A_DAY = 20
"""Of an account, in a day (UTC)."""
MOST_START_SECONDS = 30 * 86_400
"""How far ahead a list may be sent."""
CLOCKS_DIFFER_MSEC = 60_000
"""By which a start may be in the past."""
WORK_SECONDS = 600
"""After which no more seeds are rehearsed."""
LEASE_SECONDS = 930
"""For how long a rehearsal is one worker's: its function's limit is 900 s, after which it works no more."""
MOST_ATTEMPTS = 3
QUEUED_SECONDS = 120
"""Within which the queue has been told of one that was written; then it has failed: whoever asked died in between."""
WAITS_SECONDS = 6 * 3600
"""For how long one waits for its function; then it has failed."""
REPEATED_SECONDS = 7200
"""Within which a rehearsal whose worker died is begun again: its queue brings it by itself after 90 minutes."""
AGAIN_SECONDS = 60
"""Until what could not be had is asked for again."""
KEPT_SECONDS = 7 * 86_400
"""For how long its answer is kept."""


class JobState(StrEnum):
    """How far a rehearsal has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Failure(StrEnum):
    """Why a rehearsal has no figures."""

    TOO_MANY_WAIT = "tooManyWait"
    TOOK_TOO_LONG = "tookTooLong"
    UNAVAILABLE = "unavailable"
    INTERRUPTED = "interrupted"
    FAULT = "fault"


def words_of(failure: Failure) -> str:
    """A failure as a sentence for its sender."""
    match failure:
        case Failure.TOO_MANY_WAIT:
            return f"More than {MOST_OWN_WAITING} messages of this account wait already; rehearse when fewer do."
        case Failure.TOOK_TOO_LONG:
            return f"Not one run was over in {WORK_SECONDS // 60} minutes; rehearse fewer messages."
        case Failure.UNAVAILABLE:
            return "What waits in the stack could not be read; rehearse again in some minutes."
        case Failure.INTERRUPTED:
            return "It was broken off before it was over; rehearse again, with fewer messages if that happens twice."
        case Failure.FAULT:
            return "It met a fault of this service, which is logged; rehearsing the same again will not help."
        case _:
            assert_never(failure)


@dataclass(frozen=True, slots=True)
class RehearsalJob:
    """A rehearsal as it is stored. `until_msec`: until then no other worker takes it."""

    job_id: str
    account_id: str
    asked_msec: int
    messages: int
    seeds: int
    ends_by_msec: int
    """From then on it has failed, if nothing else is written; what is known of it never changes back."""
    state: JobState = JobState.WAITING
    attempt: int = 0
    until_msec: int = 0
    finished_msec: int | None = None
    failure: Failure | None = None
    result: str = ""
    """The figures, as JSON."""

    @property
    def expires_at(self) -> int:
        """When it is forgotten (epoch seconds)."""
        return self.asked_msec // 1000 + KEPT_SECONDS


def as_told(job: RehearsalJob, now_msec: int) -> tuple[JobState, Failure | None]:
    """How far a rehearsal has come, and why it failed (None: it has not).

    One that is stored as waiting or running after `ends_by_msec` has failed: no worker is left to write its end.
    """
    match job.state:
        case JobState.DONE | JobState.FAILED:
            return job.state, job.failure
        case JobState.WAITING | JobState.RUNNING:
            if now_msec >= job.ends_by_msec:
                return JobState.FAILED, Failure.INTERRUPTED
            return job.state, None
        case _:
            assert_never(job.state)


def is_open(job: RehearsalJob, now_msec: int) -> bool:
    """Whether a rehearsal has not ended."""
    return as_told(job, now_msec)[0] in (JobState.WAITING, JobState.RUNNING)


def may_be_taken(job: RehearsalJob, now_msec: int) -> bool:
    """Whether a worker may begin it: it is open, no other worker has it, and it was not begun too often."""
    return is_open(job, now_msec) and job.until_msec <= now_msec and job.attempt < MOST_ATTEMPTS


def taken_until_msec(now_msec: int) -> int:
    """Until when a worker that takes a rehearsal now has it."""
    return now_msec + LEASE_SECONDS * 1000


def ends_by_msec(attempt: int, taken_until: int) -> int:
    """From when on a rehearsal that was taken for the `attempt`th time has failed, if no end is written.

    The last time: when its worker's time is over. Any other: when the queue must have brought it to the next worker.
    """
    if attempt >= MOST_ATTEMPTS:
        return taken_until
    return taken_until + REPEATED_SECONDS * 1000
