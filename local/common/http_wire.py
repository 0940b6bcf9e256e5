"""HTTP/1.1 on one connection (RFC 9112), read by h11: what is malformed is told apart from what is asked for.

A malformed request is answered by its status, in the form that API Gateway has, and nothing more is read behind it:
where its end would be is anybody's guess.
"""

import io
import json
import socket
import time
from collections.abc import Iterable
from contextlib import suppress

import h11

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 100
MAX_BODY_BYTES = 128 * 1024 * 1024
"""More than anything that is sent here."""
SILENCE_SECONDS = 75.0
"""How long a connection is kept on which nothing is said."""
_PIECE = 64 * 1024
_LEFT_BYTES = 256 * 1024
"""Of a body that nobody reads: more than this is not waited for."""
_LINGER_SECONDS = 1.0


class TransportError(Exception):
    """What arrived is no request that could be handed to an application.

    With a `code` it is told in the form of the API's errors.
    """

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.content: object = {"error": {"code": code, "message": message}} if code else {"message": message}


class Gone(Exception):
    """The other side has gone, or takes nothing more."""


class Wire:
    """One connection's requests and answers, in turn."""

    def __init__(self, connection: socket.socket, silence_seconds: float = SILENCE_SECONDS) -> None:
        connection.settimeout(silence_seconds)
        self._socket = connection
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._in_body, self._body_bytes = False, 0
        self._is_head = False

    def next_request(self) -> h11.Request | None:
        """The head of a request; None if the other side says no more. Raises TransportError, or Gone."""
        self._in_body, self._body_bytes, self._is_head = False, 0, False
        try:
            event = self._next_event()
        except TimeoutError as silence:
            if not self._http.trailing_data[0]:
                return None
            raise TransportError(408, "the request's head did not come to its end") from silence
        if not isinstance(event, h11.Request):
            return None
        self._is_head = event.method == b"HEAD"
        _check(event)
        self._in_body = True
        return event

    def more(self) -> bytes:
        """The next piece of the request's body; nothing at its end. Raises TransportError, or Gone."""
        while self._http.their_state is h11.SEND_BODY:
            try:
                event = self._next_event()
            except TimeoutError as silence:
                raise TransportError(408, "the request's body did not come to its end") from silence
            if isinstance(event, h11.Data) and event.data:
                self._body_bytes += len(event.data)
                if self._body_bytes > MAX_BODY_BYTES:
                    raise TransportError(413, f"more than {MAX_BODY_BYTES} bytes")
                return bytes(event.data)
        return b""

    def begin(self, status: int, reason: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send an answer's head."""
        fields = [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        self._send(h11.Response(status_code=status, reason=reason.encode("latin-1"), headers=fields))

    def write(self, data: bytes) -> None:
        """Send a piece of an answer's body."""
        self._send(h11.Data(data=data))

    def finish(self) -> bool:
        """The answer is complete. Whether another request may follow on this connection."""
        self._send(h11.EndOfMessage())
        if self._http.our_state is h11.DONE and not self._http.they_are_waiting_for_100_continue:
            self._read_what_is_left()
        if (self._http.our_state, self._http.their_state) != (h11.DONE, h11.DONE):
            self._linger()
            return False
        self._http.start_next_cycle()
        return True

    def refuse(self, error: TransportError) -> None:
        """Answer that this was no request, where no answer has begun; then say no more."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps(error.content).encode()
            kind, length = ("Content-Type", "application/json"), ("Content-Length", str(len(body)))
            as_it_is = ("X-Content-Type-Options", "nosniff")
            self.begin(error.status, "", [kind, as_it_is, length, ("Connection", "close")])
            if not self._is_head:  # its answer has a body's length, and no body (RFC 9110, 9.3.2)
                self.write(body)
            self._send(h11.EndOfMessage())
        self._linger()

    def _next_event(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                # Behind the colon it would repeat what was sent.
                raise TransportError(self._status_of(error), str(error).partition(":")[0]) from error
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            self._http.receive_data(self._receive())

    def _status_of(self, error: h11.RemoteProtocolError) -> int:
        status = error.error_status_hint
        if status != 431:
            return status
        # Too much for one piece of the grammar: a chunk's line, the request's line, or its fields.
        return 400 if self._in_body else 431 if b"\n" in self._http.trailing_data[0] else 414

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_PIECE)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone from error

    def _send(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise Gone from error

    def _read_what_is_left(self) -> None:
        """Reads off what the application left of a body, so that the next request can follow; of a long one a part."""
        left = _LEFT_BYTES
        while left > 0 and self._http.their_state is h11.SEND_BODY:
            try:
                left -= len(self.more())
            except TransportError:
                return

    def _linger(self) -> None:
        """Lets the answer arrive (RFC 9112, 9.6): a connection that is closed with unread bytes is reset."""
        deadline = time.monotonic() + _LINGER_SECONDS
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(_PIECE):
                    return


class Body(io.RawIOBase):
    """A request's body as a file."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire, self._piece = wire, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._piece = self._piece or self._wire.more()
        size = min(len(buffer), len(self._piece))
        buffer[:size], self._piece = self._piece[:size], self._piece[size:]
        return size


def _check(request: h11.Request) -> None:
    """What h11 leaves to us."""
    names = [name for name, _ in request.headers]
    if request.http_version not in (b"1.0", b"1.1"):
        raise TransportError(505, "this is HTTP/1.1")
    if len(request.target) > MAX_HEAD_BYTES:
        raise TransportError(414, "the target is too long")
    if len(names) > MAX_FIELDS or sum(len(name) + len(value) for name, value in request.headers) > MAX_HEAD_BYTES:
        raise TransportError(431, f"more than {MAX_FIELDS} header fields, or {MAX_HEAD_BYTES} bytes of them")
    if b"transfer-encoding" in names and (b"content-length" in names or request.http_version == b"1.0"):
        raise TransportError(400, "Transfer-Encoding with Content-Length, or in HTTP/1.0 (RFC 9112, 6.1)")
