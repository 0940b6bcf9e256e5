"""A campaign: lists of messages under one name, with the numbers of what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from speechcall.shared.rules.errors import CampaignCancelled, TooManyCampaigns

MOST_OPEN = 1000
"""Campaigns of an account that have an unfinished message."""
MOST_SHAPES = 13
"""Shapes of menus of a campaign with a funnel of their own, so that one answer reads at most twenty items: the
campaign, these and the funnel of all other shapes; the pool, the account's turn and its number of open campaigns; and
the two items by which a client is known."""


class CampaignState(StrEnum):
    """What a campaign does. The first of these that holds."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    FINISHED = "finished"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it is stored. A message is unfinished from acceptance until it has its outcome."""

    account_id: str
    name: str
    created_msec: int
    latest_list_id: str = ""
    latest_msec: int = 0
    """When its latest list was accepted."""
    lists: int = 0
    messages: int = 0
    unfinished: int = 0
    calling: int = 0
    """Of its messages, how many hold a line."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Outcomes by how many messages had them; a release may not know all that another has counted."""
    shapes: frozenset[str] = frozenset()
    """The shapes of menus that have a funnel of their own."""
    finished_msec: int | None = None
    """When the last of its messages was finished; None while one is unfinished."""
    paused_msec: int | None = None
    cancelled_msec: int | None = None
    expires_at: int = field(default=0, compare=False)
    """When it is forgotten (seconds): not before any of its lists is."""

    @property
    def state(self) -> CampaignState:
        if self.cancelled_msec is not None:
            return CampaignState.CANCELLED
        if self.paused_msec is not None:
            return CampaignState.PAUSED
        return CampaignState.RUNNING if self.unfinished > 0 else CampaignState.FINISHED


def own_funnels(known: frozenset[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `wanted` (in the order sent) that have a funnel of their own: first come, first served."""
    room = MOST_SHAPES - len(known)
    new = tuple(shape for shape in dict.fromkeys(wanted) if shape not in known)[: max(room, 0)]
    return tuple(shape for shape in dict.fromkeys(wanted) if shape in known or shape in new)


def campaign_cancelled(name: str) -> CampaignCancelled:
    """The answer to a list for a campaign that is over."""
    return CampaignCancelled(f'The campaign "{name}" was cancelled, and that is final; use another name.')


def too_many_campaigns() -> TooManyCampaigns:
    """The error for a list that would open one campaign more than an account may have."""
    return TooManyCampaigns(
        f"{MOST_OPEN} campaigns of this account have unfinished messages, which is the most; wait until one is "
        "finished, or put more lists into one campaign."
    )
