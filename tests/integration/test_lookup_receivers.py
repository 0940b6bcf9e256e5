"""Receivers on loopback that are asked for a case, by the real client: what is an answer, how long it is awaited."""

import time

import pytest

from speechcall.calls.rules.lookup_answer import MOST_BYTES, case_in
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.webhook import WebhookRequest
from tests.integration.test_misbehaving_receivers import drips, hangs, receiving, resets, says

PAID = '{"case":"paid"}'
SECONDS = 0.3


def answer(body, *headers, status="200 OK"):
    return says("\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", body]))


def chunks(*parts):
    text = "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts)
    return says(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{text}0\r\n\r\n")


def padded(size):
    return PAID[:-1] + " " * (size - len(PAID)) + "}"


def ask(port, client="loopback"):
    request = WebhookRequest(f"http://127.0.0.1:{port}/lookup", (("webhook-id", "1"),), b"{}", "acme")
    with make_client(client) as made:
        return WebhookSender(made).ask(request, SECONDS, MOST_BYTES)


ANSWERS = {
    "an answer": (answer(PAID), ("paid", "")),
    "in chunks": (chunks(PAID[:4], PAID[4:]), ("paid", "")),
    "until it closes": (says(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{PAID}"), ("paid", "")),
    "behind 100": (
        says(f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{PAID}"),
        ("paid", ""),
    ),
    "of 4 KiB": (answer(padded(MOST_BYTES)), ("paid", "")),
    "an unknown case": (answer('{"case":"refunded"}'), ("", "UNKNOWN_CASE")),
    "nonsense": (answer("<html>paid</html>"), ("", "BAD_ANSWER")),
    "nothing": (answer(""), ("", "BAD_ANSWER")),
    "a redirect": (answer(PAID, "Location: http://127.0.0.1:1/", status="302 Found"), ("", "HTTP_302")),
    "not found": (answer(PAID, status="404 Not Found"), ("", "HTTP_404")),
}
NONE = {
    "of 5 KiB": (answer(padded(5 * 1024)), "TOO_LONG"),
    "of 5 KiB in chunks": (chunks(padded(5 * 1024)[:4000], padded(5 * 1024)[4000:]), "TOO_LONG"),
    "of 5 KiB until it closes": (says(f"HTTP/1.1 200 OK\r\n\r\n{padded(5 * 1024)}"), "TOO_LONG"),
    "compressed": (answer(PAID, "Content-Encoding: gzip"), "BAD_ANSWER"),
    "shorter than it says": (says(f"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{PAID}"), "BAD_ANSWER"),
    "no HTTP": (says("hello\r\n"), "BAD_ANSWER"),
    "a reset": (resets, "CONNECTION_RESET"),
    "silence": (hangs, "TIMEOUT"),
    "a drip": (drips, "TIMEOUT"),
    "a body that does not come": (says("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"), "BAD_ANSWER"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_answered_within_the_time_is_read(name):
    behaviour, expected = ANSWERS[name]
    with receiving(behaviour) as receiver:
        status, body = ask(receiver.port)
        assert case_in(status, body, ["paid"]) == expected
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("name", NONE)
def test_what_is_none_ends_in_time_and_says_why(name):
    behaviour, word = NONE[name]
    with receiving(behaviour) as receiver:
        begin = time.monotonic()
        with pytest.raises(Unreachable) as failed:
            ask(receiver.port)
        assert failed.value.word == word
        assert time.monotonic() - begin < SECONDS + 1
        assert len(receiver.requests) == 1


def test_nobody_is_asked_at_an_address_that_is_not_public():
    with receiving(answer(PAID)) as receiver:
        with pytest.raises(ForbiddenAddress):
            ask(receiver.port, client="")
        assert receiver.requests == []


def test_a_connection_is_kept_for_the_next_question_of_the_same_account():
    def twice(connection):
        for _ in range(2):
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{PAID}".encode())
            if connection.recv(65536) == b"":
                return

    with receiving(twice) as receiver, make_client("loopback") as client:
        request = WebhookRequest(f"http://127.0.0.1:{receiver.port}/", (), b"{}", "acme")
        sender = WebhookSender(client)
        assert [sender.ask(request, SECONDS, MOST_BYTES) for _ in range(2)] == [(200, PAID.encode())] * 2
        assert len(receiver.requests) == 1  # of connections
