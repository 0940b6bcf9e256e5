"""Which rate is that of a number: the one with the longest prefix. Pure.

Prefixes lie in each other (38, 380, 38067). Written as stretches of the numbers in the order of their digits, they do
not: each stretch has one rate, or none, and a number belongs to the last stretch that begins at it or before it. So one
look finds the rate, however many there are.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from speechcall.money.rules.rate import Rate


class Stretch(NamedTuple):
    """The numbers from `start` (digits) to the start of the next stretch."""

    start: str
    rate: Rate | None
    """None: these numbers have no rate."""


def stretches_of(rates: Iterable[Rate]) -> list[Stretch]:
    """The stretches of rates, each of whose prefixes is there once; in order.

    Rates 38 and 380: from 38 on the first, from 380 on the second, from 381 on the first again, from 39 on none.
    """
    found: list[Stretch] = []
    open_: list[tuple[str, Rate]] = []
    """The rates whose prefixes this place begins with, each behind the place at which its numbers end (empty: never).
    The last one has the longest prefix."""

    def begin(start: str, rate: Rate | None) -> None:
        """A stretch begins; one that began at the same place is empty, and goes."""
        if found and found[-1].start == start:
            found.pop()
        found.append(Stretch(start, rate))

    def end() -> None:
        """The numbers of the last open rate end; those of the rate around it, or of none, follow."""
        at, _ = open_.pop()
        if at:
            begin(at, open_[-1][1] if open_ else None)

    for rate in sorted(rates):
        while open_ and open_[-1][0] and open_[-1][0] <= rate.prefix:
            end()
        begin(rate.prefix, rate)
        open_.append((_behind(rate.prefix), rate))
    while open_:
        end()
    return found


def rate_at(stretches: Sequence[Stretch], number: str) -> Rate | None:
    """The rate of a number (E.164). None: it has none."""
    digits = number.removeprefix("+")
    index = bisect_right(stretches, digits, key=lambda one: one.start)
    return stretches[index - 1].rate if index else None


def rates_in(stretches: Iterable[Stretch]) -> list[Rate]:
    """The rates that stretches were made of, in the order of their prefixes."""
    return [one.rate for one in stretches if one.rate and one.rate.prefix == one.start]


def _behind(prefix: str) -> str:
    """The first digits after all numbers with a prefix: 39 after 38; empty: it is all nines, and none come after."""
    rest = prefix.rstrip("9")
    return f"{rest[:-1]}{int(rest[-1]) + 1}" if rest else ""
