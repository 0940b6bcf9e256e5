"""A call's log, by which it continues without its state machine; DynamoDB and memory do the same."""

import pytest

from speechcall.calls.rules.call import Cause, Command, Kind, Reply, Step
from speechcall.menus.rules.call_log import Decided, Entry, Then, ThenKind, Wait
from tests.kit.samples import CALL, MID, NOW
from tests.kit.store_samples import EXPIRES, LOGGED, append, ask, logged, put, ticket


def test_a_call_with_a_plan_is_read_as_it_was_written(calls):
    assert calls.open(LOGGED, EXPIRES) == LOGGED == calls.get(MID, 1)
    assert LOGGED.goes_by_log


def test_what_is_heard_stands_in_the_log_with_what_follows_and_on_the_path(calls):
    call = logged(calls, "d1", "idle", "d2")
    assert [(entry.seq, entry.menu, entry.event, entry.key, entry.then) for entry in call.log] == [
        (1, None, "answered", "", Then(ThenKind.ASK, 0)),
        (2, 0, "key", "d1", Then(ThenKind.ASK, 1)),
        (3, 1, "idle", "", Then(ThenKind.ASK, 1)),
        (4, 1, "key", "d2", Then(ThenKind.WAIT)),
    ]
    assert call.path == (Step(0, "d1", NOW + 1), Step(1, "idle", NOW + 2), Step(1, "d2", NOW + 3))
    assert call.answered_msec == NOW
    assert call.contact_id == "contact-1"
    assert call.seq == 1


def test_what_a_lookup_has_come_to_stands_behind_its_entry_and_the_first_stays(calls):
    plan = LOGGED.plan._replace(waits=({}, {"d2": Wait(2000, 1)}))
    calls.open(LOGGED._replace(plan=plan), EXPIRES)
    for word in ("answered", "d1", "d2"):
        append(calls, word)
    call = calls.get(MID, 1)
    paid = call.would_decide(3, NOW + 900, "paid", 0)
    late = call.would_decide(3, NOW + 2000, error="TIMEOUT")
    assert calls.decide(MID, 1, paid).log[-1].decided == paid
    found = calls.decide(MID, 1, late)
    assert found == calls.get(MID, 1)
    assert (found.log[-1].then, found.log[-1].decided) == (Then(ThenKind.ASK, 0), paid)
    assert found.path[-1].decided == paid
    assert found.plan == plan
    assert append(calls, "d1")[0]
    assert [entry.menu for entry in calls.get(MID, 1).log] == [None, 0, 1, 0]


def test_a_lookup_is_not_decided_before_its_entry_nor_after_the_end(calls):
    plan = LOGGED.plan._replace(waits=({}, {"d2": Wait(2000, 1)}))
    calls.open(LOGGED._replace(plan=plan), EXPIRES)
    decided = Decided(3, "paid", 0, NOW, Then(ThenKind.ASK, 0))
    append(calls, "answered")
    assert calls.decide(MID, 1, decided).log_seq == 1
    for word in ("d1", "d2"):
        append(calls, word)
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert calls.decide(MID, 1, decided).log[-1].decided is None
    assert calls.decide("9", 1, decided) is None


def test_an_introduction_that_could_not_be_played_is_why_the_call_ends(calls):
    call = logged(calls, "prompt_error")
    assert call.stop_reason == "promptUnavailable"
    assert call.log[-1].then == Then(ThenKind.END, reason="promptUnavailable")


def test_the_first_entry_of_a_seq_stays_and_none_stands_without_its_predecessor(calls):
    before = logged(calls, "d1")
    again = Entry(2, 0, "key", "d2", NOW, Then(ThenKind.END))
    for entry in (again, again._replace(seq=1), again._replace(seq=4), again._replace(seq=9)):
        assert calls.append(MID, 1, "contact-1", entry) == (False, before)
    assert calls.get(MID, 1) == before


@pytest.mark.parametrize("words", [(), ("d1",)])
def test_of_another_contact_nothing_stands_in_the_log(calls, words):
    logged(calls, *words)
    written, call = append(calls, "d1", contact="contact-2")
    assert written is False
    assert call.log_seq == 1 + len(words)


def test_the_first_contact_that_answers_is_the_calls_unless_it_has_one(calls):
    calls.open(LOGGED, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert not append(calls, "answered", contact="contact-2")[0]
    written, call = append(calls, "answered")
    assert written is True
    assert call.contact_id == "contact-1"
    assert call.answered_msec == NOW


def test_nothing_stands_in_the_log_of_a_call_that_has_ended_or_is_unknown_or_keeps_none(calls):
    entry = Entry(1, None, "answered", "", NOW, Then(ThenKind.ASK, 0))
    assert calls.append(MID, 1, "contact-1", entry) == (False, None)
    assert calls.advance(MID, 1, ask(), ticket(1)) == (False, None)
    calls.open(CALL, EXPIRES)
    assert calls.append(MID, 1, "contact-1", entry) == (False, CALL)
    calls.open(LOGGED._replace(attempt=2), EXPIRES)
    ended = calls.end(MID, 2, Cause.CALLER_HUNG_UP, NOW)
    assert calls.append(MID, 2, "contact-1", entry) == (False, ended)


def test_an_entry_takes_the_turn_of_the_event_that_brings_it_and_stands_also_when_a_later_one_was_first(calls):
    logged(calls)
    call = calls.get(MID, 1)
    written, found = calls.append(MID, 1, "contact-1", call.would_log(2, "key", "d1", NOW), 7)
    assert written is True
    assert found.turn == 7
    assert found.log_seq == 2
    written, found = calls.append(MID, 1, "contact-1", found.would_log(3, "key", "d2", NOW), 6)
    assert written is True
    assert found.turn == 7
    assert found.log_seq == 3
    # Of an entry that is there the turn is not taken: who brings it has heard nothing new
    written, found = calls.append(MID, 1, "contact-1", found.log[2], 9)
    assert written is False
    assert found.turn == 7
    assert found.log_seq == 3


def test_the_machine_comes_to_each_entry_in_turn_and_not_further_than_the_log(calls):
    logged(calls, "d1")
    written, call = calls.advance(MID, 1, ask(0), ticket(1))
    assert written is True
    assert call.seq == 2
    assert call.visits == 1
    assert call.command == ask(0)
    assert call.ticket == ticket(1)
    written, call = calls.advance(MID, 1, ask(1), ticket(2))
    assert written is True
    assert call.seq == 3
    assert call.visits == 2
    # What was not commanded yet is the command of a try that was given up
    assert calls.advance(MID, 1, ask(1), ticket(3)) == (False, call)
    append(calls, "d1")
    written, call = calls.advance(MID, 1, Command(Kind.HANG_UP), ticket(4))
    assert written is True
    assert call.seq == 4
    assert call.visits == 2
    assert call.command == Command(Kind.HANG_UP)


def test_a_later_try_brings_its_token_and_an_earlier_one_or_visit_does_not(calls):
    logged(calls, "d1", "d1")
    calls.advance(MID, 1, ask(0), ticket(1))
    written, call = calls.advance(MID, 1, ask(0), ticket(1, retry=2))
    assert written is True
    assert call.seq == 2
    assert call.ticket == ticket(1, retry=2)
    assert calls.advance(MID, 1, ask(0), ticket(1, retry=1)) == (False, call)
    assert calls.advance(MID, 1, ask(0), ticket(0)) == (False, call)
    assert calls.get(MID, 1) == call


def test_a_call_that_has_ended_goes_on_as_far_as_its_log_and_no_further(calls):
    logged(calls, "d1")
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert calls.advance(MID, 1, ask(0), ticket(1))[0]
    written, call = calls.advance(MID, 1, ask(1), ticket(2))
    assert written is False
    assert call.ended is True
    assert call.seq == 2
    # A later try of what has its answer is told so without its token
    written, call = calls.advance(MID, 1, ask(0), ticket(1, retry=1))
    assert written is False
    assert call.ticket == ticket(1)
    assert call.known_reply == Reply(2, "key", "d1")


def test_a_machine_that_was_told_past_the_log_closes_it(calls):
    # Given functions of the release before, which tell the machine and write nothing into the log
    logged(calls)
    put(calls, ticket(1))
    put(calls, ticket(2))
    call = calls.get(MID, 1)
    assert call.seq == 3
    assert call.goes_by_log is False
    # Then what comes late for an earlier question does not get into it
    assert calls.append(MID, 1, "contact-1", Entry(2, 0, "key", "d1", NOW, Then(ThenKind.ASK, 1))) == (False, call)
    # And the call continues without
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")).known_reply == Reply(3, "key", "d1")
    calls.set_done(MID, 1, 3, Step(1, "d1", NOW + 9))
    assert calls.get(MID, 1).path == (Step(1, "d1", NOW + 9),)
