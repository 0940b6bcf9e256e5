"""Campaigns in the table Registry: found, listed, and how their lists are counted at acceptance.

A list of a hundred messages fills a transaction, so it is counted in another one, with the list itself, before its
messages are written. Until they are, it stands in the index `order` under `ACCEPTING`.

      counted, ACCEPTING ──► messages written ──► a list of its campaign
              │ ▲                                        ▲
              │ └──── the request is repeated ───────────┤ the sweeper finds its messages
              ▼                                          │
      withdrawn, after five minutes without messages ────┘ counted again, if the request is repeated
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from speechcall.campaigns.adapters.campaign_counts import CAMPAIGN, OPEN, Fewer, Parts, fewer_of, take_away
from speechcall.campaigns.adapters.campaign_items import FORM, is_campaign, load_campaign, load_funnel, load_list
from speechcall.campaigns.rules.campaign import (
    MOST_OPEN,
    Campaign,
    campaign_cancelled,
    own_funnels,
    too_many_campaigns,
)
from speechcall.campaigns.rules.funnel import Funnel
from speechcall.campaigns.use_cases.campaign_ports import AcceptingList, ListOfCampaign
from speechcall.shared.adapters.keys import (
    ACCEPTING,
    FUNNELS,
    Key,
    accepting_place,
    campaign_key,
    campaign_lists_partition,
    campaign_lists_place,
    campaign_place,
    campaigns_partition,
    list_in_campaign_key,
    open_campaigns_key,
)
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_item,
    store_errors,
    to_wire,
    transact,
)
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LIST = "listOfCampaign"
"""The name of the part that is the list's small item."""
TRIES = 6
"""How often a transaction is tried. Each failed condition tells what is there; others may change it meanwhile."""
PAUSES = (0.03, 0.1, 0.3)
"""Seconds between the tries of a transaction in whose way another one was."""


@dataclass(frozen=True, slots=True)
class NewList:
    """A list that is to be counted in its campaign."""

    list_id: str
    account_id: str
    campaign: str
    first_mid: str
    messages: int
    created_msec: int
    expires_at: int
    shapes: tuple[str, ...]
    """The shapes of its messages' menus, in the order sent."""


Result = TypeVar("Result")


def patiently(work: Callable[[str], Result], sleep: Callable[[float], object]) -> Result:
    """Does `work`, and up to three times more while it raises StoreUnavailable, as another transaction on the same
    campaign is in its way. Raises the last StoreUnavailable.

    Each try is given the same token: a transaction whose answer was lost is not done twice, nor taken for another's.
    """
    token = str(uuid4())
    for pause in PAUSES:
        try:
            return work(token)
        except StoreUnavailable:
            sleep(pause)
    return work(token)


class DynamoCampaigns:
    """A `CampaignStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self.sleep: Callable[[float], object] = time.sleep

    # ------------------------------------------------------------------ reads
    def find(self, account_id: str, name: str) -> Campaign | None:
        found = self._get(campaign_key(account_id, name))
        return load_campaign(found) if found and is_campaign(found) else None

    def find_with_funnels(self, account_id: str, name: str) -> tuple[Campaign, list[Funnel]] | None:
        """As `CampaignStore` says. None also where only funnels, or counts of late ends, are left of it."""
        partition = campaign_key(account_id, name)["pk"]
        items: list[Values] = []
        with store_errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": partition}),
                ConsistentRead=True,
            )
            for page in pages:
                items += [from_wire(item) for item in page["Items"]]
        own = [item for item in items if not item["sk"].startswith(FUNNELS)]
        if not own or not is_campaign(own[0]):
            return None
        return load_campaign(own[0]), [load_funnel(item) for item in items if item["sk"].startswith(FUNNELS)]

    def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[Campaign], str | None]:
        items, following = self._latest(campaigns_partition(account_id), limit, before)
        return [load_campaign(item) for item in items], following

    def lists_page(
        self, account_id: str, name: str, limit: int, before: str | None
    ) -> tuple[list[ListOfCampaign], str | None]:
        items, following = self._latest(campaign_lists_partition(account_id, name), limit, before)
        return [load_list(item) for item in items], following

    def count_open(self, account_id: str) -> int:
        return int((self._get(open_campaigns_key(account_id)) or {}).get("open_count", 0))

    def _latest(self, partition: str, limit: int, before: str | None) -> tuple[list[Values], str | None]:
        """A page of a partition of the index `order`, the latest first, and the `before` of the next page (None: it is
        the last).

        `before`: the page is of what stands before this place (None: of all). The item that had the place may be gone.
        """
        values = {":pk": partition, **({":before": before} if before is not None else {})}
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk" + (" AND order_sk < :before" if before is not None else ""),
                ExpressionAttributeValues=to_wire(values),
                ScanIndexForward=False,
                Limit=limit,
            )
        items = [from_wire(item) for item in page["Items"]]
        return items, str(items[-1]["order_sk"]) if "LastEvaluatedKey" in page and items else None

    # ------------------------------------------------------------- acceptance
    def count_list(self, new: NewList, own: Callable[[tuple[str, ...]], Sequence[Any]]) -> tuple[str, ...]:
        """Writes a list and counts it, in one transaction. Returns those of its shapes that have a funnel of their own.

        `own`: the parts of the list itself, given these shapes. Raises ConditionFailed where one of them fails, by its
        index in `own`; CampaignCancelled, TooManyCampaigns: then nothing was written. Raises StoreUnavailable.

        request A   TransactWrite: list 1, unfinished 0 → 100, the account's open ones 999 → 1000 ──► counted
        request B        TransactWrite: list 2, the same, as it opens too ──X A has opened it ──► 100 → 200
        request C        TransactWrite: list 3 of a new campaign ──X 1000 are open ──► 422
        cancel      UpdateItem: cancelled
        request D        TransactWrite: list 4 ──X cancelled ──► 409; nothing of it was written
        """
        campaign = self.find(new.account_id, new.campaign)
        for _ in range(TRIES):
            funnels = own_funnels(campaign.shapes if campaign else frozenset(), new.shapes)
            parts = {
                **{f"own{index}": part for index, part in enumerate(own(funnels))},
                LIST: self._put_list(new),
                **self._add_list(new, campaign, funnels),
            }
            failed = self._transact(parts)
            if not failed:
                return funnels
            if any(name.startswith("own") for name in failed):
                raise ConditionFailed({int(name[3:]): item for name, item in failed.items() if name.startswith("own")})
            campaign = self._as_found(new, failed)
        raise StoreUnavailable("the campaign changes too fast")

    def keep_accepting(self, new: NewList, now_msec: int) -> None:
        """Before a repeated request writes the messages of its list: keeps the sweeper from withdrawing the list.

        If the sweeper has withdrawn it already, it is counted again. Does nothing if its messages are written, or it is
        gone. Raises CampaignCancelled, TooManyCampaigns, StoreUnavailable.

        repeat      the list: accepting since 12:00:00 ── UpdateItem: since 12:05:10 ──► writes its messages
        sweeper          reads: accepting since 12:00:00, no messages ── withdraw ──X not since 12:00:00 any more
        or
        sweeper     withdraws
        repeat           UpdateItem ──X withdrawn ──► counted again ──► writes its messages
        """
        it_is_accepting = "attribute_exists(accepting_msec)"
        place = accepting_place(new.list_id, now_msec)
        for _ in range(TRIES):
            try:
                self._update(
                    list_in_campaign_key(new.list_id),
                    "SET accepting_msec = :now, order_sk = :place",
                    it_is_accepting,
                    {":now": now_msec, ":place": place},
                )
            except ConditionFailed as failed:
                found = failed.item
                if not found or "withdrawn_msec" not in found:
                    return  # its messages were written, or it has expired
            else:
                return
            if self._count_again(new, now_msec):
                return
        raise StoreUnavailable("the list changes too fast")

    def _count_again(self, new: NewList, now_msec: int) -> bool:
        """Counts a list that was withdrawn, and whose sender repeats it.

        False: nothing was counted, because the list is not withdrawn any more, or its campaign has changed meanwhile:
        the caller looks again. Raises CampaignCancelled, TooManyCampaigns.
        """
        it_is_withdrawn = "attribute_exists(withdrawn_msec)"
        again = {
            "TableName": self._table,
            "Key": to_wire(list_in_campaign_key(new.list_id)),
            "UpdateExpression": "SET accepting_msec = :now, order_pk = :pk, order_sk = :place REMOVE withdrawn_msec",
            "ConditionExpression": it_is_withdrawn,
            "ExpressionAttributeValues": to_wire(
                {":now": now_msec, ":pk": ACCEPTING, ":place": accepting_place(new.list_id, now_msec)}
            ),
        }
        campaign = self.find(new.account_id, new.campaign)
        # The shapes that have a funnel were decided when the list was written.
        failed = self._transact({LIST: {"Update": again}, **self._add_list(new, campaign, ())})
        if failed and LIST not in failed:
            self._as_found(new, failed)  # for what it raises alone
        return not failed

    def confirm_list(self, list_id: str, account_id: str, campaign: str) -> None:
        """The messages of a list are written: from now on it is shown among the lists of its campaign.

        Safe to repeat.
        """
        it_is_accepting = "attribute_exists(accepting_msec)"
        values = {":pk": campaign_lists_partition(account_id, campaign), ":place": campaign_lists_place(list_id)}
        try:
            self._update(
                list_in_campaign_key(list_id),
                "SET order_pk = :pk, order_sk = :place REMOVE accepting_msec",
                it_is_accepting,
                values,
            )
        except ConditionFailed:
            return  # confirmed before; not withdrawn, which takes longer than any request lasts

    # ---------------------------------------------------------------- sweeper
    def accepting(self, before_msec: int, limit: int) -> list[AcceptingList]:
        """As `AcceptingLists` says; of the `limit` that the index shows first, those of which the table says so too."""
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk AND order_sk < :before",
                ExpressionAttributeValues=to_wire({":pk": ACCEPTING, ":before": f"{before_msec:013}"}),
                Limit=limit,
            )
        found = [self._get({"pk": item["pk"]["S"], "sk": item["sk"]["S"]}) for item in page["Items"]]
        return [
            AcceptingList(
                list_id=item["list_id"],
                account_id=item["account_id"],
                campaign=item["campaign"],
                first_mid=item["first_mid"],
                messages=item["message_count"],
                accepting_msec=item["accepting_msec"],
            )
            for item in found
            # By the table as it is now: the index may not show yet that a list was confirmed, repeated or withdrawn.
            if item and item.get("accepting_msec", before_msec) < before_msec
        ]

    def withdraw(self, accepting: AcceptingList, now_msec: int) -> bool:
        """Takes back the counts of a list of which no message was written.

        False: nothing was taken back, for its request was repeated, its messages were written, or it is withdrawn.
        Raises StoreUnavailable.

        The time-line is at `keep_accepting`.
        """
        nobody_writes_its_messages = "accepting_msec = :read"
        it_is_withdrawn = {
            "TableName": self._table,
            "Key": to_wire(list_in_campaign_key(accepting.list_id)),
            "UpdateExpression": "SET withdrawn_msec = :now REMOVE accepting_msec, order_pk, order_sk",
            "ConditionExpression": nobody_writes_its_messages,
            "ExpressionAttributeValues": to_wire({":now": now_msec, ":read": accepting.accepting_msec}),
        }
        # SOME_LEFT is a guess: where it is wrong, the transaction fails and says by that which form is right.
        count, fewer = accepting.messages, Fewer.SOME_LEFT
        for _ in range(TRIES):
            less = {"list_count": -1, "message_count": -count}
            name = (accepting.account_id, accepting.campaign)
            counts = take_away(self._table, *name, count, less, fewer, now_msec)
            failed = self._transact({LIST: {"Update": it_is_withdrawn}, **counts})
            if not failed:
                return True
            if LIST in failed:
                return False
            fewer = fewer_of(failed.get(CAMPAIGN), count)
        raise StoreUnavailable("the campaign changes too fast")

    # ------------------------------------------------------------------ parts
    def _put_list(self, new: NewList) -> Any:
        """The part of a transaction that writes a list's small item, among those that are being accepted."""
        item = {
            **list_in_campaign_key(new.list_id),
            "v": FORM,
            "list_id": new.list_id,
            "account_id": new.account_id,
            "campaign": new.campaign,
            "first_mid": new.first_mid,
            "message_count": new.messages,
            "created_msec": new.created_msec,
            "expires_at": new.expires_at,
            "accepting_msec": new.created_msec,
            "order_pk": ACCEPTING,
            "order_sk": accepting_place(new.list_id, new.created_msec),
        }
        return {"Put": {"TableName": self._table, "Item": to_wire(item)}}

    def _add_list(self, new: NewList, campaign: Campaign | None, funnels: tuple[str, ...]) -> Parts:
        """The parts that count a list in its campaign, unless that is cancelled or its account has too many open ones.

        `campaign`: as it was read; None: there was none. `funnels`: the list's shapes that have a funnel of their own;
        the campaign learns those that it does not know.
        Their conditions hold only while the campaign is as it was read in what decides their form: whether it has
        unfinished messages (else this list opens it, and the account has one more open), which shapes it knows, and
        when it goes: a list that was counted meanwhile may have messages that are to be sent later.
        """
        more = [shape for shape in funnels if campaign is None or shape not in campaign.shapes]
        opens = campaign is None or campaign.unfinished <= 0
        it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
        it_is_as_open_as_read = (
            "(attribute_not_exists(unfinished_count) OR unfinished_count <= :zero)"
            if opens
            else "unfinished_count > :zero"
        )
        it_goes_no_later = "(attribute_not_exists(expires_at) OR expires_at <= :until)"
        conditions = [it_is_not_cancelled, it_is_as_open_as_read, it_goes_no_later]
        values: Values = {
            ":zero": 0,
            ":one": 1,
            ":messages": new.messages,
            ":form": FORM,
            ":account": new.account_id,
            ":name": new.campaign,
            ":now": new.created_msec,
            ":list": new.list_id,
            # A list before may have messages that are to be sent in a month.
            ":until": max(new.expires_at, campaign.expires_at if campaign else 0),
            ":pk": campaigns_partition(new.account_id),
            ":place": campaign_place(new.campaign, new.created_msec),
        }
        shapes = ""
        if more:
            known = campaign.shapes if campaign else frozenset[str]()
            its_shapes_are_as_read = "shapes = :known" if known else "attribute_not_exists(shapes)"
            conditions.append(its_shapes_are_as_read)
            values |= {":more": set(more), **({":known": set(known)} if known else {})}
            shapes = ", shapes :more"
        update = {
            "TableName": self._table,
            "Key": to_wire(campaign_key(new.account_id, new.campaign)),
            "UpdateExpression": "SET v = :form, account_id = :account, campaign = :name, latest_list_id = :list, "
            "latest_msec = :now, expires_at = :until, created_msec = if_not_exists(created_msec, :now), "
            "order_pk = :pk, order_sk = if_not_exists(order_sk, :place) REMOVE finished_msec "
            f"ADD list_count :one, message_count :messages, unfinished_count :messages{shapes}",
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": to_wire(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        parts: Parts = {CAMPAIGN: {"Update": update}}
        if opens:
            the_account_may_have_one_more = "attribute_not_exists(open_count) OR open_count < :most"
            counter = {
                "TableName": self._table,
                "Key": to_wire(open_campaigns_key(new.account_id)),
                "UpdateExpression": "ADD open_count :one",
                "ConditionExpression": the_account_may_have_one_more,
                "ExpressionAttributeValues": to_wire({":one": 1, ":most": MOST_OPEN}),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
            parts[OPEN] = {"Update": counter}
        return parts

    def _as_found(self, new: NewList, failed: Mapping[str, Values | None]) -> Campaign | None:
        """The campaign as it was found when a transaction failed, for the next try; None: it is not there.

        `failed`: the parts that failed, with what stood there.
        Raises CampaignCancelled or TooManyCampaigns, where no further try can help.
        """
        if CAMPAIGN in failed:
            found = failed[CAMPAIGN]
            campaign = load_campaign(found) if found and is_campaign(found) else None
            if campaign and campaign.cancelled_msec is not None:
                raise campaign_cancelled(new.campaign)
            return campaign
        if OPEN in failed:
            raise too_many_campaigns()
        return self.find(new.account_id, new.campaign)

    def _transact(self, parts: Parts) -> dict[str, Values | None]:
        """Writes the parts together, or none. Out: those that failed, with what stood there; empty: all is written."""
        return patiently(lambda token: transact(self._client, parts, token), self.sleep)

    def _update(self, key: Key, expression: str, condition: str, values: Values) -> None:
        """Updates one item. Raises ConditionFailed with what stands there, StoreUnavailable."""
        with store_errors():
            self._client.update_item(
                TableName=self._table,
                Key=to_wire(key),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

    def _get(self, key: Key) -> Values | None:
        return read_item(self._client, self._table, key)
