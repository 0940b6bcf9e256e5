"""The table of numbering plans is libphonenumber's: its text, and what it says of numbers."""

import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

from local.tools import numbering as generator
from speechcall.requests.rules.numbering import LINES, fault_of, is_surcharged, kind_of, plans_of, zones_of

SURCHARGED = {"premium_rate", "shared_cost"}
TYPES = {PhoneNumberType.UNKNOWN: None, PhoneNumberType.FIXED_LINE_OR_MOBILE: LINES} | {
    getattr(PhoneNumberType, kind.upper()): kind for kind in generator.KINDS
}


@pytest.mark.parametrize(
    ("name", "text"), [("numbering_plans", generator.plans_text), ("numbering_zones", generator.zones_text)]
)
def test_the_table_is_what_make_numbering_writes(name, text):
    written = (generator.FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert written == text(), "run `make numbering`"


def in_the_library(country_code: int, national: str) -> PhoneNumber:
    zeros = len(national) - len(national[:-1].lstrip("0")) - 1
    return PhoneNumber(
        country_code=country_code,
        national_number=int(national),
        italian_leading_zero=bool(zeros) or None,
        number_of_leading_zeros=zeros,
    )


def assert_as_the_library_says(country_code: int, national: str) -> None:
    theirs, number = in_the_library(country_code, national), f"+{country_code}{national}"
    kind = TYPES[phonenumbers.number_type(theirs)]
    assert kind_of(country_code, national) == kind, number
    possible = phonenumbers.is_possible_number_with_reason(theirs) == ValidationResult.IS_POSSIBLE
    # What has the right length and a trunk prefix is refused for that.
    assert (fault_of(number) is None) is (possible and not has_trunk_prefix(country_code, national, kind)), number
    assert zones_of(number) == tuple(sorted({*time_zones_for_number(theirs)} - {"Etc/Unknown"})), number
    costs_more = kind in SURCHARGED if kind else reaches_what_costs_more(country_code, national)
    assert is_surcharged(number) is costs_more, number


def reaches_what_costs_more(country_code: int, national: str) -> bool:
    """A number of no type: by the digits that it begins with, or because its code has nothing else."""
    kinds = {TYPES[one] for one in phonenumbers.supported_types_for_non_geo_entity(country_code)}
    if country_code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS and kinds <= SURCHARGED:
        return True
    described = [getattr(plan, kind) for plan in plans_in_the_library(country_code) for kind in SURCHARGED]
    patterns = [one.national_number_pattern for one in described if one is not None and one.national_number_pattern]
    return any(re.match(pattern, national) for pattern in patterns)


def has_trunk_prefix(country_code: int, national: str, kind: str | None) -> bool:
    plan = main_plan(country_code)
    rest = national.removeprefix(plan.national_prefix or "")
    if kind or rest in ("", national):
        return False
    return phonenumbers.number_type(in_the_library(country_code, rest)) != PhoneNumberType.UNKNOWN


def main_plan(country_code: int) -> PhoneMetadata:
    return plans_in_the_library(country_code)[0]


def plans_in_the_library(country_code: int) -> list[PhoneMetadata]:
    regions = COUNTRY_CODE_TO_REGION_CODE[country_code]
    return [PhoneMetadata.metadata_for_region_or_calling_code(country_code, region) for region in regions]


def examples() -> Iterator[tuple[int, str]]:
    """Of every type of every country; and a number that is none."""
    for code in COUNTRY_CODE_TO_REGION_CODE:
        yield code, "000"
        for plan in plans_in_the_library(code):
            for kind in ("general_desc", *generator.KINDS):
                described = getattr(plan, kind)
                if described is not None and described.example_number:
                    yield code, described.example_number


def test_table_and_library_agree_on_every_example_and_what_is_near_it():
    found = sorted(set(examples()))
    assert len(found) > 1200
    for turn, (code, national) in enumerate(found):
        near = (f"{national}7", national[:-1], f"{main_plan(code).national_prefix or '0'}{national}")
        assert_as_the_library_says(code, national)
        assert_as_the_library_says(code, near[turn % 3])


def test_the_table_has_every_country_code_and_no_other():
    assert {code for code in range(1, 1000) if plans_of(code)} == {*COUNTRY_CODE_TO_REGION_CODE}


@st.composite
def numbers(draw):
    """As often of the form that some kind has as of any digits."""
    code = draw(st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)))
    plan = draw(st.sampled_from(plans_of(code)))
    pattern = draw(st.sampled_from(["[0-9]{1,15}", *(numbers.pattern for _, numbers in plan.kinds)]))
    return code, draw(st.from_regex(pattern.replace(r"\d", "[0-9]"), fullmatch=True))


@settings(max_examples=30)
@given(numbers())
@example((44, "01534960000"))
@example((39, "0000"))
@example((1, "3101234"))
@example((49, "90011234567890"))
def test_table_and_library_agree_on_any_number(number):
    assert_as_the_library_says(*number)


@pytest.mark.long
@settings(max_examples=5000)
@given(numbers())
def test_table_and_library_agree_on_many_numbers(number):
    assert_as_the_library_says(*number)
