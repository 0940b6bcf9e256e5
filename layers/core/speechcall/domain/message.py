"""A message: one phone call that a customer asked for, with its menus."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from speechcall.domain.ask import Ask
from speechcall.domain.dialling import DEFAULT_RING_SECONDS, DEFAULT_TTL_SECONDS, Redial
from speechcall.domain.outcome import End
from speechcall.domain.speech import Say

KEYS = (*(f"d{digit}" for digit in range(10)), "d*", "d#")
WRONG = "wrong"


class State(StrEnum):
    """Where a message stands. Each state is left once, by a conditional write."""

    PREPARING = "preparing"
    QUEUED = "queued"
    CALLING = "calling"
    SETTLING = "settling"
    """Its call is over and its line free; why the call ended, and so what has become of the message, is asked for."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST to `url`; `body` is the JSON text of the customer's object, kept as it was written."""

    url: str
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class GotoMenu:
    """Go on with another menu (0-based)."""

    menu: int


Action = Webhook | Hangup | GotoMenu


@dataclass(frozen=True, slots=True)
class Menu:
    """What is played, how long a key is awaited, and what each key (or `wrong`) does."""

    intro: str
    """A URL, an uploaded prompt's identifier, or the name of what `say` says."""
    idle_timeout_msec: int
    actions: Mapping[str, tuple[Action, ...]]
    say: Say | None = None

    def list_for(self, heard: str) -> str | None:
        """The name of the list that a key (`d1`) or silence (`wrong`) selects; None: hang up."""
        if heard in self.actions:
            return heard
        return WRONG if WRONG in self.actions else None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored. `sender` and `recipient` are exactly what the customer wrote."""

    mid: str
    list_id: str
    account_id: str
    sender: str
    recipient: str
    number: str
    text: str
    menus: tuple[Menu, ...]
    created_msec: int
    expires_at: int
    state: State = State.PREPARING
    attempt: int = 0
    asks: tuple[Ask, ...] = ()
    flow_arn: str | None = None
    caller_id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    cause: str | None = None
    """Why it could not be dialled at all: an introduction, or its state machine."""
    finished_msec: int | None = None
    settling_end: End | None = None
    """With which word its machine, or who heard that it died, has finished its call; only while it is settling."""
    menus_text: str | None = field(default=None, compare=False, repr=False)
    """`dump_menus(menus)`, where it is known already: it was measured before the message was accepted."""
    customer_id: str | None = None
    """The customer's own name for it (`customerMessageId`)."""
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    ring_seconds: int = DEFAULT_RING_SECONDS
    redial: Redial | None = None
    silent_repeats: int | None = None
    """How many menus may be asked again since the last key before silence ends the call; None: as the stack says."""
    redials: int = 0
    """How often it was put back to be dialled again after a call that reached nobody."""
    claimed_msec: int | None = field(default=None, compare=False)
    """When it last took a line; None: never, or a release before this one wrote it."""
    dial_wait_seconds: int | None = field(default=None, compare=False)
    """For how long its state machine waits for an answer, as it was when the line was taken; None: as a release before
    this one waits. An execution's input must not change with a deployment: it would be taken for another's."""
    due_msec: int | None = field(default=None, compare=False)
    """When its state has to go on; None: never."""

    @property
    def dial_until_msec(self) -> int:
        """From this moment on it is not dialled any more."""
        return self.created_msec + self.ttl_seconds * 1000


def dump_menus(menus: tuple[Menu, ...]) -> str:
    """The menus as JSON text, for storing."""
    return _ENCODER.encode([_dump_menu(menu) for menu in menus])


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def load_menus(text: str) -> tuple[Menu, ...]:
    """The menus that `dump_menus` wrote."""
    return tuple(
        Menu(
            intro=menu["intro"],
            idle_timeout_msec=menu["idle"],
            actions={key: tuple(_load_action(action) for action in steps) for key, steps in menu["on"].items()},
            say=Say(*menu["say"]) if "say" in menu else None,
        )
        for menu in json.loads(text)
    )


def _dump_menu(menu: Menu) -> dict[str, Any]:
    lists = {key: [_dump_action(action) for action in steps] for key, steps in menu.actions.items()}
    say = {"say": [menu.say.text, menu.say.language, menu.say.voice]} if menu.say else {}
    return {"intro": menu.intro, "idle": menu.idle_timeout_msec, "on": lists, **say}


def _dump_action(action: Action) -> dict[str, Any]:
    match action:
        case Webhook(url, body, headers):
            return {"do": "webhook", "url": url, "body": body, "headers": dict(headers)}
        case Hangup():
            return {"do": "hangup"}
        case GotoMenu(menu):
            return {"do": "gotoMenu", "menu": menu}


def _load_action(stored: dict[str, Any]) -> Action:
    match stored["do"]:
        case "webhook":
            return Webhook(stored["url"], stored["body"], stored["headers"])
        case "hangup":
            return Hangup()
        case _:
            return GotoMenu(stored["menu"])
