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
    """Which of the names that are not known are refused, and which only warned of. `path`: `messages[0].`.

    A misspelt field may have been meant to prevent a call (`ttl`, `redial`): if it were ignored, the phone would ring.
    So a name that is near to a known one is refused. `strict`: every unknown name is.
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
