"""What can be said about menus before anybody is called. Findings are warnings, never refusals.

Each is a sentence for somebody who does not program; its code and path are for programs.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from speechcall.menus.rules.call_log import COMPLETE, IDLE, OTHER, SILENT_REPEATS
from speechcall.menus.rules.call_space import happenings
from speechcall.menus.rules.menu import WRONG, Action, Menu, OptOutStep, ends_list
from speechcall.menus.rules.shape import Outline, menus_of, outline_of
from speechcall.menus.rules.walk import MAX_VISITS, react
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.time_bounds import DEFAULT_CALL_SECONDS

ADVISED_KEYS = 6
SHORT_IDLE_MSEC = 1000
MOST_FINDINGS = 20


class CallBounds(NamedTuple):
    """The shortest and the longest that a call through the menus can be, if the callee does not hang up.

    Menus count as often as they are asked. `longest_seconds`: introductions of known length, idle timeouts, typing and
    lookups, each key as late as possible.
    """

    shortest_menus: int | None
    """None: no call ends by itself."""
    longest_menus: int
    """Of the call that takes the most seconds; a shorter one may ask more."""
    longest_seconds: int


def report(menus: Sequence[Menu], path: str) -> list[Problem]:
    """At most 20 findings; `path` is where the message is (`messages[0]`)."""
    found = _findings(outline_of(menus), tuple(menu.idle_timeout_msec for menu in menus))
    return [Problem(one.code, f"{path}.{one.path}", one.message) for one in found]


@lru_cache(1024)
def _findings(outline: Outline, idle_timeouts_msec: tuple[int, ...]) -> tuple[Problem, ...]:
    """The findings about menus of this outline, without the message's path; cached.

    The messages of a list mostly differ in texts and numbers alone: so their menus are looked through once.
    """
    menus = menus_of(outline, idle_timeouts_msec)
    reached = reachable(menus)
    found = [
        Problem("UNREACHABLE_MENU", f"menu[{index}]", "is never asked: no key of the menus before it leads here")
        for index in range(len(menus))
        if index not in reached
    ]
    found += _silent_circles(menus, reached)
    for index in sorted(reached):
        found += _menu_findings(menus[index], index, f"menu[{index}]")
    return tuple(found[:MOST_FINDINGS])


def opts_out(menus: Sequence[Menu]) -> bool:
    """Whether a callee can press a key to opt out."""
    pressed = ((menus[index], key) for index in reachable(menus) for key in menus[index].own_keys())
    return any(react(menu, key).opt_outs for menu, key in pressed)


def no_opt_out_key(menus: Sequence[Menu], path: str) -> list[Problem]:
    """The warning that no key opts out: for a check of menus, not for each message that is sent."""
    if opts_out(menus):
        return []
    text = "has no key with an optOut: who does not want such calls has to say so elsewhere"
    return [Problem("NO_OPT_OUT_KEY", f"{path}.menu", text)]


def reachable(menus: Sequence[Menu]) -> set[int]:
    """The menus that a call can come to, by their indices."""
    seen, waiting = set[int](), [0]
    while waiting:
        index = waiting.pop()
        if index not in seen:
            seen.add(index)
            waiting += _targets(menus[index])
    return seen


def call_bounds(menus: Sequence[Menu], prompt_seconds: Mapping[str, float], max_visits: int = MAX_VISITS) -> CallBounds:
    """How short and how long a call can be, at most DEFAULT_CALL_SECONDS.

    `prompt_seconds`: the lengths of introductions by their names; one that is not in it counts as 0 s.
    """
    waits = [
        sum(menu.idle_seconds + round(prompt_seconds.get(one, 0)) for one in menu.heard_in_silence())
        + menu.typing_seconds
        for menu in menus
    ]
    seconds, visits = longest_walk(menus, waits, max_visits)
    return CallBounds(_shortest(menus), visits, min(seconds, DEFAULT_CALL_SECONDS))


def longest_walk(menus: Sequence[Menu], waits: Sequence[int], max_visits: int) -> tuple[int, int]:
    """The seconds, and the number of menus, of the longest call of at most `max_visits` menus.

    `waits`: the seconds that each menu takes whenever it is asked; the longest lookup of the menu comes on top.
    """
    waits = [wait + lookup_seconds(menu) for wait, menu in zip(waits, menus, strict=True)]
    steps = [_targets(menu) for menu in menus]
    # longest[index]: seconds and menus of the longest call from here, with so many visits left.
    longest = [(0, 0)] * len(menus)
    for _ in range(max_visits):
        longest = [
            (waits[index] + best[0], 1 + best[1])
            for index, best in enumerate(
                max((longest[target] for target in targets), default=(0, 0)) for targets in steps
            )
        ]
    return longest[0]


def _shortest(menus: Sequence[Menu]) -> int | None:
    """How many menus a call asks at least before it ends by itself; None: it never does."""
    front, seen, asked = {0}, set[int](), 0
    while front:
        asked += 1
        if any(_can_end(menus[index]) for index in front):
            return asked
        seen |= front
        front = {target for index in front for target in _targets(menus[index])} - seen
    return None


def _can_end(menu: Menu) -> bool:
    return None in _nexts(menu)


def _targets(menu: Menu) -> list[int]:
    return [target for target in _nexts(menu) if target is not None]


def lookup_seconds(menu: Menu) -> int:
    """The longest that a lookup of a menu is waited for, with the prompt that is played meanwhile."""
    return math.ceil(max(happens.looks_up_msec for happens in happenings(menu)) / 1000)


def _nexts(menu: Menu) -> list[int | None]:
    """Where each thing that can be heard in a menu may lead; None: to the end of the call."""
    reactions = [react(menu, heard) for heard in (*menu.own_keys(), IDLE, OTHER)]
    return [reaction.leads(case) for reaction in reactions for case in reaction.cases]


def _silent_circles(menus: Sequence[Menu], reached: set[int]) -> list[Problem]:
    """A warning about each circle of menus round which silence alone leads; once, wherever calls enter the circle."""
    found, told = [], set[int]()
    for start in sorted(reached):
        way: list[int] = []
        index: int | None = start
        while index is not None and index not in way and index not in told:
            way.append(index)
            index = react(menus[index], IDLE).target
        if index is not None and index in way:
            circle = way[way.index(index) :]
            names = ", ".join(f"menu {one}" for one in circle)
            text = (
                f"leads back when no key is pressed ({names}): after {SILENT_REPEATS} repeats, "
                "or as many as silentRepeats says, the call is hung up"
            )
            name = menus[circle[0]].list_for(IDLE)
            found.append(Problem("ENDLESS_SILENCE", f"menu[{circle[0]}].dtmfActions.{name}", text))
        told |= set(way)
    return found


def _menu_findings(menu: Menu, index: int, path: str) -> list[Problem]:
    """The warnings about one menu, its `index` and `path` (`menu[1]`) in the message."""
    found = []
    keys = menu.own_keys()
    if menu.idle_timeout_msec < SHORT_IDLE_MSEC:
        text = (
            f"is in milliseconds: {menu.idle_timeout_msec} is less than a second and is waited as 1 s; "
            f"did you mean {menu.idle_timeout_msec * 1000}?"
        )
        found.append(Problem("SHORT_IDLE_TIMEOUT", f"{path}.idleTimeoutMsec", text))
    cases = {
        "other digits" if COMPLETE in menu.actions else "wrong keys": menu.list_for(OTHER),
        "silence": menu.list_for(IDLE),
    }
    if unsaid := [case for case, name in cases.items() if name is None]:
        text = f"says nothing about {' and '.join(unsaid)}: the call is hung up then"
        found.append(Problem("NO_WRONG_LIST", f"{path}.dtmfActions", text))
    if WRONG in menu.actions and WRONG not in cases.values():
        text = "never runs: silence and invalid stand in its place"
        found.append(Problem("UNREACHABLE_LIST", f"{path}.dtmfActions.{WRONG}", text))
    if len(keys) > ADVISED_KEYS:
        text = f"offers {len(keys)} keys; people keep 4 to {ADVISED_KEYS} in mind"
        found.append(Problem("MANY_KEYS", f"{path}.dtmfActions", text))
    for key, actions in menu.actions.items():
        found += _list_findings(actions, f"{path}.dtmfActions.{key}")
    for key in keys:
        reaction = react(menu, key)
        has_effect = reaction.webhooks or reaction.opt_outs or reaction.lookup
        if reaction.target == index and not has_effect:
            here = f"{path}.dtmfActions.{key}"
            does = "enters this" if key == COMPLETE else "presses this key"
            text = f"only asks the same menu again: a callee who {does} is where they were"
            found.append(Problem("KEY_LEADS_BACK", here, text))
    return found


def _list_findings(actions: Sequence[Action], path: str) -> list[Problem]:
    """The warning about a list that has no end, or has actions behind its end."""
    end = next((position for position, action in enumerate(actions) if ends_list(action)), None)
    if end is None:
        if actions and isinstance(actions[-1], OptOutStep):
            return []  # who opts out is hung up on: nothing else is expected
        text = "ends without hangup or gotoMenu: the call is hung up behind its last action"
        return [Problem("LIST_WITHOUT_END", path, text)]
    if end + 1 < len(actions):
        text = "never runs: the action before it hangs up or goes to another menu"
        return [Problem("UNREACHABLE_ACTION", f"{path}[{end + 1}]", text)]
    return []
