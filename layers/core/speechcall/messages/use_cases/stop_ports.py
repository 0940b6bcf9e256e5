"""What the use cases need of pauses and cancellations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from speechcall.messages.rules.stops import CampaignNumbers, Held, Stop
from speechcall.messages.use_cases.message_ports import Brake


@dataclass(frozen=True, slots=True)
class Stopped:
    """What is to be stopped, or was: a list, a campaign, an account's queue; as a job also one message."""

    kind: Brake
    account_id: str
    name: str = ""
    """The id of the list or message, the name of the campaign; empty for the account."""


@dataclass(frozen=True, slots=True)
class StopJob:
    """What is still to be done about something that was cancelled: its messages are finished, one after the other."""

    what: Stopped
    begun_msec: int
    hangs_up: bool = False
    """Calls in progress are to be ended too."""
    upto: int = 0
    """Of an account: the messages up to this id."""
    cursor: str = ""
    """Of a campaign: the list up to which everything is done, in the present pass."""
    pass_msec: int | None = None
    """When the present pass through the messages began; None: none has begun."""
    left: int = 0
    """How many calls that are to be ended the present pass has found not to be over."""
    revision: int = 0


class StopStore(Protocol):
    """What is paused or cancelled. Each of the first four is one write, which every claim of a line looks at."""

    def pause(self, what: Stopped, now_msec: int, expires_at: int) -> Stop | None:
        """How it stands then: a cancelled one stays so. None: there is no such campaign."""

    def resume(self, what: Stopped) -> Stop | None:
        """Ends a pause; how it stands then: a cancelled one stays so. None: there is no such campaign.

        Its queues are not woken here.
        """

    def cancel(self, what: Stopped, now_msec: int, expires_at: int, *, hangs_up: bool) -> Stop | None:
        """Cancels a list or a campaign for good, and makes the job of it, in one write. As `pause`."""

    def cancel_queue(self, account_id: str, upto: int, now_msec: int) -> None:
        """Cancels an account's messages up to an id, and makes the job of it, in one write."""

    def numbers(self, account_id: str, campaign: str) -> CampaignNumbers | None:
        """What is counted of a campaign; None: there is none."""

    def held(self, account_id: str, list_id: str, campaign: str, *, is_urgent: bool) -> Held:
        """All that may stop the messages of a list; strongly consistent."""

    def is_paused(self, account_id: str, campaign: str) -> bool:
        """Whether a campaign is paused; strongly consistent."""

    def jobs(self, limit: int) -> Sequence[StopJob]:
        """The oldest jobs; they may be a little behind."""

    def take_job(self, job: StopJob, now_msec: int, until_msec: int) -> StopJob | None:
        """Takes a job until `until_msec`; the job as it is now. None: another worker has it, or it is done."""

    def save_job(self, job: StopJob, until_msec: int) -> StopJob | None:
        """How far a job has come. `until_msec`: as before; 0 gives it back. None: it was begun again meanwhile."""

    def end_job(self, job: StopJob) -> bool:
        """The job is done. False: it was begun again meanwhile."""

    def lists_of(self, account_id: str, campaign: str, after: str, limit: int) -> Sequence[str]:
        """The ids of a campaign's lists behind `after`, in their order; may be a little behind."""
