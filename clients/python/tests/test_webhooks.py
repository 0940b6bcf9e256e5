"""What a receiver may trust."""

import json

import pytest

from speechcall_client import Event, InvalidWebhook, KeyPressed, StatusChanged, verify
from speechcall_client.webhooks import TOLERANCE_SECONDS, sign

SECRET = "whsec_bGFwdG9wLXdlYmhvb2stc2VjcmV0LXNwZWVjaGNhbGw="
OLD = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLTMyISE="
ID = "250400364846566651-1-2-m0-d1-0"
BODY = b'{"from":"BazarCOM","to":"+380671234567","mid":"250400364846566651","action":{"confirm":true}}'
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": "1795402764",
    "webhook-signature": "v1,rhqwvDZWQ5tXf6+4nArPbKJAAFkK3BmAa++2ZNbVunQ=",
}
NOW = 1795402764


def test_the_key_press_of_the_test_vectors():
    event = verify(HEADERS, BODY, SECRET, now=NOW)
    assert isinstance(event, KeyPressed)
    assert (event.id, event.timestamp, event.message_id) == (ID, NOW, "250400364846566651")
    assert (event.sender, event.to, event.action) == ("BazarCOM", "+380671234567", {"confirm": True})
    assert (event.attempt, event.question, event.menu, event.key, event.step) == (1, 2, 0, "1", 0)


@pytest.mark.parametrize(
    ("event_id", "key", "menu", "step"),
    [
        ("250400364846566651-1-3-m1-d#-1", "#", 1, 1),
        ("250400364846566651-12-30-m19-d*-9", "*", 19, 9),
        ("250400364846566651-1-2-m0-wrong-0", "wrong", 0, 0),
    ],
)
def test_an_id_says_where_in_the_call_it_was(event_id, key, menu, step):
    event = given(BODY, event_id)
    assert (event.key, event.menu, event.step) == (key, menu, step)


def given(body, event_id=ID, secret=SECRET):
    headers = {"webhook-id": event_id, "webhook-timestamp": str(NOW)}
    return verify({**headers, "webhook-signature": sign(event_id, NOW, body, secret)}, body, secret, now=NOW)


def test_headers_are_taken_in_every_spelling_and_form():
    for headers in (
        {name.title(): value for name, value in HEADERS.items()},
        {name.upper(): value for name, value in HEADERS.items()},
        [*HEADERS.items(), ("accept", "*/*")],
    ):
        assert verify(headers, BODY, SECRET, now=NOW).id == ID
    assert verify(HEADERS, BODY.decode(), SECRET, now=NOW).id == ID


def test_while_a_secret_is_replaced_either_is_right():
    both = f"{sign(ID, NOW, BODY, OLD)} {HEADERS['webhook-signature']}"
    for secrets in (SECRET, OLD, [OLD, SECRET], [SECRET, OLD]):
        assert verify({**HEADERS, "webhook-signature": both}, BODY, secrets, now=NOW).id == ID
    assert verify(HEADERS, BODY, [OLD, SECRET], now=NOW).id == ID


@pytest.mark.parametrize(
    ("headers", "body", "late"),
    [
        ({"webhook-signature": ""}, BODY, 0),
        ({"webhook-signature": "v1,"}, BODY, 0),
        ({"webhook-signature": "v1,!!"}, BODY, 0),
        ({"webhook-signature": "v2," + HEADERS["webhook-signature"][3:]}, BODY, 0),
        ({"webhook-signature": HEADERS["webhook-signature"][3:]}, BODY, 0),
        ({"webhook-id": ""}, BODY, 0),
        ({"webhook-id": "1-1-2-m0-d1-0"}, BODY, 0),
        ({"webhook-timestamp": ""}, BODY, 0),
        ({"webhook-timestamp": "1795402765"}, BODY, 0),
        ({"webhook-timestamp": "١٧٩٥٤٠٢٧٦٤"}, BODY, 0),
        ({"webhook-timestamp": "1795402764.0"}, BODY, 0),
        ({}, BODY + b" ", 0),
        ({}, b"", 0),
        ({}, BODY, TOLERANCE_SECONDS + 1),
        ({}, BODY, -TOLERANCE_SECONDS - 1),
        ({"webhook-signature": sign(ID, NOW, BODY, OLD)}, BODY, 0),
    ],
)
def test_what_may_not_be_trusted_is_refused(headers, body, late):
    with pytest.raises(InvalidWebhook):
        verify({**HEADERS, **headers}, body, SECRET, now=NOW + late)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"\xff", b'{"from":'])
def test_what_is_signed_and_no_event_is_refused(body):
    with pytest.raises(InvalidWebhook):
        given(body)


def test_events_that_come_later_are_no_error():
    status = {"event": "final", "messageId": "7", "deliverystatus": "delivered", "timestamp": "2026-12-01T07:00:00Z"}
    event = given(json.dumps(status).encode(), "7-final")
    assert isinstance(event, StatusChanged)
    assert (event.name, event.message_id, event.delivery_status) == ("final", "7", "delivered")
    other = given(b'{"news":1}', "7-x")
    assert type(other) is Event
    assert other.content == {"news": 1}


@pytest.mark.parametrize("secret", ["", "whsec_", "secret!", [], "whsec_not base64"])
def test_a_secret_that_is_none_is_a_mistake_of_the_program(secret):
    with pytest.raises(ValueError, match="secret"):
        verify(HEADERS, BODY, secret, now=NOW)


def test_nothing_of_a_webhook_is_in_what_is_logged():
    assert "confirm" not in repr(given(BODY)).replace("action={'confirm': True}", "")
