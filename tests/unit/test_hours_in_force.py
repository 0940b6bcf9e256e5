"""A message narrows the hours of its account and never widens them."""

import random
from datetime import UTC, datetime

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.hours_in_force import Asked, WrongZone, hours_in_force, needs_number
from speechcall.shared.rules.calling_hours import Hours, Window, next_open

DAYTIME = Window(540, 1200)
MORNING = Window(480, 720)
KYIV, NEW_YORK = ("Europe/Kyiv",), ("America/New_York",)
FREE = Account("acme", ("*",))
BY_RECIPIENT = Account("acme", ("*",), windows=(DAYTIME,), time_zone="recipient")
IN_KYIV = Account("acme", ("*",), windows=(DAYTIME,), time_zone="Europe/Kyiv")
ZONE_ONLY = Account("acme", ("*",), time_zone="Europe/Kyiv")


@pytest.mark.parametrize(
    ("asked", "account", "zones", "hours"),
    [
        (Asked(), FREE, (), ()),
        (Asked(), BY_RECIPIENT, KYIV, [Hours((DAYTIME,), KYIV)]),
        (Asked(), IN_KYIV, (), [Hours((DAYTIME,), KYIV)]),
        (Asked((MORNING,), "America/New_York"), FREE, (), [Hours((MORNING,), NEW_YORK)]),
        (Asked((MORNING,), "recipient"), FREE, KYIV + NEW_YORK, [Hours((MORNING,), KYIV + NEW_YORK)]),
        (Asked((MORNING,)), ZONE_ONLY, (), [Hours((MORNING,), KYIV)]),
        (Asked((MORNING,)), IN_KYIV, (), [Hours((DAYTIME,), KYIV), Hours((MORNING,), KYIV)]),
        (
            Asked((MORNING,), "America/New_York"),
            BY_RECIPIENT,
            KYIV,
            [Hours((DAYTIME,), KYIV), Hours((MORNING,), NEW_YORK)],
        ),
        (Asked((), None, ("2026-12-25",)), IN_KYIV, (), [Hours((DAYTIME,), KYIV), Hours((), KYIV, ("2026-12-25",))]),
        (Asked((Window(0, 1440),), "Europe/Kyiv"), IN_KYIV, (), [Hours((DAYTIME,), KYIV)]),
        # The zone of the number is not known: that of the message stands in.
        (Asked((), "Europe/Kyiv"), BY_RECIPIENT, (), [Hours((DAYTIME,), KYIV)]),
        (Asked((), "Europe/Kyiv"), BY_RECIPIENT, NEW_YORK, [Hours((DAYTIME,), NEW_YORK)]),
    ],
)
def test_hours_in_force(asked, account, zones, hours):
    assert hours_in_force(asked, account, zones) == tuple(hours)


@pytest.mark.parametrize(
    ("asked", "account", "fault"),
    [
        (Asked((MORNING,)), FREE, "noZone"),
        (Asked((), None, ("2026-12-25",)), FREE, "noZone"),
        (Asked((), "Europe/Kyiv"), FREE, "needless"),
        (Asked((), "recipient"), ZONE_ONLY, "needless"),
        (Asked((MORNING,), "recipient"), FREE, "unknownZone"),
        (Asked(), BY_RECIPIENT, "unknownZone"),
        (Asked((), "recipient"), BY_RECIPIENT, "unknownZone"),
    ],
)
def test_hours_without_a_clock(asked, account, fault):
    with pytest.raises(WrongZone) as raised:
        hours_in_force(asked, account, ())
    assert raised.value.fault == fault


def test_the_numbers_zones_are_looked_for_only_where_they_are_needed():
    assert not needs_number(Asked(), FREE)
    assert not needs_number(Asked((MORNING,), "Europe/Kyiv"), IN_KYIV)
    assert not needs_number(Asked((MORNING,)), IN_KYIV)
    assert needs_number(Asked((MORNING,), "recipient"), FREE)
    assert needs_number(Asked((MORNING,), "Europe/Kyiv"), BY_RECIPIENT)
    assert needs_number(Asked((), None, ("2026-12-25",)), Account("acme", ("*",), time_zone="recipient"))


def test_whatever_a_message_asks_for_it_is_never_open_while_its_account_is_shut():
    draw = random.Random(7)
    monday = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp())
    for _ in range(300):
        windows = tuple(
            Window(draw.randrange(1440), draw.randint(1, 1440), tuple(draw.sample(range(7), 4)))
            for _ in range(draw.randint(0, 2))
        )
        off = draw.choice(((), ("2026-12-01",)))
        asked = Asked(windows, draw.choice(("Europe/Kyiv", "Asia/Tokyo", "recipient")), off)
        account = draw.choice((BY_RECIPIENT, IN_KYIV))
        zones = draw.choice((KYIV, NEW_YORK))
        hours = hours_in_force(asked, account, zones)
        moment = monday + draw.randrange(7 * 86_400)
        if next_open(hours, moment, moment + 1) is not None:
            alone = hours_in_force(Asked(), account, zones)
            assert next_open(alone, moment, moment + 1) == moment
