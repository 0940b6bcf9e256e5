"""Promises: what a customer states about every call through the menus, before anybody is called.

A webhook is named by a pattern of its URL. Menus are counted as often as they are asked.
"""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, assert_never

from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, OptOutStep, Webhook

MOST_PROMISES = 20


class Ending(StrEnum):
    """How a call ends, as its status says it; `completed` is an end that a list of the customer's asked for."""

    COMPLETED = "completed"
    CALLER_HUNG_UP = "callerHungUp"
    PROMPT_UNAVAILABLE = "promptUnavailable"
    """Of the first introduction the status says `notPlayed`."""
    SILENCE = "silence"
    LIMIT = "limit"


EXCUSED = (Ending.CALLER_HUNG_UP, Ending.PROMPT_UNAVAILABLE)
"""In calls that end so nothing is due any more, where a promise does not say otherwise: the menus did not end them."""


class Pattern(NamedTuple):
    """Of URLs: `*` stands for any characters, also for none; everything else for itself."""

    text: str

    def fits(self, url: str) -> bool:
        """Whether a URL is meant. A pattern without `?` looks at it up to its query; scheme and host have no case."""
        return _means(self.text, url)

    def is_sent_by(self, action: Action) -> bool:
        """Whether the action sends a webhook whose URL fits. A lookup is no webhook: it tells nothing, it asks."""
        match action:
            case Webhook(url):
                return self.fits(url)
            case Hangup() | GotoMenu() | OptOutStep() | Lookup():
                return False
            case _:
                assert_never(action)


@lru_cache(4096)
def _means(pattern: str, url: str) -> bool:
    given = _with_small_host(url.partition("#")[0])
    return _fits(_with_small_host(pattern), given if "?" in pattern else given.partition("?")[0])


def _with_small_host(text: str) -> str:
    scheme, found, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{found}{host.lower()}{slash}{path}" if found else text


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*`. Each part between two `*` is taken where it is found first, so that the
    time is linear.
    """
    first, *parts = pattern.split("*")
    if not parts:
        return pattern == text
    *middle, last = parts
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


class NeverSent(NamedTuple):
    """No such webhook is sent in any call."""

    webhook: Pattern


class NeverWithout(NamedTuple):
    """No such webhook is sent before one of the keys was pressed in the call; the key that sends it counts."""

    webhook: Pattern
    keys: tuple[str, ...]


class NeverBy(NamedTuple):
    """No such webhook is sent by one of these lists (`d1` …, `wrong`)."""

    webhook: Pattern
    lists: tuple[str, ...]


class NeverBoth(NamedTuple):
    """No call sends both."""

    webhooks: tuple[Pattern, Pattern]


class NeverTwice(NamedTuple):
    """No call sends two of them."""

    webhook: Pattern


class NeverEnds(NamedTuple):
    """No call ends so."""

    ending: Ending


class AlwaysSent(NamedTuple):
    """Every call sends such a webhook.

    `within`: by so many menus, which are counted from the first, or behind that which sent `after`. `after`: only once
    this was sent, and each time again. `unless`: nothing is due any more in calls that end so.
    """

    webhook: Pattern
    within: int | None = None
    after: Pattern | None = None
    unless: tuple[Ending, ...] = EXCUSED


class LeadsTo(NamedTuple):
    """What a key's list does: it hangs up, asks a menu next, sends a webhook, or opts out; exactly one of the four."""

    menu: int | None = None
    webhook: Pattern | None = None
    hangs_up: bool = False
    opts_out: bool = False


class AlwaysLeads(NamedTuple):
    """Wherever a call asks one of the menus (None: any), the key's list does that. The stack's limits break nothing.

    No key: some key of the menu has such a list, whichever it is.
    """

    key: str | None
    menus: tuple[int, ...] | None
    to: LeadsTo


class AlwaysMenus(NamedTuple):
    """No call asks more menus."""

    most: int


class AlwaysSeconds(NamedTuple):
    """No call plays and waits longer: introductions and timeouts, without what networks and functions take."""

    most: int


Rule = (
    NeverSent
    | NeverWithout
    | NeverBy
    | NeverBoth
    | NeverTwice
    | NeverEnds
    | AlwaysSent
    | AlwaysLeads
    | AlwaysMenus
    | AlwaysSeconds
)


class Promise(NamedTuple):
    """A rule, and what it is called: its name, or its own JSON text."""

    name: str
    rule: Rule


def patterns_of(rule: Rule) -> tuple[Pattern, ...]:
    """The patterns for which a promise is kept if no webhook fits them: such a pattern may be misspelt."""
    match rule:
        case NeverSent(webhook) | NeverWithout(webhook, _) | NeverBy(webhook, _) | NeverTwice(webhook):
            return (webhook,)
        case NeverBoth(webhooks):
            return webhooks
        case AlwaysSent(_, _, after, _):
            return (after,) if after else ()
        case NeverEnds() | AlwaysLeads() | AlwaysMenus() | AlwaysSeconds():
            return ()
        case _:
            assert_never(rule)
