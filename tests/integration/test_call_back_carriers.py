"""Somebody calls a number of ours: what the simulated telephonies tell, and that nothing answers where none is led."""

from typing import Any

import httpx
import pytest

from local.network.chime.calls import WITHHELD as CHIME_WITHHELD
from local.network.connect.contacts import WITHHELD
from speechcall.telephony.connect.call_back_flow import build_call_back_flow
from tests.kit import carrier_bench, chime_bench
from tests.kit.carrier_bench import CALLER_ID, FUNCTION, INSTANCE, NUMBER, WAIT, serving

FLOW = build_call_back_flow(FUNCTION)
ASK = {"op": "ask", "mid": "8", "text": "Who it was. 9: no more.", "voice": "Joanna", "engine": "Neural"}
ASK |= {"audio": "no", "promptUri": "none"}
DONE = ASK | {"op": "tell", "text": "Done."}
CHIME: dict[str, Any] = {
    "call_back_application_id": "call-back-application",
    "call_back_function_arn": chime_bench.FUNCTION,
}
SPEAK = chime_bench.action("Speak", CallId="c", Text="Who it was. 9: no more.")


def test_an_inbound_contact_of_connect() -> None:
    with carrier_bench.bench([ASK, DONE], call_back_flow=FLOW, claimed_numbers=(CALLER_ID,)) as b:
        contact = b.carrier.contacts.call_in(NUMBER, CALLER_ID)
        assert contact is not None
        assert contact.phone.wait_for_input(0, WAIT)
        assert contact.phone.press("9")
        ended = b.ended(contact.id)
        assert (ended["InitiationMethod"], ended["DisconnectReason"]) == ("INBOUND", "CONTACT_FLOW_DISCONNECT")
        data = [event["Details"]["ContactData"] for event in b.function.events]
        assert {one["InitiationMethod"] for one in data} == {"INBOUND"}
        assert {one["CustomerEndpoint"]["Address"] for one in data} == {NUMBER}
        assert {one["SystemEndpoint"]["Address"] for one in data} == {CALLER_ID}
        # What is kept with the contact comes back with the key.
        assert [event["Details"]["Parameters"] for event in b.function.events] == [
            {"event": "called", "protocol": "1"},
            {"event": "optOut", "mid": "8", "protocol": "1"},
        ]
        assert b.event_types(contact.id) == ["INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED"]
        assert {event["detail"]["initiationMethod"] for event in b.events} == {"INBOUND"}
        texts = [entry["text"] for entry in b.journal.entries() if entry["kind"] == "spoken"]
        assert texts == [ASK["text"], DONE["text"]]


def test_a_caller_of_connect_who_shows_no_number_or_hangs_up() -> None:
    with carrier_bench.bench([ASK], call_back_flow=FLOW) as b:
        contact = b.carrier.contacts.call_in("", CALLER_ID)
        assert contact is not None
        assert contact.phone.wait_for_input(0, WAIT)
        assert contact.phone.hang_up()
        assert b.ended(contact.id)["DisconnectReason"] == "CUSTOMER_DISCONNECT"
        assert b.function.events[0]["Details"]["ContactData"]["CustomerEndpoint"]["Address"] == WITHHELD


def test_nothing_answers_at_connect_where_no_flow_is_no_such_number_or_no_line() -> None:
    with carrier_bench.bench() as b:
        assert b.carrier.contacts.call_in(NUMBER, CALLER_ID) is None
    with carrier_bench.bench([ASK], call_back_flow=FLOW, claimed_numbers=(CALLER_ID,), concurrent_calls=1) as b:
        assert b.carrier.contacts.call_in(NUMBER, "+4930123457") is None
        assert b.carrier.contacts.call_in(NUMBER, CALLER_ID) is not None
        assert b.carrier.contacts.call_in(NUMBER, CALLER_ID) is None
        # Calls that are called in count among those that may be placed.
        with pytest.raises(b.connect.exceptions.LimitExceededException):
            b.connect.start_outbound_voice_contact(
                InstanceId=INSTANCE,
                ContactFlowId=carrier_bench.FLOW_ID,
                DestinationPhoneNumber=NUMBER,
                SourcePhoneNumber=CALLER_ID,
            )


def chime_call(b: chime_bench.Bench, number: str = NUMBER) -> Any:
    call = b.carrier.contacts.call_in(number, chime_bench.CALLER_ID)
    assert call is not None
    return call


def test_an_inbound_call_of_the_chime_sdk() -> None:
    ask = {
        **chime_bench.answer_of(chime_bench.LISTEN, SPEAK, chime_bench.pause(9000)),
        "TransactionAttributes": {"mid": "8"},
    }
    bye = chime_bench.answer_of(SPEAK, chime_bench.HANG_UP)
    with chime_bench.bench([ask, bye], **CHIME) as b:
        call = chime_call(b)
        assert call.phone.wait_for_input(0, WAIT)
        assert call.phone.press("9")
        assert b.ended(call.id) == 0
        new, digits = b.function.of("NEW_INBOUND_CALL")[0], b.function.of("DIGITS_RECEIVED")[0]
        leg = new["CallDetails"]["Participants"][0]
        assert (leg["From"], leg["To"], leg["Direction"]) == (NUMBER, chime_bench.CALLER_ID, "Inbound")
        assert "Status" not in leg
        assert "ActionData" not in new
        assert new["CallDetails"]["SipMediaApplicationId"] == "call-back-application"
        assert new["CallDetails"]["SipRuleId"] == digits["CallDetails"]["SipRuleId"]
        assert (digits["ActionData"]["ReceivedDigits"], digits["CallDetails"]["TransactionAttributes"]) == (
            "9",
            {"mid": "8"},
        )
        # A key does not cut speech short: the list that answers it begins when the text is over.
        spoken = [entry["text"] for entry in b.journal.entries() if entry["kind"] == "spoken"]
        assert spoken == [SPEAK["Parameters"]["Text"]] * 2
        assert b.function.kinds[-1] == "HANGUP"
        assert "ACTION_INTERRUPTED" not in b.function.kinds


def test_a_caller_of_the_chime_sdk_who_shows_no_number_or_hangs_up() -> None:
    with chime_bench.bench([chime_bench.answer_of(chime_bench.LISTEN, SPEAK, chime_bench.pause(9000))], **CHIME) as b:
        call = chime_call(b, "")
        assert call.phone.wait_for_input(0, WAIT)
        assert call.phone.hang_up()
        assert b.ended(call.id) == 0
        assert b.function.of("NEW_INBOUND_CALL")[0]["CallDetails"]["Participants"][0]["From"] == CHIME_WITHHELD


def test_nothing_answers_at_the_chime_sdk_where_no_rule_is_no_such_number_or_no_answer() -> None:
    with chime_bench.bench() as b:
        assert b.carrier.contacts.call_in(NUMBER, chime_bench.CALLER_ID) is None
    with chime_bench.bench([{"SchemaVersion": "1.0"}], owned_numbers=(chime_bench.CALLER_ID,), **CHIME) as b:
        assert b.carrier.contacts.call_in(NUMBER, "+12065550101") is None
        assert b.ended(chime_call(b).id) == 480


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"Text": "x"}, "CallId"),
        ({"CallId": "c", "Text": " "}, "Text"),
        ({"CallId": "c", "Text": "x" * 1001}, "Text"),
        ({"CallId": "c", "Text": "x", "Engine": "generative"}, "Engine"),
        ({"CallId": "c", "Text": "x", "Voice": "Joanna"}, "Voice"),
    ],
)
def test_text_that_the_chime_sdk_does_not_speak(parameters: dict[str, str], why: str) -> None:
    with chime_bench.bench([chime_bench.answer_of(chime_bench.action("Speak", **parameters))], **CHIME) as b:
        call = chime_call(b)
        b.heard("ACTION_FAILED")
        failed = b.function.of("ACTION_FAILED")[0]["ActionData"]
        assert (failed["Type"], failed["ErrorType"], why in failed["ErrorMessage"]) == (
            "Speak",
            "InvalidActionParameter",
            True,
        )
        b.ended(call.id)


def test_the_page_calls_back() -> None:
    with carrier_bench.bench([ASK], call_back_flow=FLOW, claimed_numbers=(CALLER_ID,)) as b:
        with serving(b.carrier.phone_app) as url, httpx.Client(base_url=url, timeout=WAIT, trust_env=False) as client:
            for body in ({}, {"number": NUMBER}, {"number": 1, "dialled": CALLER_ID}, []):
                assert client.post("/phone/call-back", json=body).status_code == 400
            assert client.post("/phone/call-back", content=b"{").status_code == 400
            elsewhere = {"number": NUMBER, "dialled": "+4930123457"}
            assert client.post("/phone/call-back", json=elsewhere).json() == {"error": "nobody answers at that number"}
            given = client.post("/phone/call-back", json={"number": NUMBER, "dialled": CALLER_ID}).json()
            phone = b.phone(given["contact_id"])
            assert phone.wait_for_input(0, WAIT)
            assert client.post(f"/phone/calls/{given['contact_id']}/hangup").status_code == 200
            assert phone.wait_until_ended(WAIT)
        b.journal.close()
