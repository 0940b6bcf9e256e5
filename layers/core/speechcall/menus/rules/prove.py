"""Whether a promise holds in every call that menus allow: proved, broken by the shortest call, or undecided.

The search goes menu by menu: all calls that have asked one menu, all that have asked two, and so on to the stack's
limit. Calls that stand alike (same menu, same silence left, same state of the monitor) are one. So the first that
breaks the promise is a shortest one, and where none does there is none.

Time is looked at only where it can matter. A callee may press a key at once (where none is taken during the
introduction: behind it) or as late as can be, so a call has been going on for something between a least and a most. Of
calls that stand alike one is dropped if another can be as early and, where that matters, as late.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from speechcall.menus.rules.call_log import IDLE, OTHER, PROMPT_ERROR
from speechcall.menus.rules.call_space import HANG_UP, Silence, Silences, happenings, keys_msec, rounds_msec, waits_msec
from speechcall.menus.rules.menu import Action, Menu
from speechcall.menus.rules.menu_report import reachable
from speechcall.menus.rules.monitor import BROKEN, Answer, Monitor, monitor_of
from speechcall.menus.rules.promise import AlwaysLeads, AlwaysSeconds, Ending, Rule, patterns_of
from speechcall.menus.rules.walk import CallLimits

MOST_STATES = 200_000


class Result(StrEnum):
    """What is known of a promise."""

    PROVED = "proved"
    BROKEN = "broken"
    UNDECIDED = "undecided"


class Step(NamedTuple):
    """What is heard in a menu: a key, `complete`, `other`, `idle`, `hang_up`, `prompt_error`; who leaves then."""

    menu: int
    heard: str
    hangs_up_after: bool = False
    case: str | None = None
    """What a lookup comes to behind it (ELSE: to no case); None: there is none."""


class Broken(NamedTuple):
    """A call that breaks a promise. `ending`: how it ends, where that is what breaks it."""

    steps: tuple[Step, ...]
    ending: Ending | None
    asks: int | None = None
    """The menu that is asked behind the last step, where that is one too many."""
    msec: int = 0
    """How long it plays and waits, of a promise about that."""


class Verdict(NamedTuple):
    """Of one promise. `lengths`: the menus whose introductions' unknown lengths leave it undecided; an undecided one
    without any was given up.

    `broken`: the call that breaks it; of one that is undecided for such lengths a call that may. `states`: how many
    were looked at.
    """

    result: Result
    broken: Broken | None = None
    lengths: tuple[int, ...] = ()
    fits_nothing: tuple[str, ...] = ()
    """Patterns of the promise that no webhook of the menus fits: it is kept, and may be misspelt."""
    not_asked: tuple[int, ...] = ()
    """Menus of the promise that no call can come to: it says nothing about them."""
    states: int = 0


class TooManyStates(Exception):
    """The search was given up."""


def prove(
    menus: Sequence[Menu],
    rule: Rule,
    limits: CallLimits,
    prompt_seconds: Mapping[str, float],
    most_states: int = MOST_STATES,
) -> Verdict:
    """What is known of a promise in all calls through `menus` under `limits`.

    `prompt_seconds`: the lengths of introductions, where they are known. With unknown lengths there are two searches:
    first each is taken so that a call which breaks the promise is surely one, then so that it might be one. A search of
    more than `most_states` is given up: undecided.
    """
    rounds = rounds_msec(menus, prompt_seconds)
    waits = waits_msec(menus, prompt_seconds)
    keys = keys_msec(menus, prompt_seconds)
    unknown = any(least != most for least, most in waits)
    search = _Search(menus, rule, limits, most_states)
    result, lengths = Result.PROVED, tuple[int, ...]()
    found: Broken | None = None
    try:
        shortest = [[least for least, _ in times] for times in rounds]
        soonest = [most for _, most in keys]
        # Late by the shortest lengths, early by the longest: what breaks it so does with any.
        found = search.run([least for least, _ in waits], [most for _, most in waits], shortest, soonest)
        if found:
            result = Result.BROKEN
        elif unknown and search.looks_at_time([most for _, most in waits]):
            longest = [[most for _, most in times] for times in rounds]
            soonest = [least for least, _ in keys]
            # Late by the longest lengths, early by the shortest: what breaks it so may do so with the real ones.
            found = search.run([most for _, most in waits], [least for least, _ in waits], longest, soonest)
            if found:
                result = Result.UNDECIDED
                lengths = tuple(index for index, (least, most) in enumerate(waits) if least != most)
    except TooManyStates:
        result = Result.UNDECIDED
    unfit = tuple(one.text for one in patterns_of(rule) if not _is_sent(menus, one.is_sent_by))
    named = rule.menus or () if isinstance(rule, AlwaysLeads) else ()
    asked = reachable(menus) if named else set[int]()
    not_asked = tuple(one for one in named if one not in asked)
    return Verdict(result, found, lengths, unfit, not_asked, search.states)


def _is_sent(menus: Sequence[Menu], fits: Callable[[Action], bool]) -> bool:
    return any(fits(one) for menu in menus for steps in menu.actions.values() for one in steps)


class _Place(NamedTuple):
    """Where calls stand that are alike: the menu that is asked, the silence left, the monitor's state."""

    menu: int
    silence: Silence
    state: int


class _Call(NamedTuple):
    """One of them: for how long it has been going on (ms since the answer, at least and at most), how it came here.

    `before` and `step` are None where the call begins.
    """

    least: int
    most: int
    before: "_Call | None"
    step: Step | None


class _Move(NamedTuple):
    """Something that is heard in a menu and leads to another; what the limits of the stack would break there."""

    step: Step
    target: int
    lookup_msec: int
    """For how long it may be waited for what decides that."""
    is_silent: bool
    state: int
    """When the menu is asked, or BROKEN."""
    breaks_at_limit: bool
    breaks_in_silence: bool


class _Exits(NamedTuple):
    """All that can be heard where calls stand alike: what breaks the promise at once (None: nothing), and what leads
    on. If something breaks it at once, nothing has to lead on.
    """

    breaks: tuple[Step, Ending | None] | None
    moves: tuple[_Move, ...]


_Layer = dict[_Place, list[_Call]]


class _Search:
    """The search for a shortest call that breaks a promise. `states`: how many it has looked at, in all its runs."""

    def __init__(self, menus: Sequence[Menu], rule: Rule, limits: CallLimits, most_states: int) -> None:
        self._limits, self._most_states = limits, most_states
        self._monitor: Monitor = monitor_of(rule, menus)
        # All times are milliseconds. How long a call may take, if the promise is about that.
        self._bound = rule.most * 1000 if isinstance(rule, AlwaysSeconds) else None
        self._happenings = [happenings(menu) for menu in menus]
        self._silences = Silences(menus, limits.silent_repeats)
        # For each menu: its longest lookup; how long what is entered may take behind its first key.
        self._lookups = [max(one.looks_up_msec for one in all_heard) for all_heard in self._happenings]
        self._typing = [menu.typing_seconds * 1000 for menu in menus]
        self._exits: dict[tuple[int, int], _Exits] = {}
        self._until = limits.seconds * 1000  # from then on no menu begins
        self.states = 0
        # What follows is of one `run`, which says what it means.
        self._late: Sequence[int] = ()
        self._rounds: Sequence[Sequence[int]] = ()
        self._early: Sequence[int] = ()
        self._soonest: Sequence[int] = ()
        # The earliest that a call came to each place; None: a call that is late may break what an early one does not.
        self._least_of: dict[_Place, int] | None = None
        self._uses_least = self._uses_most = False

    def looks_at_time(self, waits: Sequence[int]) -> bool:
        """Whether a call of such waits can last until the stack's limit, or the promise is about time."""
        return self._bound is not None or self._may_reach_limit(waits)

    def _may_reach_limit(self, late: Sequence[int]) -> bool:
        waits = zip(late, self._typing, self._lookups, strict=True)
        longest = max(wait + typing + lookup for wait, typing, lookup in waits)
        return longest * self._limits.visits >= self._until

    def run(
        self, late: Sequence[int], early: Sequence[int], rounds: Sequence[Sequence[int]], soonest: Sequence[int]
    ) -> Broken | None:
        """The shortest call that breaks the promise; None: there is none. Raises TooManyStates.

        All times are milliseconds, for each menu. `late`, `early`: how long it takes at most, where a call has to be
        late to break the promise; and at least, where it has to be early enough for one more menu. `rounds`: what makes
        up `late`, each time that the menu is asked. `soonest`: when a key can be taken at first, taken as `early` is.
        """
        self._late, self._early, self._rounds, self._soonest = late, early, rounds, soonest
        # How early a call is matters only if it can last until no menu begins; how late, where that breaks a promise.
        self._uses_least = max(early) * self._limits.visits >= self._until
        limit_matters = self._monitor.depends_on_end and self._may_reach_limit(late)
        self._uses_most = limit_matters or self._bound is not None
        # Unless the limit or the time matters, a call that came to a place by fewer menus can still do all that a later
        # one there can; so of later ones only those are followed that are earlier in time than the earliest so far.
        self._least_of = None if self._monitor.depends_on_end or self._bound is not None else {}
        is_timeless = not (self._uses_least or self._uses_most)
        first = self._monitor.asked(0, 0)
        if first == BROKEN:
            return Broken((), None, 0)
        layer: _Layer = {_Place(0, self._silences.behind_a_key(0), first): [_Call(0, 0, None, None)]}
        seen: dict[frozenset[_Place], int] = {}
        for visit in range(1, self._limits.visits + 1):
            before = seen.setdefault(frozenset(layer), visit) if is_timeless else visit
            if before != visit:
                # The places are those of some menus ago, and from here on come again: only the last menu can differ.
                if not self._is_broken_at_last(seen, before, visit - before):
                    return None
                is_timeless = False  # follows the calls on to the last menu, for the one that breaks the promise
            following: _Layer = {}
            for place, calls in layer.items():
                for call in calls:
                    if found := self._look_at(place, call, visit, following):
                        return found
            if not following:
                return None
            layer = following
        return None

    def _is_broken_at_last(self, seen: Mapping[frozenset[_Place], int], before: int, period: int) -> bool:
        """Whether the last menu that the limit allows breaks the promise, if from menu number `before` on the places
        come again every `period` menus.
        """
        like = before + (self._limits.visits - before) % period
        last = next(places for places, number in seen.items() if number == like)
        return any(move.breaks_at_limit for place in last for move in self._exits_of(place).moves)

    def _look_at(self, place: _Place, call: _Call, visit: int, following: _Layer) -> Broken | None:
        """Follows a call through all that can be heard in its menu, number `visit` of the call.

        Returns a call that breaks the promise, or None; puts those that go on into `following`, the places of the next
        menu. Raises TooManyStates.
        """
        late = self._left_in_silence(place.menu, call.most) if self._uses_most else 0
        # Digits of which the first comes at the last moment, and each next one too.
        typed = late + self._typing[place.menu] if self._uses_most else 0
        if self._bound is not None and typed > self._bound:
            heard, msec = (IDLE, late) if late > self._bound else (OTHER, typed)
            return Broken((*_way(call), Step(place.menu, heard)), None, msec=msec)
        breaks, moves = self._exits_of(place)
        if breaks:
            return _broken(call, *breaks)
        is_last, until = visit == self._limits.visits, self._until
        silent_least = call.least + self._early[place.menu] if self._uses_least else 0
        key_least = call.least + self._soonest[place.menu] if self._uses_least else 0
        for move in moves:
            left = late if move.is_silent else typed
            decided = left + move.lookup_msec if self._uses_most else 0
            if self._bound is not None and decided > self._bound:
                return Broken((*_way(call), move.step), None, msec=decided)
            if move.breaks_at_limit and (is_last or (self._uses_most and decided >= until)):
                return _broken(call, move.step, Ending.LIMIT)
            least = silent_least if move.is_silent else key_least
            if is_last or least >= until:
                continue
            silence: Silence | None = self._silences.behind_a_key(move.target)
            if move.is_silent:
                silence = self._silences.behind_silence(place.silence, move.target)
            if silence is None:
                if move.breaks_in_silence:
                    return _broken(call, move.step, Ending.SILENCE)
                continue
            if move.state == BROKEN:
                return Broken((*_way(call), move.step), None, move.target)
            there = _Place(move.target, silence, move.state)
            # A call that continues to the next menu was not later than that menu may begin.
            most = min(decided, until - 1)
            if self._has_to_be_followed(there, following.get(there, ()), least, most):
                self._add(following, there, _Call(least, most, call, move.step))
        return None

    def _left_in_silence(self, menu: int, since: int) -> int:
        """When a menu that was asked at `since` is left in silence, at the latest; both in ms since the answer.

        The menu is not repeated any more once no menu may begin.
        """
        if since + self._late[menu] < self._until:
            return since + self._late[menu]
        first, *repeats = self._rounds[menu]
        since += first
        for repeat in repeats:
            if since >= self._until:
                break
            since += repeat
        return since

    def _has_to_be_followed(self, place: _Place, calls: Sequence[_Call], least: int, most: int) -> bool:
        """Whether a call that comes to a place at `least` to `most` ms can do what no other one there can.

        An earlier one may have time for one more menu, and a later one may come to a limit. `calls`: those that come to
        the place by as many menus; if one of them can be as early and as late, it does for both. Where being late
        does not matter, it has to be earlier than all that ever came there, by however many menus.
        """
        if self._least_of is not None:
            known = self._least_of.get(place)
            return known is None or least < known
        return not any(one.least <= least and one.most >= most for one in calls)

    def _add(self, layer: _Layer, place: _Place, call: _Call) -> None:
        """Adds a call at a place, and drops those that are neither earlier nor later than it. Raises TooManyStates."""
        if self._least_of is not None:
            self._least_of[place] = call.least
        kept = [one for one in layer.get(place, ()) if not (call.least <= one.least and call.most >= one.most)]
        layer[place] = [*kept, call]
        self.states += 1
        if self.states > self._most_states:
            raise TooManyStates

    def _exits_of(self, place: _Place) -> _Exits:
        found = self._exits.get((place.menu, place.state))
        if found is None:
            found = self._exits[place.menu, place.state] = self._find_exits(place.menu, place.state)
        return found

    def _find_exits(self, menu: int, state: int) -> _Exits:
        """What can be heard in a menu while the monitor is in a state, and what follows; of all that lead on with the
        same effect only the first.
        """
        ends = self._monitor.breaks_at_end
        for heard, ending in ((HANG_UP, Ending.CALLER_HUNG_UP), (PROMPT_ERROR, Ending.PROMPT_UNAVAILABLE)):
            if ends(state, ending):
                return _Exits((Step(menu, heard), ending), ())
        moves: dict[tuple[int, bool, int, int], _Move] = {}
        for happens in self._happenings[menu]:
            heard, key, actions, target, case = happens
            step, is_silent = Step(menu, heard, case=case), heard == IDLE
            after = self._monitor.answered(state, Answer(menu, heard, key, actions, target))
            if after == BROKEN:
                return _Exits((step, None), ())
            if target is None:
                if ends(after, Ending.COMPLETED):
                    return _Exits((step, Ending.COMPLETED), ())
                continue
            # Who leaves while a list runs, also the one for silence, still has its webhooks sent. A lookup behind them
            # is not decided any more, and no bound of the call (`limit`, `silence`) is named as its end.
            if ends(after, Ending.CALLER_HUNG_UP):
                left = step._replace(hangs_up_after=True, case=None)
                return _Exits((left, Ending.CALLER_HUNG_UP), ())
            limits = ends(after, Ending.LIMIT), ends(after, Ending.SILENCE)
            lookup_msec = happens.looks_up_msec
            moves.setdefault(
                (target, is_silent, after, lookup_msec),
                _Move(step, target, lookup_msec, is_silent, self._monitor.asked(after, target), *limits),
            )
        return _Exits(None, tuple(moves.values()))


def _way(call: _Call) -> list[Step]:
    """The steps by which a call came here, the first of them first."""
    steps: list[Step] = []
    at: _Call | None = call
    while at and at.step:
        steps.append(at.step)
        at = at.before
    return steps[::-1]


def _broken(call: _Call, last: Step, ending: Ending | None) -> Broken:
    return Broken((*_way(call), last), ending)
