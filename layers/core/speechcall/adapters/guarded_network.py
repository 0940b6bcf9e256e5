"""The connection step of HTTP to customers' addresses: name resolved once, every address checked, then connected to.

The guard stands in the connection step alone: SNI, Host and all else that is sent is that of the request, whatever
is connected to.
"""

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

from speechcall.domain.address import is_forbidden, is_web_port
from speechcall.domain.errors import ForbiddenAddress

SocketOptions = Iterable[Any] | None


class Attempt(threading.local):
    """What one attempt may take, and whether it has made a connection of its own. One for each thread."""

    ends: float = float("inf")
    connections: int = 0

    def begin(self, total_seconds: float) -> None:
        """A new attempt begins now."""
        self.ends, self.connections = time.monotonic() + total_seconds, 0

    def left(self, timeout: float | None, error: type[Exception]) -> float:
        """Seconds that a step may take. Raises `error` where the attempt has used up its time."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise error("the attempt has taken too long")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends when the attempt must, however slowly the other side answers."""

    def __init__(self, inner: httpcore.NetworkStream, attempt: Attempt, *, plain: bool = False) -> None:
        self._inner, self._attempt, self._plain = inner, attempt, plain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._attempt.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._attempt.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        if self._plain:  # the laptop's receiver: what would have been TLS goes in the clear
            return self
        left = self._attempt.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._attempt)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


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
        self._attempt.connections += 1
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in self._checked(host, port, timeout):
            left = self._attempt.left(timeout, httpcore.ConnectTimeout)
            try:
                return _Stream(super().connect_tcp(address, port, left, local_address, socket_options), self._attempt)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            found = _resolve(host, port, self._attempt.left(timeout, httpcore.ConnectTimeout))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        for address in found:
            parsed = ipaddress.ip_address(address.partition("%")[0])
            if self._allow_loopback and parsed.is_loopback:
                continue
            if is_forbidden(parsed):
                raise ForbiddenAddress(f"the name leads to {parsed}")
            if not is_web_port(port):
                raise ForbiddenAddress(f"the port {port} belongs to another protocol")
        return found


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name. Raises OSError, UnicodeError; httpcore.ConnectTimeout when it takes too long."""
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return [host]
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # The system's resolver has no time limit that we could give it, so it is asked beside the attempt.
    threading.Thread(target=look_up, name="resolve", daemon=True).start()
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
        self._attempt.connections += 1
        target = self._tls_port if port == 443 else self._port
        inner = super().connect_tcp(self._host, target, timeout, local_address, socket_options)
        return _Stream(inner, self._attempt, plain=True)
