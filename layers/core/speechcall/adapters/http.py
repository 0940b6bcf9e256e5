"""HTTP to addresses that customers give: the client of webhooks and of audio."""

import logging
from typing import Any

import httpcore
import httpx

from speechcall.adapters.guarded_network import Attempt, GuardedBackend, ReceiverBackend

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0
KEPT_SECONDS = 15.0
"""How long an idle connection is kept for the next request: well below what gateways and servers forget."""
KEPT_CONNECTIONS = 20

LOOPBACK = "loopback"

# It logs every URL at INFO, and customers' URLs hold their secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)


class GuardedClient(httpx.Client):
    """A client for customers' URLs: no redirects, no cookies kept, no proxies of the environment.

    Each request ends after `total_seconds`, whatever has come by then. Connections are kept for the next request to
    the same scheme, host and port; each was made to an address that had been checked.
    """

    def __init__(self, receiver: str, total_seconds: float) -> None:
        self.attempt = Attempt()
        """The attempt of the calling thread."""
        backend: httpcore.NetworkBackend
        if receiver in ("", LOOPBACK):
            backend = GuardedBackend(self.attempt, allow_loopback=receiver == LOOPBACK)
        else:
            host, port, tls_port = receiver.rsplit(":", 2)
            backend = ReceiverBackend(self.attempt, host, int(port), int(tls_port))
        transport = httpx.HTTPTransport(trust_env=False)
        # httpx has no parameter for the network backend of the pool that it makes.
        transport._pool.close()
        transport._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            network_backend=backend,
            max_connections=100,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
        )
        self._total_seconds, self._raw = total_seconds, transport
        timeout = httpx.Timeout(total_seconds, connect=min(CONNECT_SECONDS, total_seconds))
        super().__init__(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)

    def send(self, request: httpx.Request, **given: Any) -> httpx.Response:
        """httpx's own, with the attempt's time beginning now."""
        self._begin(request)
        try:
            return super().send(request, **given)
        finally:
            self.cookies.clear()

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """The answer as it comes; the caller closes it. A Location, which httpx would read, is not even looked at."""
        self._begin(request)
        return self._raw.handle_request(request)

    def _begin(self, request: httpx.Request) -> None:
        if request.url.userinfo:  # httpx would send it as credentials
            raise httpx.InvalidURL("a customer's URL has no user")
        self.attempt.begin(self._total_seconds)


def make_client(receiver: str, total_seconds: float = TOTAL_SECONDS) -> GuardedClient:
    """A client for customers' URLs.

    In: "" (the guard), "loopback" (the guard, but this machine may be reached), or "host:port:tls-port" of the
    laptop's receiver.
    """
    return GuardedClient(receiver, total_seconds)


def read_raw(response: httpx.Response, most: int) -> bytes:
    """The first bytes of an answer as they came, at most `most`; the rest is left unread."""
    content = bytearray()
    # Raw: what a receiver compressed is not unpacked, so a small answer cannot grow large here.
    for chunk in response.iter_raw():
        content += chunk
        if len(content) >= most:
            break
    return bytes(content[:most])
