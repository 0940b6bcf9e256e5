"""Each unconfirmed thing says what follows if it is wrong, how that shows, and how to find out."""

import re

import pytest

from local.cloud.template import TEMPLATE

PAGE = (TEMPLATE.parent / "docs" / "telephony.md").read_text(encoding="utf-8")
HEAD = "| assumption | if it is wrong | how it shows | two minutes by hand |"


def rows():
    """The rows of all tables of assumptions."""
    for table in PAGE.split(f"{HEAD}\n")[1:]:
        for line in table.splitlines()[1:]:
            if not line.startswith("|"):
                break
            yield [cell.strip() for cell in line.strip("|").split("|")]


ROWS = list(rows())


def test_the_open_points_of_both_telephonies_of_simulated_calls_and_of_calls_back_are_listed():
    assert PAGE.count(HEAD) == 5
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_each_says_how_to_find_out(row):
    assert len(row) == 4
    assumption, wrong, shows, by_hand = row
    assert assumption
    assert wrong
    assert by_hand
    # What changes nothing for us need not show
    assert shows or wrong.startswith("nothing")


@pytest.mark.parametrize(
    "word",
    ["20 s together", "hangs up during an input block", "promptUri: none", "alias", "SDK knows"],
)
def test_what_a_review_found_missing_is_there(word):
    assert [row for row in ROWS if word in row[0]]


def test_every_parameter_that_is_named_is_the_templates():
    named = set(re.findall(r"`([A-Z][A-Za-z]+)=", PAGE))
    declared = TEMPLATE.read_text(encoding="utf-8").partition("\nGlobals:")[0]
    assert [name for name in named if f"\n  {name}:\n" not in declared] == []
