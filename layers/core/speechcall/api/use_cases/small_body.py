"""A request's body of few members, all of them known: nothing is passed over."""

from collections.abc import Sequence
from typing import Any

from speechcall.api.use_cases.request_problems import shown
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidRequest, Problem
from speechcall.shared.rules.json_text import parse_json

MOST_PROBLEMS = 20


def small_body(body: bytes, known: Sequence[str], example: str) -> dict[str, Any]:
    """The members of an object; an empty body counts as one without members. Raises MalformedJson, InvalidRequest.

    `example`, such as `{"since": "2026-12-01T07:00:00Z"}`, is shown as what is right where the body is no object.
    """
    if not body.strip():
        return {}
    given = parse_json(body)
    if not isinstance(given, dict):
        raise unusable([Problem("INVALID_REQUEST", "", f"must be {example}")])
    valid = f"{' and '.join(known)} {'is' if len(known) == 1 else 'are'}" if known else "nothing is"
    problems = [
        Problem("INVALID_REQUEST", shown(name), f"is not known here; {valid}{foreign(name)}")
        for name in given
        if name not in known
    ]
    if problems:
        raise unusable(problems)
    return given


def unusable(problems: Sequence[Problem]) -> InvalidRequest:
    """The refusal of a request whose body or query has problems."""
    return InvalidRequest("The request cannot be used.", problems[:MOST_PROBLEMS])
