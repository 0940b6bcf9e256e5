"""What is known of telephone numbers: which can be, which cost more than a call, in which time zones they are.

All of it is libphonenumber's, from the numbering plans of the countries. A country's data is loaded when a number of
it is first asked about. Whether a number has been given to anybody, nobody knows but its network.

A number is judged as it is written, because so it is dialled: libphonenumber's `parse` would take the 0 of
+49 (0) 30 … away, and find that it is right.
"""

import re

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberType,
    ValidationResult,
    is_possible_number_with_reason,
    number_type,
    supported_types_for_non_geo_entity,
)

_NO_COUNTRY = "begins with no country code that there is; write it in international format, such as +380671234567"
_SURCHARGED = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}
_LONGEST_COUNTRY_CODE = 3
_UNKNOWN_ZONE = "Etc/Unknown"


def fault_of(number: str) -> str | None:
    """Why a number (E.164) cannot be one; it completes "the number …". None: it can be.

    Ranges that libphonenumber does not know can be: countries open new ones.
    """
    if (parts := _parts(number)) is None:
        return _NO_COUNTRY
    country_code, national = parts
    if prefix := _trunk_prefix(country_code, national):
        return f"has the {prefix} that is dialled within the country; leave it out after +{country_code}"
    match is_possible_number_with_reason(_number(country_code, national)):
        case ValidationResult.IS_POSSIBLE:
            return None
        case ValidationResult.INVALID_COUNTRY_CODE:
            return _NO_COUNTRY
        case _:
            return f"has {len(national)} digits after +{country_code}; a number there has {_lengths(country_code)}"


def is_surcharged(number: str) -> bool:
    """Whether a call to a number (E.164) costs more than a call: premium rate or shared cost.

    Networks look no further than the end of a number that is complete. So one that is nothing else and begins with a
    premium number reaches that, whatever digits come after it.
    """
    if (parts := _parts(number)) is None:
        return False
    country_code, national = parts
    kind = number_type(_number(country_code, national))
    if kind != PhoneNumberType.UNKNOWN:
        return kind in _SURCHARGED
    if _is_worldwide(country_code) and supported_types_for_non_geo_entity(country_code) <= _SURCHARGED:
        return True
    return any(
        re.match(desc.national_number_pattern, national)
        for plan in _plans(country_code)
        for desc in (plan.premium_rate, plan.shared_cost)
        if desc is not None and desc.national_number_pattern
    )


def zones_of(number: str) -> tuple[str, ...]:
    """The time zones (IANA) in which a number (E.164) may be, by name; several where its digits do not say more.

    Empty: not known, as for satellite telephones, +800, and numbers of ranges that are not known.
    """
    # 110 KB of prefixes, which only those messages need that ask for the recipient's zone.
    from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415

    parts = _parts(number)
    zones = time_zones_for_number(_number(*parts)) if parts else ()
    return () if _UNKNOWN_ZONE in zones else tuple(sorted(zones))


def _parts(number: str) -> tuple[int, str] | None:
    """Country code and national number, every digit of it; None: no country code begins so."""
    digits = number.removeprefix("+")
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        if (country_code := int(digits[:length])) in COUNTRY_CODE_TO_REGION_CODE:
            return country_code, digits[length:]
    return None


def _number(country_code: int, national: str) -> PhoneNumber:
    """The number as libphonenumber holds it, with the zeros that it begins with."""
    zeros = len(national) - len(national[:-1].lstrip("0")) - 1
    return PhoneNumber(
        country_code=country_code,
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def _trunk_prefix(country_code: int, national: str) -> str:
    """The digits before a national number that are dialled only in the country; empty: there are none."""
    plans = _plans(country_code)
    prefix = (plans[0].national_prefix if plans else None) or ""
    rest = national.removeprefix(prefix)
    if rest in ("", national) or number_type(_number(country_code, national)) != PhoneNumberType.UNKNOWN:
        return ""
    return prefix if number_type(_number(country_code, rest)) != PhoneNumberType.UNKNOWN else ""


def _plans(country_code: int) -> list[PhoneMetadata]:
    """The numbering plans under a country code: several share +1, +7, +44 and others. The main one comes first."""
    plans = [
        PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
        for region in COUNTRY_CODE_TO_REGION_CODE[country_code]
    ]
    return [plan for plan in plans if plan is not None]


def _is_worldwide(country_code: int) -> bool:
    """Whether a code belongs to no country: +800, +979 and the like."""
    return COUNTRY_CODE_TO_REGION_CODE[country_code] == ("001",)


def _lengths(country_code: int) -> str:
    """`9 or 10`: how many digits can follow a country code."""
    general = _plans(country_code)[0].general_desc
    *most, last = map(str, general.possible_length if general else ())
    return f"{', '.join(most)} or {last}" if most else last
