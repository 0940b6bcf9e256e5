"""JSON that keeps what was written: exact numbers and member order, and only one reading."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import simplejson

from speechcall.domain.errors import MalformedJson

MAX_DEPTH = 32
MAX_DIGITS = 4300
"""Python reads no longer integers (sys.set_int_max_str_digits)."""


def parse_json(body: bytes) -> Any:
    """The value in `body`; fractions come as Decimal. Raises MalformedJson, with line and column."""
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
        what = error.msg.replace(" %r", "").removesuffix(" at")
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"The body is not JSON: {what} at {where}.") from error
    except RecursionError as error:
        raise MalformedJson(_TOO_DEEP) from error
    if _is_too_deep(value):
        raise MalformedJson(_TOO_DEEP)
    if _SURROGATE.search(text):
        _check_strings(value)
    return value


def dump_json(value: Any) -> str:
    """The JSON text of a value that `parse_json` gave."""
    return str(_ENCODER.encode(value))


_ENCODER = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, separators=(",", ":"))
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Only such an escape can put half a surrogate pair into a string."""

_TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels."


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > MAX_DIGITS:
        raise MalformedJson(f"A number has more than {MAX_DIGITS} digits.")
    return int(text)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise MalformedJson("The exponent of a number is too large.") from error


def _no_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON value.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f'The member "{twice[:64]}" stands twice in one object; once would be right.')
    return members


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
