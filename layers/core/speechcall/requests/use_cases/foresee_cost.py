"""What calls would cost that are only checked."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.longest_call import longest_call_seconds
from speechcall.menus.rules.walk import CallLimits
from speechcall.messages.rules.dial_times import next_day_msec
from speechcall.money.rules.rate import Rate, as_number, as_text, price
from speechcall.requests.use_cases.check_request import Wanted
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.time_bounds import LONGEST_PROMPT_SECONDS
from speechcall.shared.rules.timing import utc_text

if TYPE_CHECKING:
    from speechcall.api.rules.answers import CostForeseen, CostOfAll


class Costs(NamedTuple):
    """What is known of prices now."""

    currency: str
    rate_of: Callable[[str], Rate | None]
    spent: int = 0
    """By the account today, in millionths; where that is limited."""


class Foreseen(NamedTuple):
    """What a message may cost, in millionths."""

    answered: int
    """The least that a call costs which is answered."""
    call: int
    """The most that one call costs."""
    all_calls: int
    """The most that all its attempts cost together."""


def foresee(wanted: Wanted, rate: Rate | None, limits: CallLimits, grace_seconds: int) -> Foreseen | None:
    """What a message may cost, at the `rate` of its number; None: the number has none.

    Each introduction counts as long as one may be: how long it is, is not known yet. `grace_seconds`: for which a state
    machine waits beyond what a telephony takes.
    """
    if rate is None:
        return None
    waits = [menu.machine_seconds(lambda _: LONGEST_PROMPT_SECONDS, grace_seconds) for menu in wanted.menus]
    call = price(rate, longest_call_seconds(wanted.menus, waits, limits) * 1000)
    redial = wanted.model.redial
    return Foreseen(price(rate, 0), call, call * (1 + (redial.attempts if redial else 0)))


def describe(found: Foreseen, currency: str) -> "CostForeseen":
    """What the answer says of one message's cost."""
    return {"ifAnswered": as_number(found.answered), "atMost": as_number(found.all_calls), "currency": currency}


def describe_all(found: list[Foreseen | None], currency: str) -> "CostOfAll":
    """What the answer says of the cost of all messages that would be accepted.

    None among `found`: the number of a message has no rate.
    """
    known = [one for one in found if one]
    told: CostOfAll = {
        "ifAnswered": as_number(sum(one.answered for one in known)),
        "atMost": as_number(sum(one.all_calls for one in known)),
        "currency": currency,
    }
    if unpriced := len(found) - len(known):
        told["unpriced"] = unpriced
    return told


def spend_warnings(
    account: Account, found: Foreseen | None, costs: Costs, path: str, now_msec: int
) -> Iterator[Problem]:
    """What the account's limit on a day's spending means for a message that would cost `found` (None: not known).

    Nothing where it has no such limit. `path`: of the message.
    """
    most = account.spend_per_day
    if most is None:
        return
    if found is None:
        text = "is a number without a price, and what this account may spend is limited: it would not be called"
        yield Problem("NO_RATE", f"{path}.to", text)
    elif found.answered > most or found.call > most:
        never = "would not be called" if found.answered > most else "is only called if its introductions are short"
        text = (
            f"may cost {as_text(found.call)} {costs.currency}, and this account may spend {as_text(most)} a day: it "
            f"{never}"
        )
        yield Problem("SPEND_PER_DAY", path, text)
    elif costs.spent + found.answered > most:
        until = utc_text(next_day_msec(now_msec))
        yield Problem("SPEND_PER_DAY", path, f"waits: this account has spent what it may in a day, until {until}")
