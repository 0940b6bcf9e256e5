"""Connections to receivers of webhooks: one request at a time, kept for the next of the same account.

Why not a client's own pool: a POST must not be sent again on another connection once it may have been read (RFC 9110,
9.2.2); bytes that came unasked make a connection useless (RFC 9112, 9.2); and what one account's receiver does to a
connection is nothing to another account.
"""

import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import httpcore

from speechcall.outbound.adapters.guarded_network import Attempt, Unsent
from speechcall.outbound.adapters.http_answer import AnswerReader, Head
from speechcall.outbound.rules.address import Target

KEPT_SECONDS = 15.0
"""How long an idle connection is kept for the next request: well below what gateways and servers forget."""
KEPT_CONNECTIONS = 20
BODY_SECONDS = 1.0
"""How long a body may take that is not looked at, so that its connection can be kept."""

_READ_BYTES = 64 * 1024
_OK = 200

Key = tuple[str, str, str, int]
"""Account, scheme, host and port."""


class Connection:
    """One connection to a receiver."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._reader = AnswerReader(self._read)
        self._read_until = float("inf")
        self.idle_since = 0.0

    def ask(self, request: bytes, body_bytes: int = 0) -> tuple[Head, bool]:
        """The head of the answer, and whether the connection can be used again.

        `body_bytes`: up to this length the body of a 200 is read into the head; 0, or another status: it is dropped.
        Raises httpcore's errors: Unsent where nothing of the request could be sent, BodyTooLong for a longer body.
        """
        was_sent = True
        try:
            self._stream.write(request)
        except Unsent:
            raise
        except httpcore.WriteError:  # who refuses a request may say so before having read it all
            was_sent = False
        self._read_until = float("inf")
        head = self._reader.head()
        if body_bytes and head.status == _OK:
            head = replace(head, body=self._reader.body(head, body_bytes))
            has_ended = head.chunked or head.length is not None
        else:
            has_ended = self._drop_body(head)
        return head, has_ended and was_sent and head.may_keep and self.is_clean()

    def has_unread(self) -> bool:
        """Whether something has come that was not asked for, the end of the connection included.

        It is read, since TLS has records of its own that are no one's answer; so if there is, the connection is spent.
        Raises httpcore.ReadError where it has broken.
        """
        if self._reader.unread:
            return True
        inner = self._stream.get_extra_info("socket")
        try:
            inner.settimeout(0)
            inner.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        return True

    def is_clean(self) -> bool:
        """Whether the connection is open, with nothing unread on it."""
        try:
            return not self.has_unread()
        except httpcore.ReadError:
            return False

    def close(self) -> None:
        """Lets go of the socket."""
        self._stream.close()

    def _drop_body(self, head: Head) -> bool:
        """Reads a body that nobody wants, for BODY_SECONDS at most; whether it came to its end. Never raises."""
        self._read_until = time.monotonic() + BODY_SECONDS
        try:
            return self._reader.drop_body(head)
        except Exception:  # noqa: BLE001 - the status has been said, whatever becomes of the body
            return False

    def _read(self) -> bytes:
        seconds = self._read_until - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("the body has taken too long")
        return self._stream.read(_READ_BYTES, seconds)


class Kept:
    """Idle connections, the latest used first."""

    def __init__(self) -> None:
        self._idle: list[tuple[Key, Connection]] = []
        self._lock = threading.Lock()

    def take(self, key: Key) -> Connection | None:
        """A connection that has been silent since its last answer, or None. Others that it meets are closed."""
        for connection in self._taken(key):
            if time.monotonic() - connection.idle_since < KEPT_SECONDS and connection.is_clean():
                return connection
            connection.close()
        return None

    def give(self, key: Key, connection: Connection) -> None:
        """Keeps a connection; where there are too many, the oldest goes."""
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle.append((key, connection))
            gone = self._idle[:-KEPT_CONNECTIONS]
            del self._idle[:-KEPT_CONNECTIONS]
        for _, one in gone:
            one.close()

    def close(self) -> None:
        """Closes them all."""
        with self._lock:
            gone, self._idle = self._idle, []
        for _, one in gone:
            one.close()

    def _taken(self, key: Key) -> Iterator[Connection]:
        """The connections kept under a key, the latest used first; each is taken out."""
        while True:
            with self._lock:
                places = [index for index, (known, _) in enumerate(self._idle) if known == key]
                if not places:
                    return
                _, connection = self._idle.pop(places[-1])
            yield connection


class Receivers:
    """Sends requests to receivers, each within the time of an attempt as a whole."""

    def __init__(
        self,
        backend: httpcore.NetworkBackend,
        context: ssl.SSLContext,
        attempt: Attempt,
        *,
        seconds: tuple[float, float],
    ) -> None:
        """`seconds`: for making a connection, and for everything, from the look-up of the name on."""
        self._backend, self._context, self._attempt = backend, context, attempt
        self._connect_seconds, self._total_seconds = seconds
        self._kept = Kept()

    def exchange(
        self, account: str, target: Target, request: bytes, seconds: float | None = None, body_bytes: int = 0
    ) -> Head:
        """Sends a request over a kept connection of the account, or a new one. Out: the answer's head.

        It is sent once: on a new connection again only where not a byte of it could be sent on a kept one. `seconds`:
        what is left for everything, if that is less than usual. `body_bytes`: see `Connection.ask`. Raises
        ForbiddenAddress, httpcore's errors.
        """
        self._attempt.begin(self._total_seconds if seconds is None else min(seconds, self._total_seconds))
        key = (account, target.scheme, target.host, target.port)
        if kept := self._kept.take(key):
            try:
                return self._ask(key, kept, request, body_bytes, is_new=False)
            except Unsent:  # closed in this very moment
                pass
        return self._ask(key, self._connect(target), request, body_bytes, is_new=True)

    def close(self) -> None:
        """Closes every kept connection."""
        self._kept.close()

    def _ask(self, key: Key, connection: Connection, request: bytes, body_bytes: int, *, is_new: bool) -> Head:
        """Sends a request over a connection, which is then kept for the next one, or closed. Out: the answer's head.

        Raises httpcore's errors, also where a new connection has sent something before the request.
        """
        keep = False
        try:
            if is_new and connection.has_unread():
                raise httpcore.RemoteProtocolError("it spoke before it was asked")
            head, keep = connection.ask(request, body_bytes)
            return head
        finally:
            if keep:
                self._kept.give(key, connection)
            else:
                connection.close()

    def _connect(self, target: Target) -> Connection:
        stream = self._backend.connect_tcp(target.host, target.port, self._connect_seconds)
        if target.scheme == "https":
            stream = stream.start_tls(self._context, target.host, self._connect_seconds)
        return Connection(stream)
