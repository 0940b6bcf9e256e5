"""How campaigns are counted: parts of the transactions that accept messages and that end them.

`unfinished_count` of a campaign, and `open_count` of its account, are exact: whatever changes the one changes the
other in the same transaction. A condition knows no arithmetic, so an end has two forms: some are left after it, or
none. Which one is right is seen when the other fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from speechcall.campaigns.adapters.campaign_items import OUTCOME
from speechcall.campaigns.rules.funnel import Heard, counted
from speechcall.shared.adapters.keys import Key, campaign_key, funnel_key, open_campaigns_key
from speechcall.shared.adapters.table import Values, to_wire
from speechcall.shared.rules.outcome import Outcome

CAMPAIGN, OPEN, FUNNEL = "campaign", "open", "funnel"
"""The names of three parts: the campaign, its account's number of unfinished campaigns, the funnel."""
FUNNEL_KEPT_SECONDS = 172_800
"""It is kept so long beyond its message: another of the campaign, of a later list, may have been finished before it."""
FUNNEL_LEAST_SECONDS = 40 * 86_400
"""And so long after the latest call that it counts: another message may be sent a month later, and be kept a day."""

Parts = dict[str, Any]
"""Parts of a transaction by their names, each of another item."""


class Fewer(Enum):
    """What is left of a campaign's unfinished messages when some of them end: it decides the form of the parts."""

    SOME_LEFT = "someLeft"
    NONE_LEFT = "noneLeft"
    UNCOUNTED = "uncounted"
    """Fewer are counted than that. A release that knew no campaigns has accepted them: nothing is taken away."""
    GONE = "gone"
    """There is no such campaign any more: it has expired."""


def fewer_of(found: Values | None, count: int) -> Fewer:
    """The form of an end of `count` messages that is right for the campaign as it was found; None: it is not there."""
    if not found or "created_msec" not in found:
        return Fewer.GONE
    left = int(found.get("unfinished_count", 0)) - count
    if left > 0:
        return Fewer.SOME_LEFT
    return Fewer.UNCOUNTED if left < 0 else Fewer.NONE_LEFT


def take_away(
    table: str, account_id: str, name: str, count: int, adds: Mapping[str, int], fewer: Fewer, now_msec: int
) -> Parts:
    """The parts that take `count` messages from the unfinished ones, and add to other counters of the campaign.

    `adds`: these counters by their names. `fewer`: the form; it is a guess until a condition has failed. Empty: nothing
    is there to be changed.

    finish m, of two   TransactWrite: m finished, unfinished 2 → 1 ──► done
    finish n                TransactWrite: n finished, some left ──X only 1 is: the other form
    finish n                     TransactWrite: n finished, unfinished 1 → 0, the account's open ones - 1 ──► done
    or
    a new list                   TransactWrite: unfinished 1 → 101
    finish n                          TransactWrite: n finished, none left ──X 101 are: the first form again
    """
    key = campaign_key(account_id, name)
    adds = {"unfinished_count": -count, **adds}
    match fewer:
        case Fewer.SOME_LEFT:
            some_are_left = "unfinished_count > :count"
            return {CAMPAIGN: _update(table, key, adds, some_are_left, {":count": count})}
        case Fewer.NONE_LEFT:
            they_are_the_last = "unfinished_count = :count"
            ended = {":count": count, ":now": now_msec}
            one_less = _update(table, open_campaigns_key(account_id), {"open_count": -1})
            first = "SET finished_msec = :now "
            return {CAMPAIGN: _update(table, key, adds, they_are_the_last, ended, first), OPEN: one_less}
        case Fewer.UNCOUNTED:
            del adds["unfinished_count"]
            it_is_there = "attribute_exists(created_msec)"
            return {CAMPAIGN: _update(table, key, adds, it_is_there)} if adds else {}
        case Fewer.GONE:
            return {}


@dataclass(frozen=True, slots=True)
class EndedMessage:
    """What a campaign is told when one of its messages leaves a state."""

    account_id: str
    campaign: str
    funnel: str
    """The shape of its menus, if that has a funnel of its own; or `other`. Empty: it is in none."""
    mid: str
    expires_at: int
    had_line: bool
    """It leaves a call: one less of the campaign is in progress."""
    outcome: Outcome | None
    """With which it is finished; None: it is not."""
    heard: Heard | None
    """What was heard in the call attempt that is over for good; None: none is, or nothing is known of it."""


def end_parts(table: str, ended: EndedMessage, fewer: Fewer, now_msec: int) -> Parts:
    """The parts of a message's end that count it in its campaign. `fewer` matters only if the message is finished."""
    account_id, name = ended.account_id, ended.campaign
    adds = {"in_calls": -1} if ended.had_line else {}
    parts: Parts = {}
    if ended.outcome:
        adds[f"{OUTCOME}{ended.outcome.outcome}"] = 1
        parts = take_away(table, account_id, name, 1, adds, fewer, now_msec)
    elif adds:
        parts[CAMPAIGN] = _update(table, campaign_key(account_id, name), adds)
    if ended.heard and ended.funnel:
        parts[FUNNEL] = _count_heard(table, ended, ended.heard, now_msec)
    return parts


def _count_heard(table: str, ended: EndedMessage, heard: Heard, now_msec: int) -> Any:
    """The part that adds an attempt to its funnel, which is made if it is not there."""
    key = funnel_key(ended.account_id, ended.campaign, ended.funnel)
    until = max(ended.expires_at + FUNNEL_KEPT_SECONDS, now_msec // 1000 + FUNNEL_LEAST_SECONDS)
    values = {":mid": ended.mid, ":until": until}
    first = "SET example_mid = if_not_exists(example_mid, :mid), expires_at = :until "
    return _update(table, key, counted(heard), None, values, first)


def _update(
    table: str,
    key: Key,
    adds: Mapping[str, int],
    condition: str | None = None,
    values: Values | None = None,
    first: str = "",
) -> Any:
    """The part that adds `adds` to counters, by their names.

    `first`: what else the expression sets, with a space behind it; empty: nothing.
    Equal numbers share a name: an expression has 4 KB at most.
    """
    numbers = {number: f":n{index}" for index, number in enumerate(sorted(set(adds.values())))}
    added = ", ".join(f"{name} {numbers[number]}" for name, number in adds.items())
    given = {**(values or {}), **{name: number for number, name in numbers.items()}}
    update: dict[str, Any] = {
        "TableName": table,
        "Key": to_wire(key),
        "UpdateExpression": f"{first}ADD {added}",
        "ExpressionAttributeValues": to_wire(given),
    }
    if condition:
        update["ConditionExpression"] = condition
        update["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return {"Update": update}
