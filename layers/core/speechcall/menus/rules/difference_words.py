"""A difference between two sets of menus, in words. Of a URL the query is not shown: it may be secret."""

from collections.abc import Sequence
from typing import assert_never

from speechcall.menus.rules.compare_menus import Behaves, Difference, Kind, Step
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Repeat, Webhook
from speechcall.menus.rules.promise import Ending
from speechcall.menus.rules.promise_words import case_in_words, digits_in_words, heard_in_words

_MOST_BODY = 80


def steps_in_words(steps: Sequence[Step]) -> str:
    """`menu 0: 2 → menu 1 (new 3): silence`."""
    words = (f"{_menu(one.old, one.new)}: {heard_in_words(one.heard)}{case_in_words(one.case)}" for one in steps)
    return " → ".join(words) or "the call begins"


def tell(difference: Difference, old: Sequence[Menu], new: Sequence[Menu]) -> str:
    """What the old menus do behind these steps, and what the new ones do."""
    one, other = difference.old, difference.new
    match difference.kind:
        case Kind.PLAYED:
            menus = old[one.menu or 0], new[other.menu or 0]
            texts = (_played(menus[0]), _played(menus[1]))
            what = f"menu {one.menu}", f"menu {other.menu}"
            return f"{what[0]} plays {texts[0]}; the new {what[1]} plays {texts[1]}"
        case Kind.SENT:
            texts = _sent(one.sent), _sent(other.sent)
            if texts[0] == texts[1]:
                return f"sends {texts[0]}; the new ones send it with another query, body or other headers"
            return f"sends {texts[0]}; the new ones send {texts[1]}"
        case Kind.LEADS:
            return f"{_leads(one)}; with the new ones {_leads(other)}"
        case _:
            assert_never(difference.kind)


def _menu(old: int, new: int) -> str:
    return f"menu {old}" if old == new else f"menu {old} (new {new})"


def _played(menu: Menu) -> str:
    awaits = f" for {digits_in_words(menu.input)}" if menu.input else ""
    whole = "" if menu.barge_in else ", taking no key meanwhile,"
    waits = f"{_sound(menu)}{whole} and waits {menu.idle_seconds} s{awaits}"
    if menu.repeat is None:
        return waits
    other = f", with {_sound(menu.repeat)}" if menu.repeat.intro else ""
    return f"{waits}, in silence {menu.repeat.times} times more{other}"


def _sound(plays: Menu | Repeat) -> str:
    if plays.say:
        return f'"{plays.say.text[:_MOST_BODY]}" ({plays.say.voice})'
    return f"{len(plays.play)} parts" if plays.play else plays.intro.partition("?")[0]


def _sent(actions: Sequence[Action]) -> str:
    return ", then ".join(map(_effect, actions)) or "nothing"


def _effect(action: Action) -> str:
    match action:
        case Webhook(url, body):
            return f"{url.partition('?')[0]} {_shown(body)}"
        case Lookup():
            asked = f"{action.url.partition('?')[0]} {_shown(action.body)}"
            return f"a lookup of {asked}, for {action.timeout_msec / 1000:g} s"
        case OptOutStep(list_name):
            return f"an opt-out of {f'the list {list_name}' if list_name else 'all calls'}"
        case Hangup() | GotoMenu():
            return ""
        case _:
            assert_never(action)


def _shown(body: str) -> str:
    return body if len(body) <= _MOST_BODY else f"{body[:_MOST_BODY]}…"


def _leads(behaves: Behaves) -> str:
    match behaves.ending:
        case None:
            return f"menu {behaves.menu} follows"
        case Ending.COMPLETED:
            return "the call is hung up"
        case Ending.SILENCE:
            return "the call is ended for silence"
        case Ending.LIMIT:
            return "the call is ended at the stack's limit"
        case Ending.CALLER_HUNG_UP | Ending.PROMPT_UNAVAILABLE:
            return "the call is over"
        case _:
            assert_never(behaves.ending)
