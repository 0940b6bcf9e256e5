"""How two sets of menus differ for callees and receivers; for each difference a shortest call that shows it.

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
"""The code in the refusal when it is unclear which menus to compare with which, or when comparing was cut short."""


class Step(NamedTuple):
    """What is heard, in which menu of each."""

    old: int
    new: int
    heard: str
    case: str | None = None
    """What a lookup behind it comes to in both (ELSE: to no case); None: neither has one there."""


class Kind(StrEnum):
    """In what the two differ after the same keys."""

    PLAYED = "played"
    """What is heard, how long a key is awaited and from when on, or how many digits are asked for, behind the steps."""
    SENT = "sent"
    """The webhooks and the opt-outs of the last step."""
    LEADS = "leads"
    """Where the last step leads: one asks a menu, the other ends; or they end for different reasons."""


class Difference(NamedTuple):
    """What differs, behind the steps of a shortest call. Without steps: when the call begins."""

    kind: Kind
    steps: tuple[Step, ...]
    old: "Behaves"
    new: "Behaves"


class Behaves(NamedTuple):
    """What menus do at one step: what they send (webhooks, opt-outs, lookups), then the menu asked or the ending.

    One of `menu` and `ending` is None.
    """

    sent: tuple[Action, ...]
    menu: int | None
    ending: Ending | None


def _told_outside(sent: Sequence[Action]) -> tuple[tuple[Action, ...], frozenset[OptOutStep]]:
    """What of it can be told from outside: requests in their order, and which opt-outs are kept, at once."""
    requests = tuple(one for one in sent if not isinstance(one, OptOutStep))
    return requests, frozenset(one for one in sent if isinstance(one, OptOutStep))


class Comparison(NamedTuple):
    """The differences; none, and `is_whole`: the two are equivalent.

    `is_whole`: all was compared. False: it was given up at MOST_STATES; there may be more. `states`: how many were.
    """

    differences: tuple[Difference, ...]
    is_whole: bool
    states: int


class _Place(NamedTuple):
    """A menu of each, by its index, and how long silence may still go on in each (see `Silences`)."""

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
    """The differences, each by a shortest call, in the order of the calls' lengths.

    A difference is told once: of what is played for each pair of menus, of what is sent for each pair and thing heard
    in it, of where that leads for each case of a lookup too.
    Where the two differ in what they play or send they are followed further; where one asks a menu and the other ends
    there is nothing more to follow. `new_repeats`: silent repeats of the new ones, if they are not those of `limits`;
    `renamed`: new names of introductions that sound as before.
    """
    repeats = limits.silent_repeats if new_repeats is None else new_repeats
    return _Walk(old, new, limits, repeats, renamed or {}).run()


class _Walk:
    """Both sets of menus, walked side by side; the arguments are those of `compare`."""

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
        """By what each is told once for, see `_add`; in the order in which they are found."""
        self._ways: dict[_Place, tuple[_Place, Step] | None] = {}
        """The places that were seen: from where, and by which step, each was come to first; None: the first one."""

    def run(self) -> Comparison:
        """Follows the same keys through both, all calls of one menu first, then of two, and so on to the limit; so the
        first call that shows a difference is a shortest one.
        """
        first = _Place(0, 0, *(one.behind_a_key(0) for one in self._silences))
        layer = [first]
        self._ways[first] = None
        if not self._asks_alike(0, 0):
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
        """Notes what differs at a place; yields the places to which the same step leads on in both, with the step.

        `is_last`: see `_behaves`.
        """
        for heard in _heard_to_compare(self._menus[0][place.old], self._menus[1][place.new]):
            old, new = self._happenings[0][place.old][heard], self._happenings[1][place.new][heard]
            for case in _cases(old, new):
                step = Step(place.old, place.new, heard, case)
                before, old_silence = self._behaves(0, _of_case(old, case), place.old_silence, is_last)
                after, new_silence = self._behaves(1, _of_case(new, case), place.new_silence, is_last)
                both_ask = self._note_differences(place, step, before, after)
                if both_ask and old_silence is not None and new_silence is not None:
                    yield _Place(before.menu or 0, after.menu or 0, old_silence, new_silence), step

    def _note_differences(self, place: _Place, step: Step, before: Behaves, after: Behaves) -> bool:
        """Notes what differs at a step between what the old menus do and what the new ones do.

        Out: whether both ask a menu behind it.
        """
        if _told_outside(before.sent) != _told_outside(after.sent):
            # Without the case: what a list sends does not depend on it, and is told once.
            self._add(Kind.SENT, place, step._replace(case=None), before, after)
        if before.menu is None or after.menu is None:
            if before.menu != after.menu or before.ending is not after.ending:
                self._add(Kind.LEADS, place, step, before, after)
            return False
        if not self._asks_alike(before.menu, after.menu):
            self._add(Kind.PLAYED, place, step, before, after)
        return True

    def _behaves(self, which: int, happens: Happens, silence: Silence, is_last: bool) -> tuple[Behaves, Silence | None]:
        """What one side (`which`: 0 old, 1 new) does when `happens`, and the call's silence after it (None: no menu
        follows).

        `silence`: as before (see `Silences`: a count of menus, not a time). `is_last`: this was the last menu the stack
        allows.
        """
        sent = tuple(map(_as_seen_outside, filter(_acts_outside, happens.actions)))
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

    def _add(self, kind: Kind, place: _Place, step: Step, before: Behaves, after: Behaves) -> None:
        """Notes a difference, unless it was noted: of PLAYED one for each pair of menus that is asked, else one for
        each kind, pair of menus, thing heard there and case answered (`step` has none where that makes no difference).
        """
        name: tuple[Kind, int, int, str, str | None] = (kind, place.old, place.new, step.heard, step.case)
        if kind is Kind.PLAYED:
            name = kind, before.menu or 0, after.menu or 0, "", None
        if name not in self._found:
            self._found[name] = Difference(kind, (*self._way(place), step), before, after)

    def _asks_alike(self, old: int, new: int) -> bool:
        """Whether two menus, by their indices, play the same and await a key, or digits, in the same way.

        Also an introduction that only has a new name (`renamed`) is the same.
        """
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
        """The steps of a shortest call to a place."""
        steps: list[Step] = []
        while before := self._ways[place]:
            place, step = before
            steps.append(step)
        return steps[::-1]


def _by_heard(menu: Menu) -> dict[str, dict[str | None, Happens]]:
    """What each thing heard in a menu leads to: by what is heard, then by what a lookup behind it comes to.

    In place of the latter None, if there is no lookup.
    """
    return {heard: {one.case: one for one in all_that_happens(menu, heard)} for heard in (*ENTRIES, IDLE, OTHER)}


def _cases(old: Mapping[str | None, Happens], new: Mapping[str | None, Happens]) -> list[str | None]:
    """What a lookup can come to in one of the two; None alone: neither has one."""
    named = dict.fromkeys(case for case in (*old, *new) if case)
    return [*named, ELSE] if ELSE in old or ELSE in new else [None]


def _of_case(all_cases: Mapping[str | None, Happens], case: str | None) -> Happens:
    """What one of the two does where a lookup is answered `case`; without a lookup there it always does the same."""
    return all_cases.get(case) or all_cases.get(ELSE) or all_cases[None]


def _heard_to_compare(old: Menu, new: Menu) -> list[str]:
    """What can be heard in both, but for the keys that neither has a list for: one stands for all of them.

    Digits in a menu that asks for one key, and a key in one that asks for digits, are taken for a key without a list.
    """
    return [*(key for key in ENTRIES if key in old.actions or key in new.actions), IDLE, OTHER]


def _acts_outside(action: Action) -> bool:
    """Whether an action does something outside the call: a receiver is asked or told, or an opt-out is kept."""
    match action:
        case Webhook() | OptOutStep() | Lookup():
            return True
        case Hangup() | GotoMenu():
            return False
        case _:
            assert_never(action)


def _as_seen_outside(action: Action) -> Action:
    """What of an action is seen outside the call: which menus a lookup may lead to is seen when it leads there."""
    return replace(action, cases={}, otherwise=0) if isinstance(action, Lookup) else action
