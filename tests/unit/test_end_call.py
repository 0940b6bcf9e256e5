"""The end of a call: one write, then an answer to whoever waits for it."""

from dataclasses import replace

import pytest

from speechcall.application.end_call import contact_ended, end_call
from speechcall.application.ports import Contact
from speechcall.domain.call import Bounds, Cause, Command, Kind, Ticket
from tests.fixtures.samples import CALL, MESSAGE, MID, NOW, FakeClock, FakeEngine
from tests.stores.memory import MemoryCalls

CONTACT = Contact("contact-1", {"mid": MID, "attempt": "1"}, ended=True, answered=False, cause=Cause.BUSY)


@pytest.fixture
def calls():
    store = MemoryCalls()
    store.open(CALL, MESSAGE.expires_at)
    return store


@pytest.fixture
def engine():
    return FakeEngine()


def end(calls, engine, cause=Cause.CALLER_HUNG_UP):
    return end_call(MID, 1, cause, calls=calls, engine=engine, clock=FakeClock())


def hear(calls, engine, contact):
    return contact_ended(contact, calls=calls, engine=engine, clock=FakeClock())


def ask(calls, kind=Kind.ASK):
    calls.put_command(MID, 1, Command(kind, 0), Ticket("2027", 0, "ask-0"), Bounds(9, 900), NOW)


def test_a_call_that_is_dialling_is_answered_not_answered_with_the_cause(calls, engine):
    end(calls, engine, Cause.BUSY)
    assert engine.answers == {"dial-0": {"error": "NotAnswered", "cause": "busy"}}


@pytest.mark.parametrize("kind", [Kind.ASK, Kind.HANG_UP])
def test_a_waiting_question_or_hang_up_is_answered_ended(calls, engine, kind):
    ask(calls, kind)
    call = end(calls, engine)
    assert engine.answers == {"ask-0": {"event": "ended", "key": "", "seq": 2}}
    assert (call.ended, call.cause) == (True, Cause.CALLER_HUNG_UP)


def test_a_question_that_was_answered_is_left_alone(calls, engine):
    ask(calls)
    calls.set_done(MID, 1, 2, None)
    end(calls, engine)
    assert engine.tries == []


def test_a_repeat_answers_again_for_the_first_may_have_died(calls, engine):
    ask(calls)
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    end(calls, engine, Cause.STOPPED)
    assert engine.answers["ask-0"]["event"] == "ended"
    assert calls.get(MID, 1).cause is Cause.CALLER_HUNG_UP


def test_a_call_that_is_unknown_ends_nothing(engine):
    assert end(MemoryCalls(), engine) is None
    assert engine.tries == []


def test_a_contact_that_has_ended_ends_its_call(calls, engine):
    call = hear(calls, engine, CONTACT)
    assert (call.cause, call.answered_msec) == (Cause.BUSY, None)


def test_a_contact_that_was_answered_tells_so_even_when_its_flow_did_not(calls, engine):
    call = hear(calls, engine, replace(CONTACT, answered=True, cause=Cause.CALLER_HUNG_UP))
    assert (call.cause, call.answered_msec, call.contact_id) == (Cause.CALLER_HUNG_UP, NOW, "contact-1")


def test_a_contact_that_ended_without_a_cause_has_failed(calls, engine):
    assert hear(calls, engine, replace(CONTACT, cause=None)).cause is Cause.FAILED


@pytest.mark.parametrize(
    "contact",
    [
        replace(CONTACT, ended=False),
        replace(CONTACT, attributes={}),
        replace(CONTACT, attributes={"mid": MID}),
        replace(CONTACT, attributes={"mid": "x", "attempt": "1"}),
        replace(CONTACT, attributes={"mid": MID, "attempt": "one"}),
        replace(CONTACT, attributes={"mid": MID, "attempt": "²"}),
        replace(CONTACT, attributes={"mid": "²", "attempt": "1"}),
        replace(CONTACT, attributes={"mid": "1", "attempt": "1"}),
        replace(CONTACT, attributes={"mid": MID, "attempt": "2"}),
    ],
)
def test_a_contact_that_goes_on_or_is_none_of_ours_ends_nothing(calls, engine, contact):
    assert hear(calls, engine, contact) is None
    assert not calls.get(MID, 1).ended
    assert engine.tries == []


def test_the_end_of_another_contact_of_the_same_attempt_is_not_the_calls_end(calls, engine):
    calls.set_contact(MID, 1, "contact-0")
    assert hear(calls, engine, CONTACT) is None
    assert not calls.get(MID, 1).ended
