"""Made-up callees: what is drawn, and what cannot be."""

import json
from collections import Counter
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from speechcall.calls.rules.call import Cause
from speechcall.rehearsal.rules.callee_grammar import CODE, read_callees
from speechcall.rehearsal.rules.callees import Between, Callees, Fixed, Measured, Spread, quantile
from speechcall.shared.rules.json_text import parse_json

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "callees.schema.json").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = {
    "outcomes": {"answered": 0.6, "noAnswer": 0.25, "busy": 0.1, "invalidNumber": 0.05},
    "ringSeconds": {"from": 3, "to": 15},
    "talkSeconds": {"median": 30, "p95": 90},
    "keys": {"1": 0.4, "9": 0.02},
}
NUMBERS = [f"+49301{number:07}" for number in range(1500)]


def read(given):
    """As it comes in a file."""
    return read_callees(parse_json(json.dumps(given).encode()))


def test_what_is_read_is_what_was_written():
    callees, problems = read({**GOOD, "talkSeconds": {"values": [30, 12]}, "handlingSeconds": 2})
    assert problems == []
    assert callees == Callees(
        GOOD["outcomes"], Between(3, 15), Measured((12.0, 30.0)), GOOD["keys"], handling_seconds=2.0
    )
    assert read({**GOOD, "ringSeconds": 8})[0].ring_seconds == Fixed(8)


def test_shares_are_met_and_depend_on_nothing_but_seed_number_and_attempt():
    callees, _ = read(GOOD)
    drawn = {number: callees.called(7, number, 1, 45) for number in NUMBERS}
    causes = Counter(one.cause for one in drawn.values())
    for cause, share in ((None, 0.6), (Cause.NO_ANSWER, 0.25), (Cause.BUSY, 0.1), (Cause.INVALID_NUMBER, 0.05)):
        assert causes[cause] / len(drawn) == pytest.approx(share, abs=0.05)
    answered = [one for one in drawn.values() if one.cause is None]
    assert sum(one.key == "1" for one in answered) / len(answered) == pytest.approx(0.4, abs=0.06)
    talks = sorted(one.talk_seconds for one in answered)
    assert talks[len(talks) // 2] == pytest.approx(30, rel=0.2)
    assert talks[len(talks) * 95 // 100] == pytest.approx(90, rel=0.25)
    assert all(3 <= one.ring_seconds <= 15 for one in answered)
    assert {one.ring_seconds for one in drawn.values() if one.cause is Cause.NO_ANSWER} == {45}
    assert {number: callees.called(7, number, 1, 45) for number in reversed(NUMBERS)} == drawn
    others = [callees.called(*other, 45) for number in NUMBERS for other in ((8, number, 1), (7, number, 2))]
    assert len(set(others) & set(drawn.values())) < len(NUMBERS)


def test_a_phone_rings_no_longer_than_its_message_says():
    callees = Callees({"answered": 1.0}, Fixed(60), Fixed(5))
    assert callees.called(1, "+49301", 1, 20).ring_seconds == 20


@pytest.mark.parametrize("one", [Fixed(4), Between(1, 9), Spread(5, 5), Spread(4, 50), Measured((1.0, 2.0, 7.0))])
def test_quantiles_rise(one):
    found = [quantile(one, part / 50) for part in range(50)]
    assert found == sorted(found)


IMPOSSIBLE = {
    "callees": ([], "must be an object such as"),
    "callees.outcomes": ({**GOOD, "outcomes": {"answered": 0.6, "busy": 0.3}}, "sum is 0.9; it must be 1, as in {"),
    "callees.outcomes.busy": ({**GOOD, "outcomes": {"answered": 1, "busy": -0.1}}, "from 0 to 1; an example is"),
    "callees.outcomes.answered": ({**GOOD, "outcomes": {"answered": "1"}}, "must be a number"),
    "callees.keys": ({**GOOD, "keys": {"1": 0.6, "2": 0.5}}, "sum is 1.1; it must be at most 1, as in {"),
    "callees.keys.1": ({**GOOD, "keys": {"1": True}}, "must be a number from 0 to 1; an example is {"),
    "callees.ringSeconds": ({**GOOD, "ringSeconds": {"from": 9, "to": 3}}, 'must not be above to, as in {"from"'),
    "callees.ringSeconds.to": ({**GOOD, "ringSeconds": {"from": 9, "to": 999}}, "from 0 to 120; an example is"),
    "callees.talkSeconds": ({**GOOD, "talkSeconds": {"median": 90, "p95": 30}}, "half is less than 95 of a hundred: {"),
    "callees.talkSeconds.median": ({**GOOD, "talkSeconds": {"median": 0, "p95": 30}}, "from 0.001 to 3600"),
    "callees.talkSeconds.values": ({**GOOD, "talkSeconds": {"values": []}}, "1 to 1000 numbers, such as"),
    "callees.talkSeconds.values[1]": ({**GOOD, "talkSeconds": {"values": [1, -1]}}, "from 0 to 3600"),
    "callees.handlingSeconds": ({**GOOD, "handlingSeconds": 61}, "from 0 to 60; an example is 1"),
}


@pytest.mark.parametrize("path", IMPOSSIBLE)
def test_what_cannot_be_is_refused_with_its_place_and_an_example(path):
    given, text = IMPOSSIBLE[path]
    callees, problems = read(given)
    assert callees is None
    told = {one.path: one for one in problems}
    assert told[path].code == CODE
    assert text in told[path].message


FORMS = '8, {"from": 3, "to": 15}, {"median": 30, "p95": 90} or {"values": [12, 30, 55]}'


def test_each_member_is_told_of_and_a_slip_of_the_pen_is_known():
    _, problems = read({"outcome": {}, "talkSeconds": {"mean": 4}, "keys": {"d1": 0.5}})
    assert [(one.path, one.message.partition(";")[0]) for one in problems] == [
        ("callees", 'has an unknown member "outcome"'),
        ("callees.outcomes", "is missing"),
        ("callees.ringSeconds", "is missing"),
        ("callees.talkSeconds", f"must be seconds, or how they are distributed: {FORMS}"),
        ("callees.keys", 'has an unknown member "d1"'),
    ]
    assert "did you mean outcomes?" in problems[0].message
    assert "did you mean outcomes?" not in problems[4].message


ODD = (None, True, -1, 0, 0.5, 3601, "1", [], {}, {"from": 1, "to": 2}, {"median": 1, "p95": 2}, {"values": [1]})


def test_the_schema_takes_what_the_code_takes_but_for_sums_and_orders():
    random, validator, taken = Random(3), Draft202012Validator(SCHEMA), 0
    places = [("outcomes",), ("outcomes", "busy"), ("ringSeconds",), ("ringSeconds", "to"), ("talkSeconds",)]
    places += [("keys",), ("keys", "1"), ("keys", "d1"), ("handlingSeconds",), ("other",)]
    for number in range(80):
        given = deepcopy(GOOD)
        *way, last = random.choice(places)
        inside: Any = given
        for name in way:
            inside = inside[name]
        if number % 5:
            inside[last] = random.choice(ODD)
        _, problems = read(given)
        by_schema = validator.is_valid(given)
        beyond = [one for one in problems if "whose sum is" in one.message or "above" in one.message]
        assert by_schema is (len(problems) == len(beyond)), (given, problems)
        taken += by_schema
    assert 20 < taken < 75
    for one in SCHEMA["properties"].values():
        assert "description" in one
