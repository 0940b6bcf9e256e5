"""What was asked for about people is carried out: behind the answer, each minute, until it is done.

      pass 1     messages that wait: cancelled ── in a call: not dialled again ── all: noted, so that no repeat of their
                 request writes them again
      pass 2 …   a minute later: what has ended, and owes no webhook, is deleted, the message itself at last
      killed     page 1 ──► cursor 1 ──► page 2 ──►X
      the next tick                     page 2 ──► …

Every step can be repeated: a message is found by its own item, which goes last. A pass that leaves nothing over is
followed by another one, for what changes its place between two parts of an index while they are read.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from speechcall.evidence.rules.person_job import (
    MOST_MESSAGES,
    WEBHOOKS_WAIT_MSEC,
    Kind,
    PersonJob,
    is_done,
    may_erase,
    next_look_msec,
)
from speechcall.evidence.use_cases.person_ports import PersonJobs, PersonRecords
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_reader import MessageReader
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

MOST_JOBS = 100
TURN_SECONDS = 70
"""For how long a job is one worker's: longer than a run."""


@dataclass(frozen=True, slots=True)
class PeopleWork:
    """The worker. `cancel` cancels one message, and lets its call continue."""

    jobs: PersonJobs
    records: PersonRecords
    messages: MessageReader
    cancel: Callable[[Message], object]
    clock: Clock
    time_left: Callable[[], float]
    """In seconds."""

    def do(self) -> None:
        """Works on what is due until all is done or time is up. Any number of copies may run.

        What goes wrong with one job is logged, and the job is taken again when its worker's time is over.
        """
        for found in self.jobs.due(self.clock.now_msec(), MOST_JOBS):
            if self.time_left() <= 0:
                return
            try:
                self._work_on(found)
            except RetryableError as error:
                logger.warning("what was asked for about a person could not be carried out now: %s", error)
            except Exception:
                # The next request has nothing to do with it.
                logger.exception("what was asked for about a person could not be carried out")

    def _work_on(self, found: PersonJob) -> None:
        """Carries on with a job, page by page, to the end of a pass or of the time. Not if another worker has it."""
        now = self.clock.now_msec()
        job = self.jobs.take(found, now, now + TURN_SECONDS * 1000)
        if job is None:
            return
        if job.pass_msec is None:
            job = replace(job, pass_msec=now, cursor="", left=0)
        while True:
            if self.time_left() <= 0:
                self.jobs.save(job, self.clock.now_msec())  # due at once: any worker may take it
                return
            mids, cursor = self.records.page(job.account_id, job.digest, job.cursor)
            job = replace(self._do_page(job, mids), cursor=cursor)
            if not cursor:
                break
            saved = self.jobs.save(job, self.clock.now_msec() + TURN_SECONDS * 1000)
            if saved is None:
                return  # it is another's
            job = saved
        self._end_pass(job)

    def _end_pass(self, job: PersonJob) -> None:
        """Saves a job whose pass has seen all: as done, or with when it is looked at again."""
        now = self.clock.now_msec()
        job = replace(job, pass_msec=None, passes=job.passes + 1, clean=0 if job.left else job.clean + 1)
        if is_done(job):
            self.jobs.save(replace(job, finished_msec=now), None)
        else:
            self.jobs.save(job, next_look_msec(job, now))

    def _do_page(self, job: PersonJob, mids: list[str]) -> PersonJob:
        """Takes the messages of a page into an export, or cancels or erases them; out: the job with their counts.

        An export takes MOST_MESSAGES at most, and passes over the rest.
        """
        read = self._read(mids)
        # What cannot be read is left over.
        job = replace(job, left=job.left + len(mids) - len(read))
        found = [
            one
            for one in read
            if one and one.account_id == job.account_id and one.number_digest == job.digest  # an index lags
            # What is accepted after the request is not part of it.
            if one.created_msec <= job.begun_msec
        ]
        if job.kind is Kind.EXPORT:
            room = MOST_MESSAGES - len(job.mids)
            return replace(job, mids=job.mids | {one.mid for one in found[:room]})
        by_list: dict[str, list[str]] = {}
        for one in found:
            by_list.setdefault(one.list_id, []).append(one.mid)
        noted_before = self.records.note_erased(by_list)
        for one in found:
            job = self._erase(job, one, one.mid in noted_before)
        return job

    def _read(self, mids: list[str]) -> list[Message | None]:
        """The messages, None for one that is gone; without those that cannot be read, until somebody has repaired them.

        Raises RetryableError.
        """
        found: list[Message | None] = []
        for mid in mids:
            try:
                found.append(self.messages.get(mid))
            except RetryableError:
                raise
            except Exception:
                logger.exception("message %s cannot be read, and so not be told or erased", mid, extra={"mid": mid})
        return found

    def _erase(self, job: PersonJob, message: Message, noted_before: bool) -> PersonJob:
        """Cancels a message, or deletes it; out: the job with its counts.

        It is deleted when it has ended, was noted by an earlier pass, and owes no webhook; till then it counts as left.
        `noted_before`: an earlier pass has noted it as erased.
        """
        if message.state is not State.FINISHED:
            self.cancel(message)  # it is deleted by a later pass, when it has ended
            return replace(job, left=job.left + 1)
        if not (may_erase(job) and noted_before) or self._waits_for_webhooks(job, message):
            return replace(job, left=job.left + 1)
        erased = self.records.erase(message.mid)
        latest = max(erased.last_call_msec or 0, job.last_call_msec or 0)
        return replace(
            job,
            messages=job.messages + 1,
            calls=job.calls + erased.calls,
            webhooks=job.webhooks + erased.webhooks,
            last_call_msec=latest or None,
        )

    def _waits_for_webhooks(self, job: PersonJob, message: Message) -> bool:
        """Whether a message owes webhooks, for which there is time. Where that cannot be read, it is taken to owe some.

        Raises RetryableError.
        """
        now = self.clock.now_msec()
        if now >= job.begun_msec + WEBHOOKS_WAIT_MSEC:
            return False
        try:
            return self.records.pending_webhooks(message.mid, now) > 0
        except RetryableError:
            raise
        except Exception:
            mid = message.mid
            logger.exception(
                "what message %s owes cannot be read: it is erased a day after the request", mid, extra={"mid": mid}
            )
            return True
