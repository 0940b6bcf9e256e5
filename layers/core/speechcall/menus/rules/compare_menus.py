"""What differs between two sets of menus for the person who answers and for who is told: by a shortest call each.

Both are walked side by side, by the same keys. It is behaviour that is compared, never the text: what is played, how
long a key is awaited, which webhooks are sent, which opt-outs are kept, when and why the call ends. How menus are
numbered makes no difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, assert_never

from speechcall.menus.rules.call_log import IDLE, OTHER
from speechcall.menus.rules.call_space import Happens, happenings, silences
from speechcall.menus.rules.menu import KEYS, Action, GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.promise import Ending
from speechcall.menus.rules.walk import CallLimits
from speechcall.shared.rules.timing import idle_seconds

MOST_STATES = 200_000
NOT_COMPARABLE = "MENUS_NOT_COMPARABLE"
"""What a program can test where which menus are to be compared with which cannot be told, or not all was compared."""


class Step(NamedTuple):
    """What is heard, in which menu of each."""

    old: int
    new: int
    heard: str


class Kind(StrEnum):
    """In what two calls differ that the same keys have led on."""

    PLAYED = "played"
    """What the callee hears, or how long a key is awaited, in the menus that are asked behind the steps."""
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
    old_silence: int
    new_silence: int


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
        self._silences = [silences(old, limits.silent_repeats), silences(new, new_repeats)]
        self._found: dict[tuple[Kind, int, int, str], Difference] = {}
        self._ways: dict[_Place, tuple[_Place, str] | None] = {}

    def run(self) -> Comparison:
        first = _Place(0, 0, self._silences[0][0], self._silences[1][0])
        layer = [first]
        self._ways[first] = None
        if not self._sounds_alike(0, 0):
            begins = Behaves((), 0, None)
            self._found[Kind.PLAYED, 0, 0, ""] = Difference(Kind.PLAYED, (), begins, begins)
        for visit in range(1, self._limits.visits + 1):
            following = []
            for place in layer:
                for there, heard in self._look_at(place, is_last=visit == self._limits.visits):
                    if there not in self._ways:
                        self._ways[there] = (place, heard)
                        following.append(there)
                if len(self._ways) > MOST_STATES:
                    return Comparison(tuple(self._found.values()), False, len(self._ways))
            layer = following
        return Comparison(tuple(self._found.values()), True, len(self._ways))

    def _look_at(self, place: _Place, *, is_last: bool) -> Iterator[tuple[_Place, str]]:
        """What differs at a place, and where it leads in both."""
        old, new = self._happenings[0][place.old], self._happenings[1][place.new]
        for heard in _told_apart(self._menus[0][place.old], self._menus[1][place.new]):
            behaves = (
                self._behaves(old[heard], place.old_silence, is_last),
                self._behaves(new[heard], place.new_silence, is_last),
            )
            one, other = behaves[0].menu, behaves[1].menu
            if behaves[0].sent != behaves[1].sent:
                self._add(Kind.SENT, place, heard, behaves)
            if one is None or other is None:
                if one != other or behaves[0].ending is not behaves[1].ending:
                    self._add(Kind.LEADS, place, heard, behaves)
                continue
            if not self._sounds_alike(one, other):
                self._add(Kind.PLAYED, place, heard, behaves)
            is_silent = heard == IDLE
            yield (
                _Place(
                    one,
                    other,
                    place.old_silence - 1 if is_silent else self._silences[0][one],
                    place.new_silence - 1 if is_silent else self._silences[1][other],
                ),
                heard,
            )

    def _behaves(self, happens: Happens, silence: int, is_last: bool) -> Behaves:
        sent = tuple(action for action in happens.actions if _is_told(action))
        if happens.target is None:
            return Behaves(sent, None, Ending.COMPLETED)
        if is_last:
            return Behaves(sent, None, Ending.LIMIT)
        if happens.heard == IDLE and not silence:
            return Behaves(sent, None, Ending.SILENCE)
        return Behaves(sent, happens.target, None)

    def _add(self, kind: Kind, place: _Place, heard: str, behaves: tuple[Behaves, Behaves]) -> None:
        name = kind, place.old, place.new, heard
        if kind is Kind.PLAYED:
            name = kind, behaves[0].menu or 0, behaves[1].menu or 0, ""
        if name not in self._found:
            steps = (*self._way(place), Step(place.old, place.new, heard))
            self._found[name] = Difference(kind, steps, *behaves)

    def _sounds_alike(self, old: int, new: int) -> bool:
        one, other = self._menus[0][old], self._menus[1][new]
        alike = other.intro in (one.intro, self._renamed.get(one.intro))
        return alike and idle_seconds(one.idle_timeout_msec) == idle_seconds(other.idle_timeout_msec)

    def _way(self, place: _Place) -> list[Step]:
        steps: list[Step] = []
        while before := self._ways[place]:
            place, heard = before
            steps.append(Step(place.old, place.new, heard))
        return steps[::-1]


def _by_heard(menu: Menu) -> dict[str, Happens]:
    return {one.heard: one for one in happenings(menu)}


def _told_apart(old: Menu, new: Menu) -> list[str]:
    """What can be heard in both, but for the keys that neither has a list for: one stands for all of them."""
    return [*(key for key in KEYS if key in old.actions or key in new.actions), IDLE, OTHER]


def _is_told(action: Action) -> bool:
    """Whether it has an effect beyond the call."""
    match action:
        case Webhook() | OptOutStep():
            return True
        case Hangup() | GotoMenu():
            return False
        case _:
            assert_never(action)
