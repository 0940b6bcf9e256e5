"""Callees as JSON: read and checked. docs/rehearsal.md explains them, docs/callees.schema.json is their schema."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from speechcall.menus.rules.menu import KEYS
from speechcall.rehearsal.rules.callees import (
    CAUSES,
    HANDLING_SECONDS,
    Between,
    Callees,
    Fixed,
    Measured,
    Seconds,
    Spread,
)
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.spelling import Names

CODE = "INVALID_CALLEES"
MOST_RING_SECONDS, MOST_TALK_SECONDS, MOST_HANDLING_SECONDS = 120, 3600, 60
MOST_VALUES = 1000
_ENDS = ("from", "to")
LEAST_SECONDS = Decimal("0.001")
"""Of a median: nothing has half of itself below zero."""
PRESSED = tuple(key.removeprefix("d") for key in KEYS)
_REQUIRED = ("outcomes", "ringSeconds", "talkSeconds")
_MEMBERS = (*_REQUIRED, "keys", "handlingSeconds")
_EXAMPLES: Mapping[str, str] = {
    "callees": '{"outcomes": {"answered": 0.7, "noAnswer": 0.3}, "ringSeconds": 8, "talkSeconds": 40}',
    "outcomes": '{"answered": 0.6, "noAnswer": 0.25, "busy": 0.1, "invalidNumber": 0.05}',
    "keys": '{"1": 0.4, "9": 0.02}',
    "seconds": '8, {"from": 3, "to": 15}, {"median": 30, "p95": 90} or {"values": [12, 30, 55]}',
}


class _Wrong(Exception):
    """One place cannot be read: where, and what would be right."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(CODE, path, text)


class _Form(NamedTuple):
    """A way to write a distribution."""

    members: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str, int], Seconds]


def read_callees(given: Any, path: str = "callees") -> tuple[Callees | None, list[Problem]]:
    """The callees of a JSON object; or None, and of each of its members the first problem."""
    if not isinstance(given, dict):
        return None, [Problem(CODE, path, f"must be an object such as {_EXAMPLES['callees']}")]
    problems = [*_unknown(given, _MEMBERS, path)]
    problems += [
        Problem(CODE, f"{path}.{name}", f"is missing; an example is {_example(name)}")
        for name in _REQUIRED
        if name not in given
    ]
    found: dict[str, Any] = {}
    for name, read in _READ.items():
        if name in given:
            try:
                found[name] = read(given[name], f"{path}.{name}")
            except _Wrong as wrong:
                problems.append(wrong.problem)
    if problems:
        return None, problems
    return Callees(
        outcomes=found["outcomes"],
        ring_seconds=found["ringSeconds"],
        talk_seconds=found["talkSeconds"],
        keys=found.get("keys", {}),
        handling_seconds=found.get("handlingSeconds", HANDLING_SECONDS),
    ), []


def _example(name: str) -> str:
    return _EXAMPLES.get(name, _EXAMPLES["seconds"])


def _unknown(given: Mapping[str, Any], known: Iterable[str], path: str) -> list[Problem]:
    """A problem for each member that is not known, with the name that was probably meant."""
    known = tuple(known)
    problems = []
    for name in given:
        if name not in known:
            meant = Names(known).meant_by(name)
            hint = f"; did you mean {meant}?" if meant else f"; known are {', '.join(known)}"
            problems.append(Problem(CODE, path, f'has an unknown member "{name[:64]}"{hint}'))
    return problems


def _number(given: Any, path: str, least: Decimal | int, most: int, example: str) -> Decimal:
    is_number = isinstance(given, int | Decimal | float) and not isinstance(given, bool)
    number = Decimal(str(given)) if is_number else None
    if number is None or not number.is_finite() or not least <= number <= most:
        raise _Wrong(path, f"must be a number from {least} to {most}; an example is {example}")
    return number


def _outcomes(given: Any, path: str) -> dict[str, float]:
    shares = _shares(given, CAUSES, path, _EXAMPLES["outcomes"])
    total = sum(shares.values())
    if total != 1:
        raise _Wrong(path, f"has shares whose sum is {total}; it must be 1, as in {_EXAMPLES['outcomes']}")
    return _floats(shares)


def _keys(given: Any, path: str) -> dict[str, float]:
    shares = _shares(given, PRESSED, path, _EXAMPLES["keys"])
    total = sum(shares.values())
    if total > 1:
        raise _Wrong(path, f"has shares whose sum is {total}; it must be at most 1, as in {_EXAMPLES['keys']}")
    return _floats(shares)


def _shares(given: Any, known: Iterable[str], path: str, example: str) -> dict[str, Decimal]:
    if not isinstance(given, dict):
        raise _Wrong(path, f"must be an object with shares, such as {example}")
    if unknown := _unknown(given, known, path):
        raise _Wrong(path, unknown[0].message)
    return {name: _number(share, f"{path}.{name}", 0, 1, example) for name, share in given.items()}


def _floats(shares: Mapping[str, Decimal]) -> dict[str, float]:
    return {name: float(share) for name, share in shares.items()}


def _seconds(most: int) -> Callable[[Any, str], Seconds]:
    """What reads seconds of at most `most`: a number, or one of the ways to write a distribution."""

    def read(given: Any, path: str) -> Seconds:
        if not isinstance(given, dict):
            return Fixed(float(_number(given, path, 0, most, _EXAMPLES["seconds"])))
        form = next((one for one in _FORMS if set(one.members) == set(given)), None)
        if form is None:
            raise _Wrong(path, f"must be seconds, or how they are distributed: {_EXAMPLES['seconds']}")
        return form.read(given, path, most)

    return read


def _between(given: Mapping[str, Any], path: str, most: int) -> Between:
    least, largest = (_number(given[name], f"{path}.{name}", 0, most, '{"from": 3, "to": 15}') for name in _ENDS)
    if least > largest:
        raise _Wrong(
            path, f'goes from {least} down to {largest}; from must not be above to, as in {{"from": 3, "to": 15}}'
        )
    return Between(float(least), float(largest))


def _spread(given: Mapping[str, Any], path: str, most: int) -> Spread:
    example = '{"median": 30, "p95": 90}'
    median, p95 = (_number(given[name], f"{path}.{name}", LEAST_SECONDS, most, example) for name in ("median", "p95"))
    if median > p95:
        raise _Wrong(
            path, f"has a median of {median} above its p95 of {p95}; half is less than 95 of a hundred: {example}"
        )
    return Spread(float(median), float(p95))


def _measured(given: Mapping[str, Any], path: str, most: int) -> Measured:
    values, example = given["values"], '{"values": [12, 30, 55]}'
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_VALUES:
        raise _Wrong(f"{path}.values", f"must be an array of 1 to {MOST_VALUES} numbers, such as {example}")
    read = [_number(one, f"{path}.values[{at}]", 0, most, example) for at, one in enumerate(values)]
    return Measured(tuple(sorted(map(float, read))))


_FORMS = (
    _Form(_ENDS, _between),
    _Form(("median", "p95"), _spread),
    _Form(("values",), _measured),
)
_READ: Mapping[str, Callable[[Any, str], Any]] = {
    "outcomes": _outcomes,
    "ringSeconds": _seconds(MOST_RING_SECONDS),
    "talkSeconds": _seconds(MOST_TALK_SECONDS),
    "keys": _keys,
    "handlingSeconds": lambda given, path: float(_number(given, path, 0, MOST_HANDLING_SECONDS, "1")),
}
