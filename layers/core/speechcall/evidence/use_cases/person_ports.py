"""What the use cases about people need of stores."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from speechcall.evidence.rules.person_job import PersonJob


class Erased(NamedTuple):
    """What was deleted of a message."""

    calls: int
    webhooks: int
    last_call_msec: int | None
    """When the latest of these calls was dialled; None: there was none."""


class PersonJobs(Protocol):
    """The requests about people."""

    def add(self, job: PersonJob) -> None:
        """Writes a new one; it is due at once."""

    def find(self, job_id: str) -> PersonJob | None:
        """One by its id, strongly consistent."""

    def due(self, now_msec: int, limit: int) -> Sequence[PersonJob]:
        """Those that are to be looked at, the longest due first, `limit` at most; by an index that lags."""

    def take(self, job: PersonJob, now_msec: int, until_msec: int) -> PersonJob | None:
        """Makes one a worker's until a moment. None: it is another's, or is done."""

    def save(self, job: PersonJob, next_msec: int | None) -> PersonJob | None:
        """Keeps how far it has come. Out: as it is now; None: it is not as it was read, and nothing was kept.

        `next_msec`: when it is looked at again, and until when it is the worker's; None: never, it is done.
        """


class PersonRecords(Protocol):
    """What is kept of people."""

    def page(self, account_id: str, digest: str, cursor: str) -> tuple[list[str], str]:
        """Some messages of an account to a number, and where to continue; empty: that was all.

        First those that have not ended, then those that have.
        """

    def pending_webhooks(self, mid: str, now_msec: int) -> int:
        """How many deliveries of a message have not come to their end, those that have not begun among them."""

    def erase(self, mid: str) -> Erased:
        """Deletes everything of a message, itself at last. Safe to repeat; out: what was there this time.

        The caller has seen that the message has ended.
        """

    def note_erased(self, mids_by_list: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """Notes that these messages are erased, so that no repeat of their request writes them again.

        Out: those noted already.
        """
