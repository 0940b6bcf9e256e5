"""What a request to stop something says: its body and its query."""

from collections.abc import Mapping

from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidRequest, Problem
from speechcall.shared.rules.json_text import parse_json

HANGUP = "hangup"
_VALID = {True: f'an object such as {{"{HANGUP}": true}}, or nothing', False: "nothing, or an object without members"}
MOST_SHOWN = 64


def hangs_up(body: bytes, query: Mapping[str, str], *, may_hang_up: bool = True) -> bool:
    """Whether calls in progress are to be ended too, as body and query of a request say. An empty body: they are not.

    Raises MalformedJson, PayloadTooLarge, InvalidRequest.
    `may_hang_up`: False for what ends no call. No unknown name is passed over: a misspelled `hangup` would
    leave calls in progress.
    """
    if HANGUP in query:
        where = f'belongs into the body: {{"{HANGUP}": true}}' if may_hang_up else "is not known here"
        raise _unusable([Problem("INVALID_REQUEST", HANGUP, where)])
    if not body.strip():
        return False
    given = parse_json(body)
    if not isinstance(given, dict):
        raise _unusable([Problem("INVALID_REQUEST", "", f"must be {_VALID[may_hang_up]}")])
    known = {HANGUP} if may_hang_up else set[str]()
    problems = [_unknown(name, known) for name in given if name not in known]
    if may_hang_up and not isinstance(given.get(HANGUP, False), bool):
        value = given[HANGUP]
        said = foreign(value) if isinstance(value, str) else ""
        problems.append(Problem("INVALID_REQUEST", HANGUP, f"must be true or false{said}"))
    if problems:
        raise _unusable(problems)
    return bool(given.get(HANGUP, False))


def _unknown(name: str, known: set[str]) -> Problem:
    shown = name.encode()[:MOST_SHOWN].decode(errors="ignore")
    valid = f'"{HANGUP}" is' if known else "nothing is"
    return Problem("INVALID_REQUEST", shown, f"is not known here; {valid}{foreign(shown)}")


def _unusable(problems: list[Problem]) -> InvalidRequest:
    return InvalidRequest("The request cannot be used.", problems[:20])
