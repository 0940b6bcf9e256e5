"""Every call that menus allow, as few states: a menu that is asked, and how long silence may still go on.

The rules are those of `walk`: what a list does, so many menus in a call, so many silent repeats, so many seconds.
What a call remembers of its silence is only how many more menus silence may lead to: where it leads from a menu is
fixed, so all that was asked since the last key comes to one number.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from speechcall.menus.rules.call_log import IDLE, OTHER, repeats_too_often
from speechcall.menus.rules.compile_flow import steps_run
from speechcall.menus.rules.menu import Action, Lookup, Menu
from speechcall.menus.rules.walk import react
from speechcall.shared.rules.time_bounds import LONGEST_PROMPT_SECONDS, WAIT_PROMPT_SECONDS

HANG_UP = "hang_up"


class Happens(NamedTuple):
    """What one thing heard in a menu leads to.

    `key`: the list that runs; None: there is none. `actions`: those of it that run. `target`: the menu that follows;
    None: the call is hung up. `case`: what the list's lookup comes to (ELSE: to no case); None: it has no lookup.
    """

    heard: str
    key: str | None
    actions: tuple[Action, ...]
    target: int | None
    case: str | None = None

    @property
    def looks_up_msec(self) -> int:
        """How long a callee may wait for the lookup: its time, and one prompt. 0: there is no lookup."""
        last = self.actions[-1] if self.actions else None
        return last.timeout_msec + WAIT_PROMPT_SECONDS * 1000 if isinstance(last, Lookup) else 0


def all_that_happens(menu: Menu, heard: str) -> tuple[Happens, ...]:
    """What something heard in a menu leads to: one thing; or, behind a lookup, one for each of its cases."""
    key = menu.list_for(heard)
    actions = tuple(steps_run(menu.actions[key])) if key else ()
    reaction = react(menu, heard)
    if reaction.lookup:
        return tuple(Happens(heard, key, actions, reaction.leads(case), case) for case in reaction.cases)
    return (Happens(heard, key, actions, reaction.target),)


def happenings(menu: Menu) -> tuple[Happens, ...]:
    """Whatever can be heard in a menu and lead on, and to what: its own keys first, then silence, then other keys."""
    listed = menu.own_keys()
    others = (key for key in menu.may_hear() if key not in listed)
    return tuple(one for heard in (*listed, IDLE, *others, OTHER) for one in all_that_happens(menu, heard))


Silence = int | tuple[int, frozenset[int]]
"""What a call remembers of its silence; see `Silences`."""


class Silences:
    """How long silence may still go on, from menu to menu.

    Where silence leads from each menu is mostly fixed; then it is a number: how many menus more. Where a lookup decides
    it, it is how many menus were asked again since the last key, and which ones have been asked.
    """

    def __init__(self, menus: Sequence[Menu], silent_repeats: int) -> None:
        self._most = silent_repeats
        is_fixed = not any(react(menu, IDLE).lookup for menu in menus)
        self._fixed = silences(menus, silent_repeats) if is_fixed else None

    def behind_a_key(self, menu: int) -> Silence:
        """When `menu` is asked behind a key, or first of all."""
        return self._fixed[menu] if self._fixed is not None else (0, frozenset({menu}))

    def behind_silence(self, silence: Silence, target: int) -> Silence | None:
        """What is left of `silence` when silence leads on to `target`; None: the call ends, `target` is not asked."""
        if isinstance(silence, int):
            return silence - 1 if silence else None
        repeats, asked = silence
        if target not in asked:
            return repeats, asked | {target}
        return (repeats + 1, asked) if repeats < self._most else None


def silences(menus: Sequence[Menu], silent_repeats: int) -> list[int]:
    """For each menu that is asked behind a key: how many menus silence alone may lead to, before it ends the call.

    Where silence leads to an end of a list it gets there first, whatever the number says. Only for menus in which no
    silence leads to a lookup.
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


def rounds_msec(menus: Sequence[Menu], prompt_seconds: Mapping[str, float]) -> list[list[tuple[int, int]]]:
    """For each menu, and each time that it is asked (the first, then its repeats): for how many milliseconds a callee
    who presses no key hears it and is awaited; at least, and at most.

    The two differ where the length of the introduction is not in `prompt_seconds`.
    """
    found = []
    for menu in menus:
        idle = menu.idle_seconds * 1000
        lengths = [prompt_seconds.get(intro) for intro in menu.heard_in_silence()]
        least = [idle + round((known or 0) * 1000) for known in lengths]
        most = [idle + round((LONGEST_PROMPT_SECONDS if known is None else known) * 1000) for known in lengths]
        found.append([*zip(least, most, strict=True)])
    return found


def keys_msec(menus: Sequence[Menu], prompt_seconds: Mapping[str, float]) -> list[tuple[int, int]]:
    """For each menu: how many milliseconds after it is asked its first key can be taken; at least, and at most.

    0 where a key may interrupt the introduction. Else it is the length of the introduction; see `rounds_msec`.
    """
    rounds = rounds_msec(menus, prompt_seconds)
    idles = [menu.idle_seconds * 1000 for menu in menus]
    return [
        (0, 0) if menu.barge_in else (times[0][0] - idle, times[0][1] - idle)
        for menu, times, idle in zip(menus, rounds, idles, strict=True)
    ]


def waits_msec(menus: Sequence[Menu], prompt_seconds: Mapping[str, float]) -> list[tuple[int, int]]:
    """As `rounds_msec`, but for each menu the sum of all times that it is asked."""
    return [
        (sum(least for least, _ in rounds), sum(most for _, most in rounds))
        for rounds in rounds_msec(menus, prompt_seconds)
    ]
