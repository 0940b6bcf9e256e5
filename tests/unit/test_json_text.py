"""JSON that keeps what was written, with only one reading."""

import contextlib
import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge
from speechcall.shared.rules.json_text import MAX_JSON_BYTES, Written, dump_json, parse_json, whole

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
    [
        *(
            "1.10",
            "1180591620717411303424",
            "-0.0",
            "1E+400",
            "0.1",
            '"\\u0000"',
            '{"b":1,"a":{"z":[],"y":null}}',
            "true",
        ),
        *("-0", "1e2", "0.0000001", "1e5", "1E5", "1e+5", "1.0E-7", "0e0", "-0e-0", "100e-2", "1e400", "0.10e010"),
        *('{"a":-0,"b":1e2,"c":0.0000001}', "[-0,[1e2,{}],-1.50]", "0." + "0" * 5000 + "1"),
    ],
)
def test_what_was_written_is_written_again(text):
    assert dump_json(parse_json(text.encode())) == text


exponents = st.one_of(st.just(""), st.from_regex(r"[eE][+-]?[0-9]{1,6}", fullmatch=True))
lexemes = st.builds(
    lambda sign, integer, fraction, exponent: sign + integer + fraction + exponent,
    st.sampled_from(["", "-"]),
    st.from_regex(r"0|[1-9][0-9]{0,30}", fullmatch=True),
    st.one_of(st.just(""), st.from_regex(r"\.[0-9]{1,30}", fullmatch=True)),
    exponents,
)


@given(lexemes)
def test_every_number_of_json_arrives_as_it_was_written(text):
    assert dump_json(parse_json(text.encode())) == text
    assert parse_json(text.encode()) == Decimal(text)


@given(lexemes)
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(text):
    value, exact = whole(parse_json(text.encode())), Decimal(text)
    if abs(exact) < 10**19 and exact == exact.to_integral_value():
        assert type(value) is int
        assert value == int(exact)
    else:
        assert type(value) is not int or len(text.strip("-")) > 19


@pytest.mark.parametrize("given_value", [True, False, None, "10000.0", [1.0], float("inf"), float("nan"), 1.5, 10**30])
def test_nothing_else_becomes_an_integer(given_value):
    assert whole(given_value) is given_value


@pytest.mark.parametrize("text", ["1e999999999999999999", "-1e400", "1e-999999999999999999", "10.5", "9" * 25 + ".0"])
def test_a_number_that_no_field_holds_is_not_written_out(text):
    assert isinstance(whole(parse_json(text.encode())), Written)


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
        (b'{"a":1,"b":{"to":1,"to":2}}', '"to" is twice'),
        (b'{"a":1,"\\u0061":2}', '"a" is twice'),
        (b'"\\ud83d"', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b"9" * 5000, "number"),
        (b'{"a":-' + b"9" * 4301 + b"}", "number"),
        (b"1e9999999999999999999", "number"),
        (b"[1e-9999999999999999999]", "number"),
        ('{"a\u200b":1,"b":0,"a\u200b":2}'.encode(), "character 2 is U+200B ZERO WIDTH SPACE"),
        ('{\u00a0"a":1}'.encode(), "line 1, column 2, where U+00A0 NO-BREAK SPACE stands"),
        ('{"a":\u201c1\u201d}'.encode(), "where U+201C LEFT DOUBLE QUOTATION MARK stands"),
        (b'{"a":"\t"}', "where U+0009 CHARACTER TABULATION stands"),
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


def test_more_than_a_mebibyte_is_not_read():
    assert parse_json(b"1" + b" " * (MAX_JSON_BYTES - 1)) == 1
    with pytest.raises(PayloadTooLarge):
        parse_json(b"1" + b" " * MAX_JSON_BYTES)


def repeated(unit, size):
    return b",".join([unit] * (size // (len(unit) + 1)))


# What makes a reader look again and again, in a body of about `size` bytes
DEAR = {
    "a member that is twice, last": lambda size: (
        b"{" + b",".join(b'"%07x":0' % one for one in range(size // 12)) + b',"twice":1,"twice":1}'
    ),
    "names that begin alike": lambda size: (
        b"{" + b",".join(b'"' + b"a" * 60 + b'%07x":0' % one for one in range(size // 72)) + b"}"
    ),
    "levels": lambda size: b"[" * size,
    "levels beside each other": lambda size: b"[" + repeated(b"[" * 31 + b"]" * 31, size) + b"]",
    "levels that are too many, beside each other": lambda size: b"[" + repeated(b"[" * 90 + b"]" * 90, size) + b"]",
    "an integer": lambda size: b"1" * size,
    "long integers": lambda size: b"[" + repeated(b"9" * 4300, size) + b"]",
    "a fraction": lambda size: b"0." + b"1" * size,
    "fractions": lambda size: b"[" + repeated(b"1.5e7", size) + b"]",
    "an exponent": lambda size: b"1e" + b"0" * size + b"1",
    "large exponents": lambda size: b"[" + repeated(b"1e999999999999", size) + b"]",
    "escapes": lambda size: b'"' + b"\\u0041" * (size // 6) + b'"',
    "pairs, and half of one": lambda size: b"[" + repeated(b'"\\ud83d\\ude00"', size) + b',"\\ud83d"]',
    "an error behind many lines": lambda size: b"\n" * size + b"x",
    "an error behind many values": lambda size: b"[" + repeated(b"[0,{}]", size) + b"x",
    "a string without an end": lambda size: b'"' + b"\\\\" * (size // 2),
}


@pytest.mark.parametrize("kind", DEAR)
def test_the_time_for_a_body_grows_as_its_size(kind):
    def seconds(size):
        body, best = DEAR[kind](size), 9.0
        for _ in range(3):
            begin = time.process_time()
            with contextlib.suppress(MalformedJson):
                parse_json(body)
            best = min(best, time.process_time() - begin)
        return best

    small, large = 8_000, 128_000
    # Sixteen times the size: what grows with its square takes 256 times as long, and at least these bodies seconds
    assert seconds(large) < 60 * max(seconds(small), 0.000_5)


@given(st.binary(max_size=60))
def test_no_bytes_fail_in_another_way(body):
    try:
        value = parse_json(body)
    except MalformedJson:
        return
    assert parse_json(dump_json(value).encode()) == value


@pytest.mark.parametrize("name", [r"\ud83a", r"a\udc00b", r"\ud83d\ude00\ud83d"])
def test_a_refusal_that_names_half_a_surrogate_pair_can_be_sent(name):
    with pytest.raises(MalformedJson, match="is twice") as refusal:
        parse_json(f'{{"{name}": 1, "{name}": 2}}'.encode())
    refusal.value.message.encode()
