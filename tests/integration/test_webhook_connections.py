"""What receivers do to connections and answers: each request is sent once, in time, and only its own answer counts."""

import errno
import itertools
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from speechcall.outbound.adapters import connections as webhook_connections
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.prompts.adapters.fetch_audio import AudioFetcher
from speechcall.shared.rules.errors import ForbiddenAddress, PromptUnavailable, PromptUnreachable, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.webhook import WebhookRequest
from tests.kit.raw_receiver import OK, certificate, raw_receiver, reset

NAME = "hook.example"
PUBLIC, PUBLIC_V6 = "93.184.216.34", "2606:4700:4700::1111"


@pytest.fixture(scope="module")
def clients():
    """One for each time that an attempt may take, and each set of trusted certificates."""
    made = {}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def send(clients):
    """Sends to a URL or port, by default with plenty of time."""

    def sending(to, account="acme", total_seconds=5.0, body=b"{}"):
        key = (total_seconds, os.environ.get("SSL_CERT_FILE"))
        if key not in clients:
            clients[key] = make_client("loopback", total_seconds)
        url = to if isinstance(to, str) else f"http://127.0.0.1:{to}/hook"
        return WebhookSender(clients[key])(WebhookRequest(url, (), body, account)).status

    return sending


def test_the_certificates_are_read_once_for_a_client(monkeypatch):
    read, stock = [], ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *given, **more: read.append(1) or stock(*given, **more))
    make_client("loopback").close()
    assert read == [1]


def fails(send, *given, **more):
    with pytest.raises(Unreachable) as failure:
        send(*given, **more)
    return failure.value


def says(*contents):
    """Answers the requests of each connection in turn; the last one closes it."""

    def talk(receiver, connection, number):
        for content in contents:
            if not receiver.request(connection, number):
                return
            connection.sendall(content)

    return talk


def always(content):
    return says(*[content] * 100)


# ------------------------------------------------------------------ the answer
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Broken header\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nBroken header\r\n\r\n",
        HEAD + b": no name\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X Y: 1\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X-A : 1\r\nContent-Length: 0\r\n\r\n",
        HEAD + "Имя: 1\r\nContent-Length: 0\r\n\r\n".encode(),
        HEAD + b"X-A: \x00\x01\xff\r\nContent-Length: 0\r\n\r\n",
        HEAD + b" folded: before any\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X-A: 1\r\n continues\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length : abc\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 Gut \xe4\x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.0 200 OK\r\n\r\nthank you",
        b"HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 0, 0\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\ncut off",
        HEAD + b"\r\n",
        HEAD + b"X-Cut-Off: in the mid",
        HEAD + b"Content-Length: 0\r\n",
        HEAD,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;ext=1\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\no",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\nx",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\nx",
        HEAD + b"Transfer-Encoding: nonsense\r\nContent-Length: abc\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n???",
        b"HTTP/1.1 204 No Content\r\nContent-Length: abc\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 16 + OK,
        HEAD + b"X: " + b"x" * 90_000 + b"\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_status_line_that_says_it_is_well_decides(send, answer):
    with raw_receiver(says(answer)) as receiver:
        assert send(receiver.port) in (200, 204)
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: abc\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: +1\r\n\r\nx",
        HEAD + b"Content-Length: 1.0\r\n\r\nx",
        HEAD + b"Content-Length:\r\n\r\n",
        HEAD + b"Content-Length: 5, 6\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        HEAD + "Content-Length: ²\r\n\r\n".encode("latin-1"),
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK",
        b"\r\n\r\n",
        b"{}",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"x" * 300_000,
        b"HTTP/1.1 200 " + b"x" * 300_000,
        b"HTTP/1.1 503 Unavailable\r\nX-Cut-Off: in the m",
        b"HTTP/1.1 404 Not Found\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        b"HTTP/1.1 100 Continue\r\nX: " + b"x" * 99_000 + b"\r\n\r\nHTTP/1.1 200 OK\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_none_and_is_told_at_once(send, answer):
    with raw_receiver(says(answer)) as receiver:
        failure = fails(send, receiver.port)
        assert failure.word == "BAD_ANSWER"
        assert failure.ours is False
        assert failure.hopeless is False
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("line", ["404 Not Found", "503 X", "302", "101 Switch", "799 Odd"])
def test_every_other_status_decides_as_well_behind_a_whole_head(send, line):
    with raw_receiver(says(f"HTTP/1.1 {line}\r\nBroken\r\nContent-Length: 0\r\n\r\n".encode())) as receiver:
        assert send(receiver.port) == int(line[:3])


def test_the_first_retry_after_counts_whatever_stands_around_it(send):
    answer = b"HTTP/1.1 503 X\r\nBroken\r\nretry-AFTER:  120 \r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
    with raw_receiver(says(answer)) as receiver, make_client("loopback") as client:
        answered = WebhookSender(client)(WebhookRequest(f"http://127.0.0.1:{receiver.port}/", (), b""))
        assert answered.status == 503
        assert answered.retry_after == "120"


def test_interim_answers_without_end_cost_neither_time_nor_room(send):
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        while not receiver.over.is_set():
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    with raw_receiver(talk) as receiver:
        begin = time.monotonic()
        assert fails(send, receiver.port).word == "BAD_ANSWER"
        assert time.monotonic() - begin < 2


def test_a_body_that_trickles_holds_up_nobody_for_long(send, monkeypatch):
    monkeypatch.setattr(webhook_connections, "BODY_SECONDS", 0.2)

    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(HEAD + b"Content-Length: 10000\r\n\r\n")
        while not receiver.over.wait(0.02):
            connection.sendall(b"x")

    with raw_receiver(talk) as receiver:
        begin = time.monotonic()
        assert send(receiver.port) == 200
        assert time.monotonic() - begin < 2


def test_who_refuses_a_request_before_having_read_it_is_heard(send):
    def talk(receiver, connection, number):
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with raw_receiver(talk) as receiver:
        assert send(receiver.port, body=b"x" * 20_000_000) == 413


# ------------------------------------------------------------- unasked answers
class Tls(ssl.SSLContext):
    """A receiver's TLS, which keeps the names in SNI."""

    names: list[str]


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """With a certificate for NAME that is trusted here."""
    file = certificate(tmp_path, NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *_, **__: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    context = Tls(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.names = []
    context.sni_callback = lambda _socket, name, _context: context.names.append(name)
    return context


def unasked(in_one_piece):
    """Answers the first request twice; of another connection once."""

    def talk(receiver, connection, number):
        if not receiver.request(connection, number):
            return
        if number == 0:
            connection.sendall(OK * 2 if in_one_piece else OK)
            if not in_one_piece:
                connection.sendall(OK)
            receiver.happened.set()
        else:
            connection.sendall(OK)
        while receiver.request(connection, number):
            connection.sendall(OK)

    return talk


@pytest.mark.parametrize("in_one_piece", [True, False])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_nobody_asked_for_is_not_the_next_webhooks(send, tls, scheme, in_one_piece):
    with raw_receiver(unasked(in_one_piece), tls if scheme == "https" else None) as receiver:
        url = f"{scheme}://{NAME}:{receiver.port}/"
        assert send(url) == 200
        assert receiver.happened.wait(10)
        assert send(url) == 200
        # Then the second was really read, on a connection of its own
        assert [number for number, _ in receiver.requests] == [0, 1]


def test_an_answer_that_comes_before_the_request_is_none(send):
    asked = threading.Event()

    def talk(receiver, connection, number):
        connection.sendall(OK)
        asked.set()
        receiver.over.wait(10)

    real = webhook_connections.Connection.has_unread

    with raw_receiver(talk) as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhook_connections.Connection, "has_unread", lambda one: asked.wait(10) and real(one))
        assert fails(send, receiver.port).word == "BAD_ANSWER"
        assert receiver.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_kept_for_the_same_account_and_no_other(send, tls, scheme):
    with raw_receiver(always(OK), tls if scheme == "https" else None) as receiver:
        url = f"{scheme}://{NAME}:{receiver.port}/"
        for account in ("acme", "acme", "umbrella", "acme", "umbrella", ""):
            assert send(url, account) == 200
        assert [number for number, _ in receiver.requests] == [0, 0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Broken\r\nContent-Length: 2\r\n\r\nok",
        HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
        HEAD + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        HEAD + b"Content-Length: 2\r\n\r\nokay",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\n\r\nx",
        HEAD + b"Content-Length: 30000\r\n\r\n" + b"x" * 30_000,
    ],
)
def test_a_connection_of_which_the_end_of_the_answer_is_not_sure_is_not_kept(send, answer):
    with raw_receiver(always(answer)) as receiver:
        for _ in range(2):
            assert send(receiver.port) in (200, 204)
        assert [number for number, _ in receiver.requests] == [0, 1]


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 503 X\r\nContent-Length: 3\r\n\r\nno.",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x\r\nk\r\n0\r\nX: 1\r\n\r\n",
        HEAD + b"Content-Length: 20000\r\n\r\n" + b"x" * 20_000,
    ],
)
def test_a_connection_whose_answer_has_ended_is_kept(send, answer):
    with raw_receiver(always(answer)) as receiver:
        for _ in range(3):
            send(receiver.port)
        assert [number for number, _ in receiver.requests] == [0, 0, 0]


def test_a_connection_that_was_closed_while_it_was_idle_costs_no_attempt(send):
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(OK)
        if number == 0:
            connection.shutdown(socket.SHUT_RDWR)
            receiver.happened.set()
            return
        receiver.request(connection, number)

    with raw_receiver(talk) as receiver:
        assert send(receiver.port) == 200
        assert receiver.happened.wait(10)
        assert send(receiver.port) == 200
        assert [number for number, _ in receiver.requests] == [0, 1]


def test_a_connection_on_which_nothing_could_be_sent_is_made_anew_within_the_attempt(send, monkeypatch):
    # Given a connection that is reset between the look at it and the request
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(OK)
        if number == 0:
            assert receiver.happened.wait(10)
            reset(connection)
            return
        receiver.request(connection, number)

    real = webhook_connections.Kept.take

    with raw_receiver(talk) as receiver:
        assert send(receiver.port) == 200

        def take(kept, key):
            connection = real(kept, key)
            receiver.happened.set()
            raw = connection._stream.get_extra_info("socket")
            raw.settimeout(10)
            with pytest.raises(ConnectionResetError):  # it has come
                raw.recv(1)
            return connection

        monkeypatch.setattr(webhook_connections.Kept, "take", take)
        # Then the request goes once, on a new one
        assert send(receiver.port) == 200
        assert [number for number, _ in receiver.requests] == [0, 1]


def test_a_thousand_destinations_leave_few_connections_open(send):
    with raw_receiver(always(OK)) as receiver:
        for number in range(30):
            send(receiver.port, f"account {number}")
        assert receiver.connections == 30
        send(receiver.port, "account 29")
        assert receiver.connections == 30
        send(receiver.port, "account 0")
        assert receiver.connections == 31


# -------------------------------------------------------------------- in time
def test_a_receiver_that_reads_waits_and_closes_a_kept_connection_is_one_attempt_in_its_time(send):
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(OK)
        if receiver.request(connection, number):
            receiver.over.wait(0.3)

    with raw_receiver(talk) as receiver:
        assert send(receiver.port, total_seconds=0.5) == 200
        begin = time.monotonic()
        assert fails(send, receiver.port, total_seconds=0.5).word == "BAD_ANSWER"
        assert time.monotonic() - begin < 0.5
        assert [number for number, _ in receiver.requests] == [0, 0]


def test_one_time_holds_for_the_name_the_connection_tls_and_the_answer_together(send, tls, monkeypatch):
    # Given a name server and a handshake that each take a third of the time that there is, and no answer
    real, over = socket.getaddrinfo, threading.Event()

    def getaddrinfo(host, *given, **more):
        over.wait(0.35 if host == NAME else 0)
        return real(host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    tls.sni_callback = lambda *_: over.wait(0.35) or None

    def talk(receiver, connection, number):
        receiver.request(connection, number)
        receiver.over.wait(10)

    with raw_receiver(talk, tls) as receiver:
        begin = time.monotonic()
        assert fails(send, f"https://{NAME}:{receiver.port}/", total_seconds=1.0).word == "TIMEOUT"
        assert time.monotonic() - begin < 1.5


def test_a_receiver_that_reads_drop_by_drop_does_not_hold_us(send):
    def talk(receiver, connection, number):
        while not receiver.over.wait(0.005) and connection.recv(20_000):
            pass

    with raw_receiver(talk) as receiver:
        begin = time.monotonic()
        assert fails(send, receiver.port, total_seconds=0.5, body=b"x" * 30_000_000).word == "TIMEOUT"
        assert time.monotonic() - begin < 1.5


# ----------------------------------------------------- names, several addresses
def test_a_dot_at_the_end_of_a_name_is_for_the_resolver_alone(send, tls):
    with raw_receiver(always(OK), tls) as receiver:
        for host in (NAME, f"{NAME}.", "HOOK.example"):
            assert send(f"https://{host}:{receiver.port}/") == 200
        # No request on a connection was verified by another name than its certificate's
        assert set(tls.names) == {NAME}


def test_a_receiver_that_wants_a_certificate_of_ours_is_a_failure_of_tls(send, tls):
    tls.verify_mode = ssl.CERT_REQUIRED
    with raw_receiver(always(OK), tls) as receiver:
        assert fails(send, f"https://{NAME}:{receiver.port}/").word == "TLS_FAILED"
        assert receiver.requests == []


def test_records_of_tls_itself_are_nobodys_answer(send, tls):
    # Given a receiver that sends eight session tickets, as TLS 1.3 has them, before it has read anything
    tls.minimum_version, tls.num_tickets = ssl.TLSVersion.TLSv1_3, 8
    with raw_receiver(always(OK), tls) as receiver:
        for _ in range(3):
            assert send(f"https://{NAME}:{receiver.port}/") == 200
        assert receiver.connections == 1


def test_a_connection_that_tls_has_ended_is_not_used_again(send, tls):
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(OK)
        connection.setblocking(False)
        with suppress(OSError):
            connection.unwrap()  # says that no more comes, and leaves TCP open
        receiver.happened.set()
        receiver.over.wait(10)

    with raw_receiver(talk, tls) as receiver:
        for number in range(2):
            assert send(f"https://{NAME}:{receiver.port}/") == 200
            assert receiver.happened.wait(10)
            assert receiver.requests[-1][0] == number


def test_answers_go_to_those_who_asked_however_many_ask_at_once(clients, send):
    def talk(receiver, connection, number):
        while content := receiver.request(connection, number):
            connection.sendall(b"HTTP/1.1 %b X\r\nContent-Length: 2\r\n\r\nok" % content[-3:])

    wrong = []
    with raw_receiver(talk) as receiver:

        def ask(number):
            for turn in range(20):
                wanted = 200 + (number * 7 + turn) % 90
                found = send(receiver.port, f"account {number % 3}", body=str(wanted).encode())
                wrong.extend([(wanted, found)] * (wanted != found))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("failures", "word", "ours"),
    [
        ((errno.ECONNREFUSED, errno.ENETUNREACH), "CONNECTION_REFUSED", False),
        ((errno.ECONNREFUSED, errno.EHOSTUNREACH), "CONNECTION_REFUSED", False),
        ((errno.ECONNREFUSED, errno.EMFILE, errno.ENETUNREACH), "CONNECTION_REFUSED", False),
        ((errno.ETIMEDOUT, errno.ENETUNREACH), "CONNECT_TIMEOUT", False),
        ((errno.ETIMEDOUT, errno.EHOSTUNREACH), "CONNECT_TIMEOUT", False),
        ((errno.EHOSTUNREACH, errno.ENETUNREACH), "CONNECT_FAILED", False),
        ((errno.ECONNRESET, errno.EACCES), "CONNECT_FAILED", False),
        ((errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH), "CONNECTION_REFUSED", False),
        ((errno.ENETUNREACH, errno.ENETDOWN), "OUR_NETWORK", True),
        ((errno.ENETUNREACH,), "OUR_NETWORK", True),
    ],
)
def test_of_several_addresses_the_failure_that_says_most_is_told_in_any_order(send, monkeypatch, failures, word, ours):
    for order in itertools.permutations(range(len(failures))):
        found = [(socket.AF_INET, 1, 6, "", (f"93.184.216.{index}", 443)) for index in order]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)

        def connect(address, *_, **__):
            number = failures[int(address[0].rpartition(".")[2])]
            raise TimeoutError("timed out") if number == errno.ETIMEDOUT else OSError(number, "no")

        monkeypatch.setattr(socket, "create_connection", connect)
        failure = fails(send, "https://dual.example/")
        assert (failure.word, failure.ours) == (word, ours), order


def test_a_refusal_is_told_even_where_the_time_ends_at_the_next_address(send, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found = [(socket.AF_INET, 1, 6, "", (one, port)) for one in ("127.0.0.1", PUBLIC)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    real = socket.create_connection

    def connect(address, timeout, **given):
        if address[0] == PUBLIC:
            threading.Event().wait(timeout)
            raise TimeoutError("timed out")
        return real(address, timeout, **given)

    monkeypatch.setattr(socket, "create_connection", connect)
    assert fails(send, f"http://dual.example:{port}/", total_seconds=0.2).word == "CONNECTION_REFUSED"


@pytest.mark.parametrize(
    "host", ["xn--a", "xn--a.com", "a..b", "$HOST", "<your-server>", "-a.example", "ж" * 70, "%41"]
)
def test_a_host_that_cannot_be_sent_ends_it(send, host, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it was looked up"))
    failure = fails(send, f"https://{host}/")
    assert failure.word == "BAD_REQUEST"
    assert failure.hopeless is True
    assert failure.ours is False


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "[2001:4860::1%25eth0]"])
def test_an_address_in_an_odd_form_is_a_forbidden_one(send, host):
    with pytest.raises(ForbiddenAddress):
        send(f"http://{host}/")


@pytest.mark.parametrize("host", ["xn--a", "xn--a.com", "a..b", "$HOST", "-a.example", "127.1", "xn--ls8h.la"])
def test_a_prompt_that_was_moved_to_such_a_host_cannot_be_had(host):
    answer = f"HTTP/1.1 302 Found\r\nLocation: https://{host}/a.wav\r\nContent-Length: 0\r\n\r\n".encode()

    def talk(receiver, connection, number):
        connection.recv(65536)
        connection.sendall(answer)

    with raw_receiver(talk) as receiver, make_client("loopback") as client:
        for url in (f"http://127.0.0.1:{receiver.port}/a.wav", f"https://{host}/a.wav"):
            with pytest.raises(PromptUnavailable):
                AudioFetcher(client)(url, None, None)


def test_a_prompt_that_was_moved_to_a_host_of_many_marks_costs_no_time():
    location = "https://a" + "\u0327\u0301" * 20_000 + "/a.wav"

    def talk(receiver, connection, number):
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

    with raw_receiver(talk) as receiver, make_client("loopback") as client:
        begin = time.process_time()
        with pytest.raises(PromptUnavailable, match="more than 8192 characters"):
            AudioFetcher(client)(f"http://127.0.0.1:{receiver.port}/a.wav", None, None)
        assert time.process_time() - begin < 1


@pytest.mark.parametrize("host", ["xn--e1afmkfd.r3---sn.example", "a_b.xn--e1afmkfd.example", "пример.a_b.example"])
def test_a_host_with_labels_of_every_kind_is_looked_up_in_the_form_that_is_sent(send, host, monkeypatch):
    asked = []

    def getaddrinfo(host, port, *_, **__):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert fails(send, f"https://{host}/").word == "NAME_NOT_FOUND"
    with make_client("") as client, pytest.raises(PromptUnreachable):
        AudioFetcher(client)(f"https://{host}/a.wav", None, None)
    assert asked == [host.replace("пример", "xn--e1afmkfd")] * 2


def test_a_resolver_that_fails_in_a_way_that_nobody_foresaw_is_no_silence(send, monkeypatch):
    def getaddrinfo(*_, **__):
        raise RuntimeError("odd")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    begin = time.monotonic()
    with pytest.raises(RuntimeError):
        send("https://a.example/")
    assert time.monotonic() - begin < 1


def test_the_request_that_is_sent_is_whole_and_has_each_name_once(monkeypatch):
    def getaddrinfo(_host, port, *_, **__):
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with raw_receiver(always(OK)) as receiver, make_client("loopback") as client:
        headers = (("accept", "a/b"), ("X-A", "valué"), ("Content-Type", "application/json"))
        url = f"http://HOOK.Example.:{receiver.port}/a/../b%20ü?c=ж#d"
        WebhookSender(client)(replace(WebhookRequest(url, headers, b"{}"), account_id="acme"))
    ((_, content),) = receiver.requests
    assert content == (
        f"POST /b%20%C3%BC?c=%D0%B6 HTTP/1.1\r\nHost: hook.example.:{receiver.port}\r\nAccept-Encoding: identity\r\n"
        "accept: a/b\r\nX-A: valué\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    ).encode("latin-1")
