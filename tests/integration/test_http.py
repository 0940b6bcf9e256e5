"""HTTP to customers' addresses, against a real server in a thread."""

import errno
import gzip
import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from speechcall.menus.rules.menu import Webhook
from speechcall.outbound.adapters import guarded_network
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.webhook import WebhookRequest, webhook_request
from tests.kit.samples import MESSAGE

BODY = b'{"from":"BazarCOM","to":"380936670003","mid":"1","action":{}}'
PUBLIC = "93.184.216.34"


@dataclass
class Server:
    """A server on loopback: what it was sent, and how it answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"ok"
    drip_seconds: float | None = None
    drop_second: bool = False
    drop_all: bool = False
    seen: list[tuple[str, str, list[tuple[str, str]], bytes]] = field(default_factory=list)
    peers: set[tuple[str, int]] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def url(self, host="127.0.0.1", path="/hook") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            kept = self.client_address in server.peers
            server.peers.add(self.client_address)
            server.seen.append((self.command, self.path, list(self.headers.items()), self.rfile.read(length)))
            if server.drop_all or (server.drop_second and kept):
                self.close_connection = True
                return
            if server.drip_seconds is not None:
                self._drip()
                return
            self.send_response(server.status)
            for name, value in {"Content-Length": str(len(server.content)), **server.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(server.content)

        do_GET = do_POST  # noqa: N815

        def _drip(self):
            self.close_connection = True
            for byte in b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 10_000:
                if server.over.wait(server.drip_seconds):
                    return
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass

    with Quiet(("127.0.0.1", 0), Handler) as listener:
        server.port = listener.server_port
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown()
            thread.join()


@pytest.fixture
def server():
    with serving(Server()) as running:
        yield running


@pytest.fixture
def send():
    clients = []

    def sender(receiver="loopback", **settings):
        clients.append(make_client(receiver, **settings))
        return WebhookSender(clients[-1])

    yield sender
    for client in clients:
        client.close()


def request(url, *headers):
    return WebhookRequest(url, (("Content-Type", "application/json"), *headers), BODY)


def names_lead_to(monkeypatch, *addresses):
    asked = []

    def getaddrinfo(host, port, *_, **__):
        asked.append(host)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


# ---------------------------------------------------------------- the request
def test_the_request_arrives_as_it_was_made(server, send):
    webhook = Webhook(server.url(path="/a%20b?c=d"), '{"n":1.10}', {"X-Custom-Header": "valué", "User-Agent": "Shop/1"})
    assert send()(webhook_request(MESSAGE, webhook, "id-1", 1_790_000_000)).status == 200
    method, path, headers, body = server.seen[0]
    sent = {name.lower(): value for name, value in headers}
    assert method == "POST"
    assert path == "/a%20b?c=d"
    assert body.endswith(b'"action":{"n":1.10}}')
    assert sent["host"] == f"127.0.0.1:{server.port}"
    assert sent["content-type"] == "application/json"
    assert sent["content-length"] == str(len(body))
    assert sent["x-custom-header"].encode("latin-1") == "valué".encode("latin-1")
    assert sent["webhook-id"] == "id-1"
    assert sent["webhook-timestamp"] == "1790000000"
    assert [value for name, value in headers if name.lower() == "user-agent"] == ["Shop/1"]
    assert "cookie" not in sent


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 404, 410, 429, 500, 503])
def test_the_status_is_the_answer_and_a_redirect_is_not_followed(server, send, status):
    server.status, server.headers, server.content = status, {"Location": server.url(path="/elsewhere")}, b""
    assert send()(request(server.url())).status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("location", ["http://[::1", "//[", "http://", "\x80", "http://user@127.0.0.1/"])
def test_a_redirect_to_where_nothing_can_be_is_a_redirect_all_the_same(server, send, location):
    server.status, server.headers, server.content = 302, {"Location": location}, b""
    sender = send()
    for _ in range(2):
        assert sender(request(server.url())).status == 302
    assert len(server.seen) == 2


def test_a_receivers_cookies_are_not_sent_to_it_again(server, send):
    server.headers = {"Set-Cookie": "session=1; Path=/"}
    sender = send()
    for _ in range(2):
        sender(request(server.url()))
    assert not [name for _, _, headers, _ in server.seen for name, _ in headers if name.lower() == "cookie"]


def test_proxies_of_the_environment_are_not_used(server, send, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send()(request(server.url())).status == 200


@pytest.fixture
def read(monkeypatch):
    """The bytes that were read off connections."""
    real, seen = guarded_network._Stream.read, bytearray()

    def reading(stream, *given):
        content = real(stream, *given)
        seen.extend(content)
        return content

    monkeypatch.setattr(guarded_network._Stream, "read", reading)
    return seen


def test_a_long_answer_is_not_read_to_its_end(send, read):
    with serving(Server(content=b"x" * 50_000_000)) as server:
        assert send()(request(server.url())).status == 200
        assert 0 < len(read) < 1_000_000


def test_an_answer_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(server, send, read):
    server.content, server.headers = gzip.compress(b"\0" * 10_000_000), {"Content-Encoding": "gzip"}
    tracemalloc.start()
    assert send()(request(server.url())).status == 200
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert server.content.startswith(read.partition(b"\r\n\r\n")[2])


def test_an_answer_that_breaks_off_has_its_status_all_the_same(send):
    with serving(Server(headers={"Content-Length": "999"}, content=b"x")) as server:
        server.headers["Connection"] = "close"
        assert send(total_seconds=0.5)(request(server.url())).status == 200


def test_no_url_and_no_header_of_a_customer_is_logged(server, send, caplog):
    # Given the level that Lambda gives a function's log
    with caplog.at_level(logging.INFO):
        # When a webhook is sent, and another cannot be
        send()(request(server.url(path="/T00/secret-in-path"), ("Authorization", "Bearer hunter2")))
        with pytest.raises(Unreachable, match="CONNECTION_REFUSED") as failure:
            send()(request("http://127.0.0.1:1/secret-in-path"))
    # Then neither the log nor the error shows what the customer keeps secret
    for shown in (caplog.text, str(failure.value)):
        assert "secret-in-path" not in shown
        assert "hunter2" not in shown


# ------------------------------------------------------------- what goes wrong
def test_nobody_listening_is_told_in_a_word(send):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="CONNECTION_REFUSED"):
            send()(request(f"http://127.0.0.1:{free.getsockname()[1]}/"))


def test_a_receiver_that_never_answers_is_given_up_in_time(send):
    with serving(Server(drip_seconds=60)) as server:
        begin = time.monotonic()
        with pytest.raises(Unreachable, match="TIMEOUT"):
            send(total_seconds=0.2)(request(server.url()))
        assert time.monotonic() - begin < 5


def test_a_receiver_that_answers_a_byte_at_a_time_does_not_hold_us(send):
    # Given a receiver whose every byte comes well within the time of one read
    with serving(Server(drip_seconds=0.01)) as server:
        begin = time.monotonic()
        # When the whole takes longer than an attempt may
        with pytest.raises(Unreachable, match="TIMEOUT"):
            send(total_seconds=0.4)(request(server.url()))
        # Then the attempt ends, long before the function's time limit would
        assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("url", "word", "hopeless"),
    [
        ("http://", "BAD_REQUEST", True),
        ("http://[::1", "BAD_REQUEST", True),
        ("gopher://x/", "BAD_REQUEST", True),
        ("https://user:secret@shop.example/", "BAD_REQUEST", True),
        ("http://a..b/", "BAD_REQUEST", True),
        (f"http://{'a' * 70}.example/", "BAD_REQUEST", True),
        ("https://xn--a.com/", "BAD_REQUEST", True),
        ("https://<your-server>/hook", "BAD_REQUEST", True),
    ],
)
def test_a_url_that_cannot_be_used_is_told_in_a_word(send, url, word, hopeless):
    with pytest.raises(Unreachable, match=word) as failure:
        send()(request(url))
    assert failure.value.hopeless == hopeless
    assert failure.value.ours is False


def test_a_header_that_would_forge_the_request_is_never_sent(server, send):
    with pytest.raises(Unreachable, match="BAD_REQUEST"):
        send()(request(server.url(), ("X-A", "1\r\nX-Forged: 1")))
    assert server.seen == []


@pytest.mark.parametrize(
    ("number", "word", "ours"), [(socket.EAI_NONAME, "NAME_NOT_FOUND", False), (socket.EAI_AGAIN, "OUR_NETWORK", True)]
)
def test_a_name_that_does_not_resolve_is_the_receivers_fault_and_a_resolver_without_an_answer_is_not(
    send, monkeypatch, number, word, ours
):
    def getaddrinfo(*_, **__):
        raise socket.gaierror(number, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(Unreachable, match=word) as failure:
        send("")(request("https://nobody.example/"))
    assert failure.value.ours is ours


def test_a_resolver_that_never_answers_does_not_hold_us(send, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    begin = time.monotonic()
    with pytest.raises(Unreachable, match="CONNECT_TIMEOUT"):
        send("", total_seconds=0.3)(request("https://slow.example/"))
    over.set()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("number", "word", "ours"),
    [
        (errno.ENETUNREACH, "OUR_NETWORK", True),
        (errno.EMFILE, "OUR_NETWORK", True),
        (errno.EHOSTUNREACH, "CONNECT_FAILED", False),
        (errno.ECONNRESET, "CONNECT_FAILED", False),
        (errno.ECONNREFUSED, "CONNECTION_REFUSED", False),
    ],
)
def test_whose_side_a_failed_connection_was_on(send, monkeypatch, number, word, ours):
    names_lead_to(monkeypatch, PUBLIC)

    def connect(*_, **__):
        raise OSError(number, "no")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match=word) as failure:
        send("")(request("https://shop.example/"))
    assert failure.value.ours is ours


# ------------------------------------------------------------- kept connections
def test_a_connection_is_kept_for_the_next_webhook(server, send):
    sender = send()
    for _ in range(3):
        assert sender(request(server.url())).status == 200
    assert len(server.peers) == 1


def test_a_connection_whose_answer_was_not_read_to_its_end_is_not_kept(send):
    with serving(Server(content=b"x" * 1_000_000)) as server:
        sender = send()
        for _ in range(2):
            assert sender(request(server.url())).status == 200
        assert len(server.peers) == 2


def test_a_request_that_was_read_on_a_kept_connection_is_not_sent_again_within_the_attempt(send):
    # Given a receiver that reads the second request of a connection, and closes it without an answer
    with serving(Server(drop_second=True)) as server:
        sender = send()
        assert sender(request(server.url())).status == 200
        # Then that is an attempt, and the receiver has had it once
        with pytest.raises(Unreachable, match="BAD_ANSWER") as failure:
            sender(request(server.url()))
        assert failure.value.ours is False
        assert failure.value.hopeless is False
        assert len(server.seen) == 2
        # And the next attempt has a connection of its own
        assert sender(request(server.url())).status == 200
        assert len(server.peers) == 2


def test_a_new_connection_that_the_receiver_drops_is_its_failure(send):
    with serving(Server(drop_all=True)) as server:
        with pytest.raises(Unreachable, match="BAD_ANSWER"):
            send()(request(server.url()))
        assert len(server.seen) == 1


def test_every_attempt_has_its_own_time_on_a_kept_connection(server, send):
    sender = send(total_seconds=0.5)
    sender(request(server.url()))
    ends = sender._receivers._attempt.ends
    sender(request(server.url()))
    assert len(server.peers) == 1
    assert sender._receivers._attempt.ends > ends


# -------------------------------------------------------------------- the guard
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0.0.0.0"])
def test_the_guard_refuses_this_machine_in_every_form(server, send, host):
    with pytest.raises(ForbiddenAddress):
        send("")(request(server.url(host)))
    assert server.seen == []


def test_loopback_is_allowed_where_it_is_said_and_nothing_else(server, send, monkeypatch):
    assert send("loopback")(request(server.url())).status == 200
    names_lead_to(monkeypatch, "10.0.0.1")
    with pytest.raises(ForbiddenAddress):
        send("loopback")(request("http://internal.example/"))


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fe80::1%eth0"], ["::ffff:10.0.0.1"], [PUBLIC, "10.0.0.1"]],
)
def test_a_name_that_leads_to_a_forbidden_address_is_refused_even_beside_an_allowed_one(send, monkeypatch, addresses):
    names_lead_to(monkeypatch, *addresses)
    with pytest.raises(ForbiddenAddress):
        send("")(request("https://rebind.example/"))


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(send, monkeypatch):
    asked = names_lead_to(monkeypatch, PUBLIC)
    connected = []

    def connect(address, *_, **__):
        connected.append(address)
        raise OSError("refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match="CONNECT_FAILED"):
        send("")(request("https://shop.example/"))
    assert asked == ["shop.example"]
    assert connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_the_first_does_not_answer(server, send, monkeypatch):
    # Given a name with a v6 address that nobody listens on, as localhost has on many machines
    names_lead_to(monkeypatch, "::1", "127.0.0.1")
    assert send("loopback")(request(server.url("localhost"))).status == 200


# ----------------------------------------------------------------- the receiver
def test_with_a_receiver_every_connection_goes_there_and_nothing_else_changes(send):
    with serving(Server()) as plain, serving(Server()) as tls:
        sender = send(f"127.0.0.1:{plain.port}:{tls.port}")
        assert sender(request("http://api.smsbat.local/gatereq/temp/hook")).status == 200
        assert sender(request("https://api.example.com/callback/option1", ("X-Custom-Header", "value"))).status == 200
        (_, path, headers, body), (_, tls_path, tls_headers, tls_body) = plain.seen[0], tls.seen[0]
    assert path == "/gatereq/temp/hook"
    assert dict(headers)["Host"] == "api.smsbat.local"
    assert tls_path == "/callback/option1"
    assert dict(tls_headers)["Host"] == "api.example.com"
    assert dict(tls_headers)["X-Custom-Header"] == "value"
    assert body == tls_body == BODY


def test_with_a_receiver_no_name_is_resolved(send, monkeypatch):
    with serving(Server()) as server:
        sender = send(f"127.0.0.1:{server.port}:{server.port}")
        resolve = socket.getaddrinfo
        asked = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: asked.append(host) or resolve(host, *a, **k))
        assert sender(request("https://10.0.0.1/")).status == 200
    assert set(asked) == {"127.0.0.1"}
