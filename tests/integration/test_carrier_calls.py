"""Calls through the simulated carrier: a real boto3 client dials, our contact flow runs, callers do what callers do."""

import threading
import time
from typing import Any

import pytest

from local.network.connect.invocation import RETRIES
from local.network.shared.faults import DISCONNECT_REASONS, Faults
from local.network.shared.scripted_callees import (
    Script,
    answer,
    busy,
    fail,
    hang_up,
    hang_up_at_once,
    invalid_number,
    no_answer,
    press,
    press_at_once,
    stay_silent,
)
from speechcall.telephony.connect.contact_flow import build_contact_flow
from tests.kit.carrier_bench import (
    APOLOGY,
    ARN,
    CALLER_ID,
    FUNCTION,
    HANG_UP,
    HOLD,
    INSTANCE,
    NUMBER,
    PROMPT,
    WAIT,
    Answer,
    ask,
    bench,
    mulaw_wav,
    protocol_1,
)

LONG_PROMPT = {PROMPT: mulaw_wav(200)}
"""Ten seconds at the bench's speed: what ends it in a test is a key or a hang-up."""


def test_a_conversation_from_the_first_ring_to_the_end() -> None:
    caller = Script([answer(after=0.05), press("1", after=0.05), stay_silent(), press("#", after=0)])
    with bench([HOLD, ask(1), ask(2, seconds=1), ask(3)], caller) as b:
        contact_id = b.dial()
        contact = b.ended(contact_id)
        assert b.function.heard == ["answered", "next", "key 1", "idle", "key #"]
        assert b.event_types(contact_id) == ["INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED"]
        assert contact["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        said = [entry for entry in b.journal.entries() if entry["kind"] not in {"prompt", "listening"}]
        assert [e["kind"] for e in said] == ["dialled", "ringing", "answered", "key", "silence", "key", "ended"]
        assert all((e["mid"], e["contact_id"], e["attempt"]) == ("7748021", contact_id, "1") for e in said)
        assert said[0].items() >= {"number": NUMBER, "caller_id": CALLER_ID}.items()
        prompts = [entry for entry in b.journal.entries() if entry["kind"] == "prompt"]
        assert [(e["uri"], e["seconds"], e["block"]) for e in prompts] == [(PROMPT, 0.025, n) for n in (1, 2, 3)]
        assert [e["seq"] for e in prompts] == ["1", "2", "3"]


def test_the_event_of_an_invocation() -> None:
    with bench([], Script([answer(after=0)])) as b:
        contact_id = b.dial()
        b.ended(contact_id)
        (event,) = b.function.events
        assert event == {
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "Attributes": {"mid": "7748021", "attempt": "1"},
                    "Channel": "VOICE",
                    "ContactId": contact_id,
                    "CustomerEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"},
                    "CustomerId": None,
                    "Description": None,
                    "InitialContactId": contact_id,
                    "InitiationMethod": "API",
                    "InstanceARN": ARN,
                    "LanguageCode": "en-US",
                    "MediaStreams": {"Customer": {"Audio": None}},
                    "Name": None,
                    "PreviousContactId": contact_id,
                    "Queue": None,
                    "References": {},
                    "SystemEndpoint": {"Address": CALLER_ID, "Type": "TELEPHONE_NUMBER"},
                },
                "Parameters": {"event": "answered", "protocol": "1"},
            },
        }


def test_the_events_on_the_bus() -> None:
    with bench([], Script([answer(after=0)])) as b:
        contact_id = b.dial()
        contact = b.ended(contact_id)
        first, last = b.events[0], b.events[-1]
        assert set(first) == {
            *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
        }
        assert first["source"] == "aws.connect"
        assert first["detail-type"] == "Amazon Connect Contact Event"
        assert first["resources"] == [ARN, f"{ARN}/contact/{contact_id}"]
        assert first["detail"] == {
            "eventType": "INITIATED",
            "contactId": contact_id,
            "initialContactId": contact_id,
            "channel": "VOICE",
            "instanceArn": ARN,
            "initiationMethod": "API",
            "initiationTimestamp": _iso(contact["InitiationTimestamp"]),
            "tags": {"aws:connect:instanceId": INSTANCE, "aws:connect:systemEndpoint": CALLER_ID},
        }
        assert last["detail"] == first["detail"] | {
            "eventType": "COMPLETED",
            "connectedToSystemTimestamp": _iso(contact["ConnectedToSystemTimestamp"]),
            "disconnectTimestamp": _iso(contact["DisconnectTimestamp"]),
        }


@pytest.mark.parametrize(
    ("caller", "settings", "reason"),
    [
        (Script([busy()]), {}, "TELECOM_BUSY"),
        (Script([invalid_number()]), {}, "TELECOM_NUMBER_INVALID"),
        (Script([no_answer()]), {"no_answer_seconds": 0.1}, "TELECOM_UNANSWERED"),
    ],
)
def test_calls_that_do_not_come_about(caller: Script, settings: dict[str, Any], reason: str) -> None:
    with bench([], caller, **settings) as b:
        contact_id = b.dial()
        contact = b.ended(contact_id)
        assert contact["DisconnectReason"] == reason
        assert "ConnectedToSystemTimestamp" not in contact
        assert b.event_types(contact_id) == ["INITIATED", "DISCONNECTED", "COMPLETED"]
        assert all("connectedToSystemTimestamp" not in event["detail"] for event in b.events)
        assert b.function.events == []
        assert b.journal.entries()[-1].items() >= {"reason": reason, "answered": False, "seconds": 0.0}.items()


@pytest.mark.parametrize("reason", DISCONNECT_REASONS)
def test_a_call_fails_for_each_reason_that_there_is(reason: str) -> None:
    with bench([], Script([fail(reason)])) as b:
        contact = b.ended(b.dial())
        assert contact["DisconnectReason"] == reason
        assert "ConnectedToSystemTimestamp" not in contact
        with pytest.raises(ValueError, match="no reason"):
            b.phone(contact["Id"]).fail("TELECOM_WHATEVER")


def test_events_may_be_dropped() -> None:
    with bench([], Script([busy()]), faults=Faults(events_dropped=1.0)) as b:
        assert b.phone(b.dial()).wait_until_ended(WAIT)
    assert b.events == []


def test_events_may_come_twice_late_and_in_any_order() -> None:
    faults = Faults(seed=4, events_doubled=1.0, events_late=0.7, late_seconds=(0.01, 0.2))
    with bench([], Script([answer(after=0)]), faults=faults) as b:
        contact_id = b.dial()
        with b.arrived:
            assert b.arrived.wait_for(lambda: len(b.events) == 8, WAIT)
        in_order = ["INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED"]
        assert sorted(b.event_types(contact_id)) == sorted(in_order * 2)
        assert b.event_types(contact_id) != [kind for kind in in_order for _ in range(2)]


def test_a_function_whose_answer_is_lost_is_asked_again() -> None:
    with bench([HANG_UP] * 9, Script([answer(after=0)]), faults=Faults(seed=1, answers_lost=0.5)) as b:
        b.ended(b.dial())
        assert b.function.heard == ["answered", "answered"]


def test_the_callee_hangs_up_during_the_prompt() -> None:
    with bench([ask(1)], Script([answer(after=0), hang_up()]), prompts=LONG_PROMPT) as b:
        contact = b.ended(b.dial())
        assert contact["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        assert b.function.heard == ["answered"]
        assert b.kinds()[-2:] == ["prompt", "ended"]


def test_the_end_is_told_at_once_even_while_the_function_runs() -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, str]:
        entered.set()
        release.wait(WAIT)
        return HOLD

    with bench([slow]) as b:
        contact_id = b.dial()
        phone = b.phone(contact_id)
        assert phone.answer()
        assert entered.wait(WAIT)
        assert phone.hang_up()
        assert b.ended(contact_id)["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        release.set()
    assert b.function.heard == ["answered"]


def test_a_key_cuts_the_prompt_short() -> None:
    with bench([ask(1)], Script([answer(after=0), press("5", after=0)]), prompts=LONG_PROMPT) as b:
        b.ended(b.dial())
        assert b.function.heard == ["answered", "key 5"]
        assert "listening" not in b.kinds()


def test_keys_are_lost_while_no_menu_listens() -> None:
    pressed_twice = threading.Event()
    second: Answer = lambda _: (pressed_twice.wait(WAIT), ask(2))[1]  # noqa: E731 - one answer among others
    with bench([HOLD, ask(1), second], playback=1.0) as b:
        phone = b.phone(b.dial())
        assert not phone.press("1")  # it rings
        assert phone.answer()
        b.journal.wait_for(lambda entry: entry["kind"] == "answered", WAIT)
        assert not phone.press("2")  # a second of silence is played
        assert phone.wait_for_input(timeout=WAIT)
        assert phone.press("3")
        assert not phone.press("4")  # one key is all that a block hears
        pressed_twice.set()
        assert phone.wait_for_input(after=1, timeout=WAIT)
        assert phone.hang_up()
        assert b.function.heard == ["answered", "next", "key 3"]
        with pytest.raises(ValueError, match="no key"):
            phone.press("11")


def test_silence_is_counted_from_the_end_of_the_prompt() -> None:
    with bench([ask(1, seconds=1)], Script([answer(after=0)]), prompts={PROMPT: mulaw_wav(10)}) as b:
        b.ended(b.dial())
        at = {entry["kind"]: entry["at"] for entry in b.journal.entries()}
        assert at["listening"] - at["prompt"] >= 0.5
        assert at["silence"] - at["listening"] >= 1.0


def test_without_the_input_timer_a_block_waits_for_the_callee() -> None:
    with bench([ask(1, seconds=1)], input_timer=False) as b:
        contact_id = b.dial()
        phone = b.phone(contact_id)
        phone.answer()
        assert phone.wait_until_listening(WAIT)
        assert not phone.wait_until_ended(1.3)
        assert phone.press("1")
        assert b.ended(contact_id)["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"


@pytest.mark.parametrize(
    "prompts", [{}, {PROMPT: b"no sound"}, {PROMPT: mulaw_wav(1, encoding=1)}], ids=["absent", "no WAV", "PCM"]
)
def test_a_prompt_that_cannot_be_played_is_reported(prompts: dict[str, bytes]) -> None:
    with bench([ask(1)], Script([answer(after=0)]), prompts=prompts) as b:
        b.ended(b.dial())
        assert b.function.heard == ["answered", "prompt_error"]
        assert "prompt_failed" in b.kinds()


@pytest.mark.parametrize("failures", [RETRIES, RETRIES + 1])
def test_a_failing_function_is_tried_three_times_more(failures: int) -> None:
    answers: list[Answer] = [*[RuntimeError("down")] * failures, ask(1)]
    with bench(answers, Script([answer(after=0), hang_up()]), flow=protocol_1()) as b:
        contact = b.ended(b.dial())
        came_back = failures <= RETRIES
        assert len(b.function.events) == RETRIES + 1
        assert contact["DisconnectReason"] == ("CUSTOMER_DISCONNECT" if came_back else "CONTACT_FLOW_DISCONNECT")
        assert ("function_failed" in b.kinds()) is not came_back


@pytest.mark.parametrize(
    "unreadable",
    [
        {"op": 1},
        {"op": {"deep": "er"}},
        {"op": None},
        lambda _: None,
        lambda _: ["op"],
        {"op": "ask", "x": "y" * 32_768},
    ],
)
def test_answers_that_are_no_flat_map_of_text_take_the_error_branch(unreadable: Answer) -> None:
    with bench([unreadable], Script([answer(after=0)]), flow=protocol_1()) as b:
        assert b.ended(b.dial())["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        assert b.function.heard == ["answered"]
        assert "function_failed" in b.kinds()


def test_an_answer_that_comes_too_late_is_not_waited_for() -> None:
    release = threading.Event()
    late: Answer = lambda _: (release.wait(WAIT), ask(1))[1]  # noqa: E731 - one answer among others
    with bench([late], Script([answer(after=0)]), flow=_hasty_flow()) as b:
        contact_id = b.dial()
        assert b.ended(contact_id)["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        release.set()
        assert "prompt" not in b.kinds()
        assert [e["message"] for e in b.journal.entries() if e["kind"] == "function_failed"] == ["no answer in time"]


def test_a_key_is_told_again_when_the_function_fails() -> None:
    broken: list[Answer] = [*[RuntimeError("throttled")] * (1 + RETRIES)]
    with bench([ask(4), *broken, HANG_UP], Script([answer(after=0), press("7", after=0)])) as b:
        assert b.ended(b.dial())["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        told = [event["Details"]["Parameters"] for event in b.function.events[1:]]
        assert [(one["event"], one["key"], one["seq"]) for one in told] == [("key", "7", "4")] * (2 + RETRIES)


def test_a_callee_whose_call_cannot_go_on_hears_why() -> None:
    broken: list[Answer] = [*[RuntimeError("throttled")] * 4 * (1 + RETRIES)]
    with bench(broken, Script([answer(after=0)])) as b:
        assert b.ended(b.dial())["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        assert [entry["uri"] for entry in b.journal.entries() if entry["kind"] == "prompt"] == [APOLOGY]
        assert b.function.heard == ["answered"] * 4 * (1 + RETRIES)


def _hasty_flow() -> dict[str, Any]:
    flow = build_contact_flow(FUNCTION, APOLOGY)
    for action in flow["Actions"]:
        if action["Type"] == "InvokeLambdaFunction":
            action["Parameters"]["InvocationTimeLimitSeconds"] = "1"
    return flow


def test_invocations_without_a_prompt_between_them_have_a_common_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.network.connect.flow_session.CHAIN_SECONDS", 0.25)
    never = threading.Event()
    slow: Answer = lambda _: (never.wait(0.1), ask(1))[1]  # noqa: E731 - one answer among others
    with bench([slow] * 10, Script([answer(after=0)]), prompts={}, flow=protocol_1()) as b:
        assert b.ended(b.dial())["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        assert "function_failed" in b.kinds()
        assert len(b.function.events) < 5


def test_the_api_stops_a_call_that_is_up() -> None:
    with bench([ask(1)], Script([answer(after=0)])) as b:
        contact_id = b.dial()
        assert b.phone(contact_id).wait_until_listening(WAIT)
        b.connect.stop_contact(ContactId=contact_id, InstanceId=INSTANCE)
        contact = b.ended(contact_id)
        assert contact["DisconnectReason"] == "OTHER"
        assert b.kinds()[-2:] == ["stopped", "ended"]


def test_the_api_stops_a_call_that_rings() -> None:
    with bench() as b:
        contact_id = b.dial()
        assert b.phone(contact_id).wait_until_ringing(WAIT)
        b.connect.stop_contact(ContactId=contact_id, InstanceId=INSTANCE)
        assert b.ended(contact_id)["DisconnectReason"] == "TELECOM_ORIGINATOR_CANCEL"


def test_what_a_person_does_too_late_has_no_effect() -> None:
    with bench([ask(1)]) as b:
        phone = b.phone(b.dial())
        assert not phone.hang_up()  # it only rings
        assert phone.answer()
        assert not phone.answer()
        assert not phone.reject()
        assert phone.hang_up()
        assert not phone.hang_up()
        assert not phone.press("1")
        assert not phone.wait_until_listening(WAIT)


def test_hanging_up_and_pressing_whatever_is_going_on() -> None:
    caller = Script([answer(after=0), press_at_once("9"), hang_up_at_once(after=0.05), press("1")])
    with bench([HOLD] * 50, caller, playback=2.0) as b:
        assert b.ended(b.dial())["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        assert "key" not in b.kinds()


def test_a_hundred_calls_at_once_hold_no_thread_while_they_listen() -> None:
    with bench([lambda _: ask(1)] * 100, input_timer=False) as b:
        before = threading.active_count()
        phones = [b.phone(b.dial(mid=str(number))) for number in range(100)]
        assert all(phone.answer() for phone in phones)
        assert all(phone.wait_until_listening(WAIT) for phone in phones)
        assert threading.active_count() < before + 20
        assert all(phone.press("1") for phone in phones)
        assert all(phone.wait_until_ended(WAIT) for phone in phones)
        assert b.function.heard.count("key 1") == 100


def test_stopping_is_prompt_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with bench([ask(1)] * 3, Script([answer(after=0)]), prompts=LONG_PROMPT, input_timer=False) as b:
        phones = [b.phone(b.dial()) for _ in range(3)]
        assert all(phone.wait_until_playing(WAIT) for phone in phones)
        began = time.monotonic()
        b.carrier.stop()
        assert time.monotonic() - began < 0.5
        assert [entry["kind"] for entry in b.journal.entries()][-3:] == ["ended"] * 3
    assert {thread for thread in threading.enumerate() if thread.name.startswith(("c", "C"))} <= before


def test_the_last_answer_hangs_up() -> None:
    with bench([HANG_UP], Script([answer(after=0)])) as b:
        contact = b.ended(b.dial())
        assert contact["DisconnectReason"] == "CONTACT_FLOW_DISCONNECT"
        assert contact["DisconnectTimestamp"] >= contact["ConnectedToSystemTimestamp"] >= contact["InitiationTimestamp"]


def _iso(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.")) + f"{moment.microsecond // 1000:03d}Z"
