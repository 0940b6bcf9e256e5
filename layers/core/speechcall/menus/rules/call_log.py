"""What a call has heard and what follows from it: the rules by which a call continues without its state machine.

When a call is dialled, its menus become a small table (key → the next menu, or the end) and its bounds are fixed.
Whatever is heard becomes an entry of the call's log, together with what follows. That is decided once, where
the entry is written; the telephony and the state machine both go by the entry. So the telephony can be told the
next menu at once, and a state machine that is slow comes to the same.

Entry 1 says that the callee has answered. Each later one answers the question of its own `seq`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

MOST_AHEAD = 3
"""So many entries may be in the log beyond the question that the state machine asks; then the telephony holds."""
HOLD_SECONDS = 30
"""For which a telephony holds without a command of the state machine's; after that the call is lost."""

SILENT_REPEATS = 2
"""How many menus may be asked again since the last key, in all, before silence ends the call."""
MOST_SILENT_REPEATS = 49
OTHERWISE = "wrong"
OTHER = "other"
"""A key that no telephone has; in a table: every key without a place of its own."""
INTERNAL_ERROR, TIMED_OUT = "INTERNAL_ERROR", "TIMEOUT"
"""Why a lookup has come to no case: a fault of ours, or no answer in time. Other words say what its request came to."""
COMPLETE = "complete"
"""In the place of a key: as many digits as a menu asks for. Any other entry is OTHER."""
ANSWERED, KEY, IDLE, PROMPT_ERROR = "answered", "key", "idle", "prompt_error"


class ThenKind(StrEnum):
    """What follows an entry: a menu; the end; or what only the state machine can tell."""

    ASK = "ask"
    END = "end"
    WAIT = "wait"


class Then(NamedTuple):
    """What follows an entry. `menu` comes with ASK; `reason` with an END that no list of the customer's asked for."""

    kind: ThenKind
    menu: int | None = None
    reason: str = ""


class Decided(NamedTuple):
    """What the lookup behind entry `seq` has come to. Of an answer, a fault and a timeout the first decides.

    `case`: the one that was answered, empty for else, and `error` says in a word why; `target`: the menu that it leads
    to, if the bounds of the call let it, which `then` says.
    """

    seq: int
    case: str
    target: int
    at_msec: int
    then: Then
    error: str = ""


class Entry(NamedTuple):
    """One thing that was heard. `menu`: None for the answer; `key`: `d1` …, `complete`, `other`.

    `at_msec`: since the epoch.
    """

    seq: int
    menu: int | None
    event: str
    key: str
    at_msec: int
    then: Then
    waited_msec: int | None = None
    """Of the answer: for how long the callee had waited for our function when this was decided."""
    decided: Decided | None = None
    """Of one that was followed by a wait: what that has come to, and what `then` is since."""
    digits: str | None = None
    """What was entered, where a webhook tells it. None: nothing was, or no webhook does."""
    sealed: str | None = None
    """The same, sealed: of a menu whose digits are sensitive."""

    def with_decision(self, decided: Decided) -> "Entry":
        """The entry when its wait is over."""
        return self._replace(then=decided.then, decided=decided)

    @property
    def decided_msec(self) -> int:
        """When it was known what follows."""
        return self.decided.at_msec if self.decided else self.at_msec


class Wait(NamedTuple):
    """A lookup as the path has to know it: for how long a callee waits, and which menu follows then."""

    timeout_msec: int
    otherwise: int


Table = tuple[Mapping[str, int | str], ...]
"""For each menu where a key leads: the index of a menu, `end` or `wait`; OTHERWISE: every other key, and silence.

Where these two differ there are IDLE and OTHER, and OTHERWISE is `wait`: so a release that knows neither of them
leaves it to the state machine.
"""


class Plan(NamedTuple):
    """All that decides what follows, fixed when the call is dialled."""

    table: Table
    max_visits: int
    until_msec: int
    """From this moment on no menu begins."""
    silent_repeats: int = SILENT_REPEATS
    waits: tuple[Mapping[str, Wait], ...] = ()
    """For each menu the lookups of what is heard in it: a key of the table, IDLE, or OTHER. Empty: there are none."""


def follows(plan: Plan, log: Sequence[Entry], menu: int | None, event: str, key: str, at_msec: int) -> Then:
    """What follows when `event` is heard behind the entries of `log`, at a moment (since the epoch).

    `menu`: in which it is heard; None: ANSWERED. `key`: that of a KEY (`d1` …, `complete`, `other`).

    The bounds come after the menus: an end that a list asks for is no `limit`. `silence` comes last.
    """
    if event == PROMPT_ERROR:  # the callee was asked nothing, so no list of the customer's runs
        return Then(ThenKind.END, reason="promptUnavailable")
    target: int | str = 0  # the answer leads to the first menu
    if event != ANSWERED:
        target = _leads(plan.table[menu or 0], event, key)
    if not isinstance(target, int):
        return Then(ThenKind(target))
    return _within_bounds(plan, log, menu, event, target, at_msec)


def after_wait(plan: Plan, log: Sequence[Entry], entry: Entry, target: int, at_msec: int) -> Then:
    """What follows when the lookup behind `entry` has come to `target`; `log`: the entries before it."""
    return _within_bounds(plan, log, entry.menu, entry.event, target, at_msec)


def wait_of(plan: Plan, entry: Entry) -> Wait | None:
    """The lookup that an entry leads to, whether it is decided or not; None: it leads to none, or none that we know."""
    is_wait = entry.decided or entry.then.kind is ThenKind.WAIT
    if not is_wait or entry.menu is None or not plan.waits:
        return None
    key = entry.key if entry.key in plan.table[entry.menu] else OTHER
    return plan.waits[entry.menu].get(IDLE if entry.event == IDLE else key)


def _within_bounds(plan: Plan, log: Sequence[Entry], menu: int | None, event: str, target: int, at_msec: int) -> Then:
    """That `target` is asked; or the end, if the call has reached its bounds or too much was repeated in silence."""
    asked = len(log)  # the answer asks nothing, and the question that this answers is not in the log yet
    if asked >= plan.max_visits or at_msec >= plan.until_msec:
        return Then(ThenKind.END, reason="limit")
    if event == IDLE and repeats_too_often([*_menus_since_a_key(log), menu or 0], target, plan.silent_repeats):
        return Then(ThenKind.END, reason="silence")
    return Then(ThenKind.ASK, target)


def _leads(row: Mapping[str, int | str], event: str, key: str) -> int | str:
    if event == IDLE:
        return row.get(IDLE, row[OTHERWISE])
    return row.get(key, row.get(OTHER, row[OTHERWISE]))


def _menus_since_a_key(log: Sequence[Entry]) -> list[int]:
    """The menus of the entries behind the last key, in order."""
    menus: list[int] = []
    for entry in reversed(log):
        if entry.menu is None or entry.event == KEY:
            break
        menus.append(entry.menu)
    return menus[::-1]


def repeats_too_often(since_key: Sequence[int], target: int, silent_repeats: int) -> bool:
    """Whether `target` would be one menu too many for a callee who only listens.

    `since_key`: the menus that were asked since the last key was pressed (any key, also one without a list), in order;
    the last of them was just left in silence. A menu among them that is asked again is a repeat, whichever it is. So a
    menu that leads to itself is asked 1 + `silent_repeats` times, a ring of n menus plays n + `silent_repeats`, and a
    chain of different menus never ends here.
    """
    menus = [*since_key, target]
    return target in since_key and len(menus) - len(set(menus)) > silent_repeats
