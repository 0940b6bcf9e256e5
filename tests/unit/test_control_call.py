"""The state machine's side: dial, ask, hang up, look up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Refused, Reply, Step
from speechcall.calls.use_cases.control_call import THROTTLED_MSEC, Control
from speechcall.calls.use_cases.ports import Contact
from speechcall.menus.rules.call_log import Plan
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.shared.rules.errors import (
    DestinationRefused,
    StoreUnavailable,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from tests.kit.samples import ASK, MESSAGE, MID, NOW, FakeClock, FakeEngine


class Telephony:
    """A provider that places each call attempt once."""

    dials_once = has_records = True

    def __init__(self):
        self.placed, self.errors, self.contact = [], [], None
        self.meanwhile: Callable[[], object] = lambda: None

    def place(self, call, ring_timeout_seconds):
        self.placed.append((call.number, ring_timeout_seconds))
        self.meanwhile()
        if self.errors:
            raise self.errors.pop(0)
        return "contact-1"

    def stop(self, contact_id):
        raise AssertionError("nothing is stopped here")

    def look_up(self, contact_id):
        if isinstance(self.contact, Exception):
            raise self.contact
        return self.contact


class Bench:
    """A message with a line, and the commands of its state machine."""

    def __init__(self, bounds=None, **fields):
        self.calls, self.messages, self.engine, self.clock = MemoryCalls(), MemoryMessages(), FakeEngine(), FakeClock()
        self.telephony = Telephony()
        self.messages.add([replace(MESSAGE, **fields)])
        self.messages.queue(self.messages.get(MID), (ASK,), NOW)
        self.messages.claim_line(self.messages.get(MID), "arn:flow", Pool(1, 1), NOW)
        self.control = Control(
            self.calls,
            self.messages,
            self.engine,
            self.telephony,
            self.clock,
            bounds or Bounds(2, 60),
            self.messages.pool,
        )

    def run(self, command, visit=0, retry=0, **more):
        task = {"command": command, "mid": MID, "attempt": 1, "token": f"{command}-{visit}-{retry}"}
        return self.control.handle(task | {"visit": f"2026-09-21T12:00:0{visit}.000Z", "retry": retry, **more})

    def ask(self, visit, retry=0, menu=0):
        return self.run("ask", visit, retry, menu=menu)

    def answered(self):
        self.run("dial")
        call = self.calls.set_answered(MID, 1, "contact-1", NOW)
        self.engine.succeed(call.ticket.token, {"event": "answered", "key": "", "seq": 1})
        self.calls.set_done(MID, 1, 1, None)
        return self

    @property
    def call(self):
        return self.calls.get(MID, 1)


# ---------------------------------------------------------------------- dial
def test_dial_writes_the_call_and_then_places_it():
    bench = Bench()
    written = []
    bench.telephony.meanwhile = lambda: written.append(bench.call)
    assert bench.run("dial") == {}
    assert bench.telephony.placed == [(MESSAGE.number, 45)]
    assert written[0].ticket.token == "dial-0-0"
    assert bench.call.contact_id == "contact-1"
    assert bench.call.asks == (ASK,)
    assert bench.call.dialled_msec == NOW
    assert bench.engine.tries == []


@pytest.mark.parametrize("error", [TelephonyThrottled("x"), TelephonyUnavailable("x")])
def test_a_provider_in_trouble_is_tried_again_by_the_state_machine_with_its_new_token(error):
    bench = Bench()
    bench.telephony.errors = [error]
    with pytest.raises(type(error)):
        bench.run("dial")
    bench.run("dial", retry=1)
    assert bench.call.seq == 1
    assert bench.call.ticket.token == "dial-0-1"


def test_a_provider_that_asks_for_fewer_calls_slows_the_pool():
    bench = Bench()
    bench.telephony.errors = [TelephonyThrottled("x"), TelephonyUnavailable("x")]
    with pytest.raises(TelephonyThrottled):
        bench.run("dial")
    assert bench.messages.pool.read().next_msec == NOW + THROTTLED_MSEC
    # Other trouble has nothing to do with the pace.
    bench.clock.msec += 10
    with pytest.raises(TelephonyUnavailable):
        bench.run("dial", retry=1)
    assert bench.messages.pool.read().next_msec == NOW + THROTTLED_MSEC


def test_a_phone_rings_as_long_as_its_message_says():
    bench = Bench(ring_seconds=20)
    bench.run("dial")
    assert bench.telephony.placed == [(MESSAGE.number, 20)]


@pytest.mark.parametrize(
    ("error", "reason", "cause"),
    [
        (DestinationRefused("destinationNotAllowed"), "destinationNotAllowed", Cause.BLOCKED),
        (DestinationRefused("contactNotPermitted"), "contactNotPermitted", Cause.BLOCKED),
        (DestinationRefused("invalidNumber"), "invalidNumber", Cause.INVALID_NUMBER),
        (TelephonyMisconfigured("ResourceNotFoundException"), "telephonyMisconfigured", Cause.FAILED),
    ],
)
def test_a_call_that_the_provider_refuses_ends_with_the_reason(error, reason, cause, caplog):
    bench = Bench()
    bench.telephony.errors = [error]
    assert bench.run("dial") == {"refused": reason}
    # Of our own settings an operator has to know the provider's code; of a number the reason says all
    ours = isinstance(error, TelephonyMisconfigured)
    assert ("the provider refuses our settings: ResourceNotFoundException" in caplog.text) is ours
    assert bench.engine.answers == {"dial-0-0": {"error": "NotAnswered", "cause": cause}}
    assert bench.call.cause == cause
    assert bench.call.stop_reason == reason


@pytest.mark.parametrize("task", [{"mid": "1"}, {"attempt": 2}])
def test_a_message_that_is_gone_or_at_another_attempt_is_not_dialled(task):
    bench = Bench()
    bench.run("dial", **task)
    assert bench.engine.answers["dial-0-0"]["error"] == "NotAnswered"
    assert bench.telephony.placed == []


def test_a_message_whose_machine_begins_after_its_time_is_not_dialled():
    bench = Bench(ttl_seconds=30)
    bench.clock.msec += 30_000
    assert bench.run("dial") == {}
    assert bench.telephony.placed == []
    assert bench.engine.answers["dial-0-0"]["error"] == "NotAnswered"
    assert bench.call.cause is Cause.THROTTLED
    # But a phone that may ring already is asked about, whatever the time is
    late = Bench(ttl_seconds=30)
    late.telephony.errors = [LOST] * 6
    late.run("dial")
    late.clock.msec += 30_000
    late.run("dial", retry=1)
    assert late.call.ended is False
    assert late.call.contact_id == "contact-1"


LOST = TelephonyUnavailable("500", maybe_done=True)


@pytest.mark.parametrize(
    ("said", "answer", "refused", "slows"),
    [
        (LOST, {}, None, False),
        (TelephonyThrottled("x"), {}, Refused("throttled", Cause.THROTTLED), True),
        (
            DestinationRefused("destinationNotAllowed"),
            {"refused": "destinationNotAllowed"},
            Refused("destinationNotAllowed", Cause.BLOCKED),
            False,
        ),
        (
            TelephonyMisconfigured("403"),
            {"refused": "telephonyMisconfigured"},
            Refused("telephonyMisconfigured", Cause.FAILED),
            False,
        ),
    ],
)
def test_a_dial_in_doubt_waits_as_for_a_phone_that_rings(said, answer, refused, slows, caplog):
    # Given a request whose answer was lost, and repeats that are told nothing of it
    bench = Bench()
    bench.telephony.errors = [LOST, *[said] * 9]
    assert bench.run("dial") == answer
    assert ("the provider refuses our settings: 403" in caplog.text) is isinstance(said, TelephonyMisconfigured)
    # Then the call goes on, and its task waits; what the last repeat was told is kept for its end
    assert bench.call.ended is False
    assert bench.call.stop_reason is None
    assert bench.call.refused == refused
    assert bench.engine.tries == []
    assert (bench.messages.pool.read().next_msec == bench.clock.msec + THROTTLED_MSEC) == slows
    # When somebody answers after all, then the try that comes after this one serves them
    bench.calls.set_answered(MID, 1, "contact-1", bench.clock.msec)
    bench.run("dial", retry=1)
    assert bench.engine.answers["dial-0-1"]["event"] == "answered"


def test_a_call_that_has_ended_is_not_placed_again():
    bench = Bench()
    bench.run("dial")
    bench.calls.end(MID, 1, Cause.BUSY, NOW)
    bench.run("dial", retry=1)
    assert bench.engine.answers["dial-0-1"]["error"] == "NotAnswered"
    assert len(bench.telephony.placed) == 1


def test_an_overtaken_try_of_dial_does_nothing():
    bench = Bench()
    bench.run("dial", retry=1)
    bench.run("dial", retry=0)
    assert len(bench.telephony.placed) == 1
    assert bench.call.ticket.token == "dial-0-1"


def test_a_phone_that_was_answered_between_two_tries_of_dial_answers_the_second():
    # Given a try that placed the call and then failed, and a callee who was quick
    bench = Bench()
    bench.telephony.errors = [TelephonyUnavailable("timeout")]
    bench.telephony.meanwhile = lambda: bench.calls.set_answered(MID, 1, "contact-1", NOW)
    with pytest.raises(TelephonyUnavailable):
        bench.run("dial")
    # When the state machine tries again
    bench.run("dial", retry=1)
    # Then it learns that the call is answered, and nothing is placed a second time
    assert bench.engine.answers == {"dial-0-1": {"event": "answered", "key": "", "seq": 1}}
    assert bench.call.done_seq == 1
    assert len(bench.telephony.placed) == 1


@pytest.mark.parametrize(("said", "repeats"), [(None, 2), (0, 0), (7, 7)])
def test_what_decides_how_a_call_goes_on_is_fixed_when_it_is_dialled(said, repeats):
    bench = Bench(Bounds(3, 60), silent_repeats=said)
    bench.run("dial")
    assert bench.call.plan == Plan(({"d1": "end", "wrong": "end"},), 3, NOW + 60_000, repeats)
    # A later try changes nothing of it
    bench.control = bench.control._replace(bounds=Bounds(9, 900, 9))
    bench.run("dial", retry=1)
    assert bench.call.plan.max_visits == 3


# ----------------------------------------------------------- ask and hang up
def test_ask_and_hang_up_are_written_for_the_telephony_to_fetch():
    bench = Bench().answered()
    assert bench.ask(1) == {}
    assert bench.call.command == Command(Kind.ASK, 0)
    assert bench.call.seq == 2
    assert bench.call.ticket.token == "ask-1-0"
    bench.run("hang_up", 2)
    assert bench.call.command == Command(Kind.HANG_UP)
    assert bench.call.seq == 3


@pytest.mark.parametrize("command", ["ask", "hang_up"])
@pytest.mark.parametrize("retry", [0, 1])
def test_a_command_to_a_call_that_has_ended_is_answered_ended_at_once(command, retry):
    bench = Bench().answered()
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    bench.run(command, 1, retry, menu=0)
    assert bench.engine.answers[f"{command}-1-{retry}"] == {"event": "ended", "key": "", "seq": 1}


def test_a_command_to_a_call_that_nobody_knows_is_answered_ended():
    bench = Bench()
    bench.ask(1)
    assert bench.engine.answers["ask-1-0"] == {"event": "ended", "key": "", "seq": 0}


def test_an_overtaken_try_of_ask_says_nothing():
    bench = Bench().answered()
    bench.ask(1, retry=1)
    bench.ask(1, retry=0)
    assert "ask-1-0" not in bench.engine.tries
    assert bench.call.ticket.token == "ask-1-1"


def test_a_key_that_was_heard_between_two_tries_of_ask_answers_the_second():
    # Given a try that failed after it had asked, and a key that came before the next one
    bench = Bench().answered()
    bench.ask(1)
    bench.calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    # When the state machine tries again
    bench.ask(1, retry=1)
    # Then it has its answer at once
    assert bench.engine.answers["ask-1-1"] == {"event": "key", "key": "d1", "seq": 2}
    assert bench.call.path == (Step(0, "d1", NOW),)
    assert bench.call.done_seq == 2


@pytest.mark.parametrize(("event", "key", "told"), [("key", "d1", "key"), ("idle", "", "ended")])
def test_a_key_that_was_heard_between_two_tries_of_ask_counts_although_the_callee_has_hung_up(event, key, told):
    # Given a try that failed after it had asked, what was heard then, and the end of the call
    bench = Bench().answered()
    bench.ask(1)
    bench.calls.keep_reply(MID, 1, Reply(2, event, key))
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    # When the state machine tries again, then it is told the key; of silence it is not told any more
    bench.ask(1, retry=1)
    assert bench.engine.answers["ask-1-1"] == {"event": told, "key": key, "seq": 2}
    # And no further menu begins
    bench.ask(2)
    assert bench.engine.answers["ask-2-0"]["event"] == "ended"


def test_an_answer_that_was_taken_by_a_try_that_failed_all_the_same_is_given_again():
    # Given a key that a token took, and an engine that tries its task again nevertheless
    bench = Bench().answered()
    bench.ask(1)
    bench.engine.succeed("ask-1-0", {"event": "key", "key": "d1", "seq": 2})
    bench.calls.set_done(MID, 1, 2, Step(0, "d1", NOW), Reply(2, "key", "d1"))
    bench.ask(1, retry=1)
    # Then the new token has the same answer, and the path tells it once
    assert bench.engine.answers["ask-1-1"] == {"event": "key", "key": "d1", "seq": 2}
    assert len(bench.call.path) == 1


def test_that_somebody_answered_is_told_again_when_dial_is_tried_again():
    bench = Bench().answered()
    bench.run("dial", retry=1)
    assert bench.engine.answers["dial-0-1"] == {"event": "answered", "key": "", "seq": 1}
    assert len(bench.telephony.placed) == 1


def test_a_reply_to_another_question_answers_nothing():
    bench = Bench().answered()
    bench.ask(1)
    bench.calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    bench.ask(2)
    assert "ask-2-0" not in bench.engine.tries


def test_past_the_last_visit_a_menu_is_answered_limit_and_hanging_up_goes_on():
    bench = Bench(Bounds(2, 60)).answered()
    for visit in (1, 2, 3):
        bench.ask(visit)
    assert bench.engine.answers["ask-3-0"] == {"event": "limit", "key": "", "seq": 3}
    assert bench.call.stop_reason == "limit"
    bench.run("hang_up", 4)
    assert bench.call.command.kind is Kind.HANG_UP


def test_past_the_last_second_a_menu_is_answered_limit():
    bench = Bench(Bounds(50, 60)).answered()
    bench.clock.msec += 60_000
    bench.ask(1)
    assert bench.engine.answers["ask-1-0"]["event"] == "limit"


def test_a_store_in_trouble_is_the_state_machines_to_try_again():
    bench = Bench().answered()
    bench.calls.put_command = lambda *_: (_ for _ in ()).throw(StoreUnavailable("x"))
    with pytest.raises(StoreUnavailable):
        bench.ask(1)
    assert bench.engine.tries == ["dial-0-0"]


# ------------------------------------------------------------------- look up
def contact(*, ended=False, cause=None):
    return Contact("contact-1", {}, ended, answered=True, cause=cause)


def look_up(bench, found):
    bench.telephony.contact = found
    return bench.control.handle({"command": "look_up", "menu": 0, "mid": MID, "attempt": 1})


def test_a_contact_that_is_still_there_was_silent():
    bench = Bench().answered()
    bench.ask(1)
    for _ in range(2):
        assert look_up(bench, contact()) == {"event": "idle", "key": "", "seq": 2}
    assert bench.call.path == (Step(0, "idle", NOW),)


def test_what_was_heard_too_late_for_its_token_is_no_silence():
    bench = Bench().answered()
    bench.ask(1)
    bench.calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    assert look_up(bench, contact()) == {"event": "key", "key": "d1", "seq": 2}
    assert bench.call.path == (Step(0, "d1", NOW),)


def test_a_contact_that_is_gone_has_ended_the_call():
    bench = Bench().answered()
    bench.ask(1)
    assert look_up(bench, contact(ended=True, cause=Cause.CALLER_HUNG_UP))["event"] == "ended"
    assert bench.call.cause is Cause.CALLER_HUNG_UP


def test_a_call_that_has_ended_is_not_looked_up():
    bench = Bench().answered()
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert look_up(bench, AssertionError("asked"))["event"] == "ended"


def test_a_call_that_nobody_knows_has_ended():
    assert look_up(Bench(), AssertionError("asked")) == {"event": "ended", "key": "", "seq": 0}


def test_a_provider_in_trouble_is_looked_up_again_by_the_state_machine():
    bench = Bench().answered()
    with pytest.raises(TelephonyUnavailable):
        look_up(bench, TelephonyUnavailable("x"))


def test_an_answer_never_shows_number_or_token():
    bench = Bench().answered()
    bench.ask(1)
    shown = str(look_up(bench, contact())) + str(bench.engine.answers)
    assert MESSAGE.number not in shown
