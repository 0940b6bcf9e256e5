"""Calls: opened, given commands, answered; DynamoDB and memory do the same."""

import pytest

from speechcall.calls.rules.call import Cause, Command, Kind, Refused, Reply, Step, Ticket
from tests.kit.samples import CALL, MID, NOW
from tests.kit.store_samples import BOUNDS, EXPIRES, ask, put, ticket


def test_an_opened_call_is_read_as_it_was_written(calls):
    assert calls.get(MID, 1) is None
    assert calls.open(CALL, EXPIRES) == CALL
    assert calls.get(MID, 1) == CALL
    assert calls.get(MID, 2) is None


def test_a_later_try_of_dial_brings_its_token_into_the_same_call(calls):
    calls.open(CALL, EXPIRES)
    later = CALL._replace(ticket=CALL.ticket._replace(retry=1, token="dial-1"), dialled_msec=NOW + 9)
    # The moment of the first dialling stays: the bound on a call's seconds counts from there.
    assert calls.open(later, EXPIRES) == CALL._replace(ticket=later.ticket) == calls.get(MID, 1)


def test_an_earlier_try_of_dial_that_comes_late_changes_nothing(calls):
    later = CALL._replace(ticket=CALL.ticket._replace(retry=1, token="dial-1"))
    calls.open(later, EXPIRES)
    assert calls.open(CALL, EXPIRES) == later


def test_opening_a_call_that_has_ended_or_gone_on_gives_the_call_as_it_is(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    assert calls.open(CALL, EXPIRES).ticket == ticket(1)
    calls.end(MID, 1, Cause.BUSY, NOW)
    assert calls.open(CALL, EXPIRES).ended


def test_a_command_of_a_newer_visit_gets_the_next_seq(calls):
    calls.open(CALL, EXPIRES)
    written, call = put(calls, ticket(1))
    assert written
    assert call == CALL._replace(seq=2, command=ask(), ticket=ticket(1), visits=1) == calls.get(MID, 1)
    written, call = put(calls, ticket(2), Command(Kind.HANG_UP))
    assert written
    assert call.seq == 3
    assert call.command == Command(Kind.HANG_UP)
    assert call.visits == 1


def test_a_later_try_keeps_the_seq_and_replaces_the_token(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    written, call = put(calls, ticket(1, retry=1))
    assert written
    assert call.seq == 2
    assert call.ticket == ticket(1, retry=1)
    assert call.visits == 1


def test_the_same_try_written_twice_is_written_once(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    written, call = put(calls, ticket(1))
    assert written
    assert call.seq == 2
    assert call.ticket == ticket(1)


def test_an_earlier_try_that_comes_late_is_refused(calls):
    calls.open(CALL, EXPIRES)
    _, latest = put(calls, ticket(1, retry=2))
    assert put(calls, ticket(1, retry=1)) == (False, latest)
    assert calls.get(MID, 1) == latest


def test_a_zombie_of_an_older_visit_is_refused_whatever_its_try(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    _, latest = put(calls, ticket(2))
    assert put(calls, ticket(1, retry=5)) == (False, latest)
    assert calls.get(MID, 1) == latest


@pytest.mark.parametrize("given", [ticket(1), ticket(1, retry=1), ticket(2)])
def test_a_call_that_has_ended_takes_no_command(calls, given):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    ended = calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert put(calls, given) == (False, ended)
    assert put(calls, given, Command(Kind.HANG_UP)) == (False, ended)


def test_an_unknown_call_takes_nothing_and_appears_nowhere(calls):
    assert put(calls, ticket(1)) == (False, None)
    assert calls.set_answered(MID, 1, "c", NOW) is None
    assert calls.end(MID, 1, Cause.BUSY, NOW) is None
    calls.set_contact(MID, 1, "c")
    calls.set_done(MID, 1, 1, None)
    calls.set_stop_reason(MID, 1, "limit")
    assert calls.get(MID, 1) is None


def test_no_menu_begins_after_the_last_visit_but_hanging_up_does(calls):
    calls.open(CALL, EXPIRES)
    for second in (1, 2, 3):
        assert put(calls, ticket(second))[0]
    written, found = put(calls, ticket(4))
    assert written is False
    assert found.seq == 4
    assert found.visits == 3
    assert put(calls, ticket(3, retry=1))[0], "a later try of the last menu is no new visit"
    assert put(calls, ticket(4), Command(Kind.HANG_UP))[0]


def test_no_menu_begins_after_the_last_second_but_hanging_up_does(calls):
    calls.open(CALL, EXPIRES)
    assert put(calls, ticket(1), now=NOW + 59_999)[0]
    assert not put(calls, ticket(2), now=NOW + 60_000)[0]
    assert put(calls, ticket(1, retry=1), now=NOW + 60_000)[0]
    assert put(calls, ticket(2), Command(Kind.HANG_UP), now=NOW + 60_000)[0]


def test_the_first_contact_and_the_first_answer_stay(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    calls.set_contact(MID, 1, "contact-2")
    assert calls.get(MID, 1).contact_id == "contact-1"
    answered = calls.set_answered(MID, 1, "contact-1", NOW + 5)
    assert answered == CALL._replace(contact_id="contact-1", answered_msec=NOW + 5)
    assert calls.set_answered(MID, 1, "contact-1", NOW + 9) == answered


def test_an_answer_may_come_before_the_contact_is_known(calls):
    calls.open(CALL, EXPIRES)
    assert calls.set_answered(MID, 1, "contact-1", NOW).contact_id == "contact-1"


def test_another_contact_does_not_answer_for_the_call(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert calls.set_answered(MID, 1, "contact-2", NOW) is None
    assert calls.get(MID, 1).answered_msec is None


def test_a_call_that_has_ended_is_not_answered_any_more(calls):
    calls.open(CALL, EXPIRES)
    calls.end(MID, 1, Cause.NO_ANSWER, NOW)
    assert calls.set_answered(MID, 1, "contact-1", NOW) is None


def test_a_provider_is_asked_to_dial_by_one_try_at_a_time(calls):
    calls.open(CALL, EXPIRES)
    assert calls.begin_placing(MID, 1, NOW, NOW - 1000)
    assert not calls.begin_placing(MID, 1, NOW + 1000, NOW)
    assert calls.get(MID, 1).placing_msec == NOW
    # Settled, or certainly not placed: it may be asked again
    assert calls.begin_placing(MID, 1, NOW + 1001, NOW + 1)
    assert not calls.set_not_placed(MID, 1, NOW)
    assert calls.get(MID, 1).placing_msec == NOW + 1001
    assert not calls.get(MID, 1).is_certainly_not_placed
    assert calls.set_not_placed(MID, 1, NOW + 1001)
    assert calls.get(MID, 1).is_certainly_not_placed
    assert calls.begin_placing(MID, 1, NOW + 1002, NOW)
    # What was certain is not any more
    assert calls.get(MID, 1).not_placed_msec is None


def test_what_a_repeat_was_told_is_kept_while_its_call_is_in_doubt(calls):
    calls.open(CALL, EXPIRES)
    assert calls.get(MID, 1).refused is None
    for refused in (Refused("throttled", Cause.THROTTLED), Refused("destinationNotAllowed", Cause.BLOCKED)):
        calls.set_refused(MID, 1, refused)
        assert calls.get(MID, 1).refused == refused
    calls.end(MID, 1, Cause.BLOCKED, NOW)
    calls.set_refused(MID, 1, Refused("late", Cause.FAILED))
    calls.set_refused(MID, 2, Refused("unknown", Cause.FAILED))
    assert calls.get(MID, 1).refused.reason == "destinationNotAllowed"
    assert calls.get(MID, 2) is None


def test_a_provider_whose_contact_is_known_or_whose_call_is_over_is_not_asked_to_dial(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert not calls.begin_placing(MID, 1, NOW, NOW)
    calls.open(CALL._replace(attempt=2), EXPIRES)
    calls.end(MID, 2, Cause.NO_ANSWER, NOW)
    assert not calls.begin_placing(MID, 2, NOW, NOW)
    assert not calls.begin_placing(MID, 3, NOW, NOW)
    assert calls.get(MID, 3) is None


def test_of_the_events_the_latest_has_the_turn(calls):
    calls.open(CALL, EXPIRES)
    assert calls.take_turn(MID, 1, "contact-1", 3).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 3).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 2).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 4).turn == 4
    calls.set_contact(MID, 1, "contact-1")
    # Another contact counts its own events
    found = calls.take_turn(MID, 1, "contact-2", 9)
    assert found.turn == 4
    assert found.contact_id == "contact-1"
    assert calls.take_turn(MID, 2, "contact-1", 1) is None


def test_a_key_is_kept_in_the_step_in_which_its_event_takes_its_turn(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    ask = Command(Kind.ASK, 0)
    calls.put_command(MID, 1, ask, Ticket("2027", 0, "ask-0"), BOUNDS, NOW)
    key, other = Reply(2, "key", "d1"), Reply(2, "key", "d2")
    found = calls.take_turn(MID, 1, "contact-1", 5, key)
    assert found.turn == 5
    assert found.kept_reply == key
    # The first one stays; the turn is taken all the same
    found = calls.take_turn(MID, 1, "contact-1", 6, other)
    assert found.turn == 6
    assert found.kept_reply == key
    # So it is for another question, one that was answered, an earlier event, another contact, and a call that is over
    for contact, turn, reply in (
        ("contact-1", 7, Reply(1, "key", "d3")),
        ("contact-1", 6, Reply(2, "key", "d3")),
        ("contact-2", 9, Reply(2, "key", "d3")),
    ):
        assert calls.take_turn(MID, 1, contact, turn, reply).kept_reply == key
    calls.put_command(MID, 1, ask, Ticket("2028", 0, "ask-1"), BOUNDS, NOW)
    calls.set_done(MID, 1, 3, None)
    assert calls.take_turn(MID, 1, "contact-1", 10, Reply(3, "key", "d1")).kept_reply == key
    calls.put_command(MID, 1, ask, Ticket("2029", 0, "ask-2"), BOUNDS, NOW)
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    found = calls.take_turn(MID, 1, "contact-1", 11, Reply(4, "key", "d1"))
    assert found.turn == 11
    assert found.kept_reply == key
    assert calls.take_turn(MID, 2, "contact-1", 1, key) is None


def test_a_command_is_done_once_with_what_was_heard_first(calls):
    calls.open(CALL, EXPIRES)
    calls.set_done(MID, 1, 1, None)
    put(calls, ticket(1))
    assert calls.get(MID, 1).awaits_answer
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW + 1))
    calls.set_done(MID, 1, 2, Step(0, "idle", NOW + 2))
    call = calls.get(MID, 1)
    assert not call.awaits_answer
    assert call.done_seq == 2
    assert call.path == (Step(0, "d1", NOW + 1),)


def test_what_was_heard_is_kept_when_the_next_command_was_quicker(calls):
    # Given that the answered state machine has already written its next command
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    put(calls, ticket(2), ask(1))
    # When the first is marked done
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW))
    # Then its key is on the call's path, and the second still awaits its answer
    call = calls.get(MID, 1)
    assert call.path == (Step(0, "d1", NOW),)
    assert call.awaits_answer


def test_a_reply_is_kept_for_the_next_try_and_the_first_stays(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    kept = calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    assert kept.known_reply == Reply(2, "key", "d1")
    assert calls.keep_reply(MID, 1, Reply(2, "idle")) is None
    assert kept == calls.get(MID, 1)
    # And the next try finds it where it writes its token
    assert put(calls, ticket(1, retry=1))[1].known_reply == Reply(2, "key", "d1")
    # But not another question, which has its own
    assert put(calls, ticket(2))[1].known_reply is None
    assert calls.keep_reply(MID, 1, Reply(3, "idle")).known_reply == Reply(3, "idle")


def test_the_reply_that_was_given_is_kept_for_a_next_try(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    calls.keep_reply(MID, 1, Reply(2, "idle"))
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW), Reply(2, "key", "d1"))
    assert put(calls, ticket(1, retry=1))[1].known_reply == Reply(2, "key", "d1")
    calls.set_done(MID, 1, 2, None, Reply(2, "idle"))
    assert calls.get(MID, 1).known_reply == Reply(2, "key", "d1")


def test_a_kept_reply_outlives_the_late_note_of_an_earlier_one(calls):
    # Given a question whose key is kept before the answer to the dial is marked done
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    # When that is made good
    calls.set_done(MID, 1, 1, None, Reply(1, "answered"))
    # Then the key is still there, and the first command is done
    call = calls.get(MID, 1)
    assert call.known_reply == Reply(2, "key", "d1")
    assert call.done_seq == 1


def test_no_reply_is_kept_for_a_command_that_is_done_or_not_there_or_a_call_that_is_over(calls):
    assert calls.keep_reply(MID, 1, Reply(1, "idle")) is None
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    assert calls.keep_reply(MID, 1, Reply(1, "key", "d1")) is None
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")) is None
    calls.set_done(MID, 1, 2, None)
    assert calls.keep_reply(MID, 1, Reply(2, "key", "d1")) is None
    put(calls, ticket(2))
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")) is None


def test_the_first_stop_reason_and_the_first_cause_stay(calls):
    calls.open(CALL, EXPIRES)
    calls.set_stop_reason(MID, 1, "limit")
    calls.set_stop_reason(MID, 1, "promptUnavailable")
    ended = calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1)
    assert ended == CALL._replace(stop_reason="limit", ended_msec=NOW + 1, cause=Cause.CALLER_HUNG_UP)
    assert calls.end(MID, 1, Cause.STOPPED, NOW + 2) == ended == calls.get(MID, 1)


def test_the_end_sees_the_token_that_was_written_last(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    put(calls, ticket(1, retry=1))
    assert calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW).ticket == ticket(1, retry=1)
