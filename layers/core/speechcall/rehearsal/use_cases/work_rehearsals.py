"""A rehearsal that was asked for is done: the list is rehearsed for each seed, on top of what its account waits for.

      take ──► read what waits ──► seed 1 ── seed 2 ── … ──► figures, and its list is deleted
        ▲            │ unavailable                              │ killed anywhere: nothing is written
        └── a minute later, three times in all        15 minutes later another worker begins it again

A copy of the queue's message finds it taken, and comes again when the worker's time is over.
"""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.message import Message
from speechcall.rehearsal.rules.forecast import Rehearsed, forecast
from speechcall.rehearsal.rules.rehearsal_job import (
    AGAIN_SECONDS,
    LEASE_SECONDS,
    MOST_ATTEMPTS,
    WORK_SECONDS,
    Failure,
    JobState,
    RehearsalJob,
    is_open,
    may_be_taken,
)
from speechcall.rehearsal.use_cases.describe_forecast import describe
from speechcall.rehearsal.use_cases.rehearsal_ports import RehearsalJobs, RehearsedList
from speechcall.rehearsal.use_cases.rehearse import Situation, Stores, rehearse
from speechcall.rehearsal.use_cases.virtual_time import BoundedTime, OutOfTime
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

Hide = Callable[[int], None]
"""Has the queue's message come again after so many seconds."""


class NoRehearsal(Exception):
    """A list cannot be rehearsed; why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class Place(NamedTuple):
    """Where a list is rehearsed: what there is, and what makes its stores, new ones for each seed."""

    situation: Situation
    stores: Callable[[], Stores]


@dataclass(frozen=True, slots=True)
class RehearsalWork:
    """The worker.

    `place_of` reads what waits for an account, as it would be when new messages are made; it raises NoRehearsal.
    """

    jobs: RehearsalJobs
    find_account: Callable[[str], Account | None]
    place_of: Callable[[Account, Sequence[Message]], Place]
    clock: Clock
    seconds: Callable[[], float]
    """Real ones, from any moment on."""
    apart: Callable[[], AbstractContextManager[None]]
    """Around each seed."""
    count: Callable[..., object] = lambda _metric, **_dimensions: None

    def do(self, job_id: str, hide: Hide) -> bool:
        """Does a rehearsal, if it may be taken. True: it has ended, and its message may go.

        False: the message is to come again, because another worker has the rehearsal, or it could not be done now.
        Raises StoreUnavailable where the rehearsal's own item cannot be read or written.
        """
        job = self.jobs.take(job_id, self.clock.now_msec())
        if job is None:
            return self._leave(job_id, hide)
        hide(LEASE_SECONDS)
        fields = {"rehearsal": job_id, "account": job.account_id}
        try:
            result = self._rehearse(job)
        except NoRehearsal as error:
            return self._end(job, failure=error.failure)
        except RetryableError as error:
            logger.warning("a rehearsal could not be done now: %s", type(error).__name__, extra=fields)
            if job.attempt >= MOST_ATTEMPTS:
                return self._end(job, failure=Failure.UNAVAILABLE)
            hide(AGAIN_SECONDS)
            self.jobs.give_back(job, self.clock.now_msec())
            return False
        except Exception:
            # Whatever is wrong is wrong the next time too; its account is told, and can rehearse another list.
            logger.exception("a rehearsal failed", extra=fields)
            return self._end(job, failure=Failure.FAULT)
        return self._end(job, result=result)

    def _leave(self, job_id: str, hide: Hide) -> bool:
        """Ends `do` for a rehearsal that could not be taken; the result is that of `do`.

        True: it has ended before, or is ended here. False: another worker has it, or gave it back just now, and the
        message comes again.
        """
        job, now = self.jobs.find(job_id), self.clock.now_msec()
        if job is None or job.state in (JobState.DONE, JobState.FAILED):
            return True
        if is_open(job, now) and job.until_msec > now:
            hide((job.until_msec - now) // 1000 + 1)
            return False
        if may_be_taken(job, now):  # another worker gave it back after `take` had looked
            hide(AGAIN_SECONDS)
            return False
        # It was begun as often as it may be, or nobody came in its time.
        return self._end(job, failure=Failure.INTERRUPTED)

    def _end(self, job: RehearsalJob, *, result: str = "", failure: Failure | None = None) -> bool:
        """Writes and counts how a rehearsal ended, unless that is another's to say now. True either way, for `do`."""
        if self.jobs.finish(job, self.clock.now_msec(), result=result, failure=failure):
            self.count("RehearsalsEnded", state="failed" if failure else "done")
        return True

    def _rehearse(self, job: RehearsalJob) -> str:
        """The figures of a rehearsal, as JSON. Raises NoRehearsal, StoreUnavailable."""
        begin = self.seconds()
        given, account = self.jobs.list_of(job), self.find_account(job.account_id)
        if given is None or account is None:
            raise NoRehearsal(Failure.INTERRUPTED)
        place = self.place_of(account, given.messages)
        found = self._seeds(job.seeds, given, place, begin)
        if not found:
            raise NoRehearsal(Failure.TOOK_TOO_LONG)
        return json.dumps(describe(forecast(found)))

    def _seeds(self, seeds: int, given: RehearsedList, place: Place, begin: float) -> list[Rehearsed]:
        """A rehearsal for each seed, as many as the time since `begin` allows; none, if the first takes too long."""
        found: list[Rehearsed] = []
        longest = 0.0
        for seed in range(1, seeds + 1):
            since = self.seconds()
            if since - begin + longest > WORK_SECONDS:  # one as long as the longest would not be over in time
                break
            time = BoundedTime(place.situation.now_msec, lambda: self.seconds() - begin > WORK_SECONDS)
            try:
                with self.apart():
                    found.append(rehearse(place.situation, given.messages, given.callees, place.stores(), time, seed))
            except OutOfTime:
                break
            longest = max(longest, self.seconds() - since)
        return found
