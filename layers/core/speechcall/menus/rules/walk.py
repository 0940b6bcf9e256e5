"""What a menu means: the reference against which the compiled state machines are held.

A pure walk over menus. It knows nothing of state machines, telephony or time: what the callee does
goes in, the menus asked, the webhooks sent and the end come out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, assert_never

from speechcall.menus.rules.call_log import (
    COMPLETE,
    IDLE,
    OTHER,
    OTHERWISE,
    PROMPT_ERROR,
    SILENT_REPEATS,
    Table,
    ThenKind,
    Wait,
    repeats_too_often,
)
from speechcall.menus.rules.menu import GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.shared.rules.outcome import End
from speechcall.shared.rules.time_bounds import DEFAULT_CALL_SECONDS

MAX_VISITS = 50


class CallLimits(NamedTuple):
    """What a stack allows a call: menus, seconds until no menu begins any more, silent repeats."""

    visits: int = MAX_VISITS
    seconds: int = DEFAULT_CALL_SECONDS
    silent_repeats: int = SILENT_REPEATS


ELSE = ""
"""In the place of a case: the lookup has come to none."""

AS_DEPLOYED = CallLimits()
"""Of a stack that has chosen nothing else."""


class Sent(NamedTuple):
    """A webhook or an opt-out that ran: in which visit (1 is the first menu asked), and where it is in its list."""

    visit: int
    menu: int
    key: str
    step: int


class Reaction(NamedTuple):
    """What one thing heard in a menu leads to: steps of a list (from 0), by their kind, then a menu or the end (None).

    `key`: the list; None: there is none. With a `lookup` it is the answer that decides; then `target` is where it leads
    without one.
    """

    key: str | None
    webhooks: tuple[int, ...]
    target: int | None
    opt_outs: tuple[int, ...] = ()
    lookup: Lookup | None = None

    def leads(self, case: str) -> int | None:
        """Where it leads if a lookup is answered this."""
        return self.lookup.leads(case) if self.lookup else self.target

    @property
    def cases(self) -> tuple[str, ...]:
        """What makes a difference to where it leads: the lookup's cases, and ELSE for whatever else becomes of it."""
        return (*self.lookup.cases, ELSE) if self.lookup else (ELSE,)


class Behaviour(NamedTuple):
    """What the callee does in one menu.

    `heard`: a key (`d1`), `complete` for as many digits as are asked for, `idle` for silence, `other` for a key that no
    telephone has and for any other digits, `hang_up`;
    `prompt_error`: the introduction could not be played, so the callee was asked nothing.
    `hangs_up_after`: having pressed it, the callee hangs up while the actions run.
    `case`: what a lookup is answered, if that leads to one; ELSE for whatever is no case of it.
    """

    heard: str
    hangs_up_after: bool = False
    case: str = ELSE


class Walk(NamedTuple):
    """A call: the menus asked in order, the webhooks sent and the opt-outs kept, how it ended.

    `limit`, `prompt_error` or `silence`: for that we ended it. With none of them a list did, or the callee.
    """

    menus: tuple[int, ...]
    webhooks: tuple[Sent, ...]
    end: End
    limit: bool = False
    prompt_error: bool = False
    silence: bool = False
    opt_outs: tuple[Sent, ...] = ()
    lookups: tuple[Sent, ...] = ()
    """The lookups that were made: none of a callee who has hung up."""


def react(menu: Menu, heard: str) -> Reaction:
    """What a menu does about `heard`. No list for it: hang up. A list without an end: hang up."""
    key = menu.list_for(heard)
    webhooks: list[int] = []
    opt_outs: list[int] = []
    for step, action in enumerate(menu.actions[key] if key else ()):
        match action:
            case Webhook():
                webhooks.append(step)
            case OptOutStep():
                opt_outs.append(step)
            case GotoMenu(target):
                return Reaction(key, tuple(webhooks), target, tuple(opt_outs))
            case Lookup():
                return Reaction(key, tuple(webhooks), action.otherwise, tuple(opt_outs), action)
            case Hangup():
                break
            case _:
                assert_never(action)
    return Reaction(key, tuple(webhooks), None, tuple(opt_outs))


def told_entries(menu: Menu) -> tuple[str, ...]:
    """Which entries of digits a webhook or a lookup tells of: `complete`, or `other` ones."""
    reactions = {heard: react(menu, heard) for heard in (COMPLETE, OTHER)}
    return tuple(heard for heard, found in reactions.items() if found.webhooks or found.lookup)


def table_of(menus: Sequence[Menu]) -> Table:
    """Where each key of each menu leads, for the log of a call; `Table` says what the words in it mean."""

    def leads(menu: Menu, heard: str) -> int | str:
        reaction = react(menu, heard)
        if reaction.lookup:
            return ThenKind.WAIT.value
        return ThenKind.END.value if reaction.target is None else reaction.target

    def row(menu: Menu) -> dict[str, int | str]:
        keys = {key: leads(menu, key) for key in menu.own_keys()}
        silence, other = leads(menu, IDLE), leads(menu, OTHER)
        if silence == other:
            return {**keys, OTHERWISE: other}
        return {**keys, IDLE: silence, OTHER: other, OTHERWISE: ThenKind.WAIT.value}

    return tuple(map(row, menus))


def waits_of(menus: Sequence[Menu]) -> tuple[Mapping[str, Wait], ...]:
    """For each menu what is heard in it (a key with a list, IDLE, OTHER) and leads to a lookup. Empty: nothing does."""

    def row(menu: Menu) -> dict[str, Wait]:
        found = {heard: react(menu, heard).lookup for heard in (*menu.own_keys(), IDLE, OTHER)}
        return {heard: Wait(one.timeout_msec, one.otherwise) for heard, one in found.items() if one}

    rows = tuple(map(row, menus))
    return rows if any(rows) else ()


def walk(
    menus: Sequence[Menu],
    behaviours: Iterable[Behaviour],
    max_visits: int = MAX_VISITS,
    silent_repeats: int = SILENT_REPEATS,
) -> Walk:
    """A call through `menus` from menu 0.

    `behaviours`: what the callee does in each menu that is asked, in order; in the first beyond them the callee hangs
    up. `max_visits`: how many menus may be asked. `silent_repeats`: see `repeats_too_often`.
    """
    asked: list[int] = []
    since_key: list[int] = []
    sent: list[Sent] = []
    kept: list[Sent] = []
    looked_up: list[Sent] = []

    def over(end: End, *, limit: bool = False, prompt_error: bool = False, silence: bool = False) -> Walk:
        return Walk(tuple(asked), tuple(sent), end, limit, prompt_error, silence, tuple(kept), tuple(looked_up))

    does = iter(behaviours)
    index: int | None = 0
    while index is not None:
        if len(asked) >= max_visits:
            return over(End.COMPLETED, limit=True)
        asked.append(index)
        since_key.append(index)
        behaviour = next(does, Behaviour("hang_up"))
        if behaviour.heard == "hang_up":
            return over(End.CALLER_HUNG_UP)
        if behaviour.heard == PROMPT_ERROR:
            return over(End.COMPLETED, prompt_error=True)
        reaction = react(menus[index], behaviour.heard)
        # A list that a key has started runs to its end, whether anybody is on the line or not.
        sent += [Sent(len(asked), index, reaction.key or "", step) for step in reaction.webhooks]
        kept += [Sent(len(asked), index, reaction.key or "", step) for step in reaction.opt_outs]
        # Where the list ends the call, that end counts: the callee cannot be seen to hang up before it.
        if behaviour.hangs_up_after and reaction.target is not None:
            return over(End.CALLER_HUNG_UP)
        if reaction.lookup:
            step = len(reaction.webhooks) + len(reaction.opt_outs)  # all that may stand before it
            looked_up.append(Sent(len(asked), index, reaction.key or "", step))
        index = reaction.leads(behaviour.case)
        if behaviour.heard != IDLE:
            since_key = []
        # With `max_visits` reached it is the limit that ends the call, not silence.
        elif index is not None and len(asked) < max_visits and repeats_too_often(since_key, index, silent_repeats):
            return over(End.COMPLETED, silence=True)
    return over(End.COMPLETED)
