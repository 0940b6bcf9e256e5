"""What other machines answer us (receivers, hosts of audio), and what a browser or a program sends to the laptop."""

import socket
import threading
from contextlib import suppress
from functools import cache
from typing import Any

from local.common.http_server import HttpServer
from speechcall.prompts.adapters.fetch_audio import MAX_BYTES, AudioFetcher
from speechcall.shared.rules.errors import ForbiddenAddress, PromptUnavailable, PromptUnreachable, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.retry import is_delivered, is_retryable, retry_after_seconds
from speechcall.webhooks.rules.webhook import WebhookRequest
from tests.fuzzing.choices import Choices
from tests.fuzzing.target import Target, holds
from tests.fuzzing.wire import answered
from tests.kit.samples import NOW

_REQUEST = WebhookRequest("http://receiver.example/hook", (("X-A", "b"), ("webhook-id", "1")), b"{}")


def webhook_answer(data: bytes) -> None:
    """Whatever a receiver answers, an attempt has a status or a word; and no answer is taken for another one's."""
    choices = Choices(data)
    step, told = 1 + choices.byte() * 16, choices.rest()
    with answered(told, step) as (client, wires):
        send = WebhookSender(client)
        for number in range(2):
            try:
                answer = send(_REQUEST)
            except (Unreachable, ForbiddenAddress) as failure:
                holds(isinstance(failure, ForbiddenAddress) or failure.word.replace("_", "").isupper(), "no word")
                continue
            holds(100 <= answer.status <= 999, f"the status {answer.status}")
            holds(is_delivered(answer.status) in (True, False), "neither delivered nor not")
            is_retryable(answer.status)
            waits = retry_after_seconds(answer.retry_after, NOW // 1000)
            holds(waits is None or waits >= 0, "waits for less than nothing")
            sent = b"".join(wire.written for wire in wires)
            holds(sent.count(b"POST /hook HTTP/1.1") == number + 1, "a request is sent twice, or not at all")


def audio_answer(data: bytes) -> None:
    """Whatever a host of audio answers, it is a file, nothing new, or one of two errors, in a short sentence."""
    choices = Choices(data)
    etag = choices.one_of((None, '"a"', 'W/"b"'))
    step, told = 1 + choices.byte() * 16, choices.rest()
    with answered(told, step) as (client, wires):
        try:
            found = AudioFetcher(client)("http://audio.example/a.wav?secret=1", etag, etag)
        except (PromptUnavailable, PromptUnreachable) as failure:
            holds("secret=1" not in str(failure), "a secret of the URL is told")
            str(failure).encode()
            return
        finally:
            holds(len(wires) <= 5, "more requests than redirects allow")
        holds(found.content is None or len(found.content) <= MAX_BYTES, "more than fits")
        for validator in (found.etag, found.last_modified):
            holds(validator is None or validator.encode(), "a validator that cannot be stored")


def laptop_server(data: bytes) -> None:
    """Whatever is sent to the laptop's server, it answers in HTTP or closes, and never fails."""
    here, there = socket.socketpair()
    here.settimeout(5)
    failed: list[BaseException] = []
    thread = threading.Thread(target=_serve, args=(there, failed), daemon=True)
    thread.start()
    answer = b""
    with suppress(ConnectionError):
        here.sendall(data)
        here.shutdown(socket.SHUT_WR)
        while piece := here.recv(65536):
            answer += piece
    here.close()
    thread.join(5)
    holds(not failed, f"the server's thread ended with {failed!r}")
    holds(b" 500 " not in answer.partition(b"\r\n")[0], "the server failed")


def _serve(connection: socket.socket, failed: list[BaseException]) -> None:
    """One connection, as a thread of the server has it."""
    server, handler = _server()
    try:
        with connection, suppress(ConnectionError):  # the other side may have gone
            handler(connection, ("127.0.0.1", 1), server)
    except BaseException as error:  # noqa: BLE001 - it is told by who has sent the bytes
        failed.append(error)


@cache
def _server() -> tuple[Any, Any]:
    """One for all inputs; it never listens. A socket pair is no TCP connection, so it has no delay to be turned off."""
    server = HttpServer(_echo)._server
    server.server_close()
    handler: Any = server.RequestHandlerClass
    setup = {"setup": lambda connection: connection.server.owner.opened(connection.request)}
    return server, type("OnASocketPair", (handler,), setup)


def _echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 503 Later\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 No\r\nX: \xff\r\n\r\n",
    b"HTTP/1.1 302 Moved\r\nLocation: https://a..b/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Moved\r\nLocation: //xn--a/\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 200 OK\r\nContent-Encoding: aws-chunked\r\nETag: W/"a"\r\nContent-Length: 4\r\n\r\nRIFF',
    b'HTTP/1.1 304 Not Modified\r\nETag: "b"\r\n\r\n',
)
_CHUNKED = b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
_ASKED = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    _CHUNKED + b"2;x=1\r\nok\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\n",
    b"PUT /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    b"GET http://localhost/%zz?\xff HTTP/1.0\r\n\r\n",
)
_WORDS = (
    *("HTTP/1.1 ", "Transfer-Encoding: chunked\r\n", "Content-Length: ", "Location: ", "Retry-After: ", "http://xn--"),
    *("Content-Encoding: gzip\r\n", "Connection: keep-alive\r\n", "\r\n\r\n", "Upgrade: ", "Set-Cookie: a=b\r\n"),
)

_HTTP = ("h11", "httpcore", "httpx", "idna", "email")

TARGETS = (
    Target(
        "webhook_answer", webhook_answer, lambda: [b"\xff" + one for one in _ANSWERS], words=_WORDS, libraries=_HTTP
    ),
    Target(
        "audio_answer", audio_answer, lambda: [b"\x01\xff" + one for one in _ANSWERS], words=_WORDS, libraries=_HTTP
    ),
    Target(
        "laptop_server",
        laptop_server,
        lambda: list(_ASKED),
        words=_WORDS,
        most_bytes=2048,
        libraries=("local", "h11"),
    ),
)
