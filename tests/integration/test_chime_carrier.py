"""Calls through the simulated Chime SDK: a real boto3 client dials, lists are carried out, callers do as they do."""

import threading
import time
from typing import Any

import pytest

from local.network.chime.settings import Fault
from local.network.shared.scripted_callees import (
    Script,
    answer,
    busy,
    hang_up,
    invalid_number,
    no_answer,
    press,
    stay_silent,
)
from tests.kit.chime_bench import (
    ANY_KEY,
    APPLICATION,
    BUCKET,
    CALLER_ID,
    HANG_UP,
    KEY,
    LISTEN,
    NAMED,
    NUMBER,
    WAIT,
    Answer,
    action,
    answer_of,
    ask,
    bench,
    pause,
    pcm_wav,
    play,
)

LONG = {f"s3://{BUCKET}/{KEY}": pcm_wav(200)}
"""Ten seconds at the bench's speed: what ends it in a test is a key or a hang-up."""
STARTED = ["NEW_OUTBOUND_CALL", "RINGING"]


def test_a_conversation_from_the_first_ring_to_the_end() -> None:
    caller = Script([answer(after=0.05), press("1", after=0.05), stay_silent(), press("#", after=0)])
    answers = [answer_of(pause(100), doing="hold"), ask(msec=9000), ask(seq="3"), ask(seq="4", msec=9000)]
    with bench(answers, caller) as b:
        contact_id = b.dial()
        assert b.ended(contact_id) == 0
        assert b.function.kinds == [
            *STARTED,
            "CALL_ANSWERED",
            "ACTION_SUCCESSFUL",  # the pause
            "DIGITS_RECEIVED",
            "ACTION_INTERRUPTED",  # the pause that the answer to the key cut short
            "ACTION_SUCCESSFUL",  # nothing was pressed
            "DIGITS_RECEIVED",
            "ACTION_INTERRUPTED",
            "HANGUP",
        ]
        said = [entry for entry in b.journal.entries() if entry["kind"] not in {"prompt", "listening"}]
        assert [e["kind"] for e in said] == ["dialled", "ringing", "answered", "key", "silence", "key", "ended"]
        assert all((e["mid"], e["contact_id"], e["attempt"]) == ("7748021", contact_id, "1") for e in said)
        prompts = [entry for entry in b.journal.entries() if entry["kind"] == "prompt"]
        assert [(e["uri"], e["seconds"], e["block"]) for e in prompts] == [
            (f"s3://{BUCKET}/{KEY}", 0.025, n) for n in (1, 2, 3)
        ]
        assert [e["seq"] for e in prompts] == ["2", "3", "4"]


def test_the_events_of_a_call() -> None:
    with bench([ask(msec=9000)], Script([answer(after=0), press("1", after=0)])) as b:
        contact_id = b.dial()
        b.ended(contact_id)
        events = sorted(b.function.events, key=lambda event: event["Sequence"])
        assert [event["Sequence"] for event in events] == list(range(1, len(events) + 1))
        new, ringing, answered, digits, *_, end = events
        leg = new["CallDetails"]["Participants"][0]
        assert new == {
            "SchemaVersion": "1.0",
            "Sequence": 1,
            "InvocationEventType": "NEW_OUTBOUND_CALL",
            "ActionData": {"Type": "CallCreateRequest", "Parameters": {"Arguments": NAMED}},
            "CallDetails": {
                "TransactionId": contact_id,
                "AwsAccountId": "123456789012",
                "AwsRegion": "eu-central-1",
                "SipMediaApplicationId": APPLICATION,
                "Participants": [leg],
            },
        }
        assert leg.items() >= {"To": NUMBER, "From": CALLER_ID, "Direction": "Outbound"}.items()
        assert "Status" not in leg
        assert ringing["CallDetails"]["TransactionAttributes"] == NAMED
        assert "ActionData" not in ringing
        assert answered["CallDetails"]["Participants"][0]["Status"] == "Connected"
        assert digits["ActionData"]["ReceivedDigits"] == "1"
        assert digits["CallDetails"]["TransactionAttributes"] == NAMED | {"doing": "ask", "seq": "2"}
        assert end["ActionData"]["Parameters"]["SipResponseCode"] == 0
        assert end["CallDetails"]["Participants"][0]["Status"] == "Disconnected"


@pytest.mark.parametrize(
    ("caller", "settings", "code", "reason"),
    [
        (Script([busy()]), {}, 486, "SIP_486"),
        (Script([invalid_number()]), {}, 404, "SIP_404"),
        (Script([no_answer()]), {"no_answer_seconds": 0.1}, 480, "SIP_480"),
    ],
)
def test_calls_that_do_not_come_about(caller: Script, settings: dict[str, Any], code: int, reason: str) -> None:
    with bench([], caller, **settings) as b:
        assert b.ended(b.dial()) == code
        assert b.function.kinds == [*STARTED, "HANGUP"]
        assert b.function.of("HANGUP")[0]["ActionData"]["Parameters"]["SipResponseCode"] == code
        assert b.journal.entries()[-1].items() >= {"reason": reason, "answered": False, "seconds": 0.0}.items()


def test_the_callee_hangs_up_during_the_prompt_and_it_is_told_at_once() -> None:
    with bench([ask()], Script([answer(after=0), hang_up()]), prompts=LONG) as b:
        assert b.ended(b.dial()) == 0
        assert b.function.kinds == [*STARTED, "CALL_ANSWERED", "HANGUP"]
        assert b.journal.entries()[-1]["reason"] == "CALLEE_HUNG_UP"


def test_a_key_stops_the_prompt_and_the_rest_of_the_list_goes_on_until_it_is_answered() -> None:
    with bench([ask(msec=30_000)], Script([answer(after=0), press("5", after=0)]), prompts=LONG) as b:
        b.ended(b.dial())
        assert "ACTION_SUCCESSFUL" not in b.function.kinds
        assert b.function.of("ACTION_INTERRUPTED")[0]["ActionData"]["Type"] == "Pause"


def test_keys_without_a_listener_are_lost_and_only_the_first_in_a_block_counts() -> None:
    with bench([answer_of(pause(300), doing="hold"), ask(msec=30_000)]) as b:
        phone = b.phone(b.dial())
        assert phone.wait_until_ringing(WAIT)
        assert not phone.press("1")
        assert phone.answer()
        b.heard("CALL_ANSWERED")
        assert not phone.press("2")  # a pause is not a listener
        assert phone.wait_for_input(timeout=WAIT)
        assert phone.press("3")
        assert not phone.press("4")
        b.heard("DIGITS_RECEIVED")
        # Those in quick succession come together
        assert b.function.of("DIGITS_RECEIVED")[0]["ActionData"]["ReceivedDigits"] in {"3", "34"}


def test_without_interruption_an_action_is_carried_to_its_end_before_the_new_list() -> None:
    with bench([ask(prompt=False, msec=1500)], Script([answer(after=0), press("5", after=0)]), interrupts=False) as b:
        b.ended(b.dial())
        at = {entry["kind"]: entry["at"] for entry in b.journal.entries()}
        assert "ACTION_INTERRUPTED" not in b.function.kinds
        assert at["ended"] - at["listening"] >= 1.5


def test_a_list_that_ends_in_hangup_is_told_of_by_hangup_alone() -> None:
    with bench([answer_of(pause(100), play(), HANG_UP)], Script([answer(after=0)])) as b:
        b.ended(b.dial())
        assert b.function.kinds == [*STARTED, "CALL_ANSWERED", "HANGUP"]
        assert b.journal.entries()[-1]["reason"] == "HANGUP_ACTION"


def test_without_actions_the_list_goes_on_and_the_attributes_stay() -> None:
    answers: list[Answer] = [answer_of(LISTEN, pause(1500), pause(100), doing="ask"), {"SchemaVersion": "1.0"}]
    with bench(answers, Script([answer(after=0), press("1", after=0)])) as b:
        b.ended(b.dial())
        assert b.function.kinds == [*STARTED, "CALL_ANSWERED", "DIGITS_RECEIVED", "ACTION_SUCCESSFUL", "HANGUP"]
        assert b.function.of("ACTION_SUCCESSFUL")[0]["CallDetails"]["TransactionAttributes"]["doing"] == "ask"


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        (play("absent.wav"), "InvalidAudioSource"),
        (pause(99), "InvalidActionParameter"),
        (pause(30_001), "InvalidActionParameter"),
        (action("Pause"), "InvalidActionParameter"),
        (action("Pause", DurationInMilliseconds="1000"), "InvalidActionParameter"),
        (play(PlaybackTerminators=["A"]), "InvalidActionParameter"),
        (play(Loop=2), "InvalidActionParameter"),
        (
            action(
                "ReceiveDigits",
                InputDigitsRegex="[",
                InBetweenDigitsDurationInMilliseconds=1,
                FlushDigitsDurationInMilliseconds=2,
            ),
            "InvalidActionParameter",
        ),
        (
            action(
                "ReceiveDigits",
                InputDigitsRegex=".",
                InBetweenDigitsDurationInMilliseconds=2,
                FlushDigitsDurationInMilliseconds=2,
            ),
            "InvalidActionParameter",
        ),
    ],
)
def test_an_action_that_fails_takes_the_rest_of_its_list_with_it(failing: dict[str, Any], error: str) -> None:
    with bench([answer_of(pause(100), failing, pause(30_000))], Script([answer(after=0)])) as b:
        b.ended(b.dial())
        (failed,) = b.function.of("ACTION_FAILED")
        assert failed["ActionData"]["Type"] == failing["Type"]
        assert failed["ActionData"]["ErrorType"] == error


@pytest.mark.parametrize(
    "content", [b"no sound", pcm_wav(1, bits=8), pcm_wav(1, encoding=7, bits=8)], ids=["no WAV", "8 bits", "u-law"]
)
def test_a_prompt_that_cannot_be_played_fails(content: bytes) -> None:
    with bench([ask()], Script([answer(after=0)]), prompts={f"s3://{BUCKET}/{KEY}": content}) as b:
        b.ended(b.dial())
        assert b.function.of("ACTION_FAILED")[0]["ActionData"]["ErrorType"] == "InvalidAudioSource"


@pytest.mark.parametrize(
    ("unusable", "error"),
    [
        ({"statusCode": 200, "body": "{}"}, "SchemaVersionMismatch"),
        (lambda _: None, "SchemaVersionMismatch"),
        (answer_of(*[pause(100)] * 11), "ActionsInvalidSize"),
        (answer_of(action("JoinChimeMeeting")), "InvalidAction"),
        (answer_of(pause(100), **{f"a{n}": "x" for n in range(101)}), "TransactionAttributesInvalidMapSize"),
        (answer_of(pause(100), a="x" * 20_480), "TransactionAttributesInvalidMapSize"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told(unusable: Answer, error: str) -> None:
    with bench([unusable], Script([answer(after=0)])) as b:
        b.ended(b.dial())
        (told,) = b.function.of("INVALID_LAMBDA_RESPONSE")
        assert told["ErrorType"] == error


def test_an_update_interrupts_and_brings_a_new_list() -> None:
    with bench([answer_of(pause(30_000)), answer_of(pause(100), HANG_UP)], Script([answer(after=0)])) as b:
        contact_id = b.dial()
        b.heard("CALL_ANSWERED")
        assert b.phone(contact_id).wait_until_answered(WAIT)
        b.client.update_sip_media_application_call(
            SipMediaApplicationId=APPLICATION, TransactionId=contact_id, Arguments={"command": "stop"}
        )
        assert b.ended(contact_id) == 0
        (asked,) = b.function.of("CALL_UPDATE_REQUESTED")
        assert asked["ActionData"] == {
            "Type": "CallUpdateRequest",
            "Parameters": {"Arguments": {"command": "stop"}},
        }


def test_what_is_answered_to_an_update_of_a_phone_that_rings_has_no_effect() -> None:
    with bench([answer_of(HANG_UP)]) as b:
        contact_id = b.dial()
        assert b.phone(contact_id).wait_until_ringing(WAIT)
        b.telephony.stop(contact_id)
        b.heard("CALL_UPDATE_REQUESTED")
        assert not b.phone(contact_id).wait_until_ended(0.2)


# ------------------------------------------------------------- the function's time
def test_an_invocation_without_an_answer_is_tried_again_with_the_same_sequence() -> None:
    lost = {("CALL_ANSWERED", 1)}
    fault = lambda kind, attempt: Fault(()) if (kind, attempt) in lost else Fault()  # noqa: E731
    with bench([ask()], Script([answer(after=0), hang_up()]), retry_seconds=0.2, fault=fault) as b:
        b.ended(b.dial())
        assert [event["Sequence"] for event in b.function.of("CALL_ANSWERED")] == [3]
        at = {entry["kind"]: entry["at"] for entry in b.journal.entries()}
        assert at["prompt"] - at["answered"] >= 0.2


def test_a_slow_function_gets_the_event_twice_and_its_first_answer_counts() -> None:
    release = threading.Event()
    slow: Answer = lambda _: (release.wait(WAIT), answer_of(play()))[1]  # noqa: E731
    with bench([slow, answer_of(HANG_UP)], Script([answer(after=0)]), retry_seconds=0.2) as b:
        b.ended(b.dial())
        release.set()
        assert [event["Sequence"] for event in b.function.of("CALL_ANSWERED")] == [3, 3]
        assert "prompt" not in b.kinds()


def test_a_function_that_never_answers_costs_the_call() -> None:
    fault = lambda kind, attempt: Fault(()) if kind == "CALL_ANSWERED" else Fault()  # noqa: E731
    with bench([], Script([answer(after=0)]), retry_seconds=0.1, give_up_seconds=0.3, fault=fault) as b:
        assert b.ended(b.dial()) == 480
        assert [e["message"] for e in b.journal.entries() if e["kind"] == "function_failed"] == ["no answer in time"]


@pytest.mark.parametrize("failures", [1, 2])
def test_a_function_that_fails_is_tried_once_more(failures: int) -> None:
    with bench([*[RuntimeError("down")] * failures, answer_of(HANG_UP)], Script([answer(after=0)])) as b:
        assert b.ended(b.dial()) == (0 if failures == 1 else 480)
        assert len(b.function.of("CALL_ANSWERED")) == 2


def test_events_can_be_doubled_delayed_and_echoed() -> None:
    faults = {"CALL_ANSWERED": Fault((0.0, 0.0)), "DIGITS_RECEIVED": Fault((0.3,)), "HANGUP": Fault(echo=0.05)}
    caller = Script([answer(after=0), press("1", after=0)])
    with bench([ask(msec=5000)] * 2, caller, fault=lambda kind, _: faults.get(kind, Fault())) as b:
        b.ended(b.dial())
        b.heard("CALL_ANSWERED", 2)
        b.heard("HANGUP", 2)
        at = {entry["kind"]: entry["at"] for entry in b.journal.entries()}
        assert at["ended"] - at["key"] >= 0.3


def test_a_hundred_calls_at_once_hold_no_thread_while_they_listen() -> None:
    with bench([lambda _: ask(prompt=False, msec=30_000)] * 100) as b:
        before = threading.active_count()
        phones = [b.phone(b.dial(mid=str(number))) for number in range(100)]
        assert all(phone.wait_until_ringing(WAIT) and phone.answer() for phone in phones)
        assert all(phone.wait_until_listening(WAIT) for phone in phones)
        assert threading.active_count() < before + 20
        assert all(phone.press("1") for phone in phones)
        assert all(phone.wait_until_ended(WAIT) for phone in phones)


def test_stopping_is_prompt() -> None:
    with bench([ask()] * 3, Script([answer(after=0)]), prompts=LONG) as b:
        phones = [b.phone(b.dial()) for _ in range(3)]
        assert all(phone.wait_until_playing(WAIT) for phone in phones)
        began = time.monotonic()
        b.carrier.stop()
        assert time.monotonic() - began < 0.7
        assert b.kinds()[-3:] == ["ended"] * 3


def test_a_list_that_listens_without_the_input_timer_waits_for_the_callee() -> None:
    with bench([ask(prompt=False, msec=100)], Script([answer(after=0)]), input_timer=False) as b:
        phone = b.phone(b.dial())
        assert phone.wait_until_listening(WAIT)
        assert not phone.wait_until_ended(0.4)
        assert phone.press(ANY_KEY[0])
        assert phone.wait_until_ended(WAIT)
