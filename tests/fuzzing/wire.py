"""The guarded client without a network: every connection, to whatever host, is answered with the same bytes."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

import httpcore

from speechcall.outbound.adapters import guarded_network
from speechcall.outbound.adapters.http_clients import GuardedClient, make_client

PUBLIC = "93.184.215.14"


class Wire(httpcore.NetworkStream):
    """A connection whose other side answers each request at once; and the socket under it."""

    def __init__(self, host: str, port: int, answer: bytes, step: int) -> None:
        self.host, self.port, self.written = host, port, b""
        self._answer, self._step, self._unread = answer, step, b""

    # ----------------------------------------------------------- the stream
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        given = self._unread[: min(max_bytes, self._step)]
        self._unread = self._unread[len(given) :]
        return given

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.send(buffer)

    def close(self) -> None:
        self._unread = b""

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return {"socket": self, "is_readable": bool(self._unread)}.get(info)

    # ----------------------------------------------------------- the socket
    def settimeout(self, seconds: float | None) -> None:
        """Nothing here takes time."""

    def send(self, buffer: Any) -> int:
        """Takes everything, and has the answer ready."""
        self.written += bytes(buffer)
        self._unread += self._answer
        return len(buffer)

    def recv(self, most: int) -> bytes:
        if not self._unread:
            raise BlockingIOError
        return self.read(most)


def _resolve(host: str, _port: int, _seconds: float) -> list[str]:
    """An address is its own; every name has one and the same."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return [PUBLIC]


@contextmanager
def answered(answer: bytes, step: int = 65536) -> Iterator[tuple[GuardedClient, list[Wire]]]:
    """Within it the client's connections are wires, which give so many bytes of the answer at a time."""
    wires: list[Wire] = []
    client = the_client()

    def connect(_backend: Any, host: str, port: int, *_given: Any) -> Wire:
        wires.append(Wire(host, port, answer, step))
        return wires[-1]

    with (
        patch.object(httpcore.SyncBackend, "connect_tcp", connect),
        patch.object(guarded_network, "_resolve", _resolve),
    ):
        try:
            yield client, wires
        finally:
            client.receivers.close()


@cache
def the_client() -> GuardedClient:
    """One for all inputs: to read the system's certificates takes longer than everything else."""
    return make_client("")
