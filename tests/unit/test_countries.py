"""The doctor's table of countries is libphonenumber's."""

import pytest
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from cli.doctor.countries import COUNTRIES, countries_of


def test_each_country_code_has_the_countries_that_libphonenumber_knows():
    known = {str(code): names for code, names in COUNTRY_CODE_TO_REGION_CODE.items() if names != ("001",)}
    assert known == COUNTRIES


@pytest.mark.parametrize(
    ("prefixes", "countries"),
    [
        (["+49", "+4930"], {("DE",)}),
        (["+380671234567"], {("UA",)}),
        (["+3"], set()),
        (["*"], set()),
        (["+1212"], {COUNTRIES["1"]}),
        (["+800"], set()),
    ],
)
def test_the_beginning_of_a_number_tells_its_country(prefixes, countries):
    assert countries_of(prefixes) == countries
