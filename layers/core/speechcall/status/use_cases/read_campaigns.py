"""GET /bat/campaign, GET /bat/campaign/{campaign} and GET /bat/messagelist?campaign=.

A listing begins with the latest: a campaign's place is the moment of its first list, a list's that of its acceptance,
so neither moves while pages are read.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.api.use_cases.request_problems import RIGHT
from speechcall.campaigns.rules.campaign import Campaign, CampaignState
from speechcall.campaigns.rules.campaign_names import NAME, OTHER
from speechcall.campaigns.rules.funnel import BUCKET_SECONDS, KEYS, Funnel, MenuFunnel, median_between
from speechcall.campaigns.use_cases.campaign_ports import CampaignStore
from speechcall.messages.rules.estimates import NOTHING_LEFT, estimate
from speechcall.messages.rules.pool import Capacity
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidRequest, NotFound, Problem
from speechcall.shared.rules.outcome import OUTCOMES
from speechcall.shared.rules.timing import utc_text
from speechcall.status.use_cases.cursors import dump_cursor, load_cursor
from speechcall.status.use_cases.read_status import Turns, whole_number
from speechcall.status.use_cases.status import describe_estimate

if TYPE_CHECKING:
    from speechcall.api.rules import answers

MAX_PAGE, PAGE = 100, 20
NO_CAMPAIGN = "There is no campaign of this name in this account, or it has expired."


def read_campaigns(account: Account, query: Mapping[str, str], *, campaigns: CampaignStore) -> "answers.CampaignList":
    """A page of an account's campaigns, the latest first. `query`: `limit` (1 to 100), `cursor`.

    Raises RequestError.
    """
    listing = ("campaigns", account.account_id)
    limit, before = _page(query, *listing)
    found, following = campaigns.page(account.account_id, limit, before)
    answer: answers.CampaignList = {"campaigns": [_summary(one) for one in found]}
    if cursor := dump_cursor(following, *listing):
        answer["nextCursor"] = cursor
    return answer


def read_lists(account: Account, query: Mapping[str, str], *, campaigns: CampaignStore) -> "answers.Messagelists":
    """A page of the lists of a campaign, the latest first. `query`: `campaign`, `limit`, `cursor`.

    Raises NotFound, RequestError.
    """
    name = parameter(query, "campaign")
    if name is None or not NAME.fullmatch(name):
        verb = "is required:" if name is None else "must be"
        text = f"{verb} {RIGHT['campaign']}{foreign(name) if name else ''}"
        raise InvalidRequest("The query cannot be used.", [Problem("INVALID_CAMPAIGN", "campaign", text)])
    listing = ("lists", account.account_id, name)
    limit, before = _page(query, *listing)
    if campaigns.find(account.account_id, name) is None:
        raise NotFound(NO_CAMPAIGN)
    found, following = campaigns.lists_page(account.account_id, name, limit, before)
    answer: answers.Messagelists = {
        "campaign": name,
        "messagelists": [
            {"messagelistId": one.list_id, "acceptedAt": utc_text(one.created_msec), "total": one.messages}
            for one in found
        ],
    }
    if cursor := dump_cursor(following, *listing):
        answer["nextCursor"] = cursor
    return answer


def read_campaign(
    account: Account,
    name: str,
    now_msec: int,
    *,
    campaigns: CampaignStore,
    turns: Turns,
    capacity: Callable[[], Capacity],
) -> "answers.CampaignStatus":
    """The answer about one campaign: counts, its funnels, an estimate. Raises NotFound.

    `turns`, `capacity`: of the lines, for the estimate.
    """
    key = account.account_id
    found = campaigns.find_with_funnels(key, name) if NAME.fullmatch(name) else None
    if found is None:
        raise NotFound(NO_CAMPAIGN)
    campaign, funnels = found
    is_dialled = campaign.state in (CampaignState.RUNNING, CampaignState.FINISHED)
    left = None  # paused or cancelled: nothing is dialled, so there is no estimate
    if is_dialled and campaign.unfinished > 0:
        # The account's open campaigns share its lines, this one too.
        left = estimate(campaign.unfinished, turns.find(key, False), capacity(), campaigns.count_open(key), now_msec)
    elif is_dialled:
        left = NOTHING_LEFT
    # The shape with most calls first; last what has no funnel of its own.
    ordered = sorted(funnels, key=lambda one: (one.shape == OTHER, -one.calls, one.shape))
    return {
        **_summary(campaign),
        "estimatedSecondsLeft": left.seconds if left else None,
        "estimate": describe_estimate(left),
        "funnels": [_describe_funnel(one) for one in ordered],
    }


def _page(query: Mapping[str, str], *listing: str) -> tuple[int, str | None]:
    """How many entries a query asks for, and the place behind which; None: from the beginning. Raises RequestError."""
    return whole_number(query, "limit", 1, MAX_PAGE, PAGE), load_cursor(parameter(query, "cursor"), *listing)


def _summary(campaign: Campaign) -> "answers.Campaign":
    """A campaign's state and counts as the API shows them: none below 0, whatever is stored; known outcomes only."""
    return {
        "campaign": campaign.name,
        "state": campaign.state.value,
        "createdAt": utc_text(campaign.created_msec),
        "latestMessagelistId": campaign.latest_list_id,
        "finishedAt": utc_text(campaign.finished_msec) if campaign.finished_msec else None,
        "lists": max(campaign.lists, 0),
        "total": max(campaign.messages, 0),
        "unfinished": max(campaign.unfinished, 0),
        "calling": max(campaign.calling, 0),
        "outcomes": {name: campaign.outcomes[name] for name in OUTCOMES if name in campaign.outcomes},
    }


def _describe_funnel(funnel: Funnel) -> "answers.Funnel":
    """The funnel of one shape of menus as the API shows it."""
    answer: answers.Funnel = {
        "shape": funnel.shape,
        "calls": funnel.calls,
        "answered": funnel.answered,
        "menus": [_describe_menu(number, menu) for number, menu in sorted(funnel.menus.items())],
    }
    if funnel.example_mid:
        answer["exampleMessageId"] = funnel.example_mid
    return answer


def _describe_menu(number: int, menu: MenuFunnel) -> "answers.MenuNumbers":
    """The numbers of one menu (counted from 0) as the API gives them."""
    between = median_between(menu.buckets)
    return {
        "menu": number,
        "asked": menu.asked,
        "keys": {key: menu.keys[key] for key in KEYS if key in menu.keys},
        "silence": menu.silence,
        "hungUp": menu.hung_up,
        "interrupted": menu.interrupted,
        "secondsToKey": {
            "medianBetween": list(between) if between else None,
            "buckets": [
                {"upToSeconds": bound, "keys": count}
                for bound, count in zip((*BUCKET_SECONDS, None), menu.buckets, strict=True)
            ],
        },
    }
