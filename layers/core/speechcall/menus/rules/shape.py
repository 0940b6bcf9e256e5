"""The shape of menus: all that their state machine depends on, in 40 hex digits."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook, targets_of

Traits = tuple[int | tuple[int, ...], ...]
Outline = tuple[tuple[tuple[str, Traits], ...], ...]
"""For each menu its lists by name, and for each list its actions: a menu to go to (from 0), one of the negative numbers
below, or (a tuple) the menus that a lookup may lead to, the last where it leads without a case."""
_WEBHOOK, _HANGUP, _OPT_OUT = -1, -2, -3
_LEADS_NOWHERE: dict[int, Action] = {_WEBHOOK: Webhook(""), _HANGUP: Hangup(), _OPT_OUT: OptOutStep("")}

_NO_WIRING = Wiring("control", "finish", "queue", ask_receiver_arn="ask")


def shape_of(menus: Sequence[Menu]) -> str:
    """A name for the state machine of these menus: two lists of menus have one name when they compile to one machine.

    It is the same in every stack; another compiler gives other names.
    """
    return _shape(outline_of(menus))


def outline_of(menus: Sequence[Menu]) -> Outline:
    """The kinds of the actions of each list, and where they lead: to be hashed, and to know menus seen before."""
    return tuple(tuple((key, tuple(map(_number, menu.actions[key]))) for key in sorted(menu.actions)) for menu in menus)


def menus_of(outline: Outline, idle_timeouts_msec: Sequence[int]) -> list[Menu]:
    """Menus with this outline and these timeouts, and nothing to play or to send."""
    return [
        Menu("", msec, {key: tuple(map(_action, steps)) for key, steps in lists})
        for lists, msec in zip(outline, idle_timeouts_msec, strict=True)
    ]


@lru_cache(4096)
def _shape(outline: Outline) -> str:
    """Ten thousand messages of one shape compile it once; an outline costs a fraction of that."""
    menus = menus_of(outline, [1] * len(outline))
    text = json.dumps(compile_flow(menus, _NO_WIRING), separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _number(action: Action) -> int | tuple[int, ...]:
    """An action as it stands in an `Outline`."""
    match action:
        case Lookup():
            return (*(one for one in sorted(targets_of(action)) if one != action.otherwise), action.otherwise)
        case Webhook():
            return _WEBHOOK
        case Hangup():
            return _HANGUP
        case OptOutStep():
            return _OPT_OUT
        case GotoMenu(menu):
            return menu
        case _:
            assert_never(action)


def _action(number: int | tuple[int, ...]) -> Action:
    """An action that stands so in an `Outline`."""
    if isinstance(number, tuple):
        return Lookup("", {f"{menu}": menu for menu in number[:-1]}, number[-1])
    return GotoMenu(number) if number >= 0 else _LEADS_NOWHERE[number]
