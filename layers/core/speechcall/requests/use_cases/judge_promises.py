"""Whether the menus of messages keep the promises of their request and their account."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.promise import Promise
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.menus.rules.promise_words import explain, keys_in_words, place_of
from speechcall.menus.rules.prove import MOST_STATES, Result, Verdict, prove
from speechcall.menus.rules.walk import CallLimits
from speechcall.requests.use_cases.check_request import Entry, Wanted
from speechcall.shared.rules.errors import MalformedJson, Problem
from speechcall.shared.rules.json_text import parse_json

if TYPE_CHECKING:
    from speechcall.api.rules.answers import HeardIn, Judged

MOST_STATES_A_REQUEST = 2 * MOST_STATES
STATES_A_PROOF = 200
"""What a proof costs beyond its own states: so 2,000 trivial proofs use up one request."""
MOST_KEYS_TOLD = 20_000
"""In one answer, which may have 6 MB (AWS Lambda)."""
MOST_PROBLEMS = 2
"""Of one message: an answer is stored, and an item has at most 400 KB (DynamoDB)."""
_CODES = {Result.BROKEN: "PROMISE_BROKEN", Result.UNDECIDED: "PROMISE_UNDECIDED"}


def judge_promises(
    entries: Sequence[Entry],
    own: Sequence[Promise],
    account: Account,
    limits: CallLimits,
    seconds: Mapping[str, float],
) -> list[Entry]:
    """The entries, rejected if a promise is not proved: one of the request's `own`, or one that the account requires.

    Entries that are rejected already stay as they are. `limits`: what the stack allows a call. `seconds`: the lengths
    of introductions by their names, where they are known.
    """
    required = required_promises(account.requires)
    if required is None:
        text = "cannot be held to what the account requires: it was written by a later release"
        unread = Problem("PROMISE_UNDECIDED", "menu", text)
        return [_refused(entry, [unread]) if entry.wanted else entry for entry in entries]
    court = _Court([(one, False) for one in own] + [(one, True) for one in required], limits, seconds)
    return [court.judge(entry, entry.wanted) if entry.wanted else entry for entry in entries]


def required_promises(stored: str) -> tuple[Promise, ...] | None:
    """The promises that an account requires; None: they cannot be read, since a later release has other forms."""
    if not stored:
        return ()
    try:
        promises, problems = read_promises(parse_json(stored.encode()))
    except MalformedJson:
        return None
    return None if problems else promises


def _refused(entry: Entry, problems: Sequence[Problem]) -> Entry:
    """The entry, rejected for the first MOST_PROBLEMS, whose paths are inside the message."""
    found = [Problem(one.code, f"{entry.path}.{one.path}", one.message) for one in problems[:MOST_PROBLEMS]]
    return entry._replace(wanted=None, problems=found)


class _Court:
    """Holds the messages of one request to promises. Messages whose calls are alike are looked through once."""

    def __init__(
        self, promises: Sequence[tuple[Promise, bool]], limits: CallLimits, seconds: Mapping[str, float]
    ) -> None:
        self._promises, self._limits, self._seconds = promises, limits, seconds
        self._known: dict[Any, list[tuple[Judged, Problem | None]]] = {}
        self._states_left, self._keys_left = MOST_STATES_A_REQUEST, MOST_KEYS_TOLD

    def judge(self, entry: Entry, wanted: Wanted) -> Entry:
        """The entry with what is known of each promise; rejected if one is not proved. `wanted`: of the entry."""
        repeats = wanted.model.silentRepeats
        limits = self._limits if repeats is None else self._limits._replace(silent_repeats=repeats)
        likeness = (_likeness(wanted.menus, self._seconds.get), limits)
        known = self._known.get(likeness)
        if known is None:
            known = self._known[likeness] = [self._judge(wanted.menus, *one, limits) for one in self._promises]
        found = entry._replace(promises=[self._bounded(told) for told, _ in known])
        problems = [problem for _, problem in known if problem]
        return _refused(found, problems) if problems else found

    def _prove(self, menus: Sequence[Menu], promise: Promise, limits: CallLimits) -> Verdict:
        """The verdict; undecided, without looking, once the request has used up its states."""
        if self._states_left <= 0:
            return Verdict(Result.UNDECIDED)
        most = min(MOST_STATES, self._states_left)
        verdict = prove(menus, promise.rule, limits, self._seconds, most)
        self._states_left -= verdict.states + STATES_A_PROOF
        return verdict

    def _judge(
        self, menus: Sequence[Menu], promise: Promise, is_required: bool, limits: CallLimits
    ) -> "tuple[Judged, Problem | None]":
        """What the answer says of one promise, and the problem if it is not proved.

        `is_required`: by the account, not by the request.
        """
        verdict = self._prove(menus, promise, limits)
        told = describe(menus, promise, verdict, limits)
        if is_required:
            told["isRequired"] = True
        return told, _problem(told, verdict.result)

    def _bounded(self, told: "Judged") -> "Judged":
        """What is said of a promise; without the keys of its counterexample once the answer has MOST_KEYS_TOLD."""
        if "counterexample" not in told:
            return told
        counterexample = told["counterexample"]
        self._keys_left -= len(counterexample["keys"])
        if self._keys_left >= 0:
            return told
        return {**told, "counterexample": {"path": counterexample["path"], "words": counterexample["words"]}}


def describe(menus: Sequence[Menu], promise: Promise, verdict: Verdict, limits: CallLimits) -> "Judged":
    """What the answer says of a verdict: result, explanation, and a counterexample if there is one. Whether the account
    requires the promise is added by the caller.

    Also an undecided one may have it: a call that breaks the promise if an introduction has a certain length
    (`Verdict.broken`).
    """
    told: Judged = {
        "promise": promise.name,
        "result": verdict.result.value,
        "message": explain(promise.rule, verdict, limits),
    }
    if verdict.broken:
        steps = verdict.broken.steps
        told["counterexample"] = {
            "path": place_of(menus, promise.rule, verdict.broken),
            "words": keys_in_words(steps),
            "keys": [_heard(*step) for step in steps],
        }
    return told


def _heard(menu: int, heard: str, hangs_up_after: bool, case: str | None) -> "HeardIn":
    """One step of a counterexample. `case`: ELSE ("") is null in the answer; None: there is no lookup."""
    told: HeardIn = {"menu": menu, "heard": heard}
    if hangs_up_after:
        told["hangsUpAfter"] = True
    if case is not None:
        told["case"] = case or None
    return told


def _problem(told: "Judged", result: Result) -> Problem | None:
    """The problem of a promise that is not proved; None: it is. Its path is that in the message.

    The text of the promise comes last, because it may be long.
    """
    if result is Result.PROVED:
        return None
    place = told["counterexample"]["path"] if "counterexample" in told else "menu"
    said = told["message"].removeprefix("is broken: ")
    text = f"breaks a promise: {said}" if result is Result.BROKEN else said
    return Problem(_CODES[result], place, f"{text} (the promise: {told['promise']})")


def _likeness(menus: Sequence[Menu], seconds_of: Callable[[str], float | None]) -> tuple[Any, ...]:
    """Everything in menus that a promise can depend on: equal for two messages, one proof does for both.

    Bodies, headers and texts are left out.
    """
    return tuple(
        (
            menu.idle_timeout_msec,
            menu.input,
            menu.barge_in,
            tuple(map(seconds_of, menu.heard_in_silence())),
            tuple((key, tuple(map(_trait, steps))) for key, steps in menu.actions.items()),
        )
        for menu in menus
    )


def _trait(action: Action) -> Any:
    """What of an action a promise can depend on."""
    match action:
        case Webhook(url):
            return url
        case GotoMenu() | Hangup() | OptOutStep():
            return action
        case Lookup():
            return tuple(action.cases.items()), action.otherwise, action.timeout_msec
        case _:
            assert_never(action)
