"""After a call: certainly dead, line given back, message finished."""

import logging
from collections import ChainMap
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Refused, Ticket
from speechcall.calls.rules.end_of_call import talked_msec
from speechcall.calls.use_cases.finish_call import finish_call
from speechcall.calls.use_cases.obey_log import plan_of
from speechcall.calls.use_cases.ports import Contact
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import Entry, Plan, Then, ThenKind
from speechcall.menus.rules.menu import Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.walk import table_of
from speechcall.messages.adapters.fallback_items import status_at_end
from speechcall.messages.rules.dial_times import (
    COUNTED_MSEC,
    MAX_REDIALS,
    MAX_TTL_SECONDS,
    MOST_AGAIN_SECONDS,
    REDIAL_OUTCOMES,
    THROTTLED_AGAIN_SECONDS,
    Redial,
    next_day_msec,
)
from speechcall.messages.rules.fallback import Fallback, FallbackStatus
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, NumberBusy
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.money.rules.rate import Rate
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.errors import StoreUnavailable, TelephonyMisconfigured, TelephonyUnavailable
from speechcall.shared.rules.outcome import EXPIRED, End, Outcome
from speechcall.shared.rules.time_bounds import GIVE_UP_SECONDS, MAY_RING_SECONDS, SETTLING_SECONDS
from tests.kit.samples import ASK, CALL, HOOK, MENU, MESSAGE, MID, NOW, FakeClock, FakeEngine, message


class Telephony:
    """A provider with one contact, which obeys `stop` or does not."""

    dials_once = has_records = True

    def __init__(self, *, obeys=True, cause=Cause.STOPPED, error=None, lag=0):
        self.obeys, self.cause, self.error, self.stopped, self.lag = obeys, cause, error, [], lag

    def place(self, call, ring_timeout_seconds):
        raise AssertionError("nothing is placed here")

    def stop(self, contact_id):
        self.stopped.append(contact_id)
        if self.error:
            raise self.error

    def look_up(self, contact_id):
        self.lag -= 1
        ended = self.obeys and contact_id in self.stopped and self.lag < 0
        return Contact(contact_id, {}, ended, answered=True, cause=self.cause if ended else None)


class Bench:
    """A message that holds the only line, and its call; whom was `asked` a menu may have heard it."""

    def __init__(self, telephony=None, *, placed=True, answered=True, throttled=False, asked=True, limit=0, **fields):
        self.calls, self.messages, self.engine, self.clock = MemoryCalls(), MemoryMessages(), FakeEngine(), FakeClock()
        self.telephony: Any = telephony or Telephony()
        self.owed, self.told, self.kept, self.forgotten = [], [], [], []
        self.accounts = {"acme": Account("acme", ("*",), calls_per_day=100)}
        self.messages.add([replace(MESSAGE, **fields)])
        self.messages.queue(self.messages.get(MID), (ASK,), NOW)
        self.messages.claim_line(self.messages.get(MID), "arn:flow", Pool(1, 1, calls_per_number=limit), NOW)
        if placed:
            self.calls.open(CALL._replace(visits=int(answered and asked)), MESSAGE.expires_at)
        if throttled:
            self.calls.begin_placing(MID, 1, NOW, NOW)
            self.calls.set_not_placed(MID, 1, NOW)
        if placed and answered:
            self.calls.set_answered(MID, 1, "contact-1", NOW)

    def owe(self, task):
        self.owed.append(task)

    def opt_out(self, message, step):
        self.kept.append((message.mid, step.list_name))

    def finish(self, end=End.COMPLETED, attempt=1, **more):
        return finish_call(
            MID,
            attempt,
            end,
            calls=self.calls,
            messages=self.messages,
            telephony=self.telephony,
            engine=self.engine,
            clock=self.clock,
            owe=self.owe,
            opt_out=self.opt_out,
            forget=lambda _message, task: self.forgotten.append(task.event_id),
            tell_end=self.told.append,
            find_account=self.accounts.get,
            **more,
        )

    @property
    def message(self):
        return self.messages.get(MID)


def test_a_call_that_has_ended_is_finished_without_asking_anybody():
    bench = Bench()
    bench.calls.end(MID, 1, Cause.HUNG_UP, NOW)
    assert bench.finish() == Outcome("answered", "completed")
    assert bench.telephony.stopped == []
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "answered"
    assert bench.message.reason == "completed"
    assert bench.messages.held == set()


def test_a_call_that_was_not_heard_to_end_is_stopped_first():
    bench = Bench()
    assert bench.finish(End.LOST) == Outcome("answered", "lost")
    assert bench.telephony.stopped == ["contact-1"]
    call = bench.calls.get(MID, 1)
    assert call.ended is True
    assert call.cause == Cause.STOPPED
    assert "dial-0" in bench.engine.answers


def test_a_call_that_cannot_be_seen_to_end_is_unconfirmed_when_nobody_has_told_better_for_a_while():
    bench = Bench(Telephony(obeys=False))
    assert bench.finish() is None
    assert bench.message.state == State.SETTLING
    assert bench.messages.held == set()
    bench.clock.msec += SETTLING_SECONDS * 1000
    assert bench.finish() == Outcome("answered", "unconfirmed")


def test_a_call_that_cannot_be_seen_to_end_is_unconfirmed_at_once_where_nothing_lags():
    telephony = Telephony(obeys=False)
    telephony.has_records = False
    bench = Bench(telephony)
    assert bench.finish() == Outcome("answered", "unconfirmed")
    assert bench.messages.held == set()


def test_a_call_that_nobody_has_seen_to_end_stays_unconfirmed_though_its_record_says_that_it_was_answered():
    # Given an answer of which nobody has told us, and a call that does not end when it is stopped
    bench = Bench(Telephony(obeys=False), answered=False)
    bench.calls.set_contact(MID, 1, "contact-1")
    bench.clock.msec += MAY_RING_SECONDS * 1000
    assert bench.finish(End.LOST) is None
    bench.clock.msec += SETTLING_SECONDS * 1000 - 1
    # Then it is neither told as the callee's own end, nor kept from the alarm on what is unconfirmed
    assert bench.finish(End.FAILED) == Outcome("failed", "unconfirmed")
    call = bench.calls.get(MID, 1)
    assert call.answered_msec is not None
    assert call.cause == Cause.UNCONFIRMED


def test_a_call_that_was_seen_to_end_late_and_does_not_say_why_was_stopped():
    telephony = Telephony(obeys=False)
    bench = Bench(telephony)
    assert bench.finish(End.LOST) is None
    telephony.look_up = lambda contact_id: Contact(contact_id, {}, True, True, Cause.CALLER_HUNG_UP, True)
    bench.clock.msec += 60_000
    assert bench.finish(End.FAILED) == Outcome("answered", "lost")
    assert bench.calls.get(MID, 1).cause is Cause.STOPPED


REDIAL = Redial(2, (60,))


@pytest.mark.parametrize("on", [("failed",), ("busy", "noAnswer")])
def test_who_answered_and_heard_nothing_is_dialled_again_where_failures_are(on):
    bench = Bench(asked=False, redial=REDIAL._replace(on=on))
    bench.calls.end(MID, 1, Cause.HUNG_UP, NOW)
    assert bench.finish(End.NOT_ANSWERED) == Outcome("failed", "notPlayed")
    assert bench.message.state is (State.QUEUED if "failed" in on else State.FINISHED)
    assert bench.messages.held == set()


def test_who_answered_and_may_have_heard_a_menu_is_never_dialled_again_for_a_failure():
    bench = Bench(redial=REDIAL)
    bench.calls.end(MID, 1, Cause.FAILED, NOW)
    assert bench.finish(End.FAILED) == Outcome("answered", "failed")
    assert bench.message.state is State.FINISHED


def test_a_contact_whose_record_lags_behind_its_end_is_looked_up_again():
    bench = Bench(Telephony(lag=3))
    assert bench.finish() == Outcome("answered", "completed")
    assert bench.clock.slept == [0.5, 1.0, 2.0]


def test_a_call_that_was_never_dialled_has_failed_and_never_will_be():
    # Given a machine that ended before its first function had written the call
    bench = Bench(placed=False)
    assert bench.finish(End.FAILED) == Outcome("failed", "notPlaced")
    assert bench.messages.held == set()
    # When that function comes to it after all, then it finds a call that has ended
    assert bench.calls.open(CALL, MESSAGE.expires_at).ended
    assert bench.finish(End.FAILED) == Outcome("failed", "notPlaced")


def test_a_call_that_is_written_while_it_is_being_finished_is_a_call_like_any_other():
    # Given a function that writes the call just before the other says that there is none
    bench = Bench(placed=False)
    opened = bench.calls.open

    def slow_open(call, expires_at):
        opened(CALL, MESSAGE.expires_at)
        return opened(call, expires_at)

    bench.calls.open = slow_open
    # Then its phone may ring, and its line is kept
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.FAILED)
    assert bench.messages.held == {f"{MID}-1"}


def test_the_line_of_a_dial_whose_answer_was_lost_is_kept_while_the_phone_may_ring():
    # Given a call that was written, and no word of the provider's about it
    bench = Bench(answered=False)
    bench.clock.msec = CALL.dialled_msec + MAY_RING_SECONDS * 1000 - 1
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.FAILED)
    assert bench.messages.held == {f"{MID}-1"}
    # When no phone can ring any more, then the line is free
    bench.clock.msec += 1
    assert bench.finish(End.FAILED).outcome == "failed"
    assert bench.telephony.stopped == []
    assert bench.messages.held == set()


def test_nothing_is_given_back_while_the_telephony_does_not_answer():
    bench = Bench(Telephony(error=TelephonyUnavailable("timeout")))
    with pytest.raises(TelephonyUnavailable):
        bench.finish()
    assert bench.message.state is State.CALLING
    assert bench.messages.held == {f"{MID}-1"}


def test_finishing_again_says_the_same_and_changes_nothing():
    bench = Bench()
    first = bench.finish()
    before = bench.message
    assert bench.finish() == first
    assert bench.finish(End.FAILED).outcome == "answered"
    assert bench.message == before
    assert bench.telephony.stopped == ["contact-1"]


def test_a_crash_before_the_line_is_given_back_is_made_good_by_the_next_run():
    bench = Bench()
    finish = bench.messages.finish
    bench.messages.finish = lambda *_: (_ for _ in ()).throw(StoreUnavailable("x"))
    with pytest.raises(StoreUnavailable):
        bench.finish()
    bench.messages.finish = finish
    assert bench.finish() == Outcome("answered", "completed")
    assert bench.messages.held == set()


def test_another_attempt_finishes_nothing():
    bench = Bench()
    assert bench.finish(attempt=2) == Outcome("failed", "notPlaced")
    assert bench.message.state is State.CALLING
    assert replace(bench.message, state=State.QUEUED).attempt == 1


# ---------------------------------------------------------- records that lag
class Lagging(Telephony):
    """A provider whose record says from a moment on why the call has ended, and that it does is no secret before."""

    def __init__(self, cause=Cause.BUSY, told_msec=0, answered=False, error=None):
        super().__init__()
        self.cause, self.told_msec, self.answered, self.looks, self.error = cause, told_msec, answered, 0, error
        self.bench: Any = None

    def look_up(self, contact_id):
        self.looks += 1
        if self.error:
            raise self.error
        if self.bench.clock.msec < self.told_msec:
            return Contact(contact_id, {}, True, self.answered, Cause.NO_ANSWER, cause_is_guess=True)
        return Contact(contact_id, {}, True, self.answered, self.cause)


def guessed(telephony, *, answered=False, cause=None, **fields):
    """A call of whose end there is news, and no more."""
    bench = Bench(telephony, answered=answered, **fields)
    telephony.bench = bench
    bench.calls.set_contact(MID, 1, "contact-1")
    bench.calls.end(MID, 1, cause or (Cause.CALLER_HUNG_UP if answered else Cause.NO_ANSWER), NOW, is_guess=True)
    return bench


def test_why_a_call_ended_is_asked_once_where_the_record_is_there():
    bench = guessed(Lagging())
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert bench.telephony.looks == 1
    assert bench.clock.slept == []
    assert bench.message.state == State.FINISHED
    assert bench.calls.get(MID, 1).cause == Cause.BUSY


def test_a_line_is_free_before_it_is_known_why_its_call_ended():
    bench = guessed(Lagging(told_msec=NOW + 1000))
    held = []
    look_up = bench.telephony.look_up
    bench.telephony.look_up = lambda contact_id: held.append(set(bench.messages.held)) or look_up(contact_id)
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert held == [{f"{MID}-1"}, set(), set()]
    assert bench.clock.slept == [0.5, 1.0]


def test_a_message_settles_as_long_as_its_record_lags_and_is_finished_when_it_is_known():
    bench = guessed(Lagging(told_msec=NOW + 130_000))
    assert bench.finish(End.NOT_ANSWERED) is None
    assert bench.message.state == State.SETTLING
    assert bench.message.outcome is None
    assert bench.messages.held == set()
    assert bench.messages.due(State.SETTLING, bench.clock.msec, 9) == [MID]
    # When the sweeper comes each minute, with a word that is not the machine's
    for outcome in (None, None, Outcome("busy", "busy")):
        bench.clock.msec += 60_000
        assert bench.finish(End.FAILED) == outcome
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "busy"
    assert bench.messages.due(State.SETTLING, bench.clock.msec, 9) == []


@pytest.mark.parametrize("error", [None, TelephonyUnavailable("x"), TelephonyMisconfigured("x"), ValueError("x")])
def test_after_five_minutes_the_guess_is_final_whatever_comes_then(error):
    bench = guessed(Lagging(told_msec=NOW + 10**9, error=error))
    minutes = 0
    while bench.finish(End.NOT_ANSWERED) is None:
        bench.clock.msec += 60_000
        minutes += 1
    assert minutes * 60 <= SETTLING_SECONDS < (minutes + 2) * 60
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "noAnswer"
    # What is told of the call stays what is told of the message
    assert bench.calls.explain(MID, 1, Cause.BUSY, None) is None


def test_news_that_comes_just_as_the_guess_becomes_final_is_either_in_both_or_in_neither():
    bench = guessed(Lagging(told_msec=NOW + 10**9))
    bench.finish(End.NOT_ANSWERED)
    bench.clock.msec += SETTLING_SECONDS * 1000
    explain = bench.calls.explain

    def overtaken(mid, attempt, cause, answered_msec):
        explain(mid, attempt, Cause.BUSY, None)
        return explain(mid, attempt, cause, answered_msec)

    bench.calls.explain = overtaken
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert bench.calls.get(MID, 1).cause is Cause.BUSY


def test_somebody_who_answered_is_known_to_have_by_a_record_that_does_not_say_why_it_ended():
    # Given an answer that nobody has told, and a redial
    bench = guessed(Lagging(told_msec=NOW + 10**9, answered=True), redial=TWICE)
    assert bench.finish(End.NOT_ANSWERED) is None
    bench.clock.msec = NOW + SETTLING_SECONDS * 1000
    assert bench.finish(End.FAILED) == Outcome("answered", "callerHungUp")
    call = bench.calls.get(MID, 1)
    assert call.answered_msec == NOW
    assert call.cause == Cause.CALLER_HUNG_UP
    assert bench.message.state == State.FINISHED


def test_an_answered_call_waits_for_no_record():
    bench = guessed(Lagging(told_msec=NOW + 10**9), answered=True)
    assert bench.finish(End.COMPLETED) == Outcome("answered", "completed")
    assert bench.telephony.looks == 1
    assert bench.clock.slept == []


def test_an_answered_call_has_the_cause_that_its_record_says():
    bench = guessed(Lagging(cause=Cause.HUNG_UP), answered=True)
    bench.finish(End.COMPLETED)
    assert bench.calls.get(MID, 1).cause is Cause.HUNG_UP


def test_a_call_whose_contact_is_not_known_to_anybody_settles_too():
    bench = Bench(Lagging(told_msec=NOW + 10**9), answered=False)
    bench.calls.end(MID, 1, Cause.NO_ANSWER, NOW, is_guess=True)
    assert bench.finish(End.NOT_ANSWERED) is None
    bench.clock.msec += SETTLING_SECONDS * 1000
    assert bench.finish(End.NOT_ANSWERED) == Outcome("noAnswer", "noAnswer")


def test_a_number_is_dialled_again_so_long_after_its_call_and_not_after_it_was_known_why_that_ended():
    bench = guessed(Lagging(told_msec=NOW + 30_000), redial=TWICE)
    assert bench.finish(End.NOT_ANSWERED) is None
    assert bench.message.due_msec == bench.clock.msec - 3500
    bench.clock.msec = NOW + 45_000
    assert bench.finish(End.FAILED) == Outcome("busy", "busy")
    assert bench.message.state == State.QUEUED
    assert bench.message.redials == 1
    assert bench.message.due_msec == NOW + 60_000
    assert bench.message.settling_end is None


def test_a_number_that_is_due_again_before_its_call_is_explained_is_dialled_at_once_then():
    bench = guessed(Lagging(told_msec=NOW + 100_000), redial=TWICE)
    bench.finish(End.NOT_ANSWERED)
    bench.clock.msec = NOW + 120_000
    bench.finish(End.FAILED)
    assert bench.message.due_msec == NOW + 120_000


def test_a_number_whose_time_ran_out_while_its_call_was_explained_keeps_the_outcome_of_that_call():
    # Given a redial that would have been in time, and a record that says too late for it why the call ended
    bench = guessed(Lagging(told_msec=NOW + 100_000), redial=TWICE, ttl_seconds=110)
    assert bench.finish(End.NOT_ANSWERED) is None
    bench.clock.msec = NOW + 120_000
    assert bench.finish(End.FAILED) == Outcome("busy", "busy")
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "busy"
    # Then no call of the day is taken for a call that nobody makes
    assert not +bench.messages.calls


def test_a_number_that_another_message_calls_meanwhile_stays_busy_when_the_first_has_settled():
    bench = guessed(Lagging(told_msec=NOW + 100_000))
    bench.finish(End.NOT_ANSWERED)
    bench.messages.add([message("2", number=MESSAGE.number), message("3", number=MESSAGE.number)])
    for mid in ("2", "3"):
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
    bench.messages.claim_line(bench.messages.get("2"), "arn:flow", Pool(9, 1000), bench.clock.msec)
    bench.clock.msec = NOW + 120_000
    bench.finish(End.NOT_ANSWERED)
    assert bench.messages.held == {"2-1"}
    claim = bench.messages.claim_line(bench.messages.get("3"), "arn:flow", Pool(9, 1000), bench.clock.msec)
    assert isinstance(claim, NumberBusy)


def test_what_is_owed_is_queued_once_though_its_message_settles():
    # Given a call that we stopped with a key in its log, and of whose end nothing is to be seen
    menus = (Menu("intro", 5000, {"d1": (Webhook("https://example.com"), Hangup())}),)
    bench = Bench(Telephony(obeys=False), placed=False, menus=menus)
    bench.calls.open(CALL._replace(plan=Plan(table_of(menus), 9, NOW + 10**6, 2)), 9)
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(1, "answered", "", NOW))
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(2, "key", "d1", NOW))
    bench.calls.end(MID, 1, Cause.UNCONFIRMED, NOW, is_guess=True)
    assert bench.finish(End.FAILED) is None
    assert bench.finish(End.FAILED) is None
    assert [task.key for task in bench.owed] == ["d1"]


def test_whoever_gives_a_call_up_queues_what_it_owes_although_something_else_of_it_cannot_be_done():
    # Given a key with an opt-out and a webhook, a machine that failed, and a telephony that never answers
    menus = (Menu("intro", 5000, {"d1": (OptOutStep("news"), Webhook("https://example.com"), Hangup())}),)
    bench = Bench(Telephony(error=TelephonyUnavailable("timed out")), placed=False, menus=menus)
    bench.calls.open(CALL._replace(plan=Plan(table_of(menus), 9, NOW + 10**6, 2)), 9)
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(1, "answered", "", NOW))
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(2, "key", "d1", NOW))
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.FAILED)
    assert bench.owed == []
    bench.clock.msec = NOW + GIVE_UP_SECONDS * 1000
    bench.opt_out = for_ever(StoreUnavailable("x"))
    seen = []
    bench.owe = lambda task: seen.append((task.event_id, bench.message.state, bench.calls.get(MID, 1).ended))
    assert bench.finish(End.FAILED) == Outcome("answered", "unconfirmed")
    # Behind all else: where it takes long, the line is free, and its sender knows that the call is over.
    assert seen == [(f"{MID}-1-2-m0-d1-1", State.FINISHED, True)]


def test_an_opt_out_is_kept_though_its_machine_failed_and_also_where_the_call_is_given_up():
    menus = (Menu("intro", 5000, {"d9": (OptOutStep("news"),)}),)
    bench = Bench(placed=False, menus=menus)
    bench.calls.open(CALL._replace(plan=Plan(table_of(menus), 9, NOW + 10**6, 2)), 9)
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(1, "answered", "", NOW))
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(2, "key", "d9", NOW))
    bench.calls.end = for_ever(StoreUnavailable("x"))
    with suppress(StoreUnavailable):
        bench.finish(End.FAILED)
    bench.clock.msec = NOW + GIVE_UP_SECONDS * 1000
    bench.finish(End.FAILED)
    assert bench.message.state is State.FINISHED
    assert set(bench.kept) == {(MID, "news")}


@pytest.mark.parametrize("redial", [None, Redial(2, (60,))])
def test_how_a_call_ended_is_told_once_also_where_the_sweeper_asks_at_the_same_time(redial):
    bench = guessed(Lagging(told_msec=NOW + 1000), redial=redial)
    explain, others = bench.calls.explain, []

    def overtaken(*given, **named):
        bench.calls.explain = explain
        others.append(bench.finish(End.FAILED))
        return explain(*given, **named)

    bench.calls.explain = overtaken
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert others == [Outcome("busy", "busy")]
    assert bench.finish(End.FAILED) == Outcome("busy", "busy")
    assert bench.told == [Outcome("busy", "busy")]


def test_how_a_call_ended_is_told_where_it_is_given_up_too():
    bench = Bench(Telephony(error=ValueError("nobody has foreseen it")))
    bench.clock.msec += GIVE_UP_SECONDS * 1000
    bench.finish(End.FAILED)
    bench.finish(End.FAILED)
    assert bench.told == [Outcome("answered", "unconfirmed")]


def test_a_message_whose_time_to_settle_is_over_does_not_keep_the_others_waiting_for_a_telephony_in_trouble():
    bench = guessed(Lagging(error=TelephonyUnavailable("timed out")))
    assert bench.finish(End.NOT_ANSWERED) is None
    looks = bench.telephony.looks
    bench.clock.msec = NOW + SETTLING_SECONDS * 1000 + 1
    assert bench.finish(End.FAILED) == Outcome("noAnswer", "noAnswer")
    assert bench.telephony.looks == looks


def test_a_message_that_settles_ends_whatever_goes_wrong():
    bench = guessed(Lagging(told_msec=NOW + 10**9))
    bench.finish(End.NOT_ANSWERED)
    bench.calls.get = for_ever(ValueError("nobody has foreseen it"))
    bench.clock.msec = NOW + (GIVE_UP_SECONDS - 1) * 1000
    with pytest.raises(ValueError, match="foreseen"):
        bench.finish(End.FAILED)
    bench.clock.msec = NOW + GIVE_UP_SECONDS * 1000
    assert bench.finish(End.FAILED).outcome == "failed"
    assert bench.message.state is State.FINISHED


# -------------------------------------------------------------------- redial
TWICE = Redial(2, (60, 120))


def unanswered(cause, **fields):
    bench = Bench(answered=False, **fields)
    bench.calls.end(MID, 1, cause, NOW)
    return bench


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.NO_ANSWER, Cause.FAILED])
def test_a_number_that_was_not_reached_is_dialled_again_and_its_line_is_free_meanwhile(cause):
    bench = unanswered(cause, redial=TWICE)
    assert bench.finish(End.NOT_ANSWERED).outcome == cause.value
    assert bench.message.state == State.QUEUED
    assert bench.message.redials == 1
    assert bench.message.attempt == 1
    assert bench.message.due_msec == NOW + 60_000
    assert bench.messages.held == set()
    # The second waits as long as the second number says, and after it the outcome stands.
    for attempt, waits in ((2, 120_000), (3, None)):
        bench.messages.claim_line(bench.message, "arn:flow", Pool(1, 1000), NOW + 1000 * attempt)
        bench.calls.open(CALL._replace(attempt=attempt), 9)
        bench.calls.end(MID, attempt, cause, NOW)
        bench.finish(End.NOT_ANSWERED, attempt)
        assert bench.message.due_msec == (NOW + waits if waits else None)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == cause.value


@pytest.mark.parametrize("cause", [Cause.INVALID_NUMBER, Cause.BLOCKED])
def test_an_invalid_or_forbidden_number_is_never_dialled_again(cause):
    bench = unanswered(cause, redial=Redial(4, on=(*REDIAL_OUTCOMES, "invalidNumber", "blocked", "answered")))
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == cause.value


def test_who_answered_is_not_dialled_again():
    bench = Bench(redial=TWICE)
    bench.finish()
    assert bench.message.state is State.FINISHED


def test_only_the_outcomes_that_were_asked_for_are_dialled_again():
    bench = unanswered(Cause.BUSY, redial=Redial(2, on=("noAnswer",)))
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state is State.FINISHED


@pytest.mark.parametrize(("ttl", "state"), [(60, State.FINISHED), (61, State.QUEUED)])
def test_a_redial_lies_inside_the_messages_time_or_is_not_made(ttl, state):
    bench = unanswered(Cause.BUSY, redial=TWICE, ttl_seconds=ttl)
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state is state
    assert bench.message.outcome == ("busy" if state is State.FINISHED else None)


def test_a_redial_counts_as_a_call_of_its_accounts_day():
    # Given an account that may make two redials today, and two messages with as many each
    for kept in (2, 1, 0):
        bench = unanswered(Cause.BUSY, redial=TWICE)
        bench.accounts["acme"] = Account("acme", ("*",), calls_per_day=2)
        bench.messages.calls["acme", "2026-09-21"] = 2 - kept
        bench.finish(End.NOT_ANSWERED)
        assert (bench.message.state is State.QUEUED) == (kept > 0)
        assert bench.message.outcome == (None if kept else "busy")
        assert bench.messages.held == set()
        # Finishing it again takes nothing more
        bench.finish(End.NOT_ANSWERED)
        assert bench.messages.calls["acme", "2026-09-21"] == min(2, 3 - kept)


def test_a_redial_counts_on_the_day_for_which_it_is_due():
    bench = unanswered(Cause.BUSY, redial=Redial(1, (86_400,)), ttl_seconds=172_800)
    bench.messages.calls["acme", "2026-09-21"] = 100
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state is State.QUEUED
    assert bench.messages.calls["acme", "2026-09-22"] == 1


def test_the_messages_of_an_account_that_is_gone_are_not_dialled_again():
    bench = unanswered(Cause.BUSY, redial=TWICE)
    bench.accounts.clear()
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "busy"


# ------------------------------------------------------------------ throttle
def test_a_call_that_the_provider_would_not_take_is_put_off_and_counts_as_no_redial():
    bench = Bench(answered=False, throttled=True, redial=TWICE)
    bench.finish(End.THROTTLED)
    assert bench.message.state == State.QUEUED
    assert bench.message.redials == 0
    assert bench.message.due_msec == NOW + THROTTLED_AGAIN_SECONDS * 1000
    assert bench.messages.held == set()
    assert bench.calls.get(MID, 1).cause is Cause.THROTTLED
    assert +bench.messages.calls == {}
    # What comes late about this attempt changes nothing.
    before = bench.message
    bench.finish(End.FAILED)
    assert bench.message == before


def test_a_throttle_after_a_try_that_may_have_dialled_is_not_put_off_before_that_phone_has_rung_out():
    bench = Bench(answered=False)
    bench.calls.open(CALL._replace(ticket=CALL.ticket._replace(retry=1)), 9)
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.THROTTLED)
    assert bench.messages.held == {f"{MID}-1"}
    bench.clock.msec += MAY_RING_SECONDS * 1000
    bench.finish(End.THROTTLED)
    assert bench.message.state is State.QUEUED


@pytest.mark.parametrize("asked_msec", [0, 30_000])
def test_a_throttle_that_may_be_that_of_a_repeat_is_put_off_when_no_phone_can_ring_any_more(asked_msec):
    # Given the only try, of which is not known that each of its requests was refused
    bench = Bench(answered=False)
    bench.calls.begin_placing(MID, 1, NOW + asked_msec, NOW)
    bench.clock.msec += asked_msec + MAY_RING_SECONDS * 1000 - 1
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.THROTTLED)
    assert bench.messages.held == {f"{MID}-1"}
    bench.clock.msec += 1
    bench.finish(End.THROTTLED)
    assert bench.message.state is State.QUEUED


@pytest.mark.parametrize(
    ("refused", "state", "outcome", "reason"),
    [
        (Refused("destinationNotAllowed", Cause.BLOCKED), State.FINISHED, "blocked", "destinationNotAllowed"),
        (Refused("telephonyMisconfigured", Cause.FAILED), State.FINISHED, "failed", "telephonyMisconfigured"),
        (Refused("throttled", Cause.THROTTLED), State.QUEUED, None, None),
    ],
)
def test_a_call_in_doubt_of_which_nothing_was_heard_ends_as_its_last_repeat_was_told(refused, state, outcome, reason):
    bench = Bench(answered=False)
    bench.calls.set_refused(MID, 1, refused)
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.LOST)
    bench.clock.msec += MAY_RING_SECONDS * 1000
    bench.finish(End.LOST)
    assert bench.message.state == state
    assert bench.message.outcome == outcome
    assert bench.message.reason == reason


def test_a_call_that_was_certainly_not_placed_is_finished_at_once_whatever_ended_it():
    bench = Bench(answered=False, throttled=True)
    assert bench.finish(End.FAILED).outcome == "failed"
    assert bench.messages.held == set()


@pytest.mark.parametrize("answered", [False, True])
def test_a_contact_that_is_not_known_may_be_too_new_to_be_known(answered):
    # Given a phone that has just begun to ring, and a provider that does not know it yet
    telephony = Telephony()
    telephony.look_up = lambda contact_id: Contact(contact_id, {}, ended=True, answered=False, cause=None, missing=True)
    bench = Bench(telephony, answered=answered)
    bench.calls.set_contact(MID, 1, "contact-1")
    with pytest.raises(TelephonyUnavailable):
        bench.finish(End.LOST)
    assert bench.clock.slept == [0.5, 1.0, 2.0]
    # When no phone can ring any more, then it is over
    bench.clock.msec += MAY_RING_SECONDS * 1000
    assert bench.finish(End.LOST).outcome == ("answered" if answered else "failed")
    assert bench.clock.slept == [0.5, 1.0, 2.0]


def test_a_message_that_is_put_off_again_and_again_waits_longer_each_time():
    waits = []
    bench = Bench(answered=False, throttled=True, ttl_seconds=172_800)
    for attempt in range(1, 9):
        bench.finish(End.THROTTLED, attempt)
        waits.append((bench.message.due_msec - bench.clock.msec) // 1000)
        bench.clock.msec = bench.message.due_msec
        bench.messages.claim_line(bench.message, "arn:flow", Pool(1, 1000), bench.clock.msec)
        bench.calls.open(CALL._replace(attempt=attempt + 1), 9)
        bench.calls.begin_placing(MID, attempt + 1, NOW, NOW)
        bench.calls.set_not_placed(MID, attempt + 1, NOW)
    assert waits == [10, 20, 40, 80, 160, 320, 320, 320]
    # In the longest time there are fewer attempts than three digits can count
    assert MAX_TTL_SECONDS / MOST_AGAIN_SECONDS + 10 + MAX_REDIALS < 1000


def test_a_message_that_is_cancelled_in_place_of_being_put_off_keeps_what_an_earlier_call_came_to():
    fallback = Fallback("call us", ("noKey",))
    bench = Bench(answered=False, throttled=True, redial=TWICE, answered_reason="completed", fallback=fallback)
    bench.messages.brakes[Brake.LIST, MESSAGE.list_id] = "cancelled"
    ended = []
    finish = bench.messages.finish
    bench.messages.finish = lambda message, outcome, *more: (
        ended.append((message, outcome)) or finish(message, outcome, *more)
    )
    bench.finish(End.THROTTLED)
    assert status_at_end(*ended[0]) is FallbackStatus.NOT_USED
    assert bench.message.state == State.FINISHED
    assert (bench.message.outcome, bench.message.reason) == ("answered", "completed")


def test_a_message_whose_machine_began_after_its_time_has_expired():
    bench = Bench(answered=False, ttl_seconds=30)
    bench.clock.msec += 30_000
    bench.calls.end(MID, 1, Cause.THROTTLED, bench.clock.msec)
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "expired"


def test_a_message_that_was_put_off_until_its_time_is_over_has_expired():
    bench = Bench(answered=False, throttled=True, ttl_seconds=10)
    bench.finish(End.THROTTLED)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "expired"
    assert bench.message.reason == "expired"


def test_a_call_that_was_answered_although_its_last_try_was_throttled_was_answered():
    bench = Bench(redial=TWICE)
    assert bench.finish(End.THROTTLED).outcome == "answered"
    assert bench.telephony.stopped == ["contact-1"]
    assert bench.message.state is State.FINISHED


# ---------------------------------------- whatever goes wrong, and for how long
def for_ever(error):
    def fail(*_given, **_named):
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [ValueError("nobody has foreseen it"), StoreUnavailable("x"), TelephonyMisconfigured("403")]
)
@pytest.mark.parametrize("broken", ["calls.get", "calls.end", "telephony.stop", "telephony.look_up", "engine.succeed"])
@pytest.mark.parametrize("answered", [True, False])
def test_a_call_that_can_never_be_finished_as_it_should_is_given_up_half_an_hour_after_it_took_its_line(
    error, broken, answered, caplog
):
    bench = Bench(answered=answered)
    bench.calls.set_contact(MID, 1, "contact-1")
    bench.calls.put_command(MID, 1, Command(Kind.ASK, 0), Ticket("2030", 0, "ask-0"), Bounds(9, 9999), NOW)
    part, name = broken.split(".")
    setattr(getattr(bench, part), name, for_ever(error))
    with caplog.at_level(logging.CRITICAL):
        while bench.clock.msec < NOW + (GIVE_UP_SECONDS - 60) * 1000:
            with suppress(type(error)):
                bench.finish(End.FAILED)
            if bench.message.state is State.FINISHED:
                break
            assert bench.messages.held == {f"{MID}-1"}
            bench.clock.msec += 60_000
        bench.clock.msec = NOW + GIVE_UP_SECONDS * 1000
        bench.finish(End.FAILED)
    assert bench.message.state is State.FINISHED
    assert bench.message.outcome == ("answered" if answered else "failed")
    assert bench.messages.held == set()


def test_a_redial_that_can_never_be_had_leaves_the_outcome_of_the_last_call():
    bench = unanswered(Cause.BUSY, redial=TWICE, ttl_seconds=172_800)
    bench.accounts = ChainMap()
    bench.accounts.get = for_ever(ValueError("nobody has foreseen it"))
    with pytest.raises(ValueError, match="foreseen"):
        bench.finish(End.NOT_ANSWERED)
    bench.clock.msec += GIVE_UP_SECONDS * 1000
    bench.finish(End.NOT_ANSWERED)
    assert bench.message.state == State.FINISHED
    assert bench.message.outcome == "busy"
    assert bench.message.reason == "busy"


def test_a_call_whose_line_was_taken_by_the_release_before_is_given_up_half_an_hour_after_its_time():
    bench = Bench(Telephony(error=ValueError("nobody has foreseen it")), ttl_seconds=600)
    bench.messages._messages[MID] = replace(bench.message, claimed_msec=None)
    bench.clock.msec += (600 + GIVE_UP_SECONDS) * 1000 - 1
    with pytest.raises(ValueError, match="foreseen"):
        bench.finish(End.FAILED)
    bench.clock.msec += 1
    assert bench.finish(End.FAILED) == Outcome("answered", "unconfirmed")


@pytest.mark.parametrize("ttl", [86_400, 3600])
def test_a_redial_waits_for_the_hours_of_its_message_or_is_not_made(ttl):
    # Given a call that ends ten minutes before its hours do, and a redial an hour later
    shut = NOW - NOW % 60_000 + 600_000
    minute = shut // 60_000 % 1440
    hours = (Hours((Window(minute - 60, minute),), ("UTC",)),)
    bench = unanswered(Cause.BUSY, redial=Redial(2, (3600,)), hours=hours, ttl_seconds=ttl)
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    if ttl == 3600:
        assert (bench.message.state, bench.message.outcome) == (State.FINISHED, "busy")
    else:
        assert (bench.message.state, bench.message.due_msec) == (State.QUEUED, shut + 23 * 3_600_000)


def test_a_call_that_was_not_placed_waits_for_the_hours_too():
    shut = NOW - NOW % 60_000 + 60_000
    minute = shut // 60_000 % 1440
    hours = (Hours((Window(minute - 60, minute),), ("UTC",)),)
    bench = unanswered(Cause.THROTTLED, hours=hours)
    bench.clock.msec = shut - 5000
    bench.finish(End.THROTTLED)
    assert (bench.message.state, bench.message.due_msec) == (State.QUEUED, shut + 23 * 3_600_000)


# -------------------------------------------------------------- answered, no key
NO_KEY = Redial(1, (60,), ("busy", "noKey"))


def answered(key=None, **fields):
    """A call that asked a menu and heard a key, or none."""
    bench = Bench(placed=False, **fields)
    bench.calls.open(CALL._replace(plan=Plan(table_of(bench.message.menus), 9, NOW + 10**6, 2)), MESSAGE.expires_at)
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(1, "answered", "", NOW))
    heard = ("key", key) if key else ("idle", "")
    bench.calls.append(MID, 1, "contact-1", bench.calls.get(MID, 1).would_log(2, heard[0], heard[1], NOW))
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    return bench


def second_call(bench, cause, *, is_answered=False):
    bench.clock.msec = NOW + 60_000
    assert bench.messages.promote(bench.message, bench.clock.msec)
    bench.messages.claim_line(bench.message, "arn:flow", Pool(1, 1), bench.clock.msec)
    bench.calls.open(CALL._replace(attempt=2, visits=int(is_answered)), MESSAGE.expires_at)
    if is_answered:
        bench.calls.set_answered(MID, 2, "contact-2", bench.clock.msec)
    bench.calls.end(MID, 2, cause, bench.clock.msec)


@pytest.mark.parametrize(
    ("key", "redial", "again"),
    [(None, NO_KEY, True), ("d1", NO_KEY, False), ("other", NO_KEY, False), (None, Redial(1, (60,)), False)],
)
def test_who_answered_and_pressed_no_key_is_dialled_again_where_that_is_asked_for(key, redial, again):
    bench = answered(key, redial=redial)
    assert bench.finish(End.CALLER_HUNG_UP).outcome == "answered"
    assert bench.message.state is (State.QUEUED if again else State.FINISHED)


def test_without_a_key_to_press_nobody_is_dialled_again_for_it():
    bench = answered(redial=NO_KEY, menus=(MENU._replace(actions={"wrong": ()}),))
    bench.finish(End.CALLER_HUNG_UP)
    assert bench.message.state is State.FINISHED


def test_a_message_that_was_answered_stays_answered_when_the_next_call_reaches_nobody():
    bench = answered(redial=NO_KEY)
    first = bench.finish(End.CALLER_HUNG_UP)
    second_call(bench, Cause.BUSY)
    assert bench.finish(End.NOT_ANSWERED, attempt=2) == Outcome("busy", "busy")
    assert (bench.message.outcome, bench.message.reason) == (first.outcome, first.reason)


def test_of_two_calls_that_were_answered_the_later_one_counts():
    bench = answered(redial=NO_KEY)
    assert bench.finish(End.CALLER_HUNG_UP).reason == "callerHungUp"
    second_call(bench, Cause.HUNG_UP, is_answered=True)
    assert bench.finish(End.COMPLETED, attempt=2).outcome == "answered"
    assert (bench.message.outcome, bench.message.reason) == ("answered", "completed")


def test_a_message_that_was_answered_stays_answered_when_its_time_runs_out():
    bench = answered(redial=NO_KEY)
    bench.finish(End.CALLER_HUNG_UP)
    assert refuse_message(bench.message, EXPIRED, None, NOW + 10**9, messages=bench.messages)
    assert bench.message.outcome == "answered"


# ------------------------------------------------------------ limits for calls
def counted(bench):
    return bench.messages.limits.calls["", bench.message.number]


@pytest.mark.parametrize("redial", [None, Redial(2, (60,))])
def test_a_call_that_cannot_have_rung_counts_against_no_limit(redial):
    bench = Bench(answered=False, throttled=True, limit=1, redial=redial)
    assert counted(bench) == {f"{MID}-1": NOW}
    bench.finish(End.THROTTLED)
    assert bench.message.due_msec == NOW + THROTTLED_AGAIN_SECONDS * 1000
    assert counted(bench) == {}
    # One whose machine died before it was dialled neither, nor one that was refused for good.
    for refused in (False, True):
        bench = Bench(placed=refused, answered=False, throttled=refused, limit=1)
        bench.finish(End.FAILED)
        assert bench.message.outcome == "failed"
        assert counted(bench) == {}


def test_a_call_that_may_have_rung_counts():
    # Its answer to the dial was lost, and nothing was heard of it
    bench = Bench(answered=False, limit=1)
    bench.calls.begin_placing(MID, 1, NOW, NOW)
    bench.clock.msec += MAY_RING_SECONDS * 1000
    bench.finish(End.FAILED)
    assert counted(bench) == {f"{MID}-1": NOW}


def test_a_redial_waits_until_its_number_may_be_called_again():
    bench = guessed(Lagging(told_msec=NOW), redial=TWICE, limit=1, ttl_seconds=172_800)
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert (bench.message.state, bench.message.due_msec) == (State.QUEUED, NOW + COUNTED_MSEC)
    # Two calls may be made: the next one as soon as its sender wished.
    bench = guessed(Lagging(told_msec=NOW), redial=TWICE, limit=2, ttl_seconds=172_800)
    bench.finish(End.NOT_ANSWERED)
    assert (bench.message.state, bench.message.due_msec) == (State.QUEUED, NOW + 60_000)


def test_no_redial_is_made_above_a_limit_and_the_last_outcome_stands():
    bench = guessed(Lagging(told_msec=NOW), redial=TWICE, limit=1, ttl_seconds=86_400)
    assert bench.finish(End.NOT_ANSWERED) == Outcome("busy", "busy")
    assert (bench.message.state, bench.message.outcome) == (State.FINISHED, "busy")
    assert not +bench.messages.calls


def test_for_how_long_a_call_was_up_is_what_is_charged_in_minutes():
    end = CALL._replace(answered_msec=NOW + 5000, ended_msec=NOW + 65_000)
    assert talked_msec(end) == 60_000
    assert talked_msec(end._replace(answered_msec=None)) == 0
    assert talked_msec(end._replace(ended_msec=None)) is talked_msec(None) is None


@pytest.mark.parametrize(
    ("rate", "seconds", "left"),
    [
        (Rate("380", 60, 7, 1, 1), 10, 3),
        (Rate("380", 60, 7, 1, 1), 62, 1),
        (None, 10, 0),
        (Rate("1", 60, 0, 1, 0), 9, 10),
    ],
)
def test_what_a_call_has_cost_takes_the_place_of_what_it_might_have(rate, seconds, left):
    bench = Bench()
    turns = bench.messages.turns
    turns.change(replace(turns.find("acme", False), spend_per_day=10))
    bench.messages._messages[MID] = replace(
        bench.messages.get(MID), limits={"spend": 10}, reserved=10, claimed_msec=NOW
    )
    bench.messages.limits.spent["acme", next_day_msec(NOW)] = 10
    bench.calls.end(MID, 1, Cause.HUNG_UP, NOW + 1000 * seconds)
    asked = []
    assert bench.finish(rate_at=lambda *given: asked.append(given) or rate) == Outcome("answered", "completed")
    assert asked == [(MESSAGE.number, NOW)]
    assert bench.messages.limits.spent["acme", next_day_msec(NOW)] == 10 - left


@pytest.mark.parametrize("end", [End.COMPLETED, End.LOST, End.FAILED])
def test_sensitive_digits_that_a_lookup_was_told_are_forgotten_with_the_call(end):
    lookup = Lookup("https://api.example.com/lookup", {"paid": 0}, 0)
    asked = Input(4, 4, sensitive=True)
    menus = (
        Menu("intro", 1000, {"complete": (HOOK, lookup), "wrong": (HOOK,)}, input=asked),
        Menu("intro", 1000, {"complete": (lookup,)}, input=asked),
    )
    bench = Bench(menus=menus)
    heard = ((0, "complete"), (0, "other"), (1, "complete"))
    entries = [Entry(1, None, "answered", "", NOW, Then(ThenKind.ASK, 0))]
    for seq, (menu, key) in enumerate(heard, 2):
        entries.append(Entry(seq, menu, "digits", key, NOW, Then(ThenKind.END), sealed="sealed"))
    call = bench.calls.get(MID, 1)._replace(log=tuple(entries), plan=plan_of(bench.message, Bounds(50, 900), NOW))
    bench.calls._calls[MID, 1] = call
    bench.finish(end)
    # The list that ran for the second entry has no lookup: its webhook's end erases what it tells
    assert bench.forgotten == [f"{MID}-1-2-m0-complete-1", f"{MID}-1-4-m1-complete-0"]
