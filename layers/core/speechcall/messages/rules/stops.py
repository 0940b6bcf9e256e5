"""What stops messages: a pause, which may be lifted, or a cancellation, which is final."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from speechcall.messages.rules.turns import NONE_CANCELLED


class StopState(StrEnum):
    """How a list, a campaign or an account's queue stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when something is paused or cancelled. What is cancelled is not paused."""

    paused_msec: int | None = None
    cancelled_msec: int | None = None

    @property
    def state(self) -> StopState:
        if self.cancelled_msec is not None:
            return StopState.CANCELLED
        return StopState.ACTIVE if self.paused_msec is None else StopState.PAUSED


@dataclass(frozen=True, slots=True)
class Held:
    """All that may stop the messages of one list."""

    stops: tuple[Stop, ...] = ()
    """Of the list itself, its campaign, and its account's queue."""
    cancelled_upto: int = NONE_CANCELLED
    """The account's messages up to this id are cancelled …"""
    cancelled_upto_msec: int | None = None
    """… since then."""

    @property
    def state(self) -> StopState:
        """How the list stands: all that stops its campaign stops it too."""
        states = {stop.state for stop in self.stops}
        return next((one for one in (StopState.CANCELLED, StopState.PAUSED) if one in states), StopState.ACTIVE)

    @property
    def is_paused(self) -> bool:
        return any(stop.state is StopState.PAUSED for stop in self.stops)

    def cancelled_msec(self, mid: str) -> int | None:
        """Since when a message of the list that waits is cancelled; None: it is not; 0: it is not known since when."""
        moments = [stop.cancelled_msec for stop in self.stops if stop.cancelled_msec is not None]
        if int(mid) <= self.cancelled_upto:
            moments.append(self.cancelled_upto_msec or 0)
        return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class StopCounts:
    """Of the messages of something that was stopped: those not dialled (any more), in a call, and finished before."""

    not_dialled: int = 0
    in_progress: int = 0
    finished: int = 0


@dataclass(frozen=True, slots=True)
class CampaignNumbers:
    """What is counted of a campaign's messages."""

    messages: int = 0
    unfinished: int = 0
    calling: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def stop_counts(self) -> StopCounts:
        """Those that a cancellation has finished are among those that are not dialled: a repeat answers the same."""
        cancelled = self.outcomes.get("cancelled", 0)
        waiting = max(self.unfinished - self.calling, 0)
        finished = max(self.messages - self.unfinished - cancelled, 0)
        return StopCounts(waiting + cancelled, self.calling, finished)
