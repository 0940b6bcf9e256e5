"""After which outcomes a number is dialled again, and which attempt is the message's outcome."""

import itertools
from typing import get_args

import pytest

from speechcall.menus.rules.menu import Hangup, Menu
from speechcall.messages.rules.attempts import has_key, later_one_decides
from speechcall.messages.rules.dial_times import Redial
from speechcall.shared.rules.outcome import OutcomeName

OUTCOMES = get_args(OutcomeName)


def test_who_answered_is_dialled_again_only_without_a_key_and_where_that_was_asked_for():
    asked, not_asked = Redial(1, (300,), ("noKey",)), Redial(1, (300,))
    assert asked.next_msec(0, "answered", 1000, without_key=True) == 301_000
    assert asked.next_msec(0, "answered", 1000) is None
    assert asked.next_msec(1, "answered", 1000, without_key=True) is None
    assert not_asked.next_msec(0, "answered", 1000, without_key=True) is None


@pytest.mark.parametrize("outcome", [one for one in OUTCOMES if one != "answered"])
def test_no_key_says_nothing_about_who_did_not_answer(outcome):
    asked = Redial(1, (300,), ("noKey",))
    assert asked.next_msec(0, outcome, 1000, without_key=True) is None
    also = Redial(1, (300,), ("noKey", "busy", "invalidNumber"))
    again = also.next_msec(0, outcome, 1000, without_key=True)
    assert again == (301_000 if outcome == "busy" else None)


def test_a_key_is_what_is_not_only_wrong():
    end = (Hangup(),)
    assert has_key([Menu("a", 1, {"wrong": end}), Menu("b", 1, {"d1": end})])
    assert not has_key([Menu("a", 1, {"wrong": end}), Menu("b", 1, {})])


def test_the_best_attempt_is_that_with_a_key_then_an_answered_one_then_the_last():
    """Every order of three attempts."""
    attempts = [(outcome, key) for outcome in OUTCOMES for key in (False, True) if outcome == "answered" or not key]
    for order in itertools.product(enumerate(attempts), repeat=3):
        best = order[0]
        for one in order[1:]:
            if later_one_decides(*one[1], *best[1]):
                best = one
        keys = [one for one in order if one[1] == ("answered", True)]
        answered = [one for one in order if one[1][0] == "answered"]
        assert best == (keys or answered or order)[-1]
