"""Where callees get to in the menus of a campaign: numbers for each menu, added up when a call attempt ends.

A menu that was asked was left in exactly one way: by a key, by silence (nothing in time), because the callee hung up,
or otherwise (`interrupted`: it could not be played, or our side ended the call). So the first number is the sum of the
others. The seconds to a key are counted in buckets, from the moment at which the menu was decided (so its introduction
is among them) until the key: an item needs no more for ten million calls than for ten.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

HUNG_UP, INTERRUPTED, SILENCE, OTHER_KEY = "hungUp", "interrupted", "idle", "other"
COMPLETE = "complete"
"""As many digits as a menu asks for, in the place of a key."""
BUCKET_SECONDS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
"""The upper bounds of the buckets, each in its bucket; one more bucket has all that is longer."""
BUCKETS = len(BUCKET_SECONDS) + 1
MOST_VISITS = 100
"""Menus of one call that are counted, the first ones. A stack may allow a call more (`MaxMenuVisits`, 50), and the
update would exceed DynamoDB's bounds (300 operators, 4 KB)."""
KEYS = (*(f"d{digit}" for digit in range(10)), "d*", "d#", COMPLETE, OTHER_KEY)
_COUNTER = re.compile(r"m([0-9]{1,2})([a-z])([a-z0-9]?)")
_CODES = {**{f"d{digit}": str(digit) for digit in range(10)}, "d*": "s", "d#": "h", COMPLETE: "c", OTHER_KEY: "o"}


@dataclass(frozen=True, slots=True)
class Visit:
    """A menu that was asked, and how it was left: a key, `idle`, `hungUp` or `interrupted`."""

    menu: int
    """From 0."""
    left_by: str
    msec: int | None = None
    """How long after it was decided that the menu follows; it counts only for a key. None: it was left by the end."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one call attempt."""

    was_answered: bool = False
    visits: tuple[Visit, ...] = ()


@dataclass(slots=True)
class MenuFunnel:
    """The numbers of one menu."""

    asked: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    silence: int = 0
    hung_up: int = 0
    interrupted: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)


@dataclass(slots=True)
class Funnel:
    """The numbers of all calls with menus of one shape."""

    shape: str
    example_mid: str = ""
    """A message with these menus."""
    calls: int = 0
    """Call attempts that have ended."""
    answered: int = 0
    menus: dict[int, MenuFunnel] = field(default_factory=dict)


def counted(heard: Heard) -> Counter[str]:
    """What one call attempt adds, by the name of a counter: `calls`, `answered`, and of menu 3 `m3a` (asked), `m3i`
    (silence), `m3u` (hung up), `m3x` (interrupted), `m3k1` (key d1: see `_CODES`), `m3b2` (its time in bucket 2).

    So many names at most: one for each of 20 menus, two for each of `MOST_VISITS` visits, and two for the call.
    """
    adds: Counter[str] = Counter(calls=1, answered=int(heard.was_answered))
    for visit in heard.visits[:MOST_VISITS]:
        menu = f"m{visit.menu}"
        adds[f"{menu}a"] += 1
        match visit.left_by:
            case "idle":
                adds[f"{menu}i"] += 1
            case "hungUp":
                adds[f"{menu}u"] += 1
            case "interrupted":
                adds[f"{menu}x"] += 1
            case key:
                adds[f"{menu}k{_CODES.get(key, _CODES[OTHER_KEY])}"] += 1
                if visit.msec is not None:
                    adds[f"{menu}b{bucket_of(visit.msec)}"] += 1
    return +adds  # without the counters that are 0


def bucket_of(msec: int) -> int:
    """The bucket of a time, from 0: the first whose upper bound is not below it."""
    return bisect_left(BUCKET_SECONDS, msec / 1000)


def load_counts(shape: str, counts: Mapping[str, int], example_mid: str = "") -> Funnel:
    """The funnel that counters say, by the names of `counted`; names that are not known here are passed over."""
    funnel = Funnel(shape, example_mid, counts.get("calls", 0), counts.get("answered", 0))
    keys = {code: key for key, code in _CODES.items()}
    for name, count in counts.items():
        menu_number, kind, detail = _parts(name)
        if menu_number is None:
            continue
        menu = funnel.menus.setdefault(menu_number, MenuFunnel())
        match kind:
            case "a":
                menu.asked = count
            case "i":
                menu.silence = count
            case "u":
                menu.hung_up = count
            case "x":
                menu.interrupted = count
            case "k" if detail in keys:
                menu.keys[keys[detail]] = count
            case "b" if detail.isdigit() and int(detail) < BUCKETS:
                menu.buckets[int(detail)] = count
            case _:
                pass
    return funnel


def _parts(name: str) -> tuple[int | None, str, str]:
    """`m12k7` → 12, `k`, `7`. No menu: it is no counter of a menu."""
    found = _COUNTER.fullmatch(name)
    return (int(found[1]), found[2], found[3]) if found else (None, "", "")


def median_between(buckets: list[int]) -> tuple[int, int | None] | None:
    """Between which seconds the median of what buckets count is; the second is None behind the last bound.

    None: nothing was counted. Buckets tell no more than that. From 2 to 55 s the upper bound is at most 1.67 times the
    lower one.
    """
    total = sum(buckets)
    if not total:
        return None
    # Of an even number there are two in the middle, which may be in different buckets.
    lower, upper = _bucket_at(buckets, (total - 1) // 2), _bucket_at(buckets, total // 2)
    least = BUCKET_SECONDS[lower - 1] if lower else 0
    return least, BUCKET_SECONDS[upper] if upper < len(BUCKET_SECONDS) else None


def _bucket_at(buckets: list[int], position: int) -> int:
    """The bucket of the value at a place (from 0) of all values in their order."""
    for index, count in enumerate(buckets):
        position -= count
        if position < 0:
            return index
    raise ValueError(f"there is no place {position} among {sum(buckets)}")
