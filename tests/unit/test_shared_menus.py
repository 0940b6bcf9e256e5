"""Menus that messages share, and what each message has for the names in them."""

import copy
import json
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from speechcall.menus.rules.introduction import Audio
from speechcall.menus.rules.menu import dump_menus
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.written_menus import written_menus
from speechcall.requests.rules.placeholders import Slot
from speechcall.requests.use_cases.check_request import MAX_LIST_BYTES, MAX_MENUS_BYTES, read_request
from speechcall.shared.rules.errors import InvalidRequest, PayloadTooLarge
from speechcall.shared.rules.json_text import dump_json
from tests.kit.random_menus import random_menus

HANGUP = {"action": "hangup"}
SAY = {"text": "Good day {{first_name}}, order {{order}}.", "language": "en-GB"}
HOOK: dict[str, Any] = {
    "action": "webhook",
    "url": "https://api.example.com/orders/{{order}}/paid?by={{first_name}}&at=1",
    "body": {"order": "{{order}}", "of": ["No. {{order}}, {{first_name}}", 1.10, None], "whole": 4711},
    "headers": {"X-Plain": "v"},
}
MENUS: list[dict[str, Any]] = [
    {"say": SAY, "dtmfActions": {"d1": [HOOK, {"action": "gotoMenu", "menu": 1}], "wrong": [HANGUP]}},
    {
        "play": [
            {"say": {"text": "Code for {{first_name}}:", "language": "en-GB"}},
            {"spell": "0{{order}}", "recordings": "uk_"},
            {"audio": "https://cdn.example.com/{{first_name}}.mp3"},
        ],
        "dtmfActions": {"silence": [HANGUP]},
    },
]
VARS = {"order": "4711", "first_name": "Ann"}


def entry(**more):
    return {"from": "BazarCOM", "to": "+380936670003", "text": "ivr", "type": "speechcall", **more}


def read(body, **rules):
    return read_request(json.dumps(body).encode(), **rules).entries


def one(menus=MENUS, **more):
    """The only message of a list with menus."""
    (found,) = read({"menus": menus, "messages": [entry(**more)]})
    return found


def wanted(*args, **more):
    found = one(*args, **more)
    assert found.wanted, found.problems
    return found.wanted


def wrong(*args, **more):
    found = one(*args, **more)
    assert found.wanted is None
    return [(problem.code, problem.path) for problem in found.problems]


def refused(menus, messages=None):
    """The places in an envelope's menus that refuse the whole request."""
    with pytest.raises(InvalidRequest) as error:
        read({"menus": menus, "messages": messages or [entry(vars=VARS)]})
    return [problem.path for problem in error.value.problems]


def sending(hook):
    return [{"introUrl": "a", "dtmfActions": {"d1": [hook, HANGUP]}}]


def with_url(url):
    return sending({"action": "webhook", "url": url})


def saying(text):
    return [{"say": {"text": text, "language": "en-GB"}, "dtmfActions": {"d1": [HANGUP]}}]


# ------------------------------------------------------------------ what stands where
def test_a_message_without_a_menu_has_those_of_its_list():
    first, second = read({"menus": with_url("https://a.example.com/"), "messages": [entry(), entry()]})
    (own,) = read({"messages": [entry(menu=with_url("https://a.example.com/"))]})
    assert first.wanted.menus == second.wanted.menus == own.wanted.menus


def test_values_stand_in_texts_digits_bodies_and_urls():
    menus = wanted(vars=VARS).menus
    hook = menus[0].actions["d1"][0]
    assert menus[0].say.text == "Good day Ann, order 4711."
    assert hook.url == "https://api.example.com/orders/4711/paid?by=Ann&at=1"
    assert hook.body == '{"order":"4711","of":["No. 4711, Ann",1.1,null],"whole":4711}'
    assert menus[1].play[0].text == "Code for Ann:"
    assert menus[1].play[1:] == (*(Audio(f"uk_{digit}") for digit in "04711"), Audio("https://cdn.example.com/Ann.mp3"))


def test_each_message_has_its_own_values_and_all_have_one_shape():
    messages = [entry(vars={"order": str(number), "first_name": "Ann"}) for number in range(3)]
    found = [one.wanted.menus for one in read({"menus": MENUS, "messages": messages})]
    assert [menus[0].say.text for menus in found] == [f"Good day Ann, order {number}." for number in range(3)]
    assert len({shape_of(menus) for menus in found}) == 1


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_menu_asks_for_it_is_the_same_shared_or_a_messages_own(seed):
    menus = json.loads(dump_json(written_menus(random_menus(Random(seed)))))
    (shared,) = read({"menus": menus, "messages": [entry()]})
    (own,) = read({"messages": [entry(menu=menus)]})
    assert own.wanted, own.problems
    assert shared.wanted.menus == own.wanted.menus


def test_names_stand_in_menus_of_digits_their_repeats_and_their_lookups():
    asks = {"minDigits": 4, "maxDigits": 4, "sensitive": True}
    lookup = HOOK | {"action": "lookup", "cases": {"paid": 0}, "else": 1}
    digits = {"say": SAY, "input": asks, "bargeIn": False, "repeat": {"times": 2, "say": SAY | {"text": "{{order}}?"}}}
    lists = {"complete": [HOOK, lookup], "invalid": [lookup], "silence": [HANGUP]}
    menus = [digits | {"dtmfActions": lists}, MENUS[1]]
    messages = [entry(vars={"order": order, "first_name": "Ann"}) for order in ("4711", "0815")]
    for found, order in zip(read({"menus": menus, "messages": messages}), ("4711", "0815"), strict=True):
        menu = found.wanted.menus[0]
        hook, asked = menu.actions["complete"]
        assert (menu.input.min_digits, menu.input.sensitive, menu.barge_in) == (4, True, False)
        assert (menu.say.text, menu.repeat.say.text) == (f"Good day Ann, order {order}.", f"{order}?")
        assert asked.url == hook.url == f"https://api.example.com/orders/{order}/paid?by=Ann&at=1"
        assert asked.body == hook.body
        assert json.loads(asked.body)["order"] == order
        assert menu.actions["invalid"] == (asked,)


def test_a_message_with_a_menu_of_its_own_keeps_it_and_knows_no_names():
    menu = saying("{{order}}")
    shared, own = read({"menus": MENUS, "messages": [entry(vars=VARS), entry(menu=menu)]})
    assert own.wanted.menus[0].say.text == "{{order}}"
    assert shared.wanted.menus[0].say.text == "Good day Ann, order 4711."


def test_a_list_without_menus_knows_no_names():
    (found,) = read({"messages": [entry(menu=copy.deepcopy(MENUS[:1]) + saying("{{"))]})
    assert found.wanted.menus[0].say.text == SAY["text"]
    assert found.wanted.menus[0].actions["d1"][0].url == HOOK["url"]


VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip)
HOSTILE = '"}],"x":"{{order}}/../?a=b&c=d#e@evil.example.com\\<speak>&amp;%2e\r\n'


@given(VALUES)
@example(HOSTILE)
@example("{{first_name}}")
@example("a/../../b")
@example("..")
def test_a_value_cannot_leave_its_place(value):
    hook = {**HOOK, "url": "https://api.example.com/a/x{{order}}/b?by={{order}}&at=1"}
    menus = [{"say": SAY, "dtmfActions": {"d1": [hook, HANGUP]}}]
    made = wanted(menus, vars={"order": value, "first_name": "A{{order}}"}).menus
    sent = made[0].actions["d1"][0]
    assert made[0].say.text == f"Good day A{{{{order}}}}, order {value}."
    body = {"order": value, "of": [f"No. {value}, A{{{{order}}}}", 1.1, None], "whole": 4711}
    assert json.loads(sent.body) == body
    parts = urlsplit(sent.url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example.com", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "a", f"x{value}", "b"]
    assert parse_qs(parts.query, strict_parsing=True) == {"by": [value], "at": ["1"]}
    assert sent.url.isascii()
    assert shape_of(made) == shape_of(wanted(menus, vars=VARS).menus)


# ------------------------------------------------------------------ names
@pytest.mark.parametrize(
    ("given_vars", "found"),
    [
        ({}, ["vars.first_name", "vars.order"]),
        (None, ["vars.first_name", "vars.order"]),
        ({"order": "1"}, ["vars.first_name"]),
        ({**VARS, "more": "1"}, ["vars.more"]),
        ({"order": "1", "firstname": "Ann"}, ["vars.first_name", "vars.firstname"]),
        ({**VARS, "a b": "1"}, ["vars.a b"]),
        ({**VARS, "order": ""}, ["vars.order"]),
        ({**VARS, "order": "1" * 257}, ["vars.order"]),
        ({**VARS, "order": 4711}, ["vars.order"]),
        ({**VARS, "order": None}, ["vars.order"]),
        (["order"], ["vars"]),
    ],
)
def test_missing_unused_and_unusable_names_are_errors_with_their_path(given_vars, found):
    assert sorted(wrong(vars=given_vars)) == [("INVALID_VARS", f"messages[0].{path}") for path in found]


def test_a_missing_name_says_where_it_stands_and_an_unused_one_what_was_meant():
    missing, unused = one(vars={"order": "1", "firstname": "Ann"}).problems
    assert missing.message == "is missing: {{first_name}} stands in menus[0].say.text"
    assert unused.message.endswith("stands nowhere in menus; did you mean first_name?")


@pytest.mark.parametrize("envelope", [{}, {"menus": MENUS}])
def test_vars_without_shared_menus_are_an_error(envelope):
    found, _ = read({**envelope, "messages": [entry(menu=saying("a"), vars=VARS), entry(menu=saying("a"))]})
    assert [(problem.code, problem.path) for problem in found.problems] == [("INVALID_VARS", "messages[0].vars")]


def test_other_faults_of_a_message_are_told_with_those_of_its_names():
    assert wrong(vars={"order": "1"}, ttl=1) == [
        ("INVALID_TTL", "messages[0].ttl"),
        ("INVALID_VARS", "messages[0].vars.first_name"),
    ]


# ------------------------------------------------------------------ the menus themselves
@pytest.mark.parametrize(
    "menus",
    [
        with_url("https://{{order}}/"),
        with_url("https://api.example.com:{{order}}/"),
        with_url("{{order}}://api.example.com/"),
        with_url("https://{{order}}@api.example.com/"),
        with_url("{{order}}"),
        with_url("https://api.example.com/?{{order}}=1"),
        with_url("https://api.example.com/?a=1&{{order}}"),
        with_url("https://api.example.com/#{{order}}"),
        with_url("https:\\\\{{order}}/"),
        with_url("https://api.example.com/{{ order }}"),
    ],
)
def test_a_name_of_a_url_stands_in_its_path_or_in_a_value_of_its_query(menus):
    assert refused(menus) == ["menus[0].dtmfActions.d1[0].url"]


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({"headers": {"X-Order": "{{order}}"}}, "headers.X-Order"),
        ({"headers": {"url": "https://a.example.com/{{order}}"}}, "headers.url"),
        ({"body": {"a": {"{{order}}": 1}}}, "body.a"),
        ({"body": {"a": "{{}}"}}, "body.a"),
        ({"body": {"a": ["{{order", "x"]}}, "body.a[0]"),
        ({"body": {"a": "{{1st}}"}}, "body.a"),
        ({"body": {"a": f"{{{{{'a' * 33}}}}}"}}, "body.a"),
    ],
)
def test_braces_elsewhere_and_braces_without_a_name_are_errors(action, path):
    menus = sending({"action": "webhook", "url": "https://a.example.com/", **action})
    assert refused(menus) == [f"menus[0].dtmfActions.d1[0].{path}"]


@pytest.mark.parametrize(
    ("menu", "path"),
    [
        ({"introUrl": "{{order}}"}, "introUrl"),
        ({"introUrl": "welcome_{{order}}"}, "introUrl"),
        ({"say": {"text": "a", "language": "{{order}}"}}, "say.language"),
        ({"play": [{"spell": "1", "recordings": "{{order}}"}]}, "play[0].recordings"),
        ({"play": [{"spell": "a{{order}}", "recordings": "uk_"}]}, "play[0].spell"),
        ({"introUrl": "a", "idleTimeoutMsec": "{{order}}"}, "idleTimeoutMsec"),
    ],
)
def test_other_members_of_a_menu_take_no_names(menu, path):
    assert refused([{**menu, "dtmfActions": {}}]) == [f"menus[0].{path}"]


@pytest.mark.parametrize("menus", [None, {}, "a", [], saying("a") * 21])
def test_menus_are_1_to_20(menus):
    assert refused(menus) == ["menus"]


def test_what_is_wrong_for_every_message_is_told_once_at_its_place_in_the_menus():
    menus = [*MENUS, {"introUrl": "a", "dtmfActions": {"d1": [{"action": "gotoMenu", "menu": 7}]}}]
    assert refused(menus, [entry(vars=VARS)] * 100) == ["menus[2].dtmfActions.d1[0].menu"]
    assert refused(saying("a" * 1501)) == ["menus[0].say.text"]


# ------------------------------------------------------------------ limits, with the values in their places
@pytest.mark.parametrize(
    ("menus", "value", "path"),
    [
        (saying("a" * 1490 + "{{order}}"), "b" * 11, "say.text"),
        (saying("{{order}}"), "  ", "say.text"),
        (with_url("https://a.example.com/" + "a" * 1900 + "{{order}}"), "é" * 100, "dtmfActions.d1[0].url"),
        ([MENUS[1] | {"play": [{"spell": "{{order}}", "recordings": "a"}]}], "12a", "play[0].spell"),
        ([MENUS[1] | {"play": [{"spell": "{{order}}{{order}}", "recordings": "a"}]}], "1" * 11, "play[0].spell"),
        (
            [
                {
                    "introUrl": "a",
                    "dtmfActions": {"d1": [HOOK | {"url": "https://a.b/", "body": {"a": "{{order}}" * 40}}]},
                }
            ],
            '"' * 256,
            "dtmfActions.d1[0].body",
        ),
    ],
)
def test_limits_hold_for_what_is_made_for_each_message(menus, value, path):
    good, bad = read({"menus": menus, "messages": [entry(vars={"order": "1"}), entry(vars={"order": value})]})
    assert good.wanted
    assert [problem.path for problem in bad.problems] == [f"messages[1].menu[0].{path}"]


@pytest.mark.parametrize("value", [".", "..", "%2e", ".%2E"])
@pytest.mark.parametrize("url", ["https://a.example.com/x/{{order}}", "https://a.example.com/x/{{order}}?a={{order}}"])
def test_a_value_makes_no_segment_that_leads_up(url, value):
    encoded = "%" in value  # it is written %252e
    found = one(with_url(url), vars={"order": value})
    assert bool(found.wanted) == encoded
    assert [(problem.code, problem.path) for problem in found.problems] == [
        ("INVALID_VARS", "messages[0].vars.order") for _ in range(not encoded)
    ]
    assert wanted(with_url("https://a.example.com/?a={{order}}"), vars={"order": value})


def test_half_a_segment_that_leads_up_is_none_either():
    menus = with_url("https://a.example.com/x/%2e{{order}}/y")
    assert wrong(menus, vars={"order": "."}) == [("INVALID_VARS", "messages[0].vars.order")]
    assert wanted(menus, vars={"order": "a"})


def test_all_menus_of_a_list_fit_into_one_transaction():
    hook = {"action": "webhook", "url": "https://api.example.com/", "body": {"a": "b" * 8000}}
    menus = [{"introUrl": "a", "dtmfActions": {key: [hook, HANGUP] for key in ("d1", "d2", "d3", "d4", "d5")}}]
    (size,) = [len(dump_menus(found.wanted.menus)) for found in read({"menus": menus, "messages": [entry()]})]
    assert size < MAX_MENUS_BYTES
    fit = MAX_LIST_BYTES // size
    read({"menus": menus, "messages": [entry()] * fit})
    with pytest.raises(PayloadTooLarge, match="in several requests"):
        read({"menus": menus, "messages": [entry()] * (fit + 1)})


def test_menus_that_can_be_right_for_nobody_are_not_tried_with_everybody():
    assert refused([{"introUrl": "a" * 2 * MAX_MENUS_BYTES, "dtmfActions": {}}], [entry()] * 100) == ["menus"]


@pytest.mark.parametrize(
    "hook", [{"url": "https://a.example.com/" + "{{order}}" * 220}, {"body": {"a": "{{order}}" * 800}}]
)
def test_values_that_make_menus_far_too_long_are_never_put_in(monkeypatch, hook):
    hook = {"action": "webhook", "url": "https://a.example.com/", **hook}
    menus = [{"introUrl": "a", "dtmfActions": {f"d{key}": [hook] * 5 for key in range(3)}}]
    lengths = []
    filled = Slot.filled

    def watched(slot, values):
        lengths.append(len(text := filled(slot, values)))
        return text

    monkeypatch.setattr(Slot, "filled", watched)
    assert wrong(menus, vars={"order": "😀" * 256}) == [("INVALID_VARS", "messages[0].vars")]
    assert 0 < max(lengths) <= 800  # only that which stands for a value not known


def test_values_may_stand_in_many_places():
    hook = {**HOOK, "url": "https://a.example.com/", "body": {"a": "{{order}}" * 31}}
    menus = [{"introUrl": "a", "dtmfActions": {"d1": [hook]}}]
    assert wanted(menus, vars={"order": "x" * 256})
