"""Receivers on loopback that misbehave in each their way; the waits between the attempts are a virtual clock's."""

import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.webhooks.adapters.sender import MAX_RESPONSE_BYTES, WebhookSender
from tests.kit.samples import MESSAGE
from tests.kit.webhook_bench import WebhookBench, task_of

Behaviour = Callable[[socket.socket], None]
ATTEMPT_SECONDS = 0.25
SCHEDULE = [5, 30, 120, 600, 1800, 7200, 21600]


def says(text: str) -> Behaviour:
    return lambda connection: connection.sendall(text.encode())


def answers(status: int, *headers: str) -> Behaviour:
    return says("\r\n".join([f"HTTP/1.1 {status} X", *headers, "Content-Length: 0", "Connection: close", "", ""]))


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection: socket.socket) -> None:
    connection.recv(1)  # until the other side has had enough


def drips(connection: socket.socket) -> None:
    connection.settimeout(0.02)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100_000:
        connection.sendall(bytes([byte]))
        with suppress(TimeoutError):
            if connection.recv(1) == b"":
                return


def never_ends(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    sent = 0
    with suppress(OSError):
        while sent < 1_000_000_000:
            sent += connection.send(b"x" * 65536)
    assert sent < 50 * MAX_RESPONSE_BYTES + 8_000_000  # what the buffers of two sockets hold


class Receiver:
    """Reads each request and then does what comes next; the last behaviour stays."""

    def __init__(self, behaviours: list[Behaviour], tls: ssl.SSLContext | None = None) -> None:
        self._left, self._tls = list(behaviours), tls
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(5)
                behaviour = self._left.pop(0) if len(self._left) > 1 else self._left[0]
                self._handle(connection, behaviour)

    def _handle(self, connection: socket.socket, behaviour: Behaviour) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        self.requests.append(read_request(connection))
        behaviour(connection)


def read_request(connection: socket.socket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        if not (more := connection.recv(65536)):
            return content
        content += more
    head, _, body = content.partition(b"\r\n\r\n")
    (length,) = (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def receiving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(list(behaviours), tls)
    try:
        yield receiver
    finally:
        receiver.close()


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory) -> ssl.SSLContext:
    """A certificate that nobody has vouched for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    file.write_bytes(key.private_bytes(*private) + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def deliver(port: int, scheme: str = "http") -> WebhookBench:
    """A webhook to a receiver, from its first attempt to its end."""
    hook = Webhook(f"{scheme}://127.0.0.1:{port}/hook", '{"confirm":true}')
    message = replace(MESSAGE, menus=(Menu("a", 1000, {"d1": (hook, Hangup())}),))
    bench = WebhookBench(sender(), message)
    bench.put(task_of(message))
    bench.run()
    return bench


@cache
def sender() -> WebhookSender:
    return WebhookSender(make_client("loopback", ATTEMPT_SECONDS))


def end_of(bench: WebhookBench):
    """State, and what each attempt came to."""
    delivery = bench.delivery(task_of(bench.message))
    return delivery.state.value, [attempt.error or attempt.status for attempt in delivery.attempts]


def waits_fit(bench: WebhookBench, schedule=SCHEDULE) -> bool:
    moments = [moment for moment, _ in bench.sent]
    waits = [(later - before) / 1000 for before, later in pairwise(moments)]
    return len(waits) == len(schedule) and all(
        wait <= found <= wait + 61 for found, wait in zip(waits, schedule, strict=True)
    )


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (resets, {"CONNECTION_RESET", "BAD_ANSWER"}),
        (hangs, {"TIMEOUT"}),
        (drips, {"TIMEOUT"}),
        (says("SSH-2.0-OpenSSH_9.6\r\n"), {"BAD_ANSWER"}),
        (says("HTTP/1.1 200 OK\r\nX: " + "x" * 200_000), {"BAD_ANSWER"}),
        (answers(500), {500}),
        (answers(503, "Retry-After: 1"), {503}),
    ],
    ids=["resets", "hangs", "drips", "another protocol", "endless headers", "500", "503"],
)
def test_what_may_pass_is_tried_eight_times_and_given_up(behaviour, word):
    with receiving(behaviour) as receiver:
        bench = deliver(receiver.port)
    state, came_to = end_of(bench)
    assert state == "dead"
    assert len(came_to) == 8
    assert set(came_to) <= word
    assert waits_fit(bench)
    assert len({request.split(b"webhook-id: ")[1].split(b"\r\n")[0] for request in receiver.requests}) == 1


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    bench = deliver(port)
    assert end_of(bench) == ("dead", ["CONNECTION_REFUSED"] * 8)
    assert waits_fit(bench)


@pytest.mark.parametrize(
    ("speaks_tls", "word"),
    [(True, "TLS_FAILED"), (False, "CONNECT_TIMEOUT")],
    ids=["a certificate of its own", "no TLS at all"],
)
def test_tls_that_cannot_be_trusted_never_sees_the_webhook(speaks_tls, word, self_signed):
    with receiving(answers(200), tls=self_signed if speaks_tls else None) as receiver:
        bench = deliver(receiver.port, "https")
    assert end_of(bench) == ("dead", [word] * 8)
    assert not [request for request in receiver.requests if b"confirm" in request]


@pytest.mark.parametrize(
    "ends",
    [resets, lambda _: None, says("HTTP/1.1 400 X\r\n\r\n"), says("\x15\x03\x03\x00\x02\x02\x28")],
    ids=["a reset", "an end", "plain HTTP", "an alert"],
)
def test_a_handshake_that_the_receiver_ends_is_told_as_one(ends):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(8):
            connection, _ = listener.accept()
            with connection:
                connection.recv(16384)
                ends(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        bench = deliver(listener.getsockname()[1], "https")
        thread.join(5)
    assert end_of(bench) == ("dead", ["TLS_FAILED"] * 8)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410])
def test_a_refusal_and_a_redirect_to_an_internal_address_end_it(status):
    with receiving(answers(200)) as internal:
        location = f"Location: http://127.0.0.1:{internal.port}/latest/meta-data/"
        with receiving(answers(status, location)) as receiver:
            bench = deliver(receiver.port)
        assert internal.requests == []
    assert end_of(bench) == ("failed", [status])


@pytest.mark.parametrize(
    "behaviour",
    [never_ends, says("HTTP/1.0 200 OK\r\n\r\nthank you"), answers(204), answers(299)],
    ids=["an endless body", "HTTP/1.0", "204", "299"],
)
def test_a_receiver_that_has_it_has_it_however_it_says_so(behaviour):
    with receiving(behaviour) as receiver:
        bench = deliver(receiver.port)
    assert end_of(bench)[0] == "delivered"
    assert len(receiver.requests) == 1


def test_one_receiver_that_misbehaves_in_turn_has_it_in_the_end():
    asks_for_time = answers(429, "Retry-After: 1000")
    turns = [resets, hangs, drips, answers(500), asks_for_time, says("?"), answers(409), answers(200)]
    with receiving(*turns) as receiver:
        bench = deliver(receiver.port)
    state, came_to = end_of(bench)
    assert state == "delivered"
    assert came_to[3:] == [500, 429, "BAD_ANSWER", 409, 200]
    # The receiver's wish of 1000 s is less than the schedule's 1800 by then.
    assert waits_fit(bench)
    assert {request.split(b"\r\n\r\n")[1] for request in receiver.requests} == {bench.sent[0][1].body}


def test_retry_after_is_honoured():
    with receiving(answers(429, "Retry-After: 1000"), answers(200)) as receiver:
        bench = deliver(receiver.port)
    assert end_of(bench) == ("delivered", [429, 200])
    assert waits_fit(bench, [1000 * 1.1])
