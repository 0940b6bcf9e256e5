"""What the use cases need of the campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from speechcall.campaigns.rules.campaign import Campaign
from speechcall.campaigns.rules.funnel import Funnel


@dataclass(frozen=True, slots=True)
class ListOfCampaign:
    """One list of a campaign."""

    list_id: str
    created_msec: int
    messages: int


@dataclass(frozen=True, slots=True)
class AcceptingList:
    """A list that is counted, and whose messages are perhaps not written yet."""

    list_id: str
    account_id: str
    campaign: str
    first_mid: str
    messages: int
    accepting_msec: int
    """When a request began to write the messages, the last time."""


class AcceptingLists(Protocol):
    """The lists of campaigns that are counted, and whose messages are perhaps not written yet."""

    def accepting(self, before_msec: int, limit: int) -> Sequence[AcceptingList]:
        """The lists that were counted, or whose request was last repeated, before a moment; the oldest first."""

    def confirm_list(self, list_id: str, account_id: str, campaign: str) -> None:
        """The messages of a list are written: from now on it is shown among the lists of its campaign.

        Safe to repeat.
        """

    def withdraw(self, accepting: AcceptingList, now_msec: int) -> bool:
        """Takes the counts of a list back.

        False: its messages are being written, or are written, or it is withdrawn: nothing is taken back.
        """


class CampaignStore(Protocol):
    """The campaigns of all accounts. They are counted in the transactions that accept and end messages."""

    def find(self, account_id: str, name: str) -> Campaign | None:
        """The campaign of this name; None: there is none. Strongly consistent."""

    def find_with_funnels(self, account_id: str, name: str) -> tuple[Campaign, Sequence[Funnel]] | None:
        """The campaign with the funnels of its shapes; None: there is none. Strongly consistent."""

    def page(self, account_id: str, limit: int, before: str | None) -> tuple[Sequence[Campaign], str | None]:
        """Campaigns, the latest one first; and where the next page begins (`before`). May be a little behind."""

    def lists_page(
        self, account_id: str, name: str, limit: int, before: str | None
    ) -> tuple[Sequence[ListOfCampaign], str | None]:
        """The lists of a campaign, the latest one first; pages are as those of `page`."""

    def count_open(self, account_id: str) -> int:
        """How many campaigns of an account have an unfinished message."""
