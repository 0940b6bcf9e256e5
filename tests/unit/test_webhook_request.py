"""The webhook that a key press sends."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.menu import Webhook
from speechcall.outbound.rules.destination import destination
from speechcall.shared.rules.json_text import dump_json, parse_json
from speechcall.webhooks.rules.webhook import webhook_request
from tests.kit.samples import HOOK, MESSAGE

texts = st.text(st.characters(codec="utf-8"), max_size=30)


def request(webhook=HOOK, message=MESSAGE):
    return webhook_request(message, webhook, "7748021-1-2-m0-d1-0", 1_790_000_000)


def test_the_body_is_exactly_that_of_the_specification():
    message = replace(MESSAGE, sender="0443914272", recipient="50001", mid="7748021")
    assert (
        request(message=message).body == b'{"from":"0443914272","to":"50001","mid":"7748021","action":{"confirm":true}}'
    )


@pytest.mark.parametrize(
    "given_body",
    [
        *('{"b":1.10,"a":1180591620717411303424}', '{"z":{},"a":[1,1.0,-0.0,1E+5]}', '{"є":"✓😀"}'),
        *('{"a":-0,"b":1e2,"c":0.0000001}', '{"a":[1e5,{"b":-0e-0}],"c":1E400}'),
    ],
)
def test_the_customers_numbers_order_and_letters_arrive(given_body):
    stored = dump_json(parse_json(given_body.encode()))
    assert request(Webhook("https://x.example/", stored)).body.endswith(f'"action":{given_body}}}'.encode())


def test_a_webhook_of_a_call_that_rang_no_phone_says_so_in_a_header_alone():
    simulated = request(message=replace(MESSAGE, is_simulated=True))
    assert set(simulated.headers) - set(request().headers) == {("webhook-simulated", "1")}
    assert simulated.body == request().body


@given(texts, texts)
def test_from_and_to_are_those_of_the_request_whatever_they_hold(sender, recipient):
    body = json.loads(request(message=replace(MESSAGE, sender=sender, recipient=recipient)).body)
    assert list(body.items()) == [
        ("from", sender),
        ("to", recipient),
        ("mid", MESSAGE.mid),
        ("action", {"confirm": True}),
    ]


def test_without_a_body_the_action_is_an_empty_object():
    assert json.loads(request(Webhook("https://x.example/")).body)["action"] == {}


def test_the_customers_headers_go_out_and_ours_after_them():
    assert request().headers == (
        ("X-Custom-Header", "value"),
        ("Content-Type", "application/json"),
        ("User-Agent", "SpeechCall"),
        ("webhook-id", "7748021-1-2-m0-d1-0"),
        ("webhook-timestamp", "1790000000"),
    )


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "HOST", "Content-Length", "Transfer-Encoding"])
def test_a_header_that_makes_the_request_is_ours_alone(name):
    headers = request(Webhook("https://x.example/", "{}", {name: "forged"})).headers
    assert "forged" not in dict(headers).values()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Shop.Example/a?token=secret", "https://shop.example"),
        ("https://shop.example:443/b", "https://shop.example"),
        ("HTTPS://shop.example.:/", "https://shop.example"),
        ("http://shop.example:443/", "http://shop.example:443"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("https://[2001:4860:4860::8888]:8443/", "https://[2001:4860:4860::8888]:8443"),
        ("https://пример.укр/гачок", "https://пример.укр"),
    ],
)
def test_a_destination_has_one_name_however_it_is_written(url, expected):
    assert destination(url) == expected


def test_a_user_agent_that_the_customer_gives_is_the_one_that_is_sent():
    headers = request(Webhook("https://x.example/", "{}", {"user-agent": "Shop/1"})).headers
    assert [value for name, value in headers if name.lower() == "user-agent"] == ["Shop/1"]


def test_digits_that_were_entered_stand_before_the_action():
    sent = webhook_request(MESSAGE, HOOK, "7748021-1-2-m0-complete-0", 1_790_000_000, "0407")
    assert list(json.loads(sent.body)) == ["from", "to", "mid", "digits", "action"]
    assert json.loads(sent.body)["digits"] == "0407"
    assert b'"digits":""' in webhook_request(MESSAGE, HOOK, "7748021-1-2-m0-wrong-0", 1_790_000_000, "").body
