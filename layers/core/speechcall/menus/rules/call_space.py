"""Every call that menus allow, as few states: a menu that is asked, and how long silence may still go on.

The rules are those of `walk`: what a list does, so many menus in a call, so many silent repeats, so many seconds.
What a call remembers of its silence is only how often none may still be pressed: where silence leads from a menu is
fixed, so all that was asked since the last key comes to one number.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from speechcall.menus.rules.call_log import IDLE, OTHER, repeats_too_often
from speechcall.menus.rules.compile_flow import steps_run
from speechcall.menus.rules.menu import KEYS, Action, Menu
from speechcall.menus.rules.walk import react
from speechcall.shared.rules.time_bounds import LONGEST_PROMPT_SECONDS
from speechcall.shared.rules.timing import idle_seconds

HANG_UP = "hang_up"


class Happens(NamedTuple):
    """What one thing heard in a menu leads to."""

    heard: str
    key: str | None
    actions: tuple[Action, ...]
    target: int | None


def happenings(menu: Menu) -> tuple[Happens, ...]:
    """Whatever can be heard in a menu and lead on, and to what: its own keys first, then silence, then other keys."""
    listed = menu.own_keys()
    found = []
    for heard in (*listed, IDLE, *(key for key in KEYS if key not in listed), OTHER):
        key = menu.list_for(heard)
        actions = tuple(steps_run(menu.actions[key])) if key else ()
        found.append(Happens(heard, key, actions, react(menu, heard).target))
    return tuple(found)


def silences(menus: Sequence[Menu], silent_repeats: int) -> list[int]:
    """For each menu that is asked behind a key: how many menus silence alone may lead to, before it ends the call.

    Where silence leads to an end of a list it gets there first, whatever the number says.
    """
    nexts = [react(menu, IDLE).target for menu in menus]
    found = []
    for start in range(len(menus)):
        since, target = [start], nexts[start]
        while target is not None and not repeats_too_often(since, target, silent_repeats):
            since.append(target)
            target = nexts[target]
        found.append(len(since) - 1)
    return found


def waits_msec(menus: Sequence[Menu], prompt_seconds: Mapping[str, float]) -> list[tuple[int, int]]:
    """How long each menu is waited in that is left in silence: at least, and at most.

    They differ where the length of the introduction is not in `prompt_seconds`.
    """
    found = []
    for menu in menus:
        idle = idle_seconds(menu.idle_timeout_msec) * 1000
        known = prompt_seconds.get(menu.intro)
        least, most = (0, LONGEST_PROMPT_SECONDS * 1000) if known is None else (round(known * 1000),) * 2
        found.append((idle + least, idle + most))
    return found
