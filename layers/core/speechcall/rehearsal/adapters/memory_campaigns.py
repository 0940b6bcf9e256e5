"""Campaigns in memory: counted as the real ones are, each method one step.

Held equal to DynamoDB by tests/integration/store_contract/test_campaigns.py.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from speechcall.campaigns.rules.campaign import (
    MOST_OPEN,
    Campaign,
    campaign_cancelled,
    own_funnels,
    too_many_campaigns,
)
from speechcall.campaigns.rules.funnel import Funnel, Heard, counted, load_counts
from speechcall.campaigns.use_cases.campaign_ports import AcceptingList, ListOfCampaign
from speechcall.requests.use_cases.message_list import MessageList

Name = tuple[str, str]


@dataclass
class EndsOfList:
    """How many messages of a list have not ended, and how the others have."""

    open: int
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass
class MemoryCampaigns:
    """A `CampaignStore` and the `AcceptingLists` in memory."""

    campaigns: dict[Name, Campaign] = field(default_factory=dict)
    funnels: dict[Name, dict[str, Counter[str]]] = field(default_factory=dict)
    examples: dict[tuple[Name, str], str] = field(default_factory=dict)
    lists: dict[str, AcceptingList] = field(default_factory=dict)
    """Of each list of a campaign what it counts; `accepting_msec` 0: its messages are written, -1: withdrawn."""
    created: dict[str, int] = field(default_factory=dict)

    # ------------------------------------------------------------------ reads
    def find(self, account_id: str, name: str) -> Campaign | None:
        return self.campaigns.get((account_id, name))

    def find_with_funnels(self, account_id: str, name: str) -> tuple[Campaign, list[Funnel]] | None:
        found, key = self.find(account_id, name), (account_id, name)
        counts = self.funnels.get(key, {})
        loaded = [load_counts(shape, counts[shape], self.examples[key, shape]) for shape in sorted(counts)]
        return (found, loaded) if found else None

    def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[Campaign], str | None]:
        places = {f"{one.created_msec:013}#{one.name}": one for one in self.campaigns.values()}
        own = {place: one for place, one in places.items() if one.account_id == account_id}
        chosen = sorted((place for place in own if before is None or place < before), reverse=True)
        return [own[place] for place in chosen[:limit]], chosen[limit - 1] if len(chosen) > limit else None

    def lists_page(
        self, account_id: str, name: str, limit: int, before: str | None
    ) -> tuple[list[ListOfCampaign], str | None]:
        # accepting_msec: 0 of a list whose messages are written, -1 of one that is withdrawn.
        own = {
            f"{one.list_id:0>19}": ListOfCampaign(one.list_id, self.created[one.list_id], one.messages)
            for one in self.lists.values()
            if (one.account_id, one.campaign) == (account_id, name) and one.accepting_msec == 0
        }
        chosen = sorted((place for place in own if before is None or place < before), reverse=True)
        return [own[place] for place in chosen[:limit]], chosen[limit - 1] if len(chosen) > limit else None

    def count_open(self, account_id: str) -> int:
        return sum(one.unfinished > 0 for one in self.campaigns.values() if one.account_id == account_id)

    # ------------------------------------------------------------- acceptance
    def count_list(self, made: MessageList) -> MessageList:
        """Counts a new list in its campaign. Raises CampaignCancelled, TooManyCampaigns.

        Gives it as it is stored, with the shapes that have a funnel of their own.
        """
        key = (made.account_id, made.campaign)
        known = self._add(key, made.list_id, len(made.message_ids), made.created_msec)
        funnels = own_funnels(known.shapes, made.funnels)
        until = max(known.expires_at, made.expires_at)
        self.campaigns[key] = replace(known, shapes=known.shapes | set(funnels), expires_at=until)
        self.created[made.list_id] = made.created_msec
        first, count = made.message_ids[0], len(made.message_ids)
        self.lists[made.list_id] = AcceptingList(made.list_id, *key, first, count, made.created_msec)
        return made._replace(funnels=funnels)

    def _add(self, key: Name, list_id: str, messages: int, now_msec: int) -> Campaign:
        """Adds a list and its messages to the counts of a campaign, which is made if there is none.

        Raises CampaignCancelled, TooManyCampaigns.
        """
        known = self.campaigns.get(key) or Campaign(*key, now_msec)
        if known.cancelled_msec is not None:
            raise campaign_cancelled(key[1])
        if known.unfinished <= 0 and self.count_open(key[0]) >= MOST_OPEN:
            raise too_many_campaigns()
        self.campaigns[key] = replace(
            known,
            latest_list_id=list_id,
            latest_msec=now_msec,
            lists=known.lists + 1,
            messages=known.messages + messages,
            unfinished=known.unfinished + messages,
            finished_msec=None,
        )
        return self.campaigns[key]

    def keep_accepting(self, stored: MessageList, now_msec: int) -> None:
        one = self.lists[stored.list_id]
        if one.accepting_msec == 0:
            return
        if one.accepting_msec < 0:
            self._add((one.account_id, one.campaign), one.list_id, one.messages, stored.created_msec)
        self.lists[one.list_id] = replace(one, accepting_msec=now_msec)

    def confirm_list(self, list_id: str, account_id: str, campaign: str) -> None:
        one = self.lists[list_id]
        if (one.account_id, one.campaign) != (account_id, campaign):
            raise LookupError(f"the list {list_id} is of another campaign")
        if one.accepting_msec > 0:
            self.lists[list_id] = replace(one, accepting_msec=0)

    def accepting(self, before_msec: int, limit: int) -> list[AcceptingList]:
        old = [one for one in self.lists.values() if 0 < one.accepting_msec < before_msec]
        return sorted(old, key=lambda one: (one.accepting_msec, one.list_id))[:limit]

    def withdraw(self, accepting: AcceptingList, now_msec: int) -> bool:
        if self.lists[accepting.list_id].accepting_msec != accepting.accepting_msec:
            return False
        self.lists[accepting.list_id] = replace(accepting, accepting_msec=-1)  # withdrawn
        key, count = (accepting.account_id, accepting.campaign), accepting.messages
        known = self.campaigns[key]
        self.campaigns[key] = replace(
            known,
            lists=known.lists - 1,
            messages=known.messages - count,
            unfinished=known.unfinished - count,
            finished_msec=now_msec if known.unfinished == count else known.finished_msec,
        )
        return True

    # ------------------------------------------------- parts of claims and ends
    def call(self, key: Name, more: int) -> None:
        """`more` calls of a campaign hold a line; fewer, where it is negative."""
        if known := self.campaigns.get(key):
            self.campaigns[key] = replace(known, calling=known.calling + more)

    def finish(self, key: Name, outcome: str, now_msec: int) -> None:
        """Counts a message of a campaign that has ended."""
        if known := self.campaigns.get(key):
            left = known.unfinished - 1
            outcomes = Counter(known.outcomes) + Counter({outcome: 1})
            finished_msec = now_msec if left == 0 else known.finished_msec
            self.campaigns[key] = replace(known, unfinished=left, outcomes=outcomes, finished_msec=finished_msec)

    def hear(self, key: Name, shape: str, mid: str, heard: Heard) -> None:
        """Adds what was heard in a call attempt to the funnel of its shape."""
        self.funnels.setdefault(key, {}).setdefault(shape, Counter()).update(counted(heard))
        self.examples.setdefault((key, shape), mid)
