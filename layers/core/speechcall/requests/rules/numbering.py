"""What is known of telephone numbers: which can be, which cost more than a call, in which time zones they are.

All of it is libphonenumber's, from the numbering plans of the countries. `make numbering` writes its metadata into two
modules of constants beside this one; they are loaded when the first number is asked about, and the library never is.
Only its network knows whether a number has been given to anybody.

A number is judged as it is written, because so it is dialled: libphonenumber's `parse` would take the 0 of
+49 (0) 30 … away, and find that it is right.
"""

import re
from functools import cache
from typing import NamedTuple

LINES, MOBILES = "fixed_line", "mobile"
_SURCHARGED = {"premium_rate", "shared_cost"}
_NO_COUNTRY = "begins with no country code that there is; write it in international format, such as +380671234567"
_LONGEST_COUNTRY_CODE = 3
_UNKNOWN_ZONE = "Etc/Unknown"


class Range(NamedTuple):
    """A set of national numbers: a pattern of the whole number, and how many digits it may have (empty: any)."""

    pattern: str
    lengths: tuple[int, ...]

    def holds(self, national: str) -> bool:
        """Whether a national number is one of them."""
        if self.lengths and len(national) not in self.lengths:
            return False
        return re.fullmatch(self.pattern, national) is not None


class Plan(NamedTuple):
    """The numbering plan of a country, or of a worldwide code such as +800.

    `leading` (a pattern, may be empty) tells its numbers from those of other countries under the same code; `trunk`
    (may be empty) is what is dialled before a number only within the country; `kinds` are in the order in which they
    are asked for.
    """

    leading: str
    trunk: str
    general: Range
    kinds: tuple[tuple[str, Range], ...]


def fault_of(number: str) -> str | None:
    """Why a number (E.164) cannot be one; it completes "the number …". None: it can be.

    Ranges that libphonenumber does not know can be: countries open new ones.
    """
    if (parts := _parts(number)) is None:
        return _NO_COUNTRY
    country_code, national = parts
    main = plans_of(country_code)[0]
    if prefix := _trunk_prefix(country_code, national):
        return f"has the {prefix} that is dialled within the country; leave it out after +{country_code}"
    if len(national) not in main.general.lengths:
        return f"has {len(national)} digits after +{country_code}; a number there has {_in_words(main.general.lengths)}"
    return None


def is_surcharged(number: str) -> bool:
    """Whether a call to a number (E.164) costs more than a call: premium rate or shared cost.

    A network ignores digits after a complete number. So a number of no known range that begins with a premium number
    reaches that premium number, and counts as surcharged.
    """
    if (parts := _parts(number)) is None:
        return False
    country_code, national = parts
    # A quick no for nearly every number, by two or three short patterns of the ten that a plan has. Not for a country
    # code all of whose ranges are surcharged: there a number of no known range counts as surcharged too.
    nothing_else = {kind for plan in plans_of(country_code) for kind, _ in plan.kinds} <= _SURCHARGED
    if not nothing_else and not _begins_as_surcharged(country_code, national):
        return False
    kind = kind_of(country_code, national)
    return kind is None or kind in _SURCHARGED


def zones_of(number: str) -> tuple[str, ...]:
    """The time zones (IANA) in which a number (E.164) may be, by name; several where its digits do not say more.

    Empty: not known, as for satellite telephones, +800, and numbers of ranges that are not known.
    """
    # 40 KB of beginnings, which only those messages need that ask for the recipient's zone.
    from speechcall.requests.rules.numbering_zones import LOCAL_MOBILES  # noqa: PLC0415

    parts = _parts(number)
    if parts is None or (kind := kind_of(*parts)) is None:
        return ()
    country_code, national = parts
    local = kind == LINES or (kind == MOBILES and country_code in LOCAL_MOBILES)
    # Digits after the country code tell a place only for land lines, and for mobiles of a few countries.
    digits = f"{country_code}{national if local else ''}"
    found = _zones(country_code)
    # The longest beginning that is known decides.
    zones: tuple[str, ...] = next((found[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in found), ())
    return () if _UNKNOWN_ZONE in zones else tuple(sorted(zones))


def kind_of(country_code: int, national: str) -> str | None:
    """What a national number is, by libphonenumber's names of types in small letters; None: of no known range.

    `fixed_line` is also what may be either fixed or mobile.
    """
    for plan in plans_of(country_code):
        if plan.leading and not re.match(plan.leading, national):
            continue
        kind = None
        if plan.general.holds(national):
            kind = next((kind for kind, numbers in plan.kinds if numbers.holds(national)), None)
        if kind or plan.leading:  # leading digits that match are of this plan alone: no other is tried
            return kind
    return None


@cache
def plans_of(country_code: int) -> tuple[Plan, ...]:
    """The numbering plans under a country code: several share +1, +7, +44 and others. The main one comes first.

    Empty: there is no such code.
    """
    # 120 KB that no start needs.
    from speechcall.requests.rules.numbering_plans import PLANS  # noqa: PLC0415

    return tuple(
        Plan(leading, trunk, Range(*general), tuple((kind, Range(*numbers)) for kind, numbers in kinds))
        for leading, trunk, general, kinds in PLANS.get(country_code, ())
    )


@cache
def _zones(country_code: int) -> dict[str, tuple[str, ...]]:
    """The zones of the numbers under a country code, by the digits (country code included) that they begin with."""
    from speechcall.requests.rules.numbering_zones import ZONES  # noqa: PLC0415

    return {prefix: zones for zones, prefixes in ZONES[country_code] for prefix in prefixes.split()}


def _parts(number: str) -> tuple[int, str] | None:
    """Country code and national number, every digit of it; None: no country code begins so."""
    digits = number.removeprefix("+")
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        if plans_of(country_code := int(digits[:length])):
            return country_code, digits[length:]
    return None


def _begins_as_surcharged(country_code: int, national: str) -> bool:
    """Whether a national number is a surcharged one, or begins with one."""
    return any(
        re.match(numbers.pattern, national)
        for plan in plans_of(country_code)
        for kind, numbers in plan.kinds
        if kind in _SURCHARGED
    )


def _trunk_prefix(country_code: int, national: str) -> str:
    """The digits before a national number that are dialled only in the country; empty: there are none.

    Taken for such digits only where the number is of a known range without them, and of none with them.
    """
    prefix = plans_of(country_code)[0].trunk
    rest = national.removeprefix(prefix)
    if rest in ("", national) or kind_of(country_code, national) is not None:
        return ""
    return prefix if kind_of(country_code, rest) is not None else ""


def _in_words(lengths: tuple[int, ...]) -> str:
    """`9 or 10`."""
    *most, last = map(str, lengths)
    return f"{', '.join(most)} or {last}" if most else last
