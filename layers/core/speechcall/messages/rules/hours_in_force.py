"""Which hours hold for a message: those of its account, narrowed by its own.

Each of the account's and the message's hours has to be open, on its own clock. So whatever a message says, it can make
the account's hours shorter and never longer.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.shared.rules.calling_hours import RECIPIENT, Hours, Window, is_always

Fault = Literal["noZone", "unknownZone", "needless"]
"""No zone is named for a window; that of the number is not known; a zone is named, and nothing is in it."""


class Asked(NamedTuple):
    """What a message asks for: windows, a zone (an IANA name, or `recipient`) and days off."""

    windows: tuple[Window, ...] = ()
    time_zone: str | None = None
    days_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrongZone(Exception):
    """The hours of a message have no clock."""

    fault: Fault


def needs_number(asked: Asked, account: Account) -> bool:
    """Whether the zones of the number have to be known for `hours_in_force`."""
    own = asked.time_zone or account.time_zone if asked.windows or asked.days_off else None
    return RECIPIENT in (own, account.time_zone if account.windows else None)


def hours_in_force(asked: Asked, account: Account, number_zones: tuple[str, ...]) -> tuple[Hours, ...]:
    """All hours that have to be open at once; empty: every hour is. Raises WrongZone.

    `number_zones`: the zones in which the number may be; empty if they are not known, or not needed. Where they
    are not known, a zone that the message names stands in for them, in its account's hours too.
    """
    has_own = bool(asked.windows or asked.days_off)
    if asked.time_zone and not has_own and not account.windows:
        raise WrongZone("needless")
    hours = []
    if account.windows:
        hours.append(Hours(account.windows, _zones(account.time_zone, asked.time_zone, number_zones)))
    if has_own:
        name = asked.time_zone or account.time_zone
        hours.append(Hours(asked.windows, _zones(name, asked.time_zone, number_zones), asked.days_off))
    return tuple(one for one in hours if not is_always(one))


def _zones(name: str | None, named: str | None, number_zones: tuple[str, ...]) -> tuple[str, ...]:
    """The zones in which hours have to be open whose zone is `name`. `named`: the zone that the message names, which
    stands in for those of a number that are not known. Raises WrongZone.
    """
    if name is None:
        raise WrongZone("noZone")
    if name != RECIPIENT:
        return (name,)
    if number_zones:
        return number_zones
    if named is None or named == RECIPIENT:
        raise WrongZone("unknownZone")
    return (named,)
