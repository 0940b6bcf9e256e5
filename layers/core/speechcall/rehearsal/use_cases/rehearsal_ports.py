"""What the use cases about rehearsals over the API need of stores and queues."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from speechcall.messages.rules.message import Message
from speechcall.rehearsal.rules.callees import Callees
from speechcall.rehearsal.rules.rehearsal_job import Failure, RehearsalJob


class RehearsedList(NamedTuple):
    """What is rehearsed: messages as `lean` leaves them, and who is called."""

    messages: Sequence[Message]
    callees: Callees


class NotAdded(StrEnum):
    """Why no rehearsal was begun."""

    DAY_FULL = "dayFull"
    TOO_LARGE = "tooLarge"


class Running(NamedTuple):
    """Another one of the account has not ended."""

    job_id: str


class RehearsalJobs(Protocol):
    """The rehearsals that were asked for."""

    def add(self, job: RehearsalJob, given: RehearsedList) -> NotAdded | Running | None:
        """Writes a new one, and its list: one of an account at a time, MOST_A_DAY a day. None: it is written."""

    def confirm(self, job: RehearsalJob) -> None:
        """The queue has it: it waits for WAITS_SECONDS. Nothing is done if a worker has taken it already."""

    def withdraw(self, job: RehearsalJob) -> None:
        """Takes back one that no worker was told of, as if it had never been asked for. One that was taken stays."""

    def find(self, job_id: str) -> RehearsalJob | None:
        """One by its id, strongly consistent."""

    def list_of(self, job: RehearsalJob) -> RehearsedList | None:
        """What it rehearses; None: it has ended."""

    def take(self, job_id: str, now_msec: int) -> RehearsalJob | None:
        """Makes one this worker's, by `may_be_taken`; None: it may not be taken."""

    def give_back(self, job: RehearsalJob, now_msec: int) -> bool:
        """Lets one that was taken wait again. False: it is not this worker's any more."""

    def finish(self, job: RehearsalJob, now_msec: int, *, result: str = "", failure: Failure | None = None) -> bool:
        """Writes its figures, or why there are none, and deletes what it rehearsed. False: as above."""
