"""A message without what no rehearsal looks at: nobody's number, no text, no URL, no body of a webhook.

What is left says when it may be dialled and redialled, to whom by a digest, and which keys opt out.
"""

from dataclasses import replace

from speechcall.menus.rules.menu import KEYS, Menu, OptOutStep, ends_list
from speechcall.messages.rules.attempts import has_key
from speechcall.messages.rules.message import Message

_WITH_A_KEY = Menu("", 0, {KEYS[0]: ()})


def lean(message: Message) -> Message:
    """The message as a rehearsal needs it. Its number is known by the digest alone; the same numbers stay the same."""
    return replace(
        message,
        sender="",
        recipient="",
        number=message.number_digest or message.mid,
        text="",
        menus=_lean_menus(message.menus),
        menus_text=None,
        asks=(),
        caller_id=None,
        customer_id=None,
        funnel="",
        status_url="",
        status_events=(),
        counts_in_list=False,
        fallback=None,
        consent=None,
    )


def _lean_menus(menus: tuple[Menu, ...]) -> tuple[Menu, ...]:
    """The first menu's lists with nothing but their opt-outs; and a key, if one can be pressed in a later menu alone:
    else a redial on `noKey` would mean nothing.
    """
    if not menus:
        return ()
    first = Menu("", 0, {name: tuple(_opt_outs(menus[0], name)) for name in menus[0].actions})
    return (first, _WITH_A_KEY) if has_key(menus) and not first.own_keys() else (first,)


def _opt_outs(menu: Menu, name: str) -> list[OptOutStep]:
    """The opt-outs in one list of actions, up to the action that ends it: what stands behind that is never run."""
    found = []
    for action in menu.actions[name]:
        if isinstance(action, OptOutStep):
            found.append(action)
        if ends_list(action):
            break
    return found
