"""How a message ended."""

import itertools
from typing import Any

import pytest

from speechcall.calls.rules.call import Cause, Step
from speechcall.calls.rules.end_of_call import key_was_pressed, outcome_of
from speechcall.menus.rules.call_log import Entry, Plan, Then, ThenKind
from speechcall.shared.rules.outcome import End, Outcome
from tests.kit.samples import CALL, NOW

OUTCOMES = {"answered", "busy", "noAnswer", "invalidNumber", "blocked", "failed"}
NOT_CALLED_BACK = {
    Cause.BUSY: Outcome("busy", "busy"),
    Cause.NO_ANSWER: Outcome("noAnswer", "noAnswer"),
    Cause.INVALID_NUMBER: Outcome("invalidNumber", "invalidNumber"),
    Cause.BLOCKED: Outcome("blocked", "blocked"),
    Cause.CALLER_HUNG_UP: Outcome("busy", "busy"),  # before the answer: the call was rejected
}
EVERY = list(itertools.product(Cause, End))


@pytest.mark.parametrize(("cause", "end"), EVERY)
def test_a_call_that_nobody_answered_says_why(cause, end):
    call = CALL._replace(ended_msec=NOW, cause=cause)
    assert outcome_of(call, end) == NOT_CALLED_BACK.get(cause, Outcome("failed", cause.value))


OURS = {Cause.HUNG_UP, Cause.STOPPED, Cause.FAILED, Cause.THROTTLED, Cause.UNCONFIRMED}
"""Ends that are not the callee's."""
ASKED = CALL._replace(visits=1)
PLAN = Plan(({"wrong": "end"},), 50, NOW + 900_000)
ANSWER = Entry(1, None, "answered", "", NOW, Then(ThenKind.ASK, 0))
TOLD = CALL._replace(plan=PLAN, log=(ANSWER,))
"""A menu was handed out by the log; the state machine has not come to it."""


@pytest.mark.parametrize("call", [ASKED, TOLD], ids=["by the machine", "by the log"])
@pytest.mark.parametrize(("cause", "end"), EVERY)
def test_a_call_in_which_a_menu_was_handed_out_is_answered_whatever_came_after(call, cause, end):
    outcome = outcome_of(call._replace(answered_msec=NOW, ended_msec=NOW, cause=cause), end)
    assert outcome.outcome == "answered"
    if cause is Cause.UNCONFIRMED:
        assert outcome.reason == "unconfirmed"
    elif end is End.NOT_ANSWERED or (end is End.CALLER_HUNG_UP and cause in OURS):
        assert outcome.reason == cause.value
    else:
        assert outcome.reason == end.value


@pytest.mark.parametrize(("cause", "end"), EVERY)
def test_who_was_handed_nothing_before_we_ended_the_call_has_heard_nothing(cause, end):
    call = CALL._replace(plan=PLAN, answered_msec=NOW, ended_msec=NOW, cause=cause)
    outcome = outcome_of(call, end)
    assert outcome.outcome == ("failed" if cause in OURS else "answered")
    if cause in OURS:
        assert outcome.reason == ("unconfirmed" if cause is Cause.UNCONFIRMED else "notPlayed")
        assert not outcome.prompt_failed


FAILED = Step(0, "prompt_error", NOW + 1)
KEY_THEN_FAILED = (Step(0, "d1", NOW), Step(1, "prompt_error", NOW + 1))
BROKEN: Any = {"answered_msec": NOW, "ended_msec": NOW, "stop_reason": "promptUnavailable"}


@pytest.mark.parametrize("call", [ASKED, TOLD._replace(visits=1), TOLD], ids=["no log", "log", "machine behind"])
@pytest.mark.parametrize("end", [End.COMPLETED, End.FAILED, End.LOST])
def test_only_the_very_first_introduction_that_fails_means_that_nothing_was_heard(call, end):
    first = call._replace(path=(FAILED,), cause=Cause.HUNG_UP, **BROKEN)
    assert outcome_of(first, end) == Outcome("failed", "notPlayed")
    assert outcome_of(first, end).prompt_failed
    later = first._replace(path=KEY_THEN_FAILED, visits=2 * call.visits)
    assert outcome_of(later, end) == Outcome("answered", "promptUnavailable")
    assert outcome_of(later, end).prompt_failed
    # A step of the path may be missing in a call without a log
    assert outcome_of(later._replace(path=(FAILED._replace(menu=1),), visits=2), end).outcome == "answered"


@pytest.mark.parametrize("path", [(FAILED,), KEY_THEN_FAILED])
@pytest.mark.parametrize("end", list(End))
def test_an_introduction_that_fails_as_the_callee_hangs_up_was_cut_short(path, end):
    call = ASKED._replace(path=path, cause=Cause.CALLER_HUNG_UP, **BROKEN)
    assert outcome_of(call, end) == Outcome("answered", "callerHungUp")
    assert not outcome_of(call, end).prompt_failed


@pytest.mark.parametrize(
    ("heard", "pressed"),
    [((), False), (("idle",), False), (("prompt_error",), False), (("other",), True), (("d*",), True)],
)
def test_any_key_is_a_key(heard, pressed):
    path = tuple(Step(0, one, NOW) for one in ("idle", *heard))
    assert key_was_pressed(CALL._replace(path=path)) is pressed


@pytest.mark.parametrize("end", list(End))
def test_a_call_that_was_never_placed_has_failed(end):
    assert outcome_of(None, end) == Outcome("failed", "notPlaced")


@pytest.mark.parametrize("end", [End.COMPLETED, End.FAILED])
def test_why_we_ended_a_call_ourselves_is_its_reason(end):
    limited = ASKED._replace(answered_msec=NOW, ended_msec=NOW, cause=Cause.HUNG_UP, stop_reason="limit")
    assert outcome_of(limited, end) == Outcome("answered", "limit")
    refused = CALL._replace(ended_msec=NOW, cause=Cause.BLOCKED, stop_reason="destinationNotAllowed")
    assert outcome_of(refused, end) == Outcome("blocked", "destinationNotAllowed")


@pytest.mark.parametrize(
    ("cause", "end", "answered"), [(*pair, answered) for pair in EVERY for answered in (None, NOW)]
)
def test_every_outcome_is_one_of_six_words(cause, end, answered):
    outcome = outcome_of(CALL._replace(answered_msec=answered, ended_msec=NOW, cause=cause), end)
    assert outcome.outcome in OUTCOMES
    assert outcome.reason
