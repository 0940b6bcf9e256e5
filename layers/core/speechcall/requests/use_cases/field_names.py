"""The names of fields that mean nothing here: harmless, or a known one that was mistyped."""

from collections.abc import Iterable
from typing import NamedTuple

from speechcall.api.use_cases.request_problems import MAX_PROBLEMS, shown
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.spelling import Names

CODE = "UNKNOWN_FIELD"


class UnknownFields(NamedTuple):
    """What is refused for the name of a field, and what its sender is told of. At most 20 of each."""

    problems: list[Problem]
    warnings: list[Problem]


def judge_names(unknown: Iterable[str], known: Names, path: str, *, strict: bool) -> UnknownFields:
    """Of names that are not known: which are refused. `path` stands before them (`messages[0].`).

    A field with which somebody wanted to hold a call back (`ttl`, `redial`) and that is passed over for its spelling
    lets the phone ring: so what is near to a known name is refused. `strict`: all are.
    """
    found = UnknownFields([], [])
    for name in unknown:
        place, hidden = f"{path}{shown(name)}", foreign(name)
        if meant := known.meant_by(name):
            found.problems.append(Problem(CODE, place, f"is not known here; did you mean {meant}?{hidden}"))
        elif strict:
            found.problems.append(Problem(CODE, place, f"is not known here, and strict=true refuses that{hidden}"))
        elif len(found.warnings) < MAX_PROBLEMS:
            found.warnings.append(Problem(CODE, place, f"is not known here and changes nothing{hidden}"))
        if len(found.problems) == MAX_PROBLEMS:
            break
    return found
