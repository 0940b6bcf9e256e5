"""The messages of what was cancelled are finished, and their calls ended if that was asked for: behind the answer.

      job of a campaign   list 1 ──► its messages ──► cursor 1 ──► list 2 ──► … ──► the last one: a pass is done
      killed              list 1 ──► its messages ──► cursor 1 ──► list 2 ──►X
      the next tick                                                 list 2 ──► …

A pass that began soon after the cancellation may have missed what was just being accepted, for an index lags. So the
job is done with the first pass that began a minute after it and leaves no call that is to be ended. What would even
so be missed is finished when its turn comes: no claim of a line for it succeeds.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_ports import Brake, MessageStore
from speechcall.messages.use_cases.stop_ports import StopJob, StopStore
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock
from speechcall.stopping.use_cases.stop_message import Cancelled

logger = logging.getLogger(__name__)

SETTLED_MSEC = 60_000
"""How long behind a cancellation nothing can be missed any more; an index lags by seconds."""
TURN_SECONDS = 70
"""For how long a job is one worker's, if it does not say more: longer than a run."""
MOST_JOBS, LISTS_READ, HEADS_READ = 100, 100, 100
A_SECOND = 30
"""At least so many messages are finished each second, as long as one worker runs. It is told to customers."""

Cancel = Callable[[Message, bool], Cancelled | None]
"""Cancels a message, and ends its call if that is asked for."""


class ListsOfMessages(Protocol):
    """Where the messages of a list are known."""

    def message_ids(self, list_id: str) -> Sequence[str]:
        """The ids of a list's messages; none if there is no such list (any more)."""


@dataclass(frozen=True, slots=True)
class StopWork:
    """The worker. `cancel` cancels one message, `count` (metric, number) tells of what was done."""

    stops: StopStore
    messages: MessageStore
    turns: TurnStore
    lists: ListsOfMessages
    cancel: Cancel
    clock: Clock
    count: Callable[[str, int], object]
    time_left: Callable[[], float]
    """In seconds."""

    def do(self) -> None:
        """Works on the jobs, the oldest first, until all are done or time is up. Any number of copies may run.

        What goes wrong with one job is logged; another run carries on with it.
        """
        for found in self.stops.jobs(MOST_JOBS):
            if self.time_left() <= 0:
                return
            if not self._is_due(found):
                continue
            try:
                self._work_on(found)
            except RetryableError as error:
                logger.warning("what was cancelled could not be carried out now: %s", error)
            except Exception:
                # The next job has nothing to do with it.
                logger.exception("what was cancelled could not be carried out")

    def _is_due(self, job: StopJob) -> bool:
        """Whether a job is to be worked on: between two passes it waits until SETTLED_MSEC after the cancellation."""
        return job.cursor != DONE or self.clock.now_msec() >= job.begun_msec + SETTLED_MSEC

    def _work_on(self, found: StopJob) -> None:
        """Carries on with a job that no other worker has, page by page, to the end of a pass or of the time."""
        now = self.clock.now_msec()
        job = self.stops.take_job(found, now, now + TURN_SECONDS * 1000)
        if job is None:
            return
        if job.pass_msec is None or job.cursor == DONE:
            job = replace(job, pass_msec=now, cursor="", left=0)
        for cursor, mids in self._pages(job):
            left = self._cancel_page(mids, job)
            if left is None:  # time is up: it is given back (0), and the next run begins with this page
                self.stops.save_job(job, 0)
                return
            job = replace(job, left=job.left + left, cursor=cursor or job.cursor)
            if cursor:
                saved = self.stops.save_job(job, self.clock.now_msec() + TURN_SECONDS * 1000)
                if saved is None:
                    return  # it was begun again, and is another's
                job = saved
        self._end_pass(job)

    def _end_pass(self, job: StopJob) -> None:
        """After a pass: ends the job, or lets another pass begin.

        The last pass left no call to be ended, and began a minute after the cancellation (of one message: at any time,
        as no index is read). Where calls are left the next run begins a pass; else the first run after that minute.
        """
        is_last = (job.pass_msec or 0) >= job.begun_msec + SETTLED_MSEC or job.what.kind is Brake.MESSAGE
        if is_last and not job.left:
            self.stops.end_job(job)
        elif job.left:
            self.stops.save_job(replace(job, cursor="", pass_msec=None, left=0), 0)
        else:
            self.stops.save_job(replace(job, cursor=DONE), 0)

    def _pages(self, job: StopJob) -> Iterator[tuple[str, Iterable[str]]]:
        """The messages of a job, page by page: each time the cursor to be saved when the page is done, and its ids.

        Cursor empty: nothing is saved, for the job has one page, or is read from the beginning each time.
        """
        what = job.what
        match what.kind:
            case Brake.MESSAGE:
                yield "", [what.name]
            case Brake.LIST:
                yield "", self.lists.message_ids(what.name)
            case Brake.CAMPAIGN:
                after = job.cursor
                while page := self.stops.lists_of(what.account_id, what.name, after, LISTS_READ):
                    for list_id in page:
                        yield list_id, self.lists.message_ids(list_id)
                    after = page[-1]
            case Brake.ACCOUNT:
                yield from (("", mids) for mids in self._heads(job))
            case _:
                assert_never(what.kind)

    def _heads(self, job: StopJob) -> Iterator[Sequence[str]]:
        """The messages that stand in an account's queues, up to an id; each once.

        The index lags, so those that were yielded already may still be in it: so many more are asked for.
        """
        _, queues = self.turns.all_of(job.what.account_id)
        for queue in queues:
            seen: set[str] = set()
            while True:
                heads = self.turns.heads(queue, HEADS_READ + len(seen))
                new = [mid for mid in heads if mid not in seen and int(mid) <= job.upto]
                if not new:
                    break
                seen.update(new)
                yield new

    def _cancel_page(self, mids: Iterable[str], job: StopJob) -> int | None:
        """Cancels the messages of a page that have not ended; those in a call only if the job is to end calls.

        How many of them are in a call that is still to be ended; None: time was up before the last. Raises what
        cancelling raises.
        """
        left = cancelled = 0
        for mid in mids:
            if self.time_left() <= 0:
                self.count("MessagesCancelled", cancelled)
                return None
            message = self.messages.get(mid)
            if message is None or message.state is State.FINISHED:
                continue
            is_in_call = message.state in (State.CALLING, State.SETTLING)
            if is_in_call and not job.hangs_up:
                continue
            done = self.cancel(message, job.hangs_up)
            left += done is Cancelled.HANGING_UP
            cancelled += done is Cancelled.CANCELLED
        self.count("MessagesCancelled", cancelled)
        return left


DONE = "done"
"""The cursor of a job whose pass is done, and that waits for the next one."""
