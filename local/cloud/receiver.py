"""The built-in receiver: takes every webhook on this machine, whatever host it was meant for, and shows it.

It is every host of an introduction, too. A lookup is answered with the case that its URL names (`?case=paid`).
"""

import json
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Condition, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from local.common.http_wire import Gone, TransportError, Wire
from local.common.journal import KEEP, Journal
from local.common.this_machine import is_this_machine

AUDIO = Path(__file__).parent / "audio" / "ivr_651854.wav"
"""What every URL of an introduction gives."""

_READ_SECONDS = 10.0
_MAX_BODY = 1024 * 1024


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it arrived."""

    mid: str | None
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str
    status: int
    """What it is answered."""
    signature: str = "none"
    """As an independent verifier has it: `valid`, `none`, or `unknown` (made with another secret than ours)."""


class Receiver:
    """Two listeners on loopback, of plain HTTP both.

    A connection that the sender would have made in plain HTTP comes to the first. One that it would
    have made by TLS comes to the second, already decrypted: the sender replaces the connection step
    alone. So which listener is reached tells the URL's scheme.
    """

    def __init__(self, journal: Journal, secret: str | None = None) -> None:
        """`secret`: with which the webhooks are signed (`whsec_…`)."""
        self._journal = journal
        self._verifier = Webhook(secret) if secret else None
        self._changed = Condition()
        self._requests: deque[ReceivedRequest] = deque(maxlen=KEEP)
        self._status = 200
        self._hanging = False
        self._hang_seconds: float | None = None
        self._listeners: list[_Listener] = []

    def start(self, host: str = "127.0.0.1") -> str:
        """Begin to listen on an address of this machine. Where: "HOST:PORT:TLSPORT"."""
        self._listeners = [_Listener(scheme, self._receive, host) for scheme in ("http", "https")]
        return ":".join([host, *(str(listener.port) for listener in self._listeners)])

    def stop(self) -> None:
        """Let go of who hangs, close every connection and wait for the threads."""
        self.release()
        for listener in self._listeners:
            listener.close()
        self._listeners = []

    def requests(self, mid: str | None = None) -> list[ReceivedRequest]:
        """What has arrived, in order: all (of the last 10,000), or those of one message."""
        with self._changed:
            return [request for request in self._requests if mid is None or request.mid == mid]

    def wait_for(self, count: int, timeout: float, mid: str | None = None) -> list[ReceivedRequest]:
        """What has arrived as soon as there are `count` requests; else TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests(mid)) >= count, timeout):
                raise TimeoutError(f"{len(self.requests(mid))} of {count} requests within {timeout:g} s")
            return self.requests(mid)

    def answer_with(self, status: int) -> None:
        """The status of the answers from now on."""
        with self._changed:
            self._status = status

    def hang(self, seconds: float | None = None) -> None:
        """From now on, take requests and answer none of them for `seconds` each (None: until `release`)."""
        with self._changed:
            self._hanging, self._hang_seconds = True, seconds

    def release(self) -> None:
        """Answer who waits, and answer promptly from now on."""
        with self._changed:
            self._hanging = False
            self._changed.notify_all()

    def _receive(self, method: str, url: str, headers: tuple[tuple[str, str], ...], body: str) -> int:
        """Keep and show one request; the status to answer with, when it is time to."""
        mid = _mid(body)
        with self._changed:
            signature = self._check_signature(headers, body)
            request = ReceivedRequest(mid, method, url, headers, body, self._status, signature)
            self._requests.append(request)
            self._changed.notify_all()
            # Recorded under the lock, so that the journal has the order of `requests`.
            self._journal.record(
                "webhook",
                mid=mid,
                method=method,
                url=url,
                headers=[list(h) for h in headers],
                body=body,
                status=request.status,
                signature=signature,
            )
            self._changed.wait_for(lambda: not self._hanging, self._hang_seconds if self._hanging else 0)
        return request.status

    def _check_signature(self, headers: tuple[tuple[str, str], ...], body: str) -> str:
        given = {name.lower(): value for name, value in headers}
        if "webhook-signature" not in given:
            return "none"
        try:
            if self._verifier:
                self._verifier.verify(body, given, json_parse=False)
                return "valid"
        except (WebhookVerificationError, ValueError):
            return "unknown"
        return "unknown"


def _mid(body: str) -> str | None:
    """The message that a webhook's body names: that of a key, or that of a status."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    mid = content.get("mid", content.get("messageId")) if isinstance(content, dict) else None
    return mid if isinstance(mid, str) else None


class _Listener(ThreadingTCPServer):
    """One listening socket with its thread, and a thread for each connection."""

    # Closing the server waits for the connections' threads, and they are few and end at once.
    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(
        self, scheme: str, receive: Callable[[str, str, tuple[tuple[str, str], ...], str], int], host: str
    ) -> None:
        super().__init__((host, 0), _Handler)
        self.scheme = scheme
        self.receive = receive
        self.port = int(self.server_address[1])
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._thread = Thread(target=self.serve_forever, args=(0.05,), name=f"receiver-{scheme}", daemon=True)
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        """Stop listening, hear no more on the connections that are open, and wait for all threads.

        Who has sent a request still gets its answer.
        """
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the other side may have gone first
                    connection.shutdown(socket.SHUT_RD)
        self.server_close()


class _Handler(BaseRequestHandler):
    """One connection: one request, one answer."""

    server: _Listener

    def handle(self) -> None:
        """A sender that goes away, or says nothing for too long, is no error of the receiver's."""
        wire = Wire(self.request, _READ_SECONDS)
        try:
            self._serve(wire)
        except TransportError as error:
            with suppress(Gone):
                wire.refuse(error)
        except Gone:
            return

    def _serve(self, wire: Wire) -> None:
        """GET is answered with an introduction, whatever the URL; any other method is received as a webhook."""
        request = wire.next_request()
        if request is None:
            return
        given = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        self._check(given)
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw_items())
        if request.method == b"GET":
            _answer(wire, 200, AUDIO.read_bytes(), ("Content-Type", "audio/wav"))
            return
        body = b"".join(iter(partial(_at_most, wire, [_MAX_BODY]), b""))
        url = f"{self.server.scheme}://{given.get('host', '')}{request.target.decode('ascii')}"
        status = self.server.receive(request.method.decode("ascii"), url, headers, body.decode("utf-8", "replace"))
        _answer(wire, status, *_case_in(url))

    def _check(self, headers: Mapping[str, str]) -> None:
        """Raises TransportError for what no sender of ours can have sent, but a page in a browser can.

        Any host may be meant: only one that is reached by the listener's own port was led here by its name alone.
        """
        host = headers.get("host", "")
        if host.rpartition(":")[2] == str(self.server.port) and not is_this_machine(host):
            raise TransportError(421, "Only this machine is served here.")
        if "sec-fetch-site" in headers:
            raise TransportError(403, "A page may not send webhooks.")


def _case_in(url: str) -> tuple[Any, ...]:
    """The body of an answer, and its header: of a URL with `?case=paid` the answer to a lookup, else nothing."""
    cases = parse_qs(urlsplit(url).query).get("case")
    if not cases:
        return (b"",)
    return json.dumps({"case": cases[0]}).encode(), ("Content-Type", "application/json")


def _at_most(wire: Wire, left: list[int]) -> bytes:
    piece = wire.more()
    left[0] -= len(piece)
    if left[0] < 0:
        raise TransportError(413, f"The body has more than {_MAX_BODY} bytes.")
    return piece


def _answer(wire: Wire, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    wire.begin(status, "", [*headers, ("Content-Length", str(len(body))), ("Connection", "close")])
    wire.write(body)
    wire.finish()
