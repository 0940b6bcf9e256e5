"""Menus: what is played, how long a key is awaited, and what each key does."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE, IDLE, OTHER
from speechcall.menus.rules.speech import Say
from speechcall.shared.rules.timing import IDLE_STEPS, INPUT_STEPS, idle_seconds, menu_wait_seconds

if TYPE_CHECKING:
    from speechcall.menus.rules.introduction import Part

KEYS = (*(f"d{digit}" for digit in range(10)), "d*", "d#")
WRONG, SILENCE, INVALID = "wrong", "silence", "invalid"
"""The lists of no key. `silence`: no key was pressed in time; `invalid`: a key without a list.

`wrong` is for whichever of the two has no list of its own.
"""
NO_KEY = (SILENCE, INVALID, WRONG)
ENTRIES = (*KEYS, COMPLETE)
"""The lists of something that was entered: one key, or as many digits as a menu with an `input` asks for."""
LISTS = (*ENTRIES, *NO_KEY)


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST to `url`; `body` is the JSON text of the customer's object, kept as it was written."""

    url: str
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


class GotoMenu(NamedTuple):
    """Continue with another menu (0-based)."""

    menu: int


OWN_LIST = ""
"""The list of opt-outs of an account that every message of it obeys."""


class OptOutStep(NamedTuple):
    """The callee's number opts out: of a list of the account's, or (OWN_LIST) of all its calls."""

    list_name: str


DEFAULT_LOOKUP_MSEC, MIN_LOOKUP_MSEC, MAX_LOOKUP_MSEC = 3000, 1000, 5000


@dataclass(frozen=True, slots=True)
class Lookup:
    """POST to `url`, whose answer is the name of one of `cases`: its menu follows. Else, also if none comes in
    `timeout_msec`, `otherwise` does. `body` as a webhook's.
    """

    url: str
    cases: Mapping[str, int]
    otherwise: int
    timeout_msec: int = DEFAULT_LOOKUP_MSEC
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)

    def leads(self, case: str) -> int:
        """The menu of a case; of one that it does not have: `otherwise`."""
        return self.cases.get(case, self.otherwise)


Action = Webhook | Hangup | GotoMenu | OptOutStep | Lookup


def ends_list(action: Action) -> bool:
    """Whether an action ends its list: no action behind it runs."""
    match action:
        case Webhook() | OptOutStep():
            return False
        case Hangup() | GotoMenu() | Lookup():
            return True
        case _:
            assert_never(action)


def targets_of(action: Action) -> tuple[int, ...]:
    """The menus that the action may lead to, each once."""
    match action:
        case GotoMenu(menu):
            return (menu,)
        case Lookup():
            return tuple(dict.fromkeys([*action.cases.values(), action.otherwise]))
        case Webhook() | Hangup() | OptOutStep():
            return ()
        case _:
            assert_never(action)


MOST_REPEATS = 5


class Repeat(NamedTuple):
    """How often a menu is asked again in which no key was pressed in time, before its list for silence runs.

    `intro`: what is played then, as of a Menu; empty: what the menu itself plays.
    """

    times: int
    intro: str = ""
    say: Say | None = None
    play: "tuple[Part, ...]" = ()


class Menu(NamedTuple):
    """What is played, how long a key is awaited, and what each list of actions does (its name is one of LISTS)."""

    intro: str
    """A URL, an uploaded prompt's identifier, or the name of what `say` says, or of what `play` is joined to."""
    idle_timeout_msec: int
    actions: Mapping[str, tuple[Action, ...]]
    say: Say | None = None
    play: "tuple[Part, ...]" = ()
    repeat: Repeat | None = None
    input: Input | None = None
    """Several digits that are asked for; None: one key."""
    barge_in: bool = True
    """Whether a key that is pressed during the introduction is taken; else it is lost."""

    def heard_in_silence(self) -> list[str]:
        """The introductions that somebody hears who presses no key: the menu's own, then one for each repeat."""
        return [self.intro, *([self.repeat.intro or self.intro] * self.repeat.times if self.repeat else ())]

    @property
    def idle_seconds(self) -> int:
        """How long the first key is awaited."""
        return idle_seconds(self.idle_timeout_msec, INPUT_STEPS if self.input else IDLE_STEPS)

    @property
    def typing_seconds(self) -> int:
        """How long what is entered may take at most behind its first key."""
        return self.input.typing_seconds if self.input else 0

    @property
    def waits_seconds(self) -> int:
        """How long it may be waited for altogether, from the end of the introduction."""
        return self.idle_seconds + self.typing_seconds

    def machine_seconds(self, prompt_seconds: Callable[[str], float], grace_seconds: int) -> int:
        """How long the state machine waits in it for whatever may be heard, with all its repeats.

        `prompt_seconds`: the length of an introduction, by its name. Each time that it is asked silence may be reported
        late, so each has the grace. Digits are typed once.
        """
        return self.typing_seconds + sum(
            menu_wait_seconds(prompt_seconds(intro), self.idle_seconds, grace_seconds)
            for intro in self.heard_in_silence()
        )

    def list_for(self, heard: str) -> str | None:
        """The name of the list that an entry (`d1`, `complete`) or silence (`idle`) selects; None: hang up."""
        if heard in ENTRIES and heard in self.actions:
            return heard
        own = SILENCE if heard == IDLE else INVALID
        return next((name for name in (own, WRONG) if name in self.actions), None)

    def own_keys(self) -> list[str]:
        """The keys that have a list, in the order of a telephone; `complete` in a menu that asks for several digits."""
        return [key for key in ENTRIES if key in self.actions]

    def may_hear(self) -> tuple[str, ...]:
        """Whatever can be entered: a key of a telephone; or (`complete`) digits, if the menu asks for several."""
        return (COMPLETE,) if self.input else KEYS

    def lists(self) -> list[str]:
        """The lists that something heard selects: those of keys first. Without a `wrong` that the other two replace."""
        others = {self.list_for(IDLE), self.list_for(OTHER)}
        return [*self.own_keys(), *(name for name in NO_KEY if name in others)]


def dump_menus(menus: tuple[Menu, ...]) -> str:
    """The menus as JSON text, for storing."""
    return _ENCODER.encode([_dump_menu(menu) for menu in menus])


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def load_menus(text: str) -> tuple[Menu, ...]:
    """The menus that `dump_menus` wrote. Raises ValueError for an action or a part of a prompt of a later release."""
    return tuple(
        Menu(
            intro=menu["intro"],
            idle_timeout_msec=menu["idle"],
            actions={key: tuple(_load_action(action) for action in steps) for key, steps in menu["on"].items()},
            say=Say(*menu["say"]) if "say" in menu else None,
            play=_load_parts(menu["play"]) if "play" in menu else (),
            repeat=_load_repeat(menu["repeat"]) if "repeat" in menu else None,
            input=Input(*menu["input"]) if "input" in menu else None,
            barge_in=menu.get("barge", True),
        )
        for menu in json.loads(text)
    )


def _dump_menu(menu: Menu) -> dict[str, Any]:
    """A menu for storing; a member that it does not have, or that is as by default, is left out."""
    lists = {key: [_dump_action(action) for action in steps] for key, steps in menu.actions.items()}
    repeat = {"repeat": {"times": menu.repeat.times, **_dump_intro(menu.repeat)}} if menu.repeat else {}
    digits = {"input": [*menu.input]} if menu.input else {}
    barge = {} if menu.barge_in else {"barge": False}
    plays = _dump_intro(menu)
    first = {"intro": plays.pop("intro"), "idle": menu.idle_timeout_msec, "on": lists}
    return {**first, **plays, **repeat, **digits, **barge}


def _dump_intro(plays: Menu | Repeat) -> dict[str, Any]:
    say = {"say": [plays.say.text, plays.say.language, plays.say.voice]} if plays.say else {}
    play = {"play": _dump_parts(plays.play)} if plays.play else {}
    return {"intro": plays.intro, **say, **play}


def _load_repeat(stored: dict[str, Any]) -> Repeat:
    say = Say(*stored["say"]) if "say" in stored else None
    return Repeat(stored["times"], stored["intro"], say, _load_parts(stored["play"]) if "play" in stored else ())


def _dump_parts(parts: "tuple[Part, ...]") -> list[Any]:
    from speechcall.menus.rules.introduction import dump_part  # noqa: PLC0415, few menus are joined of parts

    return [*map(dump_part, parts)]


def _load_parts(stored: list[Any]) -> "tuple[Part, ...]":
    from speechcall.menus.rules.introduction import load_part  # noqa: PLC0415, as above

    return tuple(map(load_part, stored))


def _dump_action(action: Action) -> dict[str, Any]:
    """An action for storing; `do` says which it is."""
    match action:
        case Webhook(url, body, headers):
            return {"do": "webhook", "url": url, "body": body, "headers": dict(headers)}
        case Hangup():
            return {"do": "hangup"}
        case GotoMenu(menu):
            return {"do": "gotoMenu", "menu": menu}
        case OptOutStep(list_name):
            return {"do": "optOut", "list": list_name}
        case Lookup():
            request = {"url": action.url, "body": action.body, "headers": dict(action.headers)}
            leads = {"cases": dict(action.cases), "else": action.otherwise}
            return {"do": "lookup", **request, "timeout": action.timeout_msec, **leads}
        case _:
            assert_never(action)


def _load_action(stored: dict[str, Any]) -> Action:
    """The action that `_dump_action` wrote. Raises ValueError for one that is not known here."""
    match stored["do"]:
        case "webhook":
            return Webhook(stored["url"], stored["body"], stored["headers"])
        case "hangup":
            return Hangup()
        case "gotoMenu":
            return GotoMenu(stored["menu"])
        case "optOut":
            return OptOutStep(stored["list"])
        case "lookup":
            leads = stored["cases"], stored["else"], stored["timeout"]
            return Lookup(stored["url"], *leads, stored["body"], stored["headers"])
        case unknown:
            # A later release may have stored it. Read as another action, it would do what its sender never asked for.
            raise ValueError(f"a stored menu has the unknown action {unknown!r}")
