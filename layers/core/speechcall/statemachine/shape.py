"""The shape of menus: all that their state machine depends on, in 40 hex digits."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache

from speechcall.domain.message import Action, GotoMenu, Hangup, Menu, Webhook
from speechcall.statemachine.compile_flow import Wiring, compile_flow

Outline = tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]
"""For each menu its keys, and for each key its actions: a menu to go to, or one of these."""
_WEBHOOK, _HANGUP = -1, -2

_NO_WIRING = Wiring("control", "finish", "queue", 0)


def shape_of(menus: Sequence[Menu]) -> str:
    """The same for menus whose state machines are the same, in every stack; another compiler has other shapes."""
    return _shape(
        tuple(
            tuple((key, tuple(_number(action) for action in menu.actions[key])) for key in sorted(menu.actions))
            for menu in menus
        )
    )


@lru_cache(4096)
def _shape(outline: Outline) -> str:
    """Ten thousand messages of one shape compile it once; an outline costs a fraction of that."""
    menus = [Menu("", 1, {key: tuple(map(_action, steps)) for key, steps in lists}) for lists in outline]
    text = json.dumps(compile_flow(menus, _NO_WIRING), separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _number(action: Action) -> int:
    if isinstance(action, Webhook):
        return _WEBHOOK
    return action.menu if isinstance(action, GotoMenu) else _HANGUP


def _action(number: int) -> Action:
    if number == _WEBHOOK:
        return Webhook("")
    return Hangup() if number == _HANGUP else GotoMenu(number)
