"""The connection step of HTTP to customers' addresses: name resolved once, every address checked, then connected to.

The guard is in the connection step alone: SNI, Host and all else that is sent is that of the request, whatever
is connected to.
"""

import errno
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore

from speechcall.outbound.rules.address import reach_problem
from speechcall.shared.rules.errors import ForbiddenAddress

SocketOptions = Iterable[Any] | None

OUR_SIDE = {
    *(errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.EAGAIN),
    *(errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM),
}
"""No route, no port, no socket or no right to one: the packet never left this machine."""


class Attempt(threading.local):
    """What one attempt may take in all, whatever its steps are. One for each thread."""

    ends: float = float("inf")

    def begin(self, total_seconds: float) -> None:
        """A new attempt begins now."""
        self.ends = time.monotonic() + total_seconds

    def left(self, timeout: float | None, error: type[Exception]) -> float:
        """Seconds that a step may take: what is left of the attempt, `timeout` at most (None: all of it).

        Raises `error` where the attempt has used up its time.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise error("the attempt has taken too long")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends when the attempt must, however slowly the other side reads or answers."""

    def __init__(self, inner: httpcore.NetworkStream, attempt: Attempt, *, plain: bool = False) -> None:
        self._inner, self._attempt, self._plain = inner, attempt, plain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._attempt.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends all of a buffer, within `timeout` and the attempt.

        Raises httpcore.WriteTimeout; Unsent where not a byte of it was taken, else httpcore.WriteError.
        """
        # httpcore's own `write` would let each piece of the buffer take the whole time.
        connection, left = self.get_extra_info("socket"), memoryview(buffer)
        try:
            while left:
                connection.settimeout(self._attempt.left(timeout, httpcore.WriteTimeout))
                left = left[connection.send(left) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            # Where not a byte was taken, nothing can have been read, and the request may be sent again.
            kind = Unsent if len(left) == len(buffer) else httpcore.WriteError
            raise kind(str(error)) from error

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """TLS over this connection; on the laptop (`plain`) none. Raises TlsFailed, httpcore.ConnectTimeout."""
        if self._plain:  # the laptop's receiver: what would have been TLS goes in the clear
            return self
        left = self._attempt.left(timeout, httpcore.ConnectTimeout)
        # RFC 6066, 3: the name in SNI has no dot at its end; no certificate's has one either.
        verified = server_hostname.removesuffix(".") if server_hostname else None
        try:
            return _Stream(self._inner.start_tls(ssl_context, verified, left), self._attempt)
        except httpcore.ConnectError as error:
            raise TlsFailed(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class TlsFailed(httpcore.ConnectError):
    """There is a connection, and no TLS on it: for its certificate, or because the other side ended the handshake."""


class Unsent(httpcore.WriteError):
    """Not one byte of a request could be sent."""


class GuardedBackend(httpcore.SyncBackend):
    """Connects to an address that was checked, never to one that a second look-up might give."""

    def __init__(self, attempt: Attempt, *, allow_loopback: bool = False) -> None:
        self._attempt, self._allow_loopback = attempt, allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first address of a host that can be connected to; all are checked before.

        Raises ForbiddenAddress, or of several failures the one that says most.
        """
        failures: list[Exception] = []
        for address in self._checked(host, port, timeout):
            try:
                left = self._attempt.left(timeout, httpcore.ConnectTimeout)
                return _Stream(super().connect_tcp(address, port, left, local_address, socket_options), self._attempt)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failures.append(error)
        raise min(failures, key=_rank, default=httpcore.ConnectError("the name has no address"))

    def _checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        """The addresses of a host, maybe none. Raises ForbiddenAddress if a single one of them may not be reached.

        And httpcore.ConnectError where the name cannot be resolved, httpcore.ConnectTimeout.
        """
        try:
            found = _resolve(host, port, self._attempt.left(timeout, httpcore.ConnectTimeout))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        for address in found:
            parsed = ipaddress.ip_address(address.partition("%")[0])
            if problem := reach_problem(parsed, port, allow_loopback=self._allow_loopback):
                raise ForbiddenAddress(f"the name {problem}")
        return found


def _rank(failure: Exception) -> int:
    """Which failure of several addresses says most: refused, then no answer, then no way, then a fault of ours."""
    cause = failure.__cause__
    if isinstance(cause, ConnectionRefusedError):
        return 0
    if isinstance(failure, httpcore.ConnectTimeout):
        return 1
    return 3 if isinstance(cause, OSError) and cause.errno in OUR_SIDE else 2


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name; of an address itself.

    Raises OSError, UnicodeError; httpcore.ConnectTimeout after `seconds`.
    """
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return [host]
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            answers.put(error)

    # The system's resolver has no time limit that we could give it, so it is asked in parallel with the attempt.
    try:
        threading.Thread(target=look_up, name="resolve", daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, "no thread can be started") from error
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class ReceiverBackend(httpcore.SyncBackend):
    """Connects every request to one receiver on the laptop, whatever host its URL names."""

    def __init__(self, attempt: Attempt, host: str, port: int, tls_port: int) -> None:
        self._attempt, self._host, self._port, self._tls_port = attempt, host, port, tls_port

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        """A connection to the receiver, whatever `host` is."""
        # Two ports tell the receiver whether the URL was of https; both are spoken to in the clear.
        target = self._tls_port if port == 443 else self._port
        inner = super().connect_tcp(self._host, target, timeout, local_address, socket_options)
        return _Stream(inner, self._attempt, plain=True)
