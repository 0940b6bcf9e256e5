"""Telephone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.shared.rules.phone_numbers import masked, to_e164


@pytest.mark.parametrize("given_number", ["+380936670003", "380936670003"])
def test_a_number_with_or_without_plus_becomes_the_same_e164_number(given_number):
    assert to_e164(given_number) == "+380936670003"


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "+", "0936670003", "+0936670003", "+38 093", "+38-0936670003", "+380XXXXXXXXX", "++380936670003"),
        *("+123456", "+1234567890123456", "+380936670003\n", " +380936670003", "+٣٨٠٩٣٦٦٧٠٠٠٣", "tel:+380936670003"),
    ],
)
def test_what_is_no_international_number_is_refused(wrong):
    assert to_e164(wrong) is None


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_every_number_of_7_to_15_digits_is_kept_and_is_its_own_e164_form(digits):
    assert to_e164(digits) == f"+{digits}" == to_e164(to_e164(digits))


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_masked_number_shows_at_most_five_digits(number):
    shown = masked(number)
    assert sum(character.isdigit() for character in shown) == 5
    assert number not in shown
