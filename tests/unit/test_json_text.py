"""JSON that keeps what was written, with only one reading."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.application.json_text import dump_json, parse_json
from speechcall.domain.errors import MalformedJson

texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.one_of(
    st.integers(-(2**80), 2**80),
    st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: any(c in str(number) for c in ".E")),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


@given(values)
def test_any_value_comes_back_as_it_was(value):
    text = dump_json(value)
    again = parse_json(text.encode())
    assert again == value
    assert dump_json(again) == text


@given(st.dictionaries(texts, st.integers(), max_size=8))
def test_members_keep_their_order(value):
    assert list(parse_json(dump_json(value).encode())) == list(value)


@pytest.mark.parametrize(
    "text",
    ["1.10", "1180591620717411303424", "-0.0", "1E+400", "0.1", '"\\u0000"', '{"b":1,"a":{"z":[],"y":null}}', "true"],
)
def test_what_was_written_is_written_again(text):
    assert dump_json(parse_json(text.encode())) == text


def test_text_is_kept_whatever_its_letters():
    assert parse_json('{"є":"✓😀\\u2028"}'.encode()) == {"є": "✓😀\u2028"}
    assert json.loads(dump_json({"є": "✓😀\u2028"})) == {"є": "✓😀\u2028"}


def test_a_number_of_thousands_of_digits_is_a_number():
    assert parse_json(b"9" * 4300) == 10**4300 - 1
    assert parse_json(b"0." + b"1" * 5000) == Decimal("0." + "1" * 5000)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "line 1, column 1"),
        (b" \n ", "is not JSON"),
        (b"{", "line 1"),
        (b'{"a":1,}', "line 1"),
        (b"[1,]", "line 1, column 3"),
        (b'{\n "a": x}', "line 2, column 7"),
        (b"{} {}", "line 1, column 4"),
        (b"'a'", "line 1, column 1"),
        (b"01", "line 1"),
        (b".5", "line 1"),
        (b"+1", "line 1"),
        (b"1_0", "line 1"),
        (b"True", "line 1"),
        (b'"\x01"', "line 1"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b'{"a":1,"b":{"to":1,"to":2}}', '"to" stands twice'),
        (b'{"a":1,"\\u0061":2}', '"a" stands twice'),
        (b'"\\ud83d"', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b"9" * 5000, "number"),
        (b'{"a":-' + b"9" * 4301 + b"}", "number"),
        (b"1e9999999999999999999", "number"),
        (b"[1e-9999999999999999999]", "number"),
        (b"[" * 33 + b"]" * 33, "deeper than 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
        (b"[" * 100_000, "deeper than 32"),
        (b'{"a":' * 100_000, "deeper than 32"),
    ],
)
def test_what_has_no_reading_or_two_is_refused_and_told_why(body, says):
    with pytest.raises(MalformedJson) as refused:
        parse_json(body)
    assert says in refused.value.message
    assert len(refused.value.message) < 200
    assert "sys." not in refused.value.message
    assert "%" not in refused.value.message


@pytest.mark.parametrize("inside", [b"", b"1", b'"a"', b"null"])
def test_32_levels_are_not_too_deep_whatever_they_hold(inside):
    parse_json(b"[" * 32 + inside + b"]" * 32)


@given(st.binary(max_size=60))
def test_no_bytes_fail_in_another_way(body):
    try:
        value = parse_json(body)
    except MalformedJson:
        return
    assert parse_json(dump_json(value).encode()) == value
