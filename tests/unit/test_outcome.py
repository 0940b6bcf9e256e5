"""How a message ended."""

import itertools
from dataclasses import replace

import pytest

from speechcall.domain.call import Cause
from speechcall.domain.end_of_call import outcome_of
from speechcall.domain.outcome import End, Outcome
from tests.fixtures.samples import CALL, NOW

OUTCOMES = {"answered", "busy", "noAnswer", "invalidNumber", "blocked", "failed"}
NOT_CALLED_BACK = {
    Cause.BUSY: Outcome("busy", "busy"),
    Cause.NO_ANSWER: Outcome("noAnswer", "noAnswer"),
    Cause.INVALID_NUMBER: Outcome("invalidNumber", "invalidNumber"),
    Cause.BLOCKED: Outcome("blocked", "blocked"),
}
EVERY = list(itertools.product(Cause, End))


@pytest.mark.parametrize(("cause", "end"), EVERY)
def test_a_call_that_nobody_answered_says_why(cause, end):
    call = replace(CALL, ended_msec=NOW, cause=cause)
    assert outcome_of(call, end) == NOT_CALLED_BACK.get(cause, Outcome("failed", cause.value))


@pytest.mark.parametrize(("cause", "end"), EVERY)
def test_a_call_that_was_answered_is_answered_whatever_came_after(cause, end):
    call = replace(CALL, answered_msec=NOW, ended_msec=NOW, cause=cause)
    outcome = outcome_of(call, end)
    assert outcome.outcome == "answered"
    if cause is Cause.UNCONFIRMED:
        assert outcome.reason == "unconfirmed"
    elif end is End.NOT_ANSWERED:
        assert outcome.reason == cause.value
    else:
        assert outcome.reason == end.value


@pytest.mark.parametrize("end", list(End))
def test_a_call_that_was_never_placed_has_failed(end):
    assert outcome_of(None, end) == Outcome("failed", "notPlaced")


@pytest.mark.parametrize("end", [End.COMPLETED, End.FAILED])
def test_why_we_ended_a_call_ourselves_is_its_reason(end):
    limited = replace(CALL, answered_msec=NOW, ended_msec=NOW, cause=Cause.HUNG_UP, stop_reason="limit")
    assert outcome_of(limited, end) == Outcome("answered", "limit")
    refused = replace(CALL, ended_msec=NOW, cause=Cause.BLOCKED, stop_reason="destinationNotAllowed")
    assert outcome_of(refused, end) == Outcome("blocked", "destinationNotAllowed")


@pytest.mark.parametrize(
    ("cause", "end", "answered"), [(*pair, answered) for pair in EVERY for answered in (None, NOW)]
)
def test_every_outcome_is_one_of_six_words(cause, end, answered):
    outcome = outcome_of(replace(CALL, answered_msec=answered, ended_msec=NOW, cause=cause), end)
    assert outcome.outcome in OUTCOMES
    assert outcome.reason
