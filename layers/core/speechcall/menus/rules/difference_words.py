"""A difference between two sets of menus, in words. Of a URL the query is not shown: it may be secret."""

from collections.abc import Sequence
from typing import assert_never

from speechcall.menus.rules.compare_menus import Behaves, Difference, Kind, Step
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Repeat, Webhook
from speechcall.menus.rules.promise import Ending
from speechcall.menus.rules.promise_words import case_in_words, digits_in_words, heard_in_words

_MOST_SHOWN = 80


def steps_in_words(steps: Sequence[Step]) -> str:
    """The keys of a call through both: `menu 0: 2 → menu 1 (new 3): silence`; without a step `the call begins`."""
    words = (f"{_menu(one.old, one.new)}: {heard_in_words(one.heard)}{case_in_words(one.case)}" for one in steps)
    return " → ".join(words) or "the call begins"


def tell(difference: Difference, old: Sequence[Menu], new: Sequence[Menu]) -> str:
    """What the old menus do behind the steps of a difference, and what the new ones do."""
    before, after = difference.old, difference.new
    match difference.kind:
        case Kind.PLAYED:
            menus = old[before.menu or 0], new[after.menu or 0]  # both ask a menu, else nothing is played
            texts = (_played(menus[0]), _played(menus[1]))
            what = f"menu {before.menu}", f"menu {after.menu}"
            return f"{what[0]} plays {texts[0]}; the new {what[1]} plays {texts[1]}"
        case Kind.SENT:
            texts = _sent(before.sent), _sent(after.sent)
            if texts[0] == texts[1]:  # it is in what the words leave out
                return f"sends {texts[0]}; the new ones send it with another query, body or other headers"
            return f"sends {texts[0]}; the new ones send {texts[1]}"
        case Kind.LEADS:
            return f"{_leads(before)}; with the new ones {_leads(after)}"
        case _:
            assert_never(difference.kind)


def _menu(old: int, new: int) -> str:
    return f"menu {old}" if old == new else f"menu {old} (new {new})"


def _played(menu: Menu) -> str:
    """What is heard of a menu by who presses no key, and how long one is awaited."""
    awaits = f" for {digits_in_words(menu.input)}" if menu.input else ""
    whole = "" if menu.barge_in else ", taking no key meanwhile,"
    waits = f"{_sound(menu)}{whole} and waits {menu.idle_seconds} s{awaits}"
    if menu.repeat is None:
        return waits
    other = f", with {_sound(menu.repeat)}" if menu.repeat.intro else ""
    return f"{waits}, in silence {menu.repeat.times} times more{other}"


def _sound(plays: Menu | Repeat) -> str:
    if plays.say:
        return f'"{plays.say.text[:_MOST_SHOWN]}" ({plays.say.voice})'
    return f"{len(plays.play)} parts" if plays.play else plays.intro.partition("?")[0]


def _sent(actions: Sequence[Action]) -> str:
    return ", then ".join(map(_effect, actions)) or "nothing"


def _effect(action: Action) -> str:
    """What an action does outside the call, in words.

    Only of actions that do something there: `compare` keeps no others.
    """
    match action:
        case Webhook(url, body):
            return f"{url.partition('?')[0]} {_shown(body)}"
        case Lookup():
            asked = f"{action.url.partition('?')[0]} {_shown(action.body)}"
            return f"a lookup of {asked}, for {action.timeout_msec / 1000:g} s"
        case OptOutStep(list_name):
            return f"an opt-out on the list {list_name}" if list_name else "an opt-out from all calls"
        case Hangup() | GotoMenu():
            raise AssertionError("it does nothing outside the call")
        case _:
            assert_never(action)


def _shown(body: str) -> str:
    return body if len(body) <= _MOST_SHOWN else f"{body[:_MOST_SHOWN]}…"


def _leads(behaves: Behaves) -> str:
    """Which menu follows, or why the call ends, in words."""
    match behaves.ending:
        case None:
            return f"menu {behaves.menu} follows"
        case Ending.COMPLETED:
            return "the call is hung up"
        case Ending.SILENCE:
            return "the call is ended for silence"
        case Ending.LIMIT:
            return "the call is ended at the stack's limit"
        # Never a result of comparing: needed to be exhaustive.
        case Ending.CALLER_HUNG_UP | Ending.PROMPT_UNAVAILABLE:
            return "the call is over"
        case _:
            assert_never(behaves.ending)
