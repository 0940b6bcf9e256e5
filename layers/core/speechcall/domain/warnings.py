"""What the sender of a menu should know, though nothing is wrong with it."""

from collections.abc import Sequence

from speechcall.domain.errors import Problem
from speechcall.domain.message import Action, Menu, Webhook

SHORT_IDLE_MSEC = 1000
MOST = 20


def menu_warnings(menus: Sequence[Menu], path: str) -> list[Problem]:
    """At most 20 warnings, each with the place it is about; `path` is where the message stands."""
    found = []
    for index, menu in enumerate(menus):
        here = f"{path}.menu[{index}]"
        if menu.idle_timeout_msec < SHORT_IDLE_MSEC:
            text = (
                f"is in milliseconds: {menu.idle_timeout_msec} is less than a second and is waited as 1 s; "
                f"did you mean {menu.idle_timeout_msec * 1000}?"
            )
            found.append(Problem("SHORT_IDLE_TIMEOUT", f"{here}.idleTimeoutMsec", text))
        for key, actions in menu.actions.items():
            found += _list_warnings(actions, f"{here}.dtmfActions.{key}")
    return found[:MOST]


def _list_warnings(actions: Sequence[Action], path: str) -> list[Problem]:
    end = next((position for position, action in enumerate(actions) if not isinstance(action, Webhook)), None)
    if end is None:
        text = "ends without hangup or gotoMenu: the call is hung up behind its last action"
        return [Problem("LIST_WITHOUT_END", path, text)]
    if end + 1 < len(actions):
        text = "never runs: the action before it hangs up or goes to another menu"
        return [Problem("UNREACHABLE_ACTION", f"{path}[{end + 1}]", text)]
    return []
