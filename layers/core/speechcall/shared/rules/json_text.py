"""JSON that keeps what was written: numbers as their text, members in their order, and only one reading."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import simplejson

from speechcall.shared.rules.characters import foreign, named, unseen
from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge

MAX_JSON_BYTES = 1024 * 1024
"""Of every body that is read as JSON."""
MAX_DEPTH = 32
MAX_DIGITS = 4300
"""Python reads no longer integers (sys.set_int_max_str_digits)."""
_MOST_INTEGER_DIGITS = 19
"""Of a number that a field for whole numbers may hold: beyond it `1e999999999` would be written out, digit by digit."""


class Written(Decimal):
    """A number whose text is not the one that Python would give it: `1.10`, `1e2`, `-0`.

    In calculations the exact number; as text what was written.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "Written":
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


def parse_json(body: bytes) -> Any:
    """The value in `body`; its numbers are int, or `Written` where an int would be written otherwise.

    Takes time in proportion to the body, whatever it holds. Raises PayloadTooLarge, or MalformedJson with the place.
    """
    if len(body) > MAX_JSON_BYTES:
        raise PayloadTooLarge(f"The body has {len(body)} bytes; at most {MAX_JSON_BYTES} can be taken.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    try:
        value = simplejson.loads(
            text,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
            allow_nan=False,
        )
    except simplejson.JSONDecodeError as error:
        # Of simplejson's messages some have a place for a value (" %r"), and some end as if a number followed (" at").
        what = error.msg.replace(" %r", "").removesuffix(" at")
        where = f"line {error.lineno}, column {error.colno}"
        there = text[error.pos : error.pos + 1]
        stands = f", where {named(there)} stands" if foreign(there) else ""
        raise MalformedJson(f"The body is not JSON: {what} at {where}{stands}.") from error
    except RecursionError as error:
        raise MalformedJson(_TOO_DEEP) from error
    if _is_too_deep(value):
        raise MalformedJson(_TOO_DEEP)
    if _SURROGATE.search(text):
        _check_strings(value)
    return value


def dump_json(value: object) -> str:
    """The JSON text of a value that `parse_json` gave."""
    return str(_ENCODER.encode(value))


def whole(given: object) -> object:
    """An int for a number without a fraction (`10000.0`, `1e4`), as JSON Schema has it; anything else as it is."""
    if not isinstance(given, Decimal | float) or given != given:  # noqa: PLR0124 - NaN is not itself
        return given
    number = Decimal(given)
    if number.is_zero():
        return 0
    fits = number.is_finite() and number.adjusted() < _MOST_INTEGER_DIGITS
    return int(number) if fits and number == number.to_integral_value() else given


_ENCODER = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, separators=(",", ":"))
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Only such an escape can put half a surrogate pair into a string."""

_TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels."


def _integer(text: str) -> int | Written:
    if text == "-0":
        return Written(text)
    if len(text.removeprefix("-")) > MAX_DIGITS:
        raise MalformedJson(f"A number has more than {MAX_DIGITS} digits.")
    return int(text)


def _fraction(text: str) -> Written:
    try:
        return Written(text)
    except InvalidOperation as error:
        raise MalformedJson("The exponent of a number is too large.") from error


def _no_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON value.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Raises MalformedJson for a name that is there twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        met: set[str] = set()
        for name, _ in pairs:
            if name in met:
                _refuse_twice(name)
            met.add(name)
    return members


def _refuse_twice(name: str) -> NoReturn:
    hidden = unseen(name).removeprefix("; ")
    told = f" ({hidden})" if hidden else ""
    shown = name[:64].encode("utf-8", "replace").decode()  # half a surrogate pair could not be sent
    raise MalformedJson(f'The member "{shown}"{told} is twice in one object; once would be right.')


def _is_too_deep(value: Any) -> bool:
    """Whether more than 32 arrays and objects stand in each other; level by level, which costs no call a value."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in (dict, list)
        ]
    return bool(level)


def _check_strings(value: Any) -> None:
    """Refuses half a surrogate pair anywhere in a value: it could not be stored or sent. Raises MalformedJson."""
    match value:
        case str():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise MalformedJson("A string holds half a surrogate pair (\\ud800 to \\udfff).") from error
        case list():
            for item in value:
                _check_strings(item)
        case dict():
            for name, item in value.items():
                _check_strings(name)
                _check_strings(item)
