"""What a menu plays: a file, a spoken text, or parts that are joined to one prompt before the call."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from speechcall.menus.rules.speech import Say

if TYPE_CHECKING:
    from speechcall.menus.rules.menu import Menu, Repeat

MOST_PARTS, MOST_DIGITS, MOST_PAUSE_MSEC = 20, 20, 10_000

_PREFIX = "play:"


class Audio(NamedTuple):
    """A file: a URL, or an uploaded prompt's identifier."""

    name: str


class Pause(NamedTuple):
    """Silence."""

    msec: int


Part = Audio | Say | Pause


class Introduction(NamedTuple):
    """What one prompt is made of. `name` stands for it: a URL, an identifier, or what its text or its parts come to."""

    name: str
    say: Say | None = None
    parts: tuple[Part, ...] = ()


def name_of_parts(parts: Sequence[Part]) -> str:
    """One name for what is joined of the same parts."""
    return _PREFIX + hashlib.sha256(json.dumps([*map(dump_part, parts)]).encode()).hexdigest()


def is_joined(name: str) -> bool:
    """Whether it is the name of joined parts; no URL and no identifier begins so."""
    return name.startswith(_PREFIX)


def heard_part(part: Part) -> Introduction | None:
    """The introduction that a part is by itself; None: silence."""
    match part:
        case Audio(name):
            return Introduction(name)
        case Say():
            return Introduction(part.name, part)
        case Pause():
            return None
        case _:
            assert_never(part)


def introductions(menus: Iterable["Menu"]) -> list[Introduction]:
    """All audio that has to be ready before a call, menu by menu; a prompt that is joined comes behind its parts."""
    found = []
    for plays in _playing(menus):
        found += [one for one in map(heard_part, plays.play) if one]
        found.append(Introduction(plays.intro, plays.say, plays.play))
    return found


def _playing(menus: Iterable["Menu"]) -> "Iterator[Menu | Repeat]":
    """All that plays something of its own: each menu, and its repeats where these play something else."""
    for menu in menus:
        yield menu
        if menu.repeat and menu.repeat.intro:
            yield menu.repeat


def seconds_of_parts(menus: Iterable["Menu"], seconds: Mapping[str, float]) -> dict[str, float]:
    """How many seconds introductions of parts last, by their names: those of which every part's length is known.

    `seconds`: lengths by names. What is not of parts is left out.
    """
    found = {}
    for plays in _playing(menus):
        lengths = [seconds.get(one.name) if (one := heard_part(part)) else None for part in plays.play]
        pauses = [part.msec / 1000 for part in plays.play if isinstance(part, Pause)]
        known = [length for length in lengths if length is not None]
        if plays.play and len(known) + len(pauses) == len(plays.play):
            found[plays.intro] = sum(known) + sum(pauses)
    return found


def dump_part(part: Part) -> list[Any]:
    """A part as it is stored."""
    match part:
        case Audio(name):
            return ["audio", name]
        case Say(text, language, voice):
            return ["say", text, language, voice]
        case Pause(msec):
            return ["pause", msec]
        case _:
            assert_never(part)


def load_part(stored: Sequence[Any]) -> Part:
    """The part that `dump_part` wrote. Raises ValueError for one of a later release."""
    match stored:
        case ["audio", name]:
            return Audio(name)
        case ["say", text, language, voice]:
            return Say(text, language, voice)
        case ["pause", msec]:
            return Pause(msec)
        case _:
            raise ValueError(f"a stored menu plays an unknown part {stored[:1]!r}")
