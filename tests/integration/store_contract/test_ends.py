"""How calls end: dead, and why; given up. DynamoDB and memory do the same."""

import pytest

from speechcall.calls.rules.call import Cause
from tests.kit.samples import CALL, MID, NOW
from tests.kit.store_samples import EXPIRES, LOGGED, append, logged


def test_a_guess_is_the_cause_until_it_is_known_and_what_is_known_stays(calls):
    calls.open(CALL, EXPIRES)
    guessed = calls.end(MID, 1, Cause.NO_ANSWER, NOW + 1, is_guess=True)
    assert guessed == CALL._replace(ended_msec=NOW + 1, cause=Cause.NO_ANSWER, cause_is_guess=True)
    # News that comes again guesses nothing else, nor says when it ended
    assert calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 2, is_guess=True) == guessed
    assert calls.end(MID, 1, Cause.STOPPED, NOW + 2) == guessed == calls.get(MID, 1)
    # The record is asked
    known = calls.explain(MID, 1, Cause.BUSY, None)
    assert known == guessed._replace(cause=Cause.BUSY, cause_is_guess=False)
    assert calls.explain(MID, 1, Cause.NO_ANSWER, None) is None
    assert calls.end(MID, 1, Cause.NO_ANSWER, NOW + 3, is_guess=True) == known == calls.get(MID, 1)


def test_what_is_certain_is_no_guess_afterwards(calls):
    calls.open(CALL, EXPIRES)
    ended = calls.end(MID, 1, Cause.BUSY, NOW + 1)
    assert calls.end(MID, 1, Cause.NO_ANSWER, NOW + 2, is_guess=True) == ended
    assert calls.explain(MID, 1, Cause.NO_ANSWER, None) is None
    assert calls.get(MID, 1) == ended


def test_a_better_guess_is_a_guess_and_an_answer_that_was_known_stays(calls):
    calls.open(CALL, EXPIRES)
    calls.end(MID, 1, Cause.NO_ANSWER, NOW + 1, is_guess=True)
    better = calls.explain(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1, is_guess=True)
    assert better.cause == Cause.CALLER_HUNG_UP
    assert better.answered_msec == NOW + 1
    assert better.cause_is_guess is True
    known = calls.explain(MID, 1, Cause.HUNG_UP, NOW + 9)
    assert known == better._replace(cause=Cause.HUNG_UP, cause_is_guess=False) == calls.get(MID, 1)


def test_nothing_is_explained_of_a_call_that_is_up_or_not_there(calls):
    assert calls.explain(MID, 1, Cause.BUSY, None) is None
    calls.open(CALL, EXPIRES)
    assert calls.explain(MID, 1, Cause.BUSY, NOW) is None
    assert calls.get(MID, 1) == CALL
    assert calls.end("99", 1, Cause.BUSY, NOW, is_guess=True) is None


def test_whose_a_contact_is_is_known_as_soon_as_it_is_noted(calls):
    assert calls.find_contact("contact-1") is None
    calls.name_contact("contact-1", MID, 2, EXPIRES)
    assert calls.find_contact("contact-1") == (MID, 2)
    assert calls.find_contact("contact-2") is None
    assert calls.get(MID, 2) is None


def test_a_call_that_was_ended_by_the_release_before_has_its_cause(dynamodb):
    # That release knows no guess: an item without the mark is certain
    dynamodb.calls.open(CALL, EXPIRES)
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key={"pk": {"S": f"M#{MID}"}, "sk": {"S": "CALL#001"}},
        UpdateExpression="SET ended_msec = :now, cause = :cause",
        ExpressionAttributeValues={":now": {"N": str(NOW)}, ":cause": {"S": "noAnswer"}},
    )
    assert not dynamodb.calls.get(MID, 1).cause_is_guess
    assert dynamodb.calls.end(MID, 1, Cause.BUSY, NOW, is_guess=True).cause is Cause.NO_ANSWER


@pytest.mark.parametrize("placed", [True, False])
def test_a_phone_that_has_rung_for_as_long_as_it_may_is_given_up(calls, placed):
    calls.open(LOGGED, EXPIRES)
    if placed:
        calls.set_contact(MID, 1, "contact-1")
    given_up = calls.give_up(MID, 1, NOW + 1)
    assert given_up == calls.get(MID, 1)
    # Of a call that may never have been placed there is no cause: it is looked into where the call is finished
    assert given_up.gave_up_msec == NOW + 1
    assert given_up.cause == (Cause.NO_ANSWER if placed else None)
    assert not given_up.ended
    # A repeat changes nothing, and no answer counts any more
    assert calls.give_up(MID, 1, NOW + 2) == given_up
    assert calls.set_answered(MID, 1, "contact-1", NOW + 3) is None
    written, found = append(calls, "answered", 1)
    assert written is False
    assert found == given_up


def test_whoever_has_answered_or_is_gone_is_not_given_up(calls):
    assert calls.give_up(MID, 1, NOW) is None
    calls.open(CALL, EXPIRES)
    answered = calls.set_answered(MID, 1, "contact-1", NOW + 1)
    assert calls.give_up(MID, 1, NOW + 2) is None
    assert calls.get(MID, 1) == answered
    ended = CALL._replace(attempt=2)
    calls.open(ended, EXPIRES)
    gone = calls.end(MID, 2, Cause.BUSY, NOW + 1)
    assert calls.give_up(MID, 2, NOW + 2) is None
    assert calls.get(MID, 2) == gone


def test_an_answer_that_stands_in_the_log_is_not_given_up(calls):
    answered = logged(calls)
    assert calls.give_up(MID, 1, NOW + 2) is None
    assert calls.get(MID, 1) == answered


def test_a_call_that_was_given_up_ends_as_not_answered_whatever_its_record_says(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    calls.give_up(MID, 1, NOW + 1)
    ended = calls.end(MID, 1, Cause.FAILED, NOW + 2, is_guess=True)
    assert ended.cause == Cause.NO_ANSWER
    assert ended.cause_is_guess is False
    assert ended.ended_msec == NOW + 2
