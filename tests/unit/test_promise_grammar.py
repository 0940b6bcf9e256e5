"""Promises as JSON: what is read, what is refused and where; and the schema, which says the same."""

import json
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
from jsonschema import Draft202012Validator

from local.tools.openapi_promises import promises_schema
from speechcall.menus.rules.promise import (
    MOST_PROMISES,
    AlwaysLeads,
    AlwaysMenus,
    AlwaysSent,
    LeadsTo,
    NeverBy,
    Pattern,
)
from speechcall.menus.rules.promise_grammar import PACKS, read_promises
from speechcall.shared.rules.json_text import parse_json
from tests.kit.promise_meaning import random_promise

SCHEMA = Path(__file__).parents[2] / "docs" / "promises.schema.json"
HOOK = "*/confirmed"


def problem_of(given):
    """Where the first problem of one promise is, and what it says."""
    promises, problems = read_promises([given])
    assert promises == ()
    return problems[0].path.removeprefix("promises[0]").removeprefix("."), problems[0].message


@pytest.mark.parametrize(
    ("given", "path", "text"),
    [
        (7, "", "must be an object with never, always or pack"),
        ({}, "", "has none of never, always and pack; exactly one would be right"),
        ({"never": {}, "always": {}}, "", "has never and always; exactly one would be right"),
        ({"nevr": {"webhook": HOOK}}, "nevr", "is not known here; did you mean never?"),
        ({"never": {"webhook": HOOK}, "title": "x"}, "title", "is not known here; known are name, never, always, pack"),
        ({"never": []}, "never", "must be an object with webhook (alone, or with one of"),
        ({"never": {"webhook": HOOK, "without": "d1", "by": "wrong"}}, "never", "must be an object with webhook"),
        ({"never": {"webhook": 7}}, "never.webhook", "must be a pattern of URLs of 1 to 256 characters"),
        ({"never": {"webhook": "a b"}}, "never.webhook", "spaces are in no URL"),
        ({"never": {"webhook": "*" * 257}}, "never.webhook", "must be a pattern"),
        ({"never": {"webhook": HOOK, "without": "1"}}, "never.without", "must be a key, or an array of 1 to 13 keys"),
        ({"never": {"webhook": HOOK, "without": []}}, "never.without", "must be a key"),
        ({"never": {"webhook": HOOK, "without": "wrong"}}, "never.without", "must be a key"),
        ({"never": {"webhook": HOOK, "by": "idle"}}, "never.by", "must be a list, or an array"),
        ({"never": {"webhook": HOOK, "twice": False}}, "never.twice", "must be true"),
        ({"never": {"both": [HOOK]}}, "never.both", "must be an array of two"),
        ({"never": {"both": [HOOK, 7]}}, "never.both[1]", "must be a pattern"),
        ({"never": {"ends": "callerHungUp"}}, "never.ends", 'must be "silence" or "limit"'),
        ({"always": {"webhook": HOOK, "within": 3}}, "always.within", "must be an object such as"),
        ({"always": {"webhook": HOOK, "within": {"menus": 0}}}, "always.within", "with 1 to 500 menus"),
        ({"always": {"webhook": HOOK, "within": {"menus": True}}}, "always.within", "with 1 to 500 menus"),
        ({"always": {"webhook": HOOK, "unless": ["hungUp"]}}, "always.unless", 'must be an array of "callerHungUp",'),
        ({"always": {"webhook": HOOK, "unles": []}}, "always.unles", "did you mean unless?"),
        ({"always": {"key": "d9", "in": "every menu"}}, "always", "key with in and leadsTo"),
        (
            {"always": {"key": "9", "in": 0, "leadsTo": "hangup"}},
            "always.key",
            "must be a key: d0 to d9, d*, d# or complete",
        ),
        ({"always": {"key": "d9", "in": "all", "leadsTo": "hangup"}}, "always.in", 'must be "every menu", the 0-based'),
        ({"always": {"key": "d9", "in": [20], "leadsTo": "hangup"}}, "always.in", 'must be "every menu", the 0-based'),
        (
            {"always": {"key": "d9", "in": 0, "leadsTo": "end"}},
            "always.leadsTo",
            'must be "hangup", "optOut", or an object',
        ),
        ({"always": {"key": "d9", "in": 0, "leadsTo": {"menu": -1}}}, "always.leadsTo", "must be"),
        ({"always": {"menus": 3}}, "always.menus", 'must be text such as "<= 3", with a whole number from 1 to 500'),
        ({"always": {"menus": "<= 501"}}, "always.menus", "from 1 to 500"),
        ({"always": {"callSeconds": "< 90"}}, "always.callSeconds", "must be text such as"),
        ({"pack": "us"}, "pack", "must be the name of a pack: "),
        ({"pack": "Opt-out in every menu"}, "pack", "did you mean opt-out-in-every-menu?"),
        ({"pack": ["opt-out-in-every-menu"]}, "pack", "must be the name of a pack: "),
        ({"pack": "opt-out-in-every-menu", "key": "wrong"}, "key", 'd# or complete, or "some key"'),
        ({"pack": "ends-within-three-menus", "webhook": HOOK}, "webhook", "is not known here"),
        ({"pack": "no-confirmation-without-a-key", "webhook": 7}, "webhook", "must be a pattern"),
        ({"name": "", "never": {"webhook": HOOK}}, "name", "must be a string of 1 to 64 characters"),
        ({"name": "a\n", "never": {"webhook": HOOK}}, "name", "must be a string of 1 to 64 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(given, path, text):
    found = problem_of(given)
    assert found[0] == path
    assert text in found[1]


@pytest.mark.parametrize("given", [None, {}, [], [{"always": {"menus": "<= 1"}}] * (MOST_PROMISES + 1)])
def test_a_list_of_promises_is_one_and_has_some(given):
    promises, problems = read_promises(given)
    assert (promises, [one.path for one in problems]) == ((), ["promises"])


def test_each_wrong_promise_is_told():
    _, problems = read_promises([{}, {"always": {"menus": "<= 1"}}, {"never": {"webhook": 1}}])
    assert [one.path for one in problems] == ["promises[0]", "promises[2].never.webhook"]


def test_a_pack_is_promises_under_a_name():
    given = [{"pack": "ends-within-three-menus"}, {"pack": "no-confirmation-without-a-key", "name": "confirmed"}]
    promises, _ = read_promises(given)
    assert [one.rule for one in promises] == [
        AlwaysMenus(3),
        NeverBy(Pattern("*confirm*"), ("silence", "invalid", "wrong")),
    ]
    assert [one.name for one in promises] == ['{"pack":"ends-within-three-menus"}', "confirmed"]
    (any_key, one_key), _ = read_promises([{"pack": "opt-out-in-every-menu", **key} for key in ({}, {"key": "d9"})])
    assert any_key.rule == AlwaysLeads(None, None, LeadsTo(opts_out=True))
    assert one_key.rule == AlwaysLeads("d9", None, LeadsTo(opts_out=True))
    for pack in PACKS:
        assert read_promises([{"pack": pack}])[1] == []


def test_a_number_without_a_fraction_is_whole():
    given = parse_json(b'[{"always": {"webhook": "*", "within": {"menus": 3.0}}}]')
    promises, problems = read_promises(given)
    assert (problems, [one.rule for one in promises]) == ([], [AlwaysSent(Pattern("*"), within=3)])


def test_the_file_of_the_schema_is_that_of_the_code():
    found = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert {name: value for name, value in found.items() if name not in ("$schema", "title")} == promises_schema()


def places_of(value, place=()):
    """Each place inside a value."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places_of(one, (*place, name))


ODD = (
    *(None, 7, -1, "", True, "d1", "wrong", "every menu", "<= 0", "<= 500", "<= 501", "<=86400", "<= 86401"),
    *([], ["d1"], {}, {"menu": 1}, {"menus": 2}),
)


def damaged(random, given):
    """The promise with something else in one place."""
    given = deepcopy(given)
    *way, last = random.choice([place for place in places_of(given) if place])
    inside = given
    for name in way:
        inside = inside[name]
    if isinstance(inside, dict) and random.random() < 0.3:
        inside[random.choice(("other", "webhook", "by", "twice", "within"))] = random.choice(ODD)
    else:
        inside[last] = random.choice(ODD)
    return given


def test_the_schema_takes_what_the_code_takes_and_refuses_what_it_refuses():
    random = Random(1)
    validator = Draft202012Validator(promises_schema())
    taken = 0
    for number in range(300):
        given = random_promise(random)
        given = damaged(random, given) if number % 3 else given
        promises, _ = read_promises([given])
        taken += bool(promises)
        assert validator.is_valid([given]) is bool(promises), given
    assert 90 < taken < 280
