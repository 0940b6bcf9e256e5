"""How campaigns, their lists and their funnels are written down, in the table Registry.

The campaign and its funnels have one partition, so that one query reads them. A list of a campaign has a small item
apart from the list itself: that holds the whole answer, and would be in the index `order` with it.
"""

from speechcall.campaigns.rules.campaign import Campaign
from speechcall.campaigns.rules.funnel import Funnel, load_counts
from speechcall.campaigns.use_cases.campaign_ports import ListOfCampaign
from speechcall.shared.adapters.keys import FUNNELS
from speechcall.shared.adapters.table import Values

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
OUTCOME = "outcome_"
"""How the names of the counters of outcomes begin."""


def load_campaign(item: Values) -> Campaign:
    """The campaign in an item."""
    return Campaign(
        account_id=item["account_id"],
        name=item["campaign"],
        created_msec=item["created_msec"],
        latest_list_id=item.get("latest_list_id", ""),
        latest_msec=item.get("latest_msec", 0),
        lists=item.get("list_count", 0),
        messages=item.get("message_count", 0),
        unfinished=item.get("unfinished_count", 0),
        calling=item.get("in_calls", 0),
        outcomes={
            name.removeprefix(OUTCOME): count for name, count in item.items() if name.startswith(OUTCOME) and count
        },
        shapes=frozenset(item.get("shapes", ())),
        finished_msec=item.get("finished_msec"),
        paused_msec=item.get("paused_msec"),
        cancelled_msec=item.get("cancelled_msec"),
        expires_at=item.get("expires_at", 0),
    )


def is_campaign(item: Values) -> bool:
    """Whether an item is a campaign, and not what an end has made in the place of one that has expired."""
    return "created_msec" in item


def load_funnel(item: Values) -> Funnel:
    """The funnel in an item."""
    counts = {name: value for name, value in item.items() if isinstance(value, int)}
    return load_counts(item["sk"].removeprefix(FUNNELS), counts, item.get("example_mid", ""))


def load_list(item: Values) -> ListOfCampaign:
    """The list of a campaign in its small item."""
    return ListOfCampaign(item["list_id"], item["created_msec"], item["message_count"])
