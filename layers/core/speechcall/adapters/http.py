"""HTTP to addresses that customers give: name resolved once, address checked, then connected to.

The guard stands in the connection step alone. Method, URL, Host, SNI, headers and body are those of
the request, whatever is connected to.
"""

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from speechcall.domain.address import is_forbidden
from speechcall.domain.errors import ForbiddenAddress, PromptUnavailable
from speechcall.domain.webhook import WebhookRequest

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0
MAX_RESPONSE_BYTES = 20 * 1024
MAX_PROMPT_BYTES = 25 * 1024 * 1024

LOOPBACK = "loopback"

SocketOptions = Iterable[Any] | None

# It logs every URL at INFO, and customers' URLs hold their secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)


class _Stream(httpcore.NetworkStream):
    """A connection that lives no longer than one attempt may, however slowly the other side answers."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float, *, plain: bool = False) -> None:
        self._inner, self._deadline, self._plain = inner, deadline, plain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _within(timeout, self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _within(timeout, self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        if self._plain:  # the laptop's receiver: what would have been TLS goes in the clear
            return self
        left = _within(timeout, self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _within(timeout: float | None, deadline: float, error: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the attempt has taken too long")
    return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore.SyncBackend):
    """Connects to an address that was checked, never to one that a second look-up might give."""

    def __init__(self, total_seconds: float, *, allow_loopback: bool = False) -> None:
        self._total_seconds, self._allow_loopback = total_seconds, allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        deadline = time.monotonic() + self._total_seconds
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in self._checked(host, port):
            left = _within(timeout, deadline, httpcore.ConnectTimeout)
            try:
                return _Stream(super().connect_tcp(address, port, left, local_address, socket_options), deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            parsed = ipaddress.ip_address(address.partition("%")[0])
            if is_forbidden(parsed) and not (self._allow_loopback and parsed.is_loopback):
                raise ForbiddenAddress(f"the name leads to {parsed}")
        return addresses


class ReceiverBackend(httpcore.SyncBackend):
    """Connects every request to one receiver on the laptop, whatever host its URL names."""

    def __init__(self, total_seconds: float, host: str, port: int, tls_port: int) -> None:
        self._total_seconds, self._host, self._port, self._tls_port = total_seconds, host, port, tls_port

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        target = self._tls_port if port == 443 else self._port
        inner = super().connect_tcp(self._host, target, timeout, local_address, socket_options)
        return _Stream(inner, time.monotonic() + self._total_seconds, plain=True)


def make_client(receiver: str, total_seconds: float = TOTAL_SECONDS) -> httpx.Client:
    """A client for customers' URLs: no redirects, no cookies kept, no proxies of the environment.

    In: "" (the guard), "loopback" (the guard, but this machine may be reached), or
    "host:port:tls-port" of the laptop's receiver. Each request has a connection of its own, which
    ends after `total_seconds`, whatever has come by then.
    """
    backend: httpcore.NetworkBackend
    if receiver in ("", LOOPBACK):
        backend = GuardedBackend(total_seconds, allow_loopback=receiver == LOOPBACK)
    else:
        host, port, tls_port = receiver.rsplit(":", 2)
        backend = ReceiverBackend(total_seconds, host, int(port), int(tls_port))
    transport = httpx.HTTPTransport(trust_env=False)
    # httpx has no parameter for the network backend of the pool that it makes.
    transport._pool.close()
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(),
        network_backend=backend,
        max_connections=100,
        max_keepalive_connections=0,
    )
    timeout = httpx.Timeout(total_seconds, connect=CONNECT_SECONDS)
    return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)


class WebhookSender:
    """Sends webhooks; what receivers answer is read up to 20 KB and dropped."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __call__(self, request: WebhookRequest) -> int:
        """The answer's status. Raises ForbiddenAddress; OSError for whatever left no status."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        try:
            with self._client.stream("POST", request.url, content=request.body, headers=headers) as response:
                with suppress(httpx.HTTPError):
                    _read(response, MAX_RESPONSE_BYTES)
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionError(type(error).__name__) from error
        finally:
            self._client.cookies.clear()


def fetch_audio(client: httpx.Client, url: str) -> bytes:
    """The audio behind a URL, at most 25 MiB. Raises PromptUnavailable with the cause."""
    try:
        # Not compressed: what is read is kept as it comes.
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != 200:
                raise PromptUnavailable(f"{url} answered {response.status_code}")
            content = _read(response, MAX_PROMPT_BYTES + 1)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PromptUnavailable(f"{url} could not be fetched: {type(error).__name__}") from error
    except ForbiddenAddress as error:
        raise PromptUnavailable(f"{url} cannot be fetched: {error}") from error
    if len(content) > MAX_PROMPT_BYTES:
        raise PromptUnavailable(f"{url} has more than {MAX_PROMPT_BYTES} bytes")
    return content


def _read(response: httpx.Response, most: int) -> bytes:
    content = bytearray()
    # Raw: what a receiver compressed is not unpacked, so a small answer cannot grow large here.
    for chunk in response.iter_raw():
        content += chunk
        if len(content) >= most:
            break
    return bytes(content[:most])
