"""What a SIP media application is answered: the right actions for each event, and never anything but a valid answer."""

import copy
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.network.chime.actions import parameter_problem, read_answer
from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Step, Ticket
from speechcall.calls.rules.end_of_call import outcome_of
from speechcall.calls.use_cases.hear_end import IN_FLIGHT_SECONDS
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import HOLD_SECONDS, Plan
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.errors import EngineUnavailable, StoreUnavailable
from speechcall.shared.rules.outcome import End, Outcome
from speechcall.telephony.chime.conversation import Word, parse_event
from speechcall.telephony.chime.events import ChimeEvents
from tests.kit.samples import ASK, CALL, MESSAGE, NOW, FakeClock, FakeEngine

EVENTS = Path(__file__).parents[2] / "events" / "chime"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in EVENTS.glob("*.json")}
TRANSACTION = "3a6f0c1e-7b52-4d3b-9f43-2c8d51e0a7b4"
MID = FILES["ringing"]["CallDetails"]["TransactionAttributes"]["mid"]
BOUNDS = Bounds(9, 900)
GO_ON = {"SchemaVersion": "1.0"}
LONG_AFTER = 100
DIGITS_PLAN = Plan(({"complete": "end", "wrong": 1}, {"wrong": "end"}), 9, NOW + 900_000)


class Bench:
    """A call that the machine has dialled, and its events, each with a Sequence of its own."""

    def __init__(self, keeps_log=False):
        self.calls, self.engine, self.clock = MemoryCalls(), FakeEngine(), FakeClock()
        self.events = ChimeEvents(self.calls, self.engine, self.clock, Quiet())
        self.keeps_log = keeps_log
        plan = Plan(({"d1": "end", "wrong": "end"},), 9, NOW + 900_000) if keeps_log else None
        self.calls.open(CALL._replace(mid=MID, plan=plan), MESSAGE.expires_at)
        self.sequence = 0
        self.attributes = {}
        self.then = {}
        sleep = self.clock.sleep

        def slept(seconds):
            sleep(seconds)
            self.then.pop(len(self.clock.slept), lambda: None)()

        self.clock.sleep = slept

    def fail(self, action):
        """The answer to an event of an action that has failed."""
        return self.hear("action-failed-prompt", action=action)

    def hear(self, name, *, sequence=None, action=None, **attributes):
        """The answer to one of the event files, with the attributes that the last answer has set."""
        event = copy.deepcopy(FILES[name])
        if action:
            event["ActionData"]["Type"] = action
        self.sequence += 1
        event["Sequence"] = self.sequence if sequence is None else sequence
        event["CallDetails"]["TransactionAttributes"] = {**self.attributes, **attributes}
        answer = self.events.answer(event)
        valid(answer)
        self.attributes = answer.get("TransactionAttributes", self.attributes)
        return answer

    def put(self, visit, kind=Kind.ASK, retry=0):
        command = Command(kind, 0 if kind is Kind.ASK else None)
        ticket = Ticket(f"2027-01-01T00:00:0{visit}.000Z", retry, f"token-{visit}-{retry}")
        if self.keeps_log:
            self.calls.advance(MID, 1, command, ticket)
        else:
            self.calls.put_command(MID, 1, command, ticket, BOUNDS, NOW)

    def asking(self):
        """The callee has answered and menu 0 is asked, as command 2."""
        self.hear("new-outbound-call")
        self.hear("ringing")
        if not self.keeps_log:
            self.then[len(self.clock.slept) + 1] = lambda: self.put(1)
        assert types(self.hear("call-answered"))[0] == "ReceiveDigits"
        if self.keeps_log:
            self.put(1)
        return self

    @property
    def call(self):
        return self.calls.get(MID, 1)


class Quiet:
    """A logger that keeps what it is told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, level):
        return lambda *words, **more: self.told.append((level, words, more))


def valid(answer):
    """Holds an answer to what the simulator takes, which goes by the developer guide."""
    read = read_answer(json.loads(json.dumps(answer)))
    for action in read.actions or ():
        assert parameter_problem(action) == ""


def types(answer):
    return [action["Type"] for action in answer.get("Actions", ())]


def is_hold(answer):
    return types(answer) == ["Pause"]


# ------------------------------------------------------------- the conversation
def test_the_call_that_begins_is_named_and_its_contact_known():
    bench = Bench()
    answer = bench.hear("new-outbound-call")
    assert answer == GO_ON | {"Actions": [], "TransactionAttributes": {"mid": MID, "attempt": "1"}}
    assert bench.call.contact_id == TRANSACTION
    assert bench.hear("ringing") == GO_ON


def test_an_answered_call_is_told_and_gets_its_first_question():
    bench = Bench().asking()
    assert bench.engine.answers == {"dial-0": {"event": "answered", "key": "", "seq": 1}}
    assert bench.attributes == {"mid": MID, "attempt": "1", "doing": "ask", "seq": "2"}
    assert bench.call.answered_msec is not None


def test_a_question_listens_plays_and_waits_out_the_idle_timeout():
    bench = Bench()
    bench.hear("new-outbound-call")
    bench.put(1)
    listen, play, *pauses = bench.hear("call-answered")["Actions"]
    assert listen["Type"] == "ReceiveDigits"
    assert play["Parameters"]["AudioSource"] == {"Type": "S3", "BucketName": "prompts", "Key": "prompts/a.wav"}
    assert sorted(play["Parameters"]["PlaybackTerminators"]) == sorted("0123456789*#")
    assert sum(pause["Parameters"]["DurationInMilliseconds"] for pause in pauses) == 10_000
    assert len(pauses) + 2 <= 10


@pytest.mark.parametrize("seconds", [1, 2, 7, 13, 29, 30, 45, 60, 90, 120, 150, 180])
def test_every_idle_timeout_is_waited_to_the_millisecond(seconds):
    bench = Bench()
    bench.calls = MemoryCalls()
    bench.events = ChimeEvents(bench.calls, bench.engine, bench.clock, Quiet())
    bench.calls.open(CALL._replace(mid=MID, asks=(ASK._replace(idle_seconds=seconds),)), MESSAGE.expires_at)
    bench.hear("new-outbound-call")
    bench.put(1)
    pauses = bench.hear("call-answered")["Actions"][2:]
    assert sum(pause["Parameters"]["DurationInMilliseconds"] for pause in pauses) == seconds * 1000


@pytest.mark.parametrize(
    ("event", "heard", "key"),
    [
        ("digits-received", "key", "d1"),
        ("action-successful-idle", "idle", ""),
        ("action-failed-prompt", "prompt_error", ""),
        ("action-failed-digits", "prompt_error", ""),
    ],
)
def test_what_was_heard_answers_the_question(event, heard, key):
    bench = Bench().asking()
    bench.hear(event)
    assert bench.engine.answers["token-1-0"] == {"event": heard, "key": key, "seq": 2}
    assert [step.heard for step in bench.call.path] == [key or heard]


def asking_for_digits(asked, keeps):
    bench = Bench(keeps_log=True)
    asks = (ASK._replace(input=asked, keeps=keeps, idle_seconds=5), ASK)
    bench.calls = MemoryCalls()
    bench.calls.open(CALL._replace(mid=MID, asks=asks, plan=DIGITS_PLAN), MESSAGE.expires_at)
    bench.events = replace(bench.events, calls=bench.calls)
    bench.hear("new-outbound-call")
    bench.hear("ringing")
    return bench, bench.hear("call-answered")


def gathered(bench, kind="ACTION_SUCCESSFUL", **data):
    """What is told of the action that gathers digits."""
    event = copy.deepcopy(FILES["action-successful-idle"]) | {"InvocationEventType": kind, "Sequence": 9}
    event["ActionData"] = {"Type": "PlayAudioAndGetDigits", "Parameters": {}, **data}
    event["CallDetails"]["TransactionAttributes"] = bench.attributes
    answer = bench.events.answer(event)
    valid(answer)
    return answer


def test_a_menu_that_asks_for_digits_is_one_action_with_its_own_timers():
    bench, answer = asking_for_digits(Input(4, 8, "*", 1500), ("complete",))
    (action,) = answer["Actions"]
    assert action["Type"] == "PlayAudioAndGetDigits"
    wanted = {"MinNumberOfDigits": 0, "MaxNumberOfDigits": 8, "TerminatorDigits": ["*"], "Repeat": 1}
    timers = {"InBetweenDigitsDurationInMilliseconds": 2000, "RepeatDurationInMilliseconds": 5000}
    assert {name: action["Parameters"][name] for name in wanted | timers} == wanted | timers
    assert "InputDigitsRegex" not in action["Parameters"]
    assert bench.attributes["doing"] == "input"


@pytest.mark.parametrize(
    ("kind", "data", "event", "key", "digits"),
    [
        ("ACTION_SUCCESSFUL", {"ReceivedDigits": "40715"}, "key", "complete", "40715"),
        ("ACTION_SUCCESSFUL", {"ReceivedDigits": "4071*"}, "key", "complete", "4071"),
        ("ACTION_SUCCESSFUL", {"ReceivedDigits": "407"}, "key", "other", None),
        ("ACTION_SUCCESSFUL", {"ReceivedDigits": ""}, "idle", "", None),
        ("ACTION_FAILED", {"ErrorType": "InvalidDigitsReceived"}, "idle", "", None),
        ("ACTION_FAILED", {"ErrorType": "InvalidAudioSource"}, "prompt_error", "", None),
        ("ACTION_FAILED", {"ErrorType": "SystemException"}, "prompt_error", "", None),
    ],
)
def test_what_was_entered_answers_the_question(kind, data, event, key, digits):
    bench, _ = asking_for_digits(Input(4, 8, "*"), ("complete",))
    gathered(bench, kind, **data)
    entry = bench.call.entry(2)
    assert (entry.event, entry.key, entry.digits) == (event, key, digits)


def test_an_earlier_listener_that_hears_the_same_digits_changes_nothing():
    bench, _ = asking_for_digits(Input(4, 8), ("complete",))
    assert "Actions" not in bench.hear("digits-received")
    assert "Actions" not in bench.hear("action-successful-idle")
    assert bench.call.log_seq == 1


@pytest.mark.parametrize("action", ["Pause", "Hangup"])
@pytest.mark.parametrize("keeps_log", [True, False])
def test_an_action_that_played_nothing_says_nothing_of_the_introduction(action, keeps_log):
    bench = Bench(keeps_log).asking()
    answer = bench.fail(action)
    assert "Actions" not in answer
    assert "token-1-0" not in bench.engine.answers
    assert bench.call.stop_reason is None


@pytest.mark.parametrize("keeps_log", [True, False])
def test_a_menu_that_cannot_listen_is_asked_again_and_then_played_all_the_same(keeps_log):
    bench = Bench(keeps_log).asking()
    first = bench.attributes
    # Given a list whose first action fails, so that nothing of it is done
    assert types(bench.fail("ReceiveDigits"))[:2] == ["ReceiveDigits", "PlayAudio"]
    assert bench.attributes == {**first, "deaf": "1"}
    # When it fails once more, then the callee hears the menu at least
    assert types(bench.fail("ReceiveDigits"))[:2] == ["PlayAudio", "Pause"]
    assert bench.attributes == {**first, "deaf": "2"}
    # And nothing was heard in it, nor is anything said of the introduction, until that fails
    assert "token-1-0" not in bench.engine.answers
    assert bench.call.stop_reason is None
    bench.fail("PlayAudio")
    assert bench.engine.answers["token-1-0"]["event"] == "prompt_error"


@pytest.mark.parametrize("keeps_log", [True, False])
def test_a_hang_up_that_fails_is_not_answered_with_another(keeps_log):
    bench = Bench(keeps_log).asking()
    assert is_hold(bench.hear("digits-received"))
    bench.put(2, Kind.HANG_UP)
    assert bench.fail("Hangup") == GO_ON


@pytest.mark.parametrize("keeps_log", [True, False])
def test_a_hold_that_cannot_pause_asks_what_is_next(keeps_log):
    bench = Bench(keeps_log).asking()
    assert is_hold(bench.hear("digits-received"))
    bench.put(2, Kind.HANG_UP)
    assert types(bench.fail("Pause")) == ["Hangup"]


@pytest.mark.parametrize("by_us", [True, False])
def test_who_has_hung_up_is_known_though_the_machine_has_not_asked_for_it(by_us):
    bench = Bench(keeps_log=True).asking()
    assert is_hold(bench.fail("PlayAudio"))
    if by_us:  # nobody has given a command for half a minute
        asked = datetime.fromisoformat(bench.call.ticket.visit)
        bench.clock.msec = round(asked.timestamp() + HOLD_SECONDS) * 1000
        assert types(bench.hear("action-successful-hold")) == ["Hangup"]
    bench.hear("hangup-normal")
    assert bench.call.cause is (Cause.HUNG_UP if by_us else Cause.CALLER_HUNG_UP)
    outcome = Outcome("failed", "notPlayed") if by_us else Outcome("answered", "callerHungUp")
    assert outcome_of(bench.call, End.FAILED) == outcome


def test_of_two_quick_keys_the_first_counts():
    bench = Bench().asking()
    event = copy.deepcopy(FILES["digits-received"])
    event["Sequence"], event["ActionData"]["ReceivedDigits"] = 9, "*5"
    bench.events.answer(event)
    assert bench.engine.answers["token-1-0"]["key"] == "d*"


def test_without_a_command_the_callee_hears_a_short_silence_within_a_second_and_is_not_taken_for_idle():
    bench = Bench().asking()
    begin = bench.clock.msec
    assert is_hold(bench.hear("digits-received"))
    assert 800 <= bench.clock.msec - begin < 1000
    bench.put(2, Kind.HANG_UP)
    assert types(bench.hear("action-successful-hold")) == ["Hangup"]
    assert [step.heard for step in bench.call.path] == ["d1"]


def test_a_key_while_nothing_is_asked_is_lost():
    bench = Bench().asking()
    bench.hear("digits-received")
    assert bench.hear("digits-received") == GO_ON
    assert bench.engine.tries == ["dial-0", "token-1-0"]


def test_a_key_in_the_prompt_of_a_list_of_which_each_action_is_told_goes_on():
    bench = Bench().asking()
    assert bench.hear("action-successful-digits") == GO_ON
    assert "token-1-0" not in bench.engine.answers


@pytest.mark.parametrize("name", ["ringing", "action-interrupted"])
def test_what_is_only_for_information_changes_nothing(name):
    bench = Bench().asking()
    before = bench.call
    assert bench.hear(name) == GO_ON
    assert bench.call == before


# --------------------------------------------------------------------- the end
@pytest.mark.parametrize(
    ("name", "answered", "cause"),
    [
        ("hangup-normal", True, Cause.CALLER_HUNG_UP),
        ("hangup-without-code", True, Cause.CALLER_HUNG_UP),
        ("hangup-no-answer", True, Cause.FAILED),
        ("hangup-busy", False, Cause.BUSY),
        ("hangup-no-answer", False, Cause.NO_ANSWER),
        ("hangup-normal", False, Cause.NO_ANSWER),
    ],
)
def test_the_end_is_told_with_its_cause(name, answered, cause):
    bench = Bench()
    if answered:
        bench.asking()
    else:
        bench.hear("new-outbound-call")
    assert bench.hear(name) == GO_ON
    assert bench.call.ended is True
    assert bench.call.cause == cause
    token = "token-1-0" if answered else "dial-0"
    told = bench.engine.answers[token]
    assert told == {"event": "ended", "key": "", "seq": 2} if answered else told["error"] == "NotAnswered"


def test_an_end_that_we_asked_for_is_ours():
    bench = Bench().asking()
    bench.put(2, Kind.HANG_UP)
    assert types(bench.hear("digits-received")) == ["Hangup"]
    bench.hear("hangup-normal")
    assert bench.call.cause is Cause.HUNG_UP
    assert bench.engine.answers["token-2-0"]["event"] == "ended"


def test_an_end_that_overtakes_the_answer_says_that_somebody_had_answered():
    bench = Bench()
    bench.hear("new-outbound-call")
    bench.hear("hangup-normal", sequence=4)
    assert bench.call.answered_msec is not None
    assert bench.call.cause == Cause.CALLER_HUNG_UP
    assert bench.engine.answers["dial-0"]["error"] == "NotAnswered"
    assert types(bench.hear("call-answered", sequence=3)) == ["Hangup"]


def test_a_callee_who_is_gone_is_not_idle():
    bench = Bench().asking()
    assert bench.hear("action-successful-after-hangup") == GO_ON
    assert bench.engine.answers["token-1-0"]["event"] == "ended"
    assert bench.call.path == ()


def test_whatever_a_call_that_is_over_still_says_it_is_hung_up():
    bench = Bench().asking()
    bench.calls.end(MID, 1, Cause.STOPPED, NOW)
    for name in ("digits-received", "action-successful-idle", "action-successful-hold", "call-update-look-up"):
        assert types(bench.hear(name, doing="ask")) == ["Hangup"]


def test_a_second_call_for_the_same_attempt_is_hung_up_when_it_is_answered_and_said():
    bench = Bench().asking()
    event = copy.deepcopy(FILES["new-outbound-call"])
    event["CallDetails"]["TransactionId"] = "another"
    bench.events.answer(event)
    assert [level for level, *_ in bench.events.logger.told] == ["error"]
    answered = copy.deepcopy(FILES["call-answered"])
    answered["CallDetails"]["TransactionId"], answered["Sequence"] = "another", LONG_AFTER
    assert types(bench.events.answer(answered)) == ["Hangup"]
    assert bench.call.contact_id == TRANSACTION
    assert bench.call.turn == bench.sequence


@pytest.mark.parametrize(("said", "told"), [({}, ""), ({"ErrorType": "InvalidAction"}, "InvalidAction")])
def test_an_answer_that_was_refused_without_a_word_is_told_without_one(said, told):
    event = {name: value for name, value in FILES["invalid-lambda-response"].items() if name != "ErrorType"}
    word = parse_event(event | said)
    assert isinstance(word, Word)
    assert word.problem == f"the last answer was unusable: {told}"


@pytest.mark.parametrize("name", ["call-update-hang-up", "new-inbound-call", "invalid-lambda-response"])
def test_what_must_end_is_hung_up(name):
    assert types(Bench().asking().hear(name)) == ["Hangup"]


def test_a_look_up_gives_the_next_command():
    bench = Bench().asking()
    bench.calls.set_done(MID, 1, 2, Step(0, "idle", NOW))
    bench.put(2, Kind.HANG_UP)
    assert types(bench.hear("call-update-look-up")) == ["Hangup"]


# ----------------------------------------------------- repeated, late, in trouble
@pytest.mark.parametrize("name", ["digits-received", "action-successful-idle", "action-failed-prompt"])
def test_an_event_that_comes_again_counts_once_and_is_answered_the_same(name):
    bench = Bench().asking()
    bench.then[len(bench.clock.slept) + 1] = lambda: bench.put(2)
    attributes = dict(bench.attributes)
    first = bench.hear(name)
    bench.attributes = attributes
    assert bench.hear(name, sequence=bench.sequence) == first
    assert len(bench.call.path) == 1
    assert bench.engine.tries.count("token-1-0") == 1


def test_of_two_events_at_once_the_later_one_is_told_the_command_and_the_earlier_one_goes_on():
    bench = Bench().asking()
    answers = {}

    def a_key_comes():
        bench.attributes = {"mid": MID, "attempt": "1", "doing": "ask", "seq": "2"}
        bench.then[len(bench.clock.slept) + 1] = lambda: bench.put(2)
        answers["key"] = bench.hear("digits-received", sequence=LONG_AFTER + 1)

    # Given an idle that is being answered when a key is heard after all
    bench.then[len(bench.clock.slept) + 1] = a_key_comes
    answers["idle"] = bench.hear("action-successful-idle", sequence=LONG_AFTER)
    # Then the idle counts, for it was first; and one list of actions goes out
    assert [step.heard for step in bench.call.path] == ["idle"]
    assert answers["idle"] == GO_ON
    assert types(answers["key"])[0] == "ReceiveDigits"


def test_an_event_that_comes_late_still_counts_but_is_told_nothing():
    bench = Bench().asking()
    bench.hear("action-successful-hold", sequence=LONG_AFTER, doing="hold", seq="1")
    bench.attributes = {"mid": MID, "attempt": "1", "doing": "ask", "seq": "2"}
    assert bench.hear("digits-received", sequence=LONG_AFTER - 1) == GO_ON
    assert bench.call.path[0].heard == "d1"


@pytest.mark.parametrize("name", ["digits-received", "action-successful-idle", "action-failed-prompt"])
def test_what_could_not_be_told_is_told_again_after_a_short_pause(name):
    bench = Bench().asking()
    real, failures = bench.calls.take_turn, [StoreUnavailable("down"), RuntimeError("a bug")]
    bench.calls.take_turn = lambda *given: failing(failures.pop())() if failures else real(*given)
    assert is_hold(bench.hear(name))
    assert is_hold(bench.hear("action-successful-hold"))
    bench.hear("action-successful-hold")
    heard = {"digits-received": "d1", "action-successful-idle": "idle", "action-failed-prompt": "prompt_error"}[name]
    assert [step.heard for step in bench.call.path] == [heard]
    assert bench.engine.tries.count("token-1-0") == 1


def test_an_answered_call_in_trouble_is_answered_again():
    bench = Bench()
    bench.hear("new-outbound-call")
    real, bench.calls.set_answered = bench.calls.set_answered, failing(StoreUnavailable("down"))
    assert is_hold(bench.hear("call-answered"))
    bench.calls.set_answered = real
    bench.hear("action-successful-hold")
    assert bench.engine.answers["dial-0"]["event"] == "answered"


def test_a_call_that_begins_in_trouble_is_noted_at_the_second_try():
    bench = Bench()
    real, errors = bench.calls.set_contact, [StoreUnavailable("down")]
    bench.calls.set_contact = lambda *given: failing(errors.pop())() if errors else real(*given)
    bench.hear("new-outbound-call")
    assert bench.call.contact_id == TRANSACTION


@pytest.mark.parametrize("error", [StoreUnavailable("down"), RuntimeError("a bug")])
def test_a_call_whose_beginning_could_not_be_noted_is_noted_when_it_rings(error):
    # Nobody who has lost the answer to its dial dials it again then
    bench = Bench()
    real, bench.calls.set_contact = bench.calls.set_contact, failing(error)
    assert bench.hear("new-outbound-call")["TransactionAttributes"] == {"mid": MID, "attempt": "1"}
    bench.calls.set_contact = real
    assert bench.hear("ringing") == GO_ON
    assert bench.call.contact_id == TRANSACTION


@pytest.mark.parametrize("error", [StoreUnavailable("down"), RuntimeError("a bug")])
def test_a_call_whose_beginning_could_not_be_noted_is_known_when_it_is_answered(error):
    # Given a store that was away when the service began to dial
    bench = Bench()
    real, bench.calls.set_contact = bench.calls.set_contact, failing(error)
    bench.hear("new-outbound-call")
    bench.calls.set_contact = real
    # When the callee answers, then nobody hangs up on them
    bench.put(1)
    assert types(bench.hear("call-answered"))[0] == "ReceiveDigits"
    assert bench.call.contact_id == TRANSACTION


def test_who_answers_a_call_that_was_given_up_has_not_answered_it():
    # Given a call that was given up while its phone rang, and that is hung up when it is answered all the same
    bench = Bench(keeps_log=True)
    bench.hear("new-outbound-call")
    bench.hear("ringing")
    assert bench.calls.give_up(MID, 1, NOW)
    assert types(bench.hear("call-answered")) == ["Hangup"]
    # When its end is told as that of an answered call, then it was not answered
    bench.hear("hangup-normal", sequence=5)
    assert bench.call.cause is Cause.NO_ANSWER
    assert outcome_of(bench.call, End.NOT_ANSWERED) == Outcome("noAnswer", "noAnswer")


def begun(bench, name, event, sequence):
    """What has begun to deal with an event, and is cut off behind its first write."""
    real = bench.engine.succeed
    bench.engine.succeed = failing(KeyboardInterrupt)
    with suppress(KeyboardInterrupt):
        bench.hear(event, sequence=sequence)
    bench.engine.succeed = real


@pytest.mark.parametrize("when", ["has begun", "begins a second later"])
def test_a_key_that_the_hang_up_overtakes_runs_its_list(when):
    # Given a key, whose event is still being dealt with, or has not even begun to be
    bench = Bench().asking()
    key = lambda: begun(bench, "key", "digits-received", 4)  # noqa: E731
    if when == "has begun":
        key()
    else:
        bench.then[len(bench.clock.slept) + 10] = key
    # When the callee's hang-up is told, then the key is the answer
    bench.hear("hangup-normal", sequence=5)
    assert bench.engine.answers["token-1-0"] == {"event": "key", "key": "d1", "seq": 2}
    assert [step.heard for step in bench.call.path] == ["d1"]
    assert bench.call.ended


def test_a_hang_up_behind_which_nothing_comes_is_not_waited_over_for_long():
    bench = Bench().asking()
    begin = bench.clock.msec
    bench.hear("hangup-normal", sequence=LONG_AFTER)
    assert IN_FLIGHT_SECONDS * 1000 <= bench.clock.msec - begin <= IN_FLIGHT_SECONDS * 1000 + 200
    assert bench.engine.answers["token-1-0"]["event"] == "ended"
    # Where nothing is missing before it, it is taken in at once
    other = Bench().asking()
    begin = other.clock.msec
    other.hear("hangup-normal", sequence=4)
    assert other.clock.msec == begin


def test_a_key_of_a_callee_who_is_gone_already_counts():
    bench = Bench().asking()
    event = copy.deepcopy(FILES["digits-received"])
    for leg in event["CallDetails"]["Participants"]:
        leg["Status"] = "Disconnected"
    event["Sequence"], event["CallDetails"]["TransactionAttributes"] = 4, dict(bench.attributes)
    bench.events.answer(event)
    assert bench.engine.answers["token-1-0"] == {"event": "key", "key": "d1", "seq": 2}
    assert not bench.call.ended


def test_a_hang_up_in_trouble_is_tried_again_for_nobody_waits():
    bench = Bench().asking()
    errors = [StoreUnavailable("down"), EngineUnavailable("down")]
    real = bench.calls.end
    bench.calls.end = lambda *given, **named: failing(errors.pop())() if errors else real(*given, **named)
    assert bench.hear("hangup-normal") == GO_ON
    assert bench.call.ended
    bench.calls.end = failing(StoreUnavailable("down"))
    assert bench.hear("hangup-normal") == GO_ON


def failing(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


# ------------------------------------------------------------- whatever it says
@pytest.mark.parametrize("name", sorted(FILES))
def test_every_shape_is_answered_validly_also_with_members_that_nobody_knows(name):
    bench = Bench()
    bench.calls.set_answered(MID, 1, TRANSACTION, NOW)
    event = copy.deepcopy(FILES[name])
    valid(bench.events.answer(event))
    event["New"] = event["CallDetails"]["New"] = event["CallDetails"]["Participants"][0]["New"] = {"a": [1]}
    event["CallDetails"]["SipApplicationId"] = event["CallDetails"].pop("SipMediaApplicationId")
    valid(bench.events.answer(event))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, above=()):
    """The paths to all members of a JSON value."""
    found = [above] if above else []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += places(inner, (*above, key))
    return found


@given(st.sampled_from(sorted(FILES)), st.randoms(use_true_random=False), anything, st.booleans())
def test_an_event_with_anything_in_it_is_answered_validly(name, random, value, removes):
    event = copy.deepcopy(FILES[name])
    *path, last = random.choice(places(event))
    holder = event
    for key in path:
        holder = holder[key]
    if removes:
        del holder[last]
    else:
        holder[last] = value
    bench = Bench()
    bench.calls.set_answered(MID, 1, TRANSACTION, NOW)
    valid(bench.events.answer(event))


@given(anything)
def test_anything_at_all_is_answered_validly(value):
    valid(Bench().events.answer(value))


def test_another_engine_is_asked_again_by_the_next_event():
    bench = Bench().asking()
    real, bench.engine.succeed = bench.engine.succeed, failing(EngineUnavailable("down"))
    assert is_hold(bench.hear("digits-received"))
    bench.engine.succeed = real
    bench.hear("action-successful-hold")
    assert bench.engine.answers["token-1-0"] == {"event": "key", "key": "d1", "seq": 2}
