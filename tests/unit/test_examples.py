"""The requests of examples/: acceptable as they stand, without a warning, explained, and sent by the demonstration.

But for the one with calling hours: the demonstration runs at any hour. tests/e2e/test_opt_out_keys.py sends its menu.
And for the one with an SMS, whose fallback tests/e2e/test_fallback.py sends; and for the one with a lookup, as
tests/e2e/test_lookups.py has one.
"""

import json
from pathlib import Path

import pytest

from local.tools.demo_cases import CASES
from speechcall.menus.rules.menu_report import no_opt_out_key
from speechcall.requests.use_cases.check_request import read_request

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
IN_HOURS, WITH_SMS, WITH_LOOKUP = "recall-in-hours", "delivery-with-sms", "payment-lookup"


def test_there_is_one_for_each_use_case_of_the_specification_and_one_each_with_hours_an_sms_and_a_lookup():
    assert [name for name in NAMES if name not in (IN_HOURS, WITH_SMS, WITH_LOOKUP)] == [
        "appointment-reminder",
        "customer-survey",
        "interactive-notification",
        "order-tracking",
        "voice-verification",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_acceptable_and_nothing_is_to_be_said_about_it(name):
    (entry,) = read_request((EXAMPLES / f"{name}.json").read_bytes()).entries
    assert entry.problems == ()
    assert entry.warnings == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_plays_what_the_laptop_has_and_tells_a_server_that_is_nobodys(name):
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    (message,) = json.loads(text)["messages"]
    assert {menu["introUrl"] for menu in message["menu"]} == {"ivr_651854"}
    assert text.count('"url": ') == text.count('"url": "https://api.example.com/')


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_explained_and_sent_by_the_demonstration(name):
    assert f"[`{name}.json`]({name}.json)" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    sent = [case for case in CASES if case.folder == "examples" and case.body == name]
    assert bool(sent) == (name not in (IN_HOURS, WITH_SMS, WITH_LOOKUP))


def test_the_one_with_calling_hours_has_a_key_that_opts_out_of_the_list_it_obeys():
    (entry,) = read_request((EXAMPLES / f"{IN_HOURS}.json").read_bytes()).entries
    assert entry.wanted is not None
    assert no_opt_out_key(entry.wanted.menus, "m") == []
    assert entry.given["windows"]
