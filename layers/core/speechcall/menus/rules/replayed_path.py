"""Calls that were made, once more through other menus: what would have been sent, and where they would have ended."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from speechcall.menus.rules.menu import Menu, Webhook
from speechcall.menus.rules.walk import ELSE, Behaviour, CallLimits, Walk, walk


class Otherwise(NamedTuple):
    """What would have been otherwise in one call, or in many."""

    calls: int = 0
    """Of which anything would have been."""
    lost: int = 0
    """Webhooks that would not have been sent."""
    added: int = 0
    """Webhooks that would have been sent as well, or in their place."""
    shorter: int = 0
    """Calls that we would have ended before their last key."""
    longer: int = 0
    """Calls that would have been asked one menu more, where they ended; what would have been pressed is not known."""

    def plus(self, other: "Otherwise") -> "Otherwise":
        """Both together."""
        return Otherwise(*(one + another for one, another in zip(self, other, strict=True)))


def replay(
    old: Sequence[Menu],
    new: Sequence[Menu],
    heard: Sequence[str],
    limits: CallLimits,
    new_repeats: int | None = None,
    cases: Sequence[str] = (),
) -> Otherwise:
    """What would have been otherwise in one call, which had the menus `old`, with `new` in their place.

    `heard`: what was heard in the call, in order: `d1`, `complete`, `idle`, `other`, `prompt_error`.
    `cases`: what lookups behind these were answered, ELSE where there was none. The new ones are answered the same.
    `new_repeats`: silent repeats of the new ones, if they are not those of `limits`.
    """
    behaviours = [Behaviour(one, case=case) for one, case in zip_longest(heard, cases, fillvalue=ELSE)]
    repeats = limits.silent_repeats if new_repeats is None else new_repeats
    was = walk(old, behaviours, limits.visits, limits.silent_repeats)
    would = walk(new, behaviours, limits.visits, repeats)
    sent = [_sent(menus, found) for menus, found in ((old, was), (new, would))]
    lost, added = (sent[0] - sent[1]).total(), (sent[1] - sent[0]).total()
    shorter = len(would.menus) < min(len(was.menus), len(heard))
    longer = len(was.menus) <= len(heard) < len(would.menus)
    played = [[_sound(menus[menu]) for menu in found.menus] for menus, found in ((old, was), (new, would))]
    differs = bool(lost or added) or played[0] != played[1]
    return Otherwise(int(differs), lost, added, int(shorter), int(longer))


def _sent(menus: Sequence[Menu], found: Walk) -> Counter[tuple[object, ...]]:
    """How often each webhook (by URL, body and headers) was sent in a walk through `menus`."""
    actions = (menus[one.menu].actions[one.key][one.step] for one in found.webhooks)
    return Counter((one.url, one.body, *sorted(one.headers.items())) for one in actions if isinstance(one, Webhook))


def _sound(menu: Menu) -> tuple[object, ...]:
    return *menu.heard_in_silence(), menu.idle_seconds, menu.input, menu.barge_in
