"""What a call costs under a rate.

Amounts are whole millionths of the stack's currency, so sums are exact. The one rounding is that of time: a step that
has begun counts as a whole one, as carriers count it ("60/1": a minute, then by the second). Nothing else is rounded.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

DECIMALS = 6
ONE: int = 10**DECIMALS
"""The whole unit of a currency, in millionths."""
MOST_PRICE = 1_000 * ONE
"""Of the first seconds, and of a step. A call of 70 minutes by the second stays below 15 digits, which JSON keeps."""
MOST_SECONDS = 3_600
"""Of the first seconds, and of a step."""


MOST_SPEND = 1_000_000 * ONE
"""Of an account in a day."""
_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]+))?", re.ASCII)


class Rate(NamedTuple):
    """The price of calls to the numbers that begin with `prefix` (digits, without a plus)."""

    prefix: str
    first_seconds: int
    """These are paid whole by each call that is answered; 0: `first_price` is for the answer alone."""
    first_price: int
    step_seconds: int
    """What is longer is paid by steps of so many seconds, at least 1."""
    step_price: int


class Prices(NamedTuple):
    """What is known of the rates of a message's calls."""

    currency: str
    rates: Mapping[int, Rate]
    """Of each attempt, as it was when the attempt was dialled; one whose number had no rate is missing."""


def price(rate: Rate, talked_msec: int) -> int:
    """What an answered call costs that was up for so long."""
    behind_msec = max(talked_msec - rate.first_seconds * 1000, 0)
    return rate.first_price + -(-behind_msec // (rate.step_seconds * 1000)) * rate.step_price


def to_amount(text: str) -> int | None:
    """An amount out of its digits, such as `0.35`; None: it is none, or has more than six decimals. Never a float."""
    found = _AMOUNT.fullmatch(text)
    if found is None or len(decimals := (found[2] or "").rstrip("0")) > DECIMALS:
        return None
    return int(found[1]) * ONE + int(decimals.ljust(DECIMALS, "0"))


def as_number(amount: int) -> float:
    """An amount for JSON: the shortest digits that say it, exact to the millionth.

    A double holds 15 digits exactly, and no call or day of an account has more.
    """
    return amount // ONE if amount % ONE == 0 else amount / ONE


def as_text(amount: int) -> str:
    """An amount with its point and no zeros behind it: `0.35`, `12`, `0.000001`."""
    whole, rest = divmod(abs(amount), ONE)
    digits = f"{rest:0{DECIMALS}}".rstrip("0")
    return f"{'-' if amount < 0 else ''}{whole}{'.' if digits else ''}{digits}"
