"""How a promise fares in a call: what is remembered of the call, and when the promise is broken.

A monitor is a small machine. It is told what the call does, menu by menu; its states are few, so that all calls can be
looked through.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, assert_never

from speechcall.menus.rules.call_space import Happens, happenings
from speechcall.menus.rules.menu import ENTRIES, Action, Menu, OptOutStep
from speechcall.menus.rules.promise import (
    AlwaysLeads,
    AlwaysMenus,
    AlwaysSeconds,
    AlwaysSent,
    Ending,
    LeadsTo,
    NeverBoth,
    NeverBy,
    NeverEnds,
    NeverSent,
    NeverTwice,
    NeverWithout,
    Pattern,
    Rule,
)

BROKEN = -1
"""In the place of a state."""


class Answer(NamedTuple):
    """What was heard in a menu (`d1`, `other`, `idle`), the list that it started (None: there is none), its actions
    that run, and the menu that follows (None: the call is hung up).
    """

    menu: int
    heard: str
    key: str | None
    actions: tuple[Action, ...]
    target: int | None


def _same(state: int, _given: object) -> int:
    return state


def _never_due(_state: int, _ending: Ending) -> bool:
    return False


class Monitor(NamedTuple):
    """Of one promise. A call begins in state 0; what other states mean, each promise says for itself."""

    answered: Callable[[int, Answer], int] = _same
    """The state behind a menu's answer, or BROKEN; from the state before."""
    asked: Callable[[int, int], int] = _same
    """The state when a menu (by its index) is asked, or BROKEN; from the state before."""
    breaks_at_end: Callable[[int, Ending], bool] = _never_due
    """Whether a call that ends so in a state breaks the promise."""
    depends_on_end: bool = False
    """Whether it can be broken by the stack's limits, of which one is a time."""
    offends: Callable[[Action], bool] | None = None
    """Which action of the last list is to blame."""


def monitor_of(rule: Rule, menus: Sequence[Menu]) -> Monitor:
    """The monitor that a promise about calls through `menus` is held to."""
    match rule:
        case NeverSent(webhook):
            return _by_list(webhook, lambda _answer: True)
        case NeverBy(webhook, lists):
            return _by_list(webhook, lambda answer: answer.key in lists)
        case NeverWithout(webhook, keys):
            return _without(webhook, keys)
        case NeverBoth(webhooks):
            return _both(webhooks)
        case NeverTwice(webhook):
            return _twice(webhook)
        case NeverEnds(ending):
            return Monitor(breaks_at_end=lambda _state, how: how is ending, depends_on_end=ending is Ending.LIMIT)
        case AlwaysSent(webhook, within, after, unless):
            return _sent_after(webhook, within, after, unless) if after else _sent(webhook, within, unless)
        case AlwaysLeads(key, named, to):
            return _some_key_leads(menus, named, to) if key is None else _leads(key, named, to)
        case AlwaysMenus(most):
            return Monitor(asked=lambda state, _menu: state + 1 if state < most else BROKEN)
        case AlwaysSeconds():
            return Monitor()  # it is the search that knows the time
        case _:
            assert_never(rule)


def _by_list(webhook: Pattern, counts: Callable[[Answer], bool]) -> Monitor:
    """Broken when such a webhook is sent by an answer that `counts`."""

    def answered(state: int, answer: Answer) -> int:
        return BROKEN if counts(answer) and any(map(webhook.is_sent_by, answer.actions)) else state

    return Monitor(answered, offends=webhook.is_sent_by)


def _without(webhook: Pattern, keys: Sequence[str]) -> Monitor:
    """State 0: none of the keys was pressed yet; `pressed`: one was. The key counts before the webhooks of its list."""
    pressed = 1

    def answered(state: int, answer: Answer) -> int:
        state = pressed if answer.heard in keys else state
        return BROKEN if state != pressed and any(map(webhook.is_sent_by, answer.actions)) else state

    return Monitor(answered, offends=webhook.is_sent_by)


def _both(webhooks: tuple[Pattern, Pattern]) -> Monitor:
    """State: one bit for each of the two that was sent."""
    both = 0b11

    def answered(state: int, answer: Answer) -> int:
        for action in answer.actions:
            state |= sum(1 << place for place, one in enumerate(webhooks) if one.is_sent_by(action))
        return BROKEN if state == both else state

    return Monitor(answered, offends=lambda action: any(one.is_sent_by(action) for one in webhooks))


def _twice(webhook: Pattern) -> Monitor:
    """State: how many such webhooks were sent."""

    def answered(state: int, answer: Answer) -> int:
        count = state + sum(map(webhook.is_sent_by, answer.actions))
        return BROKEN if count > 1 else count

    return Monitor(answered, offends=webhook.is_sent_by)


def _sent(webhook: Pattern, within: int | None, unless: Sequence[Ending]) -> Monitor:
    """State: how many menus have been answered without such a webhook (counted only `within` a number of menus); or
    `sent`, which no count reaches.
    """
    sent = 10**6

    def answered(state: int, answer: Answer) -> int:
        if state == sent or any(map(webhook.is_sent_by, answer.actions)):
            return sent
        if within is None:
            return state
        return state + 1 if state + 1 < within else BROKEN

    return Monitor(
        answered,
        breaks_at_end=lambda state, ending: state != sent and ending not in unless,
        depends_on_end=Ending.LIMIT not in unless,
    )


def _sent_after(webhook: Pattern, within: int | None, after: Pattern, unless: Sequence[Ending]) -> Monitor:
    """State 0: no webhook is due; n: one has been due for n - 1 menus (counted only `within` a number of menus)."""

    def answered(state: int, answer: Answer) -> int:
        """The state behind an answer: its actions count in their order, then the menu itself."""
        waits = state > 0  # the menu that sends `after` is not counted itself
        for action in answer.actions:
            if webhook.is_sent_by(action):
                state, waits = 0, False
            if after.is_sent_by(action):
                state = state or 1
        if within is None or not waits:
            return state
        return state + 1 if state < within else BROKEN

    return Monitor(
        answered,
        breaks_at_end=lambda state, ending: state > 0 and ending not in unless,
        depends_on_end=Ending.LIMIT not in unless,
    )


def _leads(key: str, menus: Sequence[int] | None, to: LeadsTo) -> Monitor:
    """Broken when `key` is heard in one of `menus` (None: in any) and its list does not do what `to` says."""

    def answered(state: int, answer: Answer) -> int:
        asked = answer.heard == key and (menus is None or answer.menu in menus)
        return BROKEN if asked and not _does(answer, to) else state

    return Monitor(answered)


def _some_key_leads(menus: Sequence[Menu], named: Sequence[int] | None, to: LeadsTo) -> Monitor:
    """Which menus have no key that does what `to` says is known before any call; a call that asks one of them breaks
    the promise. `named`: the menus of the promise; None: all.
    """
    without = {
        index
        for index, menu in enumerate(menus)
        if (named is None or index in named) and not _has_a_key_that(index, menu, to)
    }
    return Monitor(asked=lambda state, menu: BROKEN if menu in without else state)


def _has_a_key_that(index: int, menu: Menu, to: LeadsTo) -> bool:
    """Whether a menu has a key whose list does what `to` says, whatever a lookup behind it is answered."""
    does: dict[str, bool] = {}
    for one in happenings(menu):
        if one.key in ENTRIES:
            does[one.heard] = does.get(one.heard, True) and _does(_answer(index, one), to)
    return any(does.values())


def _answer(menu: int, happens: Happens) -> Answer:
    return Answer(menu, happens.heard, happens.key, happens.actions, happens.target)


def _does(answer: Answer, to: LeadsTo) -> bool:
    """Whether the list of an answer did what `to` says."""
    if to.opts_out:
        return any(isinstance(action, OptOutStep) for action in answer.actions)
    if to.webhook is not None:
        return any(map(to.webhook.is_sent_by, answer.actions))
    return answer.target is None if to.hangs_up else answer.target == to.menu
