"""Which known name somebody meant who wrote another: for a mistake that would otherwise go unnoticed."""

import unicodedata
from collections.abc import Iterable

_SHORT = 2
"""Letters. One edit makes nearly any word of this length out of any other: `to` is `no`, `id` is `it`."""


class Names:
    """The known names of a place."""

    def __init__(self, known: Iterable[str]) -> None:
        self._folded = {name: _folded(name) for name in known}

    def meant_by(self, name: str) -> str | None:
        """The known name that an unknown one is near to, or None.

        Near is what differs in case, width, `_`, `-`, spaces and other signs alone, or in one letter that is too much,
        missing, wrong, or has changed places with the next one. A known name of one or two letters: only what differs
        in signs, in a final `s`, or in the order of its letters.
        """
        given = _folded(name)
        for known, folded in self._folded.items():
            if given == folded:
                return known
        for known, folded in self._folded.items():
            if len(folded) <= _SHORT:
                if given == folded + "s" or given == folded[::-1]:
                    return known
            elif _is_one_edit(given, folded) or _is_one_edit(name, known):
                return known
        return None


def _folded(name: str) -> str:
    return "".join(filter(str.isalnum, name if name.isascii() else unicodedata.normalize("NFKC", name))).casefold()


def _is_one_edit(one: str, other: str) -> bool:
    """Whether one insertion, deletion, substitution or transposition of neighbours makes the other of one."""
    if not -1 <= len(one) - len(other) <= 1:
        return False
    at = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        at += 1
    left, right = one[at:], other[at:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])  # the first two, the other way round
    )


def in_camel_case(name: str) -> str:
    """A name of Python's as the API's are written: `calls_per_day` is `callsPerDay`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
