"""Sends webhooks, and says in a word what kept one from being answered."""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Protocol

import httpcore
import httpx

from speechcall.outbound.adapters.connections import Receivers
from speechcall.outbound.adapters.guarded_network import OUR_SIDE, TlsFailed
from speechcall.outbound.adapters.http_answer import MAX_BODY_BYTES, BodyTooLong, Head
from speechcall.outbound.rules.address import Target, target_of
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable, UnusableUrl
from speechcall.webhooks.rules.delivery import OUR_NETWORK
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookRequest

MAX_RESPONSE_BYTES = MAX_BODY_BYTES
"""What of an answer is read behind its head."""

_WORDS = {
    httpcore.PoolTimeout: OUR_NETWORK,
    httpcore.ConnectTimeout: "CONNECT_TIMEOUT",
    httpcore.TimeoutException: "TIMEOUT",
    TlsFailed: "TLS_FAILED",
    httpcore.ConnectError: "CONNECT_FAILED",
    BodyTooLong: "TOO_LONG",
    httpcore.ProtocolError: "BAD_ANSWER",
    httpcore.NetworkError: "CONNECTION_RESET",
}
"""The first that fits, where no cause says more."""

_OUR_RESOLVER = {socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM}
"""The resolver has no answer, or no room to work in: it is not known who is at fault."""
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


class HasReceivers(Protocol):
    """Where requests to receivers are sent from."""

    receivers: Receivers


class WebhookSender:
    """Sends webhooks; of what receivers answer the head is read, and the rest is dropped."""

    def __init__(self, client: HasReceivers) -> None:
        self._receivers = client.receivers

    def __call__(self, request: WebhookRequest) -> WebhookAnswer:
        """The answer. Raises ForbiddenAddress; Unreachable for whatever left none."""
        head = self._exchange(request)
        return WebhookAnswer(head.status, head.first("retry-after"))

    def ask(self, request: WebhookRequest, seconds: float, most_bytes: int) -> tuple[int, bytes]:
        """The answer's status and, of a 200, its body (else empty), within so many seconds in all.

        Raises ForbiddenAddress; Unreachable, also for a body of more than `most_bytes` or an answer that is compressed.
        """
        head = self._exchange(request, seconds, most_bytes)
        coding = head.first("content-encoding") or "identity"
        if coding.lower() != "identity":  # it was asked for none
            raise Unreachable("BAD_ANSWER")
        return head.status, head.body

    def _exchange(self, request: WebhookRequest, seconds: float | None = None, body_bytes: int = 0) -> Head:
        """Sends a request once. Out: the head of the answer; with `body_bytes` also the body of a 200.

        `seconds`: for everything; None: as long as any attempt has. Raises ForbiddenAddress; Unreachable, also for a
        body of more than `body_bytes`, and `hopeless` where the request cannot be sent at any time.
        """
        try:
            target = target_of(request.url)
            content = _content(request, target)
        except UnusableUrl as error:
            if error.is_address:
                raise ForbiddenAddress(f"the URL {error}") from error
            raise Unreachable("BAD_REQUEST", hopeless=True) from error
        except Exception as error:  # what keeps it from being written will do so each time
            raise Unreachable("BAD_REQUEST", hopeless=True) from error
        try:
            return self._receivers.exchange(request.account_id, target, content, seconds, body_bytes)
        except tuple(_WORDS) as error:
            raise unreachable(error) from error


def _content(request: WebhookRequest, target: Target) -> bytes:
    """The bytes of a request. ValueError for a header that would break it."""
    given = {name.lower() for name, _ in request.headers}
    usual = [("Accept", "*/*"), ("Accept-Encoding", "identity")]
    headers = [
        ("Host", target.authority),
        *(one for one in usual if one[0].lower() not in given),
        *request.headers,
        ("Content-Length", str(len(request.body))),
    ]
    lines = [b"POST %b HTTP/1.1" % httpx.URL(target.url).raw_path]
    for name, value in headers:
        line = name.encode("ascii"), value.encode("latin-1")
        if not (_NAME.fullmatch(line[0]) and _VALUE.fullmatch(line[1])):
            raise ValueError("a header that would break the request")
        lines.append(b"%b: %b" % line)
    return b"\r\n".join([*lines, b"", request.body])


def unreachable(error: Exception) -> Unreachable:
    """What went wrong in a word, and whose side it was on: by its causes, else by its kind. Without the URL."""
    for cause in _causes(error):
        if word := _word_of_cause(cause):
            return Unreachable(word, ours=word == OUR_NETWORK)
    for kind, word in _WORDS.items():
        if isinstance(error, kind):
            return Unreachable(word, ours=word == OUR_NETWORK)
    return Unreachable("BAD_ANSWER")


def _word_of_cause(cause: BaseException) -> str | None:
    """The word for a failure of the network, as the status shows it; None: it has none, look at what caused it."""
    match cause:
        case socket.gaierror(errno=number) if number in _OUR_RESOLVER:
            return OUR_NETWORK
        case socket.gaierror() | UnicodeError():
            return "NAME_NOT_FOUND"
        case ssl.SSLError():
            return "TLS_FAILED"
        case OSError(errno=number) if number in OUR_SIDE:
            return OUR_NETWORK
        case ConnectionRefusedError():
            return "CONNECTION_REFUSED"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
