"""What differs between two sets of menus for the person who answers and for who is told: by a shortest call each.

Both are walked side by side, by the same keys. It is behaviour that is compared, never the text: what is played, how
long a key is awaited, which webhooks are sent, which opt-outs are kept, when and why the call ends. How menus are
numbered makes no difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple, assert_never

from speechcall.menus.rules.call_log import IDLE, OTHER
from speechcall.menus.rules.call_space import Happens, Silence, Silences, all_that_happens
from speechcall.menus.rules.menu import ENTRIES, Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.promise import Ending
from speechcall.menus.rules.walk import ELSE, CallLimits

MOST_STATES = 200_000
NOT_COMPARABLE = "MENUS_NOT_COMPARABLE"
"""What a program can test where which menus are to be compared with which cannot be told, or not all was compared."""


class Step(NamedTuple):
    """What is heard, in which menu of each."""

    old: int
    new: int
    heard: str
    case: str | None = None
    """What a lookup behind it comes to in both (ELSE: to no case); None: neither has one there."""


class Kind(StrEnum):
    """In what two calls differ that the same keys have led on."""

    PLAYED = "played"
    """What is heard, how long a key is awaited and from when on, or how many digits are asked for, behind the steps."""
    SENT = "sent"
    """The webhooks and the opt-outs of the last step."""
    LEADS = "leads"
    """Where the last step leads: one asks a menu, the other ends; or they end for different reasons."""


class Difference(NamedTuple):
    """What differs, behind the steps of a shortest call."""

    kind: Kind
    steps: tuple[Step, ...]
    old: "Behaves"
    new: "Behaves"


class Behaves(NamedTuple):
    """What menus do at one step: what they send, then the menu that is asked, or how they end."""

    sent: tuple[Action, ...]
    menu: int | None
    ending: Ending | None


class Comparison(NamedTuple):
    """All differences; none: the two are equivalent. `is_whole`: nothing was left out for the number of states."""

    differences: tuple[Difference, ...]
    is_whole: bool
    states: int


class _Place(NamedTuple):
    """A menu of each, and how long silence may still go on in each."""

    old: int
    new: int
    old_silence: Silence
    new_silence: Silence


def compare(
    old: Sequence[Menu],
    new: Sequence[Menu],
    limits: CallLimits,
    new_repeats: int | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Comparison:
    """Every difference by a shortest call, in the order of their lengths.

    A difference is told once: of what is played for each pair of menus, else for each pair, each key and each kind.
    Where the two differ in what they play or send they are followed further; where one asks a menu and the other ends
    there is nothing more to follow. `new_repeats`: silent repeats of the new ones, if they are not those of `limits`;
    `renamed`: new names of introductions that sound as before.
    """
    repeats = limits.silent_repeats if new_repeats is None else new_repeats
    return _Walk(old, new, limits, repeats, renamed or {}).run()


class _Walk:
    def __init__(
        self,
        old: Sequence[Menu],
        new: Sequence[Menu],
        limits: CallLimits,
        new_repeats: int,
        renamed: Mapping[str, str],
    ) -> None:
        self._menus, self._limits, self._renamed = (old, new), limits, renamed
        self._happenings = [[_by_heard(menu) for menu in menus] for menus in self._menus]
        self._silences = [Silences(old, limits.silent_repeats), Silences(new, new_repeats)]
        self._found: dict[tuple[Kind, int, int, str, str | None], Difference] = {}
        self._ways: dict[_Place, tuple[_Place, Step] | None] = {}

    def run(self) -> Comparison:
        """Follows the same keys through both, all calls of one menu first, then of two, and so on to the limit; so the
        first call that shows a difference is a shortest one.
        """
        first = _Place(0, 0, *(one.behind_a_key(0) for one in self._silences))
        layer = [first]
        self._ways[first] = None
        if not self._sounds_alike(0, 0):
            begins = Behaves((), 0, None)
            self._found[Kind.PLAYED, 0, 0, "", None] = Difference(Kind.PLAYED, (), begins, begins)
        for visit in range(1, self._limits.visits + 1):
            following = []
            for place in layer:
                for there, step in self._look_at(place, is_last=visit == self._limits.visits):
                    if there not in self._ways:
                        self._ways[there] = (place, step)
                        following.append(there)
                if len(self._ways) > MOST_STATES:
                    return Comparison(tuple(self._found.values()), False, len(self._ways))
            layer = following
        return Comparison(tuple(self._found.values()), True, len(self._ways))

    def _look_at(self, place: _Place, *, is_last: bool) -> Iterator[tuple[_Place, Step]]:
        """Notes what differs at a place; yields the places to which the same step leads on in both, with the step."""
        for heard in _told_apart(self._menus[0][place.old], self._menus[1][place.new]):
            old, new = self._happenings[0][place.old][heard], self._happenings[1][place.new][heard]
            for case in _cases(old, new):
                step = Step(place.old, place.new, heard, case)
                one, silence = self._behaves(0, _of_case(old, case), place.old_silence, is_last)
                other, other_silence = self._behaves(1, _of_case(new, case), place.new_silence, is_last)
                if self._tell_apart(place, step, one, other) and silence is not None and other_silence is not None:
                    yield _Place(one.menu or 0, other.menu or 0, silence, other_silence), step

    def _tell_apart(self, place: _Place, step: Step, one: Behaves, other: Behaves) -> bool:
        """Notes what differs at a step; whether both ask a menu behind it."""
        if one.sent != other.sent:
            # Without the case: what a list sends does not depend on it, and is told once.
            self._add(Kind.SENT, place, step._replace(case=None), one, other)
        if one.menu is None or other.menu is None:
            if one.menu != other.menu or one.ending is not other.ending:
                self._add(Kind.LEADS, place, step, one, other)
            return False
        if not self._sounds_alike(one.menu, other.menu):
            self._add(Kind.PLAYED, place, step, one, other)
        return True

    def _behaves(self, which: int, happens: Happens, silence: Silence, is_last: bool) -> tuple[Behaves, Silence | None]:
        """What one of the two does (`which`: 0 the old, 1 the new), and how long silence may still go on behind it.

        `is_last`: the stack's limit lets no menu follow.
        """
        sent = tuple(map(_told, filter(_is_told, happens.actions)))
        if happens.target is None:
            return Behaves(sent, None, Ending.COMPLETED), None
        if is_last:
            return Behaves(sent, None, Ending.LIMIT), None
        silences, target = self._silences[which], happens.target
        is_silent = happens.heard == IDLE
        left = silences.behind_silence(silence, target) if is_silent else silences.behind_a_key(target)
        if left is None:
            return Behaves(sent, None, Ending.SILENCE), None
        return Behaves(sent, target, None), left

    def _add(self, kind: Kind, place: _Place, step: Step, one: Behaves, other: Behaves) -> None:
        name: tuple[Kind, int, int, str, str | None] = (kind, place.old, place.new, step.heard, step.case)
        if kind is Kind.PLAYED:
            name = kind, one.menu or 0, other.menu or 0, "", None
        if name not in self._found:
            self._found[name] = Difference(kind, (*self._way(place), step), one, other)

    def _sounds_alike(self, old: int, new: int) -> bool:
        one, other = self._menus[0][old], self._menus[1][new]
        played = [*zip(one.heard_in_silence(), other.heard_in_silence(), strict=False)]
        alike = len(played) == len(one.heard_in_silence()) == len(other.heard_in_silence())
        alike = alike and all(after in (before, self._renamed.get(before)) for before, after in played)
        return alike and (one.idle_seconds, one.input, one.barge_in) == (
            other.idle_seconds,
            other.input,
            other.barge_in,
        )

    def _way(self, place: _Place) -> list[Step]:
        steps: list[Step] = []
        while before := self._ways[place]:
            place, step = before
            steps.append(step)
        return steps[::-1]


def _by_heard(menu: Menu) -> dict[str, dict[str | None, Happens]]:
    """By what is heard, and what a lookup behind it comes to (None: there is none)."""
    return {heard: {one.case: one for one in all_that_happens(menu, heard)} for heard in (*ENTRIES, IDLE, OTHER)}


def _cases(old: Mapping[str | None, Happens], new: Mapping[str | None, Happens]) -> list[str | None]:
    """What a lookup can come to in one of the two; None alone: neither has one."""
    named = dict.fromkeys(case for case in (*old, *new) if case)
    return [*named, ELSE] if ELSE in old or ELSE in new else [None]


def _of_case(all_cases: Mapping[str | None, Happens], case: str | None) -> Happens:
    """What one of the two does where a lookup is answered `case`; without a lookup there it always does the same."""
    return all_cases.get(case) or all_cases.get(ELSE) or all_cases[None]


def _told_apart(old: Menu, new: Menu) -> list[str]:
    """What can be heard in both, but for the keys that neither has a list for: one stands for all of them.

    Digits in a menu that asks for one key, and a key in one that asks for digits, are taken for a key without a list.
    """
    return [*(key for key in ENTRIES if key in old.actions or key in new.actions), IDLE, OTHER]


def _is_told(action: Action) -> bool:
    """Whether it has an effect beyond the call."""
    match action:
        case Webhook() | OptOutStep() | Lookup():
            return True
        case Hangup() | GotoMenu():
            return False
        case _:
            assert_never(action)


def _told(action: Action) -> Action:
    """What of it is seen from outside: which menus a lookup may lead to is seen when it leads there."""
    return replace(action, cases={}, otherwise=0) if isinstance(action, Lookup) else action
