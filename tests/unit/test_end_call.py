"""The end of a call: one write, then an answer to whoever waits for it."""

import pytest

from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Reply, Ticket
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.hear_end import IN_FLIGHT_SECONDS, ContactEnd, hear_contact_end
from speechcall.calls.use_cases.ports import Contact
from speechcall.menus.rules.call_log import Plan
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.errors import TelephonyUnavailable
from tests.kit.samples import CALL, MESSAGE, MID, NOW, FakeClock, FakeEngine

OTHER = "227633266688000009"
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
    """News of a contact that nobody has noted, and whose record is there."""
    return news(calls, engine, Records(contact), answered=contact.answered)


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
    assert call.ended is True
    assert call.cause == Cause.CALLER_HUNG_UP


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


def test_a_key_that_was_heard_before_the_end_is_the_answer(calls, engine):
    # Given a key whose token was in vain, and the next try's token before anybody has told it
    ask(calls)
    calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    calls.put_command(MID, 1, Command(Kind.ASK, 0), Ticket("2027", 1, "ask-1"), Bounds(9, 900), NOW)
    # When the callee hangs up, then the list of the key is run
    end(calls, engine)
    assert engine.answers == {"ask-1": {"event": "key", "key": "d1", "seq": 2}}
    assert calls.get(MID, 1).path[0].heard == "d1"


@pytest.mark.parametrize("event", ["idle", "prompt_error"])
def test_silence_before_the_end_is_no_answer(calls, engine, event):
    ask(calls)
    calls.keep_reply(MID, 1, Reply(2, event))
    end(calls, engine)
    assert engine.answers == {"ask-0": {"event": "ended", "key": "", "seq": 2}}


def test_a_call_that_is_unknown_ends_nothing(engine):
    assert end(MemoryCalls(), engine) is None
    assert engine.tries == []


def test_a_contact_that_has_ended_ends_its_call(calls, engine):
    call = hear(calls, engine, CONTACT)
    assert call.cause == Cause.BUSY
    assert call.answered_msec is None


def test_a_contact_that_was_answered_tells_so_even_when_its_flow_did_not(calls, engine):
    call = hear(calls, engine, CONTACT._replace(answered=True, cause=Cause.CALLER_HUNG_UP))
    assert call.cause == Cause.CALLER_HUNG_UP
    assert call.answered_msec == NOW
    assert call.contact_id == "contact-1"


@pytest.mark.parametrize(
    "contact",
    [
        CONTACT._replace(attributes={}),
        CONTACT._replace(attributes={"mid": MID}),
        CONTACT._replace(attributes={"mid": "x", "attempt": "1"}),
        CONTACT._replace(attributes={"mid": MID, "attempt": "one"}),
        CONTACT._replace(attributes={"mid": MID, "attempt": "²"}),
        CONTACT._replace(attributes={"mid": "²", "attempt": "1"}),
        CONTACT._replace(attributes={"mid": "1", "attempt": "1"}),
        CONTACT._replace(attributes={"mid": "1" * 3000, "attempt": "1"}),
        CONTACT._replace(attributes={"mid": MID, "attempt": "1" * 3000}),
        CONTACT._replace(attributes={"mid": MID, "attempt": "2"}),
    ],
)
def test_a_contact_that_is_none_of_ours_ends_nothing(calls, engine, contact):
    assert hear(calls, engine, contact) is None
    assert not calls.get(MID, 1).ended
    assert engine.tries == []


def test_the_end_of_another_contact_of_the_same_attempt_is_not_the_calls_end(calls, engine):
    calls.set_contact(MID, 1, "contact-0")
    assert hear(calls, engine, CONTACT) is None
    assert not calls.get(MID, 1).ended


# ---------------------------------------------------------------------- news
class Records:
    """A provider whose record shows, look by look, these contacts; the last one for ever."""

    def __init__(self, *contacts):
        self.contacts, self.looks = list(contacts), 0

    def look_up(self, contact_id):
        self.looks += 1
        return self.contacts.pop(0) if len(self.contacts) > 1 else self.contacts[0]


LIVE = CONTACT._replace(ended=False, cause=None)


def news(calls, engine, records, answered=False, clock=None, is_repeat=False):
    end = ContactEnd("contact-1", answered, is_repeat)
    return hear_contact_end(end, telephony=records, calls=calls, engine=engine, clock=clock or FakeClock())


def test_news_of_an_end_that_the_record_shows_is_taken_in_at_once(calls, engine):
    records = Records(CONTACT)
    assert news(calls, engine, records).cause is Cause.BUSY
    assert records.looks == 1


def test_news_of_an_answer_counts_though_the_end_was_written_by_a_record_that_did_not_know_of_it(calls, engine):
    calls.set_contact(MID, 1, "contact-1")
    calls.end(MID, 1, Cause.NO_ANSWER, NOW, is_guess=True)
    news(calls, engine, Records(LIVE), answered=True)
    call = calls.get(MID, 1)
    assert call.answered_msec == NOW
    assert call.cause == Cause.CALLER_HUNG_UP
    assert call.cause_is_guess is True


@pytest.mark.parametrize("answered", [False, True])
def test_a_call_of_whose_end_there_is_news_is_not_unconfirmed_any_more(calls, engine, answered):
    calls.set_contact(MID, 1, "contact-1")
    calls.end(MID, 1, Cause.UNCONFIRMED, NOW, is_guess=True)
    news(calls, engine, Records(LIVE), answered=answered)
    call = calls.get(MID, 1)
    assert (call.answered_msec is not None) == answered
    assert call.cause == Cause.STOPPED
    assert call.cause_is_guess is True


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.UNCONFIRMED])
def test_news_of_an_end_changes_nothing_of_what_is_final(calls, engine, cause):
    calls.set_contact(MID, 1, "contact-1")
    before = calls.end(MID, 1, cause, NOW)
    news(calls, engine, Records(LIVE), answered=True)
    assert calls.get(MID, 1) == before


def test_the_end_of_a_contact_that_is_noted_is_taken_in_at_once_and_no_record_is_asked(calls, engine):
    # Given a provider whose record is anywhere, or in trouble
    calls.set_contact(MID, 1, "contact-1")
    calls.name_contact("contact-1", MID, 1, 9)
    records, clock = Records(), FakeClock()
    # When its end is told, twice at once as Amazon Connect does, then the machine knows it, and nobody has asked why
    for is_repeat in (False, True):
        call = news(calls, engine, records, clock=clock, is_repeat=is_repeat)
        assert call.ended is True
        assert call.cause == Cause.NO_ANSWER
        assert call.cause_is_guess is True
    assert engine.answers["dial-0"]["error"] == "NotAnswered"
    assert records.looks == 0
    assert clock.slept == []


@pytest.mark.parametrize(("kind", "cause"), [(Kind.ASK, Cause.CALLER_HUNG_UP), (Kind.HANG_UP, Cause.HUNG_UP)])
def test_who_ended_a_call_is_guessed_by_what_was_asked_of_it(calls, engine, kind, cause):
    ask(calls, kind)
    calls.name_contact("contact-1", MID, 1, 9)
    call = news(calls, engine, Records(), answered=True)
    assert call.cause == cause
    assert call.cause_is_guess is True


def test_why_a_call_ended_takes_the_place_of_a_guess_and_stays(calls, engine):
    end_call(MID, 1, Cause.NO_ANSWER, calls=calls, engine=engine, clock=FakeClock(), is_guess=True)
    assert end(calls, engine, Cause.BUSY).cause is Cause.BUSY
    assert end(calls, engine, Cause.FAILED).cause is Cause.BUSY
    call = end_call(MID, 1, Cause.NO_ANSWER, calls=calls, engine=engine, clock=FakeClock(), is_guess=True)
    assert call.cause == Cause.BUSY
    assert call.cause_is_guess is False


def test_the_end_of_a_contact_whose_dial_is_not_answered_yet_says_which_contact_to_ask(calls, engine):
    assert news(calls, engine, Records(LIVE)).contact_id == "contact-1"


def test_of_a_contact_that_nobody_has_noted_the_repeat_asks_nothing(calls, engine):
    records = Records(CONTACT)
    assert news(calls, engine, records, is_repeat=True) is None
    assert records.looks == 0


def test_a_contact_that_is_noted_while_its_record_is_waited_for_is_ours(calls, engine):
    clock = FakeClock()
    sleep = clock.sleep

    def name_meanwhile(seconds):
        sleep(seconds)
        calls.name_contact("contact-1", MID, 1, 9)

    clock.sleep = name_meanwhile
    unknown = Contact("contact-1", {}, ended=True, answered=False, cause=Cause.FAILED, missing=True)
    call = news(calls, engine, Records(unknown), clock=clock)
    assert call.cause == Cause.NO_ANSWER
    assert call.cause_is_guess is True
    assert clock.slept == [0.5]


def test_news_of_an_end_is_believed_though_the_record_never_shows_it(calls, engine):
    call = news(calls, engine, Records(LIVE))
    assert call.ended is True
    assert call.cause == Cause.NO_ANSWER
    assert call.answered_msec is None
    assert engine.answers["dial-0"]["error"] == "NotAnswered"


@pytest.mark.parametrize(("told", "recorded"), [(True, False), (False, True), (True, True)])
def test_a_callee_who_is_gone_is_known_at_once_whatever_the_record_says(calls, engine, told, recorded):
    ask(calls)
    clock = FakeClock()
    call = news(calls, engine, Records(LIVE._replace(answered=recorded)), answered=told, clock=clock)
    assert call.cause == Cause.CALLER_HUNG_UP
    assert call.answered_msec == NOW
    assert clock.slept == []


def logged(calls, *entries):
    """A call that keeps a log: the callee has answered and is asked menu 0, then `entries`."""
    calls.open(CALL._replace(mid=OTHER, plan=Plan(({"d1": 0, "d2": "end", "wrong": 0},), 9, NOW + 900_000)), 1)
    for seq, event, key in [(1, "answered", ""), *entries]:
        call = calls.get(OTHER, 1)
        assert calls.append(OTHER, 1, "contact-1", call.would_log(seq, event, key, NOW))[0]


@pytest.mark.parametrize(
    ("ended_msec", "waits"),
    [(None, IN_FLIGHT_SECONDS), (NOW, IN_FLIGHT_SECONDS), (NOW - 1500, 0.5), (NOW - 2000, 0), (NOW + 9000, 2)],
)
def test_the_end_waits_for_what_was_reported_just_before_it_and_no_longer(calls, engine, ended_msec, waits):
    logged(calls)
    clock = FakeClock()
    contact = CONTACT._replace(attributes={"mid": OTHER, "attempt": "1"}, answered=True, ended_msec=ended_msec)
    call = news(calls, engine, Records(contact), answered=True, clock=clock)
    assert call.ended_msec == NOW  # what was waited is no part of the call
    assert sum(clock.slept) == pytest.approx(waits)


def test_a_key_that_comes_meanwhile_counts_and_ends_the_waiting(calls, engine):
    logged(calls)
    clock = FakeClock()
    sleep = clock.sleep

    def key_comes(seconds):
        sleep(seconds)
        if len(clock.slept) == 3:
            entry = calls.get(OTHER, 1).would_log(2, "key", "d1", clock.msec)
            assert calls.append(OTHER, 1, "contact-1", entry)[0]

    clock.sleep = key_comes
    contact = CONTACT._replace(attributes={"mid": OTHER, "attempt": "1"}, answered=True)
    call = news(calls, engine, Records(contact), answered=True, clock=clock)
    assert [entry.key for entry in call.log] == ["", "d1"]
    assert call.ended is True
    assert len(clock.slept) == 3


@pytest.mark.parametrize("entries", [[(2, "key", "d2")], [(2, "prompt_error", "")]])
def test_nothing_is_waited_for_where_no_question_stands_open(calls, engine, entries):
    logged(calls, *entries)
    clock = FakeClock()
    contact = CONTACT._replace(attributes={"mid": OTHER, "attempt": "1"}, answered=True)
    assert news(calls, engine, Records(contact), answered=True, clock=clock).ended
    assert clock.slept == []


@pytest.mark.parametrize("contact", [LIVE._replace(attributes={}), CONTACT._replace(attributes={"a": "b"})])
def test_news_of_somebody_elses_contact_is_not_waited_over(calls, engine, contact):
    records = Records(contact)
    assert news(calls, engine, records) is None
    assert records.looks == 1


def test_news_that_comes_before_the_record_waits_for_it_and_is_told_again_if_it_does_not_come(calls, engine):
    unknown = Contact("contact-1", {}, ended=True, answered=False, cause=Cause.FAILED, missing=True)
    assert news(calls, engine, Records(unknown, unknown, CONTACT)).cause is Cause.BUSY
    with pytest.raises(TelephonyUnavailable):
        news(calls, engine, Records(unknown))


def test_news_told_again_or_late_changes_nothing(calls, engine):
    news(calls, engine, Records(CONTACT))
    news(calls, engine, Records(LIVE), answered=True)
    call = calls.get(MID, 1)
    assert call.cause == Cause.BUSY
    assert call.answered_msec is None
