"""Names in shared menus, such as {{order}}: where they may stand, and how a message's values are put in their places.

A value is put in once and never read again, and cannot leave its place: in a URL it is percent-encoded, and is no
segment that leads up (`..`); a body is written as JSON afterwards; Amazon Polly is given plain text, no SSML.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.spelling import Names

MOST_CHARACTERS = 256
"""Of a value."""
MOST_NAMES = 100
"""Of a message's `vars`."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)
SHORTEST = "1"
"""Stands for a value that is not known: whatever is wrong with it in a place is wrong with every value there."""

_PLACE = re.compile(rf"\{{\{{({NAME.pattern})\}}\}}", re.ASCII)
_HOST = re.compile(r"https?://[^/?#\\]*", re.IGNORECASE)
_PATH = re.compile(r"[^?#]*")
_SEGMENT = re.compile(r"[/\\]")
_UP = (".", "..")
_BRACES = "has {{ without a name behind it, such as {{order}}"
_WHERE = (
    "a name such as {{order}} may stand in what is said or spelt, in the strings of a webhook's body, and in the path "
    "and the values of the query of a URL"
)


class Slot(NamedTuple):
    """A text of the menus that has names, where it is, and how a value is written there."""

    path: str
    text: str
    write: Callable[[str], str]

    def names(self) -> list[str]:
        """The names in it."""
        return _PLACE.findall(self.text)

    def filled(self, values: "Written") -> str:
        """The text with the values."""
        written = values[self.write]
        return _PLACE.sub(lambda found: written[found[1]], self.text)

    def leads_up(self, values: "Written") -> str | None:
        """The first name in a segment of a URL's path that values make `.` or `..`, which leads up; None: none is."""
        if self.write is not _quoted:  # only names in URLs are written by `_quoted`
            return None
        # As many segments as before: what is quoted has neither / nor backslash.
        segments = zip(_segments(self.text), _segments(self.filled(values)), strict=True)
        return next((_PLACE.findall(old)[0] for old, new in segments if old != new and _plain(new) in _UP), None)


Written = Mapping[Callable[[str], str], Mapping[str, str]]
"""A message's values as they stand in its menus, by how they are written there: each is written once for all places."""


class Template(NamedTuple):
    """Menus as they were given, with the places of their names."""

    menus: Any
    slots: dict[Any, Any]
    """From the index or the name of a member to those inside it, and at last to a Slot."""
    names: Mapping[str, str]
    """Each name, and where it stands first."""
    places: Mapping[tuple[Callable[[str], str], str], int]
    """How often each name stands in them, by how its value is written there."""

    def filled(self, values: Mapping[str, str]) -> Any:
        """The menus with the values; what has no names is not copied."""
        return _filled(self.menus, self.slots, _written(values))

    def characters(self, values: Mapping[str, str]) -> int:
        """How many characters the values have in all their places together: known without putting them there."""
        written = _written(values)
        return sum(count * len(written[write][name]) for (write, name), count in self.places.items())

    def problems(self, given: Mapping[str, str], path: str) -> Iterator[Problem]:
        """What is wrong with a message's values in these menus; `path` is where they are (`messages[0].vars`)."""
        for name, place in self.names.items():
            if name not in given:
                yield Problem("INVALID_VARS", f"{path}.{name}", f"is missing: {{{{{name}}}}} stands in {place}")
        known = Names(tuple(self.names))
        for name in given:
            if name not in self.names:
                meant = known.meant_by(name)
                hint = f"; did you mean {meant}?" if meant else ""
                text = f"is not used: {{{{{name}}}}} stands nowhere in menus{hint}"
                yield Problem("INVALID_VARS", f"{path}.{name}", text)
        values = _written({**dict.fromkeys(self.names, SHORTEST), **given})
        for slot in _all(self.slots):
            if up := slot.leads_up(values):
                text = f'must not make a part of the path of {slot.path} "." or "..", which leads elsewhere'
                yield Problem("INVALID_VARS", f"{path}.{up}", text)


def read_template(menus: Any, path: str) -> tuple[Template, list[Problem]]:
    """Menus as they were given, of whatever form, with their names, and what is wrong with the places of the names.

    `path` is where the menus are (`menus`).
    """
    problems: list[Problem] = []
    slots = _slots(menus, path, (), problems) or {}
    names: dict[str, str] = {}
    places: Counter[tuple[Callable[[str], str], str]] = Counter()
    for slot in _all(slots):
        for name in slot.names():
            names.setdefault(name, slot.path)
            places[slot.write, name] += 1
    return Template(menus, slots, names, places), problems


def _slots(value: Any, path: str, within: tuple[str, ...], problems: list[Problem]) -> Any:
    """The slots inside a value (see `Template.slots`); None or empty: it has none. Adds what is wrong to `problems`.

    `within`: the names of the members around it, the outermost first.
    """
    if isinstance(value, list):
        inside = {index: _slots(one, f"{path}[{index}]", within, problems) for index, one in enumerate(value)}
        return {index: one for index, one in inside.items() if one}
    if isinstance(value, dict):
        if any("{{" in name for name in value):
            problems.append(Problem("INVALID_MENU", path, f"has a member with {{{{ in its own name; {_WHERE}"))
        inside = {name: _slots(one, f"{path}.{name}", (*within, name), problems) for name, one in value.items()}
        return {name: one for name, one in inside.items() if one}
    if not isinstance(value, str) or "{{" not in value:
        return None
    write = _write(within)
    if write is None:
        problems.append(Problem("INVALID_MENU", path, f"has {{{{ where no value can stand; {_WHERE}"))
    elif "{{" in _PLACE.sub("", value):
        problems.append(Problem("INVALID_MENU", path, _BRACES))
    elif write is _quoted and (why := _wrong_in_url(value)):
        problems.append(Problem("INVALID_MENU", path, f"{why}; {_WHERE}"))
    else:
        return Slot(path, value, write)
    return None


def _write(within: tuple[str, ...]) -> Callable[[str], str] | None:
    """How a value is written inside these members; None: it may not stand there."""
    if "body" in within[:-1] or within[-2:] == ("say", "text") or within[-1:] == ("spell",):
        return str
    # A header may have the name `url`.
    is_url = within[-1:] in (("url",), ("introUrl",), ("audio",)) and "headers" not in within
    return _quoted if is_url else None


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _written(values: Mapping[str, str]) -> Written:
    return {str: values, _quoted: {name: _quoted(value) for name, value in values.items()}}


def _wrong_in_url(url: str) -> str | None:
    """What is wrong with the places of the names in a URL; None: nothing."""
    host = _HOST.match(url)
    if host is None:
        return "has a name, and is no URL"
    if "{{" in host[0]:
        return "has a name in its host"
    for found in _PLACE.finditer(url):
        before = url[host.end() : found.start()]
        _, is_query, query = before.partition("?")
        if "#" in before:
            return "has a name behind #"
        if is_query and "=" not in query.rpartition("&")[2]:
            return "has a name in the query before its ="
    return None


def _segments(url: str) -> list[str]:
    host = _HOST.match(url)
    path = _PATH.match(url, host.end() if host else 0)
    return _SEGMENT.split(path[0] if path else "")


def _plain(segment: str) -> str:
    return segment.lower().replace("%2e", ".")


def _all(slots: Any) -> Iterator[Slot]:
    if isinstance(slots, Slot):
        yield slots
    else:
        for inside in slots.values():
            yield from _all(inside)


def _filled(value: Any, slots: Any, values: Written) -> Any:
    """A value with its slots filled. Only what has slots in it is copied."""
    if isinstance(slots, Slot):
        return slots.filled(values)
    copy = value.copy()
    for place, inside in slots.items():
        copy[place] = _filled(value[place], inside, values)
    return copy
