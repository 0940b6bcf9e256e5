"""Which numbers can be, and which cost more than a call: libphonenumber's own examples, and what is not in them."""

import zoneinfo
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from speechcall.requests.rules.numbering import fault_of, is_surcharged, zones_of

KINDS = {
    name: getattr(phonenumbers.PhoneNumberType, name.upper())
    for name in ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number")
} | {name: getattr(phonenumbers.PhoneNumberType, name.upper()) for name in ("pager", "uan", "voicemail")}
SURCHARGED = {"premium_rate", "shared_cost"}
ONLY_WITHIN = {"+13101234"}
"""Seven digits of Canada that are dialled there and from nowhere else; the metadata says so."""


def plans() -> Iterator[phonenumbers.PhoneMetadata]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
        assert plan
        yield plan
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        plan = phonenumbers.PhoneMetadata.metadata_for_nongeo_region(code)
        assert plan
        yield plan


def test_the_example_numbers_of_every_country_are_judged_as_their_types_say():
    judged = 0
    for plan in plans():
        for kind in KINDS:
            described = getattr(plan, kind)
            if described is None or not described.example_number:
                continue
            number, judged = f"+{plan.country_code}{described.example_number}", judged + 1
            if number in ONLY_WITHIN:
                assert fault_of(number), number
                continue
            assert fault_of(number) is None, number
            assert is_surcharged(number) is (kind in SURCHARGED), (number, kind)
            # With so many more digits than any number has, it cannot be one; with one more it stays what it was.
            assert fault_of(f"{number}{'0' * 18}"), number
            if kind in SURCHARGED and fault_of(f"{number}7") is None:
                assert is_surcharged(f"{number}7"), number
    assert judged > 1100


@pytest.mark.parametrize(
    "number",
    [
        *("+390612345678", "+39312345678", "+3780549886377", "+2250123456789"),  # zeros that belong to the number
        *("+80012345678", "+870301234567", "+881612345678", "+88213456789", "+883510012345", "+878101234567890"),
        *("+380671234567", "+12125550123", "+78005553535", "+541123456789", "+5491123456789", "+4930123456"),
    ],
)
def test_unusual_numbers_stay_numbers_and_cost_nothing_more(number):
    assert fault_of(number) is None
    assert not is_surcharged(number)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("+2146491379", "begins with no country code that there is; write it in international format, such as"),
        ("+999123456789", "begins with no country code that there is; write it in international format, such as"),
        ("+38067123456", "has 8 digits after +380; a number there has 9 or 10"),
        ("+3801234567", "has 7 digits after +380; a number there has 9 or 10"),  # dialled so within a city
        ("+38067123456789", "has 11 digits after +380; a number there has 9 or 10"),
        ("+8001234567", "has 7 digits after +800; a number there has 8"),
        ("+4402083661177", "has the 0 that is dialled within the country; leave it out after +44"),
        ("+490301234567", "has the 0 that is dialled within the country; leave it out after +49"),
        ("+3800671234567", "has the 0 that is dialled within the country; leave it out after +380"),
        ("+788005553535", "has the 8 that is dialled within the country; leave it out after +7"),
        ("+3806712345678901", "has 13 digits after +380; a number there has 9 or 10"),
    ],
)
def test_a_country_code_or_a_length_that_cannot_be_is_told(number, fault):
    assert (fault_of(number) or "").startswith(fault)


@pytest.mark.parametrize(
    "number",
    [
        *("+380900212345", "+19002345678", "+80812345678", "+979123456789"),
        "+979223456789",  # no range that is known, under a code that has nothing else
        *("+49900112345678", "+4990011234567890"),  # digits after the end of a premium number
    ],
)
def test_premium_and_shared_cost_numbers_are_known_also_with_more_digits(number):
    assert fault_of(number) is None
    assert is_surcharged(number)


@settings(max_examples=50)
@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_what_libphonenumber_calls_valid_as_it_is_written_is_never_refused(number):
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        assert fault_of(number)
        return
    as_written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number
    if as_written and phonenumbers.is_valid_number(parsed):
        assert fault_of(number) is None
        assert is_surcharged(number) is (phonenumbers.number_type(parsed) in {KINDS[kind] for kind in SURCHARGED})
    elif as_written and not phonenumbers.is_possible_number(parsed):
        assert fault_of(number)


def test_zones_of_a_number():
    assert zones_of("+380671234567") == ("Europe/Kyiv",)
    assert zones_of("+12125550123") == ("America/New_York",)
    assert {"Europe/Moscow", "Asia/Kamchatka"} < set(zones_of("+79161234567"))
    assert zones_of("+881612345678") == zones_of("+80012345678") == zones_of("+2146491379") == ()


def test_every_zone_of_a_number_is_one_that_is_known_here():
    known = zoneinfo.available_timezones()
    assert {zone for zones in TIMEZONE_DATA.values() for zone in zones} - {"Etc/Unknown"} <= known
