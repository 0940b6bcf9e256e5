"""The telephony's side: what it heard, and what it is to do next."""

import math

import pytest

from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Reply, Step, Ticket
from speechcall.calls.use_cases.follow_by_mailbox import MAILBOX_SECONDS
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import HANG_UP, Heard, Next, Op, Report
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, FakeClock, FakeEngine

BOUNDS = Bounds(9, 900)


class Bench:
    """A dialled call; `then` happens while the telephony waits for its next command."""

    def __init__(self):
        self.calls, self.engine, self.clock = MemoryCalls(), FakeEngine(), FakeClock()
        self.calls.open(CALL, MESSAGE.expires_at)
        self.then = {}
        sleep = self.clock.sleep

        def slept(seconds):
            sleep(seconds)
            if len(self.clock.slept) in self.then:
                self.then[len(self.clock.slept)]()

        self.clock.sleep = slept

    def put(self, visit, kind=Kind.ASK, retry=0, menu=0):
        command = Command(kind, menu if kind is Kind.ASK else None)
        ticket = Ticket(f"2027-01-01T00:00:0{visit}.000Z", retry, f"token-{visit}-{retry}")
        return self.calls.put_command(MID, 1, command, ticket, BOUNDS, NOW)

    def hear(self, event, seq=0, key="", contact="contact-1"):
        report = Report(MID, 1, contact, Heard(event, seq, key))
        return follow_call(report, calls=self.calls, engine=self.engine, clock=self.clock)

    def asked(self):
        self.calls.set_answered(MID, 1, "contact-1", NOW)
        self.calls.set_done(MID, 1, 1, None)
        self.put(1)
        return self

    @property
    def call(self):
        return self.calls.get(MID, 1)


def test_an_answered_call_is_told_and_gets_its_first_question():
    bench = Bench()
    bench.then[2] = lambda: bench.put(1)
    step = bench.hear("answered")
    assert bench.engine.answers == {"dial-0": {"event": "answered", "key": "", "seq": 1}}
    assert step.op == "ask"
    assert step.seq == 2
    assert step.command == Command(Kind.ASK, 0)
    assert step.call.asks == (ASK,)
    assert bench.call.answered_msec == NOW
    assert bench.call.contact_id == "contact-1"
    assert bench.call.done_seq == 1


def test_an_answer_that_is_reported_twice_is_told_once():
    bench = Bench()
    bench.hear("answered")
    bench.hear("answered")
    assert bench.engine.tries == ["dial-0"]


@pytest.mark.parametrize(
    ("event", "key", "word"),
    [("key", "1", "d1"), ("key", "#", "d#"), ("key", "*", "d*"), ("idle", "", ""), ("prompt_error", "", "")],
)
def test_what_was_heard_answers_the_question_and_is_on_the_calls_path(event, key, word):
    bench = Bench().asked()
    bench.hear(event, 2, key)
    assert bench.engine.answers == {"token-1-0": {"event": event, "key": word, "seq": 2}}
    assert bench.call.path == (Step(0, word or event, NOW),)
    assert bench.call.stop_reason == ("promptUnavailable" if event == "prompt_error" else None)


def test_the_next_command_is_given_as_soon_as_it_is_there():
    bench = Bench().asked()
    bench.then[3] = lambda: bench.put(2, Kind.HANG_UP)
    assert bench.hear("key", 2, "1").op == "hangup"
    assert bench.clock.slept == [0.05, 0.05, 0.05]


def test_a_command_that_is_already_there_is_given_without_waiting():
    bench = Bench().asked()
    assert bench.hear("next", 1).op == "ask"
    assert bench.clock.slept == []


def test_without_a_command_the_telephony_holds_after_two_and_a_half_seconds():
    bench = Bench().asked()
    assert bench.hear("next", 2) == Next(Op.HOLD, 2)
    assert MAILBOX_SECONDS <= math.fsum(bench.clock.slept) < MAILBOX_SECONDS + 0.2
    assert set(bench.clock.slept) == {0.05, 0.15}


def test_a_slow_store_does_not_make_the_wait_longer():
    # Given a store that takes a second to read: the contact flow gives up after eight
    bench = Bench().asked()
    get = bench.calls.get

    def slowly(*key):
        bench.clock.msec += 1000
        return get(*key)

    bench.calls.get = slowly
    begin = bench.clock.msec
    assert bench.hear("next", 2).op == "hold"
    assert bench.clock.msec - begin < 5000


@pytest.mark.parametrize("seq", [1, 3, 0])
def test_a_key_for_another_question_answers_nothing(seq):
    bench = Bench().asked()
    bench.hear("key", seq, "1")
    assert bench.engine.tries == []
    assert bench.call.path == ()


def test_a_key_that_is_reported_twice_counts_once():
    bench = Bench().asked()
    bench.hear("key", 2, "1")
    bench.hear("key", 2, "2")
    bench.hear("idle", 2)
    assert bench.engine.tries == ["token-1-0"]
    assert bench.call.path == (Step(0, "d1", NOW),)


def test_a_key_after_the_question_timed_out_counts_for_nothing():
    bench = Bench().asked()
    bench.engine.dead.add("token-1-0")
    bench.hear("key", 2, "1")
    assert bench.engine.answers == {}
    assert bench.call.path == ()


def test_a_key_that_came_between_two_tries_of_a_question_answers_the_second():
    # Given a try that failed after it had asked
    bench = Bench().asked()
    bench.engine.dead.add("token-1-0")
    # When the key comes first and the next try's token a second later
    bench.then[20] = lambda: bench.put(1, retry=1)
    bench.hear("key", 2, "1")
    # Then the key is not lost
    assert bench.engine.answers == {"token-1-1": {"event": "key", "key": "d1", "seq": 2}}
    assert bench.call.path[0].heard == "d1"


def test_a_key_whose_token_was_in_vain_is_kept_for_the_next_try():
    # Given a try that failed after it had asked, and a next one that comes in more than 2.5 s
    bench = Bench().asked()
    bench.engine.dead.add("token-1-0")
    assert bench.hear("key", 2, "1").op == "hold"
    assert bench.call.known_reply == Reply(2, "key", "d1")
    # When that one's token is there and the telephony asks again
    bench.put(1, retry=1)
    bench.hear("next", 2)
    # Then the key is its answer
    assert bench.engine.answers == {"token-1-1": {"event": "key", "key": "d1", "seq": 2}}
    assert bench.call.path[0].heard == "d1"


def test_a_kept_key_outlives_the_late_note_of_the_report_before_it():
    # Given that the answer is told, and before that is noted a menu is asked whose key comes in vain
    bench = Bench()
    set_done = bench.calls.set_done

    def late(*note):
        bench.calls.set_done = set_done
        bench.put(1)
        bench.engine.dead.add("token-1-0")
        bench.hear("key", 2, "1")
        set_done(*note)

    bench.calls.set_done = late
    bench.hear("answered")
    # When the next try's token is there and the telephony asks again
    bench.put(1, retry=1)
    bench.hear("next", 2)
    # Then the key is its answer
    assert bench.engine.answers["token-1-1"] == {"event": "key", "key": "d1", "seq": 2}


def test_what_was_kept_first_counts_whatever_is_reported_later():
    bench = Bench().asked()
    bench.engine.dead.add("token-1-0")
    bench.hear("key", 2, "1")
    bench.put(1, retry=1)
    bench.hear("key", 2, "2")
    assert bench.engine.answers["token-1-1"]["key"] == "d1"


def test_an_engine_in_trouble_is_told_again_and_the_caller_does_not_notice():
    # Given a Step Functions that fails twice
    bench = Bench().asked()
    bench.engine.failures = 2
    bench.then[4] = lambda: bench.put(2, Kind.HANG_UP)
    # When a key is pressed, then it is told a little later
    assert bench.hear("key", 2, "1").op == "hangup"
    assert bench.engine.answers == {"token-1-0": {"event": "key", "key": "d1", "seq": 2}}


def test_a_key_survives_an_engine_that_is_away_for_a_whole_report():
    bench = Bench().asked()
    bench.engine.failures = 10_000
    assert bench.hear("key", 2, "1").op == "hold"
    bench.engine.failures = 0
    bench.hear("next", 2)
    assert bench.engine.answers == {"token-1-0": {"event": "key", "key": "d1", "seq": 2}}


def test_that_somebody_answered_survives_an_engine_that_is_away():
    bench = Bench()
    bench.engine.failures = 10_000
    assert bench.hear("answered").op == "hold"
    bench.engine.failures = 0
    bench.hear("next", 1)
    assert bench.engine.answers == {"dial-0": {"event": "answered", "key": "", "seq": 1}}


@pytest.mark.parametrize("key", ["A", "", "12", "other", "☎", "x" * 1000])
def test_what_no_telephone_has_is_another_key(key):
    bench = Bench().asked()
    bench.hear("key", 2, key)
    assert bench.engine.answers["token-1-0"]["key"] == "other"


@pytest.mark.parametrize("event", ["answered", "next", "key", "idle", "prompt_error"])
def test_a_call_that_is_unknown_or_has_ended_is_hung_up(event):
    bench = Bench().asked()
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert bench.hear(event, 2, "1") == HANG_UP
    bench.calls = MemoryCalls()
    assert bench.hear(event, 2, "1") == HANG_UP
    assert bench.engine.tries == []


def test_a_call_that_ends_while_the_telephony_waits_is_hung_up_at_once():
    bench = Bench().asked()
    bench.then[1] = lambda: bench.calls.end(MID, 1, Cause.STOPPED, NOW)
    assert bench.hear("next", 2) == HANG_UP
    assert len(bench.clock.slept) == 1


@pytest.mark.parametrize("event", ["answered", "next", "key", "idle", "prompt_error"])
def test_another_contact_is_hung_up_and_what_it_says_counts_for_nothing(event):
    bench = Bench().asked()
    assert bench.hear(event, 2, "1", contact="contact-2") == HANG_UP
    assert bench.engine.tries == []
    assert bench.call.path == ()
    assert bench.call.stop_reason is None


def test_a_contact_that_reports_before_its_call_was_answered_is_never_told_to_dial():
    bench = Bench()
    bench.calls.set_contact(MID, 1, "contact-1")
    assert bench.hear("next", 0).op == "hold"
