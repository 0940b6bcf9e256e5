"""The built-in receiver: what arrives, as it arrived; and receivers that misbehave."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from local.cloud.receiver import Receiver
from local.common.journal import Journal

WAIT = 5.0
BODY = json.dumps({"from": "0443914272", "to": "50001", "mid": "7748021", "action": {"confirm": True}})


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def receiver(journal: Journal) -> Iterator[Receiver]:
    receiver = Receiver(journal)
    yield receiver
    receiver.stop()


def post(port: str, body: str = BODY, timeout: float = WAIT) -> int:
    headers = {"Host": "api.example.com", "X-Custom-Header": "a", "content-type": "application/json"}
    url = f"http://127.0.0.1:{port}/callback/option1?x=1"
    return httpx.post(url, content=body, headers=headers, timeout=timeout, trust_env=False).status_code


def test_requests_are_shown_as_they_arrived(receiver: Receiver, journal: Journal) -> None:
    host, plain, tls = receiver.start().split(":")
    assert host == "127.0.0.1"
    assert post(plain) == 200
    assert post(tls) == 200
    first, second = receiver.requests("7748021")
    assert first.url == "http://api.example.com/callback/option1?x=1"
    assert second.url == "https://api.example.com/callback/option1?x=1"
    assert first.method == "POST"
    assert first.body == BODY
    assert first.status == 200
    entry = journal.wait_for(lambda entry: entry["kind"] == "webhook", WAIT)
    assert entry["mid"] == "7748021"
    assert entry["url"] == first.url
    assert entry["body"] == BODY
    assert entry["headers"] == [list(header) for header in first.headers]


def test_a_body_in_chunks_is_received_too(receiver: Receiver) -> None:
    port = receiver.start().split(":")[1]
    answer = httpx.post(f"http://127.0.0.1:{port}/", content=iter([b'{"mid":', b' "7748021"}']), trust_env=False)
    assert answer.status_code == 200
    assert receiver.requests("7748021")[0].body == '{"mid": "7748021"}'


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Host: evil.example:{port}\r\nContent-Length: 2\r\n", 421),
        ("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\nContent-Length: 2\r\n", 421),
        ("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 2\r\n", 403),
        ("Host: shop.example\r\nContent-Length: 9999999\r\n", 413),
        ("Host: shop.example\r\nContent-Length: 2\r\nContent-Length: 3\r\n", 400),
        ("Host: shop.example\r\nContent-Length: x\r\n", 400),
        ("Host: shop.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n", 400),
        ("Host: evil.example:4{port}\r\nOrigin: https://shop.example\r\nContent-Length: 2\r\n", 200),
        ("Host: 127.0.0.1:{port}\r\nContent-Length: 2\r\n", 200),
    ],
)
def test_what_no_sender_sends_is_no_webhook(receiver: Receiver, head: str, status: int) -> None:
    for port in map(int, receiver.start().split(":")[1:]):
        with socket.create_connection(("127.0.0.1", port), WAIT) as connection:
            connection.sendall(f"POST /h HTTP/1.1\r\n{head.format(port=port)}\r\n".encode() + b"{}" * 600_000)
            assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
    assert len(receiver.requests()) == (2 if status == 200 else 0)


def test_headers_keep_their_order_and_case(receiver: Receiver) -> None:
    port = int(receiver.start().split(":")[1])
    lines = "POST /h HTTP/1.1\r\nhost: a.example\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_connection(("127.0.0.1", port), WAIT) as connection:
        connection.sendall(lines.encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 200")
    names = [("host", "a.example"), ("X-b", "1"), ("x-A", "2"), ("X-b", "3"), ("Content-Length", "2")]
    assert receiver.requests()[0].headers == tuple(names)


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"mid": 5}'])
def test_bodies_that_name_no_message_are_taken_too(receiver: Receiver, body: str) -> None:
    assert post(receiver.start().split(":")[1], body) == 200
    assert [(request.mid, request.body) for request in receiver.requests()] == [(None, body)]
    assert receiver.requests("7748021") == []


def test_a_receiver_that_refuses(receiver: Receiver) -> None:
    port = receiver.start().split(":")[1]
    receiver.answer_with(503)
    assert post(port) == 503
    receiver.answer_with(200)
    assert post(port) == 200
    assert [request.status for request in receiver.requests()] == [503, 200]


def test_a_receiver_that_hangs_and_is_released(receiver: Receiver) -> None:
    port = receiver.start().split(":")[1]
    receiver.hang()
    with pytest.raises(httpx.ReadTimeout):
        post(port, timeout=0.2)
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(post(port)))
    waiting.start()
    receiver.wait_for(2, WAIT)
    receiver.release()
    waiting.join(WAIT)
    assert answers == [200]


def test_a_receiver_that_is_slow(receiver: Receiver) -> None:
    port = receiver.start().split(":")[1]
    receiver.hang(0.2)
    began = time.monotonic()
    assert post(port) == 200
    assert time.monotonic() - began >= 0.2


def test_stopping_lets_everyone_go(receiver: Receiver) -> None:
    before = set(threading.enumerate())
    port = int(receiver.start().split(":")[1])
    receiver.hang()
    with socket.create_connection(("127.0.0.1", port), WAIT) as silent:
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(post(str(port))))
        waiting.start()
        receiver.wait_for(1, WAIT)
        began = time.monotonic()
        receiver.stop()
        assert time.monotonic() - began < 1.0
        assert silent.recv(1) == b""
    waiting.join(WAIT)
    assert answers == [200]
    assert set(threading.enumerate()) <= before


def test_waiting_for_what_does_not_come(receiver: Receiver) -> None:
    receiver.start()
    with pytest.raises(TimeoutError, match="0 of 1"):
        receiver.wait_for(1, 0.05)
