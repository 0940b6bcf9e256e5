"""Names of time zones, and the data behind them: without the system's, as on Lambda."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from speechcall.shared.rules.zone_names import is_zone, similar_zone


@pytest.mark.parametrize("name", ["Europe/Kyiv", "Europe/Kiev", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_names_of_zones(name):
    assert is_zone(name)
    assert similar_zone(name.upper().replace("_", " ")) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "europe/kyiv",
        "Europe/Kyiv ",
        "../../etc/passwd",
        "/etc/localtime",
        "EET2",
        "zones",
        "Factory",
        "+02:00",
    ],
)
def test_what_is_no_name_of_a_zone(name):
    assert not is_zone(name)


def test_a_zone_in_other_capitals_is_named():
    assert similar_zone("europe/kyiv") == "Europe/Kyiv"
    assert similar_zone("America/New York") == "America/New_York"
    assert similar_zone("Mars/Olympus") is None


def test_zones_are_found_without_those_of_the_system():
    before = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath(to=())
        kyiv = zoneinfo.ZoneInfo.no_cache("Europe/Kyiv")
    finally:
        zoneinfo.reset_tzpath(to=before)
    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(kyiv).utcoffset() == timedelta(hours=3)
    assert datetime(2026, 12, 1, tzinfo=UTC).astimezone(kyiv).utcoffset() == timedelta(hours=2)
