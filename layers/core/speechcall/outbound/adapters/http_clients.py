"""HTTP to addresses that customers give: the client of audio, and the connections of webhooks."""

import logging
from typing import Any

import httpcore
import httpx

from speechcall.outbound.adapters.connections import Receivers
from speechcall.outbound.adapters.guarded_network import Attempt, GuardedBackend, ReceiverBackend
from speechcall.outbound.rules.address import target_of
from speechcall.shared.adapters.settings import LOOPBACK, allows_loopback
from speechcall.shared.rules.errors import ForbiddenAddress, UnusableUrl

__all__ = ["LOOPBACK", "GuardedClient", "make_client"]

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0

# It logs every URL at INFO, and customers' URLs hold their secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)


class GuardedClient(httpx.Client):
    """A client for customers' URLs: no redirects, no cookies, no proxies of the environment.

    Each request ends after `total_seconds`, whatever has come by then. Every host is sent in the one form that it has
    (`outbound.rules.host`). No connection is kept for another request: the next one may be another account's.
    """

    def __init__(self, receiver: str, total_seconds: float) -> None:
        """`receiver`: see `make_client`."""
        self.attempt = Attempt()
        """The attempt of the calling thread."""
        backend: httpcore.NetworkBackend
        if receiver == "" or allows_loopback(receiver):
            backend = GuardedBackend(self.attempt, allow_loopback=allows_loopback(receiver))
        else:
            host, port, tls_port = receiver.rsplit(":", 2)
            backend = ReceiverBackend(self.attempt, host, int(port), int(tls_port))
        context = httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        connect_seconds = min(CONNECT_SECONDS, total_seconds)
        self.receivers = Receivers(backend, context, self.attempt, seconds=(connect_seconds, total_seconds))
        """For webhooks."""
        transport = httpx.HTTPTransport(verify=context, trust_env=False)
        # httpx has no parameter for the network backend of the pool that it makes.
        transport._pool.close()
        transport._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=backend, max_connections=100, max_keepalive_connections=0
        )
        self._total_seconds = total_seconds
        timeout = httpx.Timeout(total_seconds, connect=connect_seconds)
        super().__init__(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """httpx's own, for a URL that can be sent to. Raises ForbiddenAddress, httpx.InvalidURL."""
        try:
            target = target_of(str(url))
        except UnusableUrl as error:
            kind = ForbiddenAddress if error.is_address else httpx.InvalidURL
            raise kind(f"the URL {error}") from error
        # Without a Host httpx would decode the name, by rules that not every name of DNS fits.
        headers = httpx.Headers(given.pop("headers", None))
        headers["Host"] = target.authority
        return super().build_request(method, target.url, headers=headers, **given)

    def exchange(self, request: httpx.Request, seconds: float | None = None) -> httpx.Response:
        """The answer as it comes; the caller closes it. A Location, which httpx would read, is not even looked at.

        `seconds`: what is left of an attempt that has more than one request; None: it has this one alone. Raises
        httpx's errors, ForbiddenAddress.
        """
        self.attempt.begin(self._total_seconds if seconds is None else min(seconds, self._total_seconds))
        response = self._transport.handle_request(request)
        response.request = request
        return response

    def send(self, request: httpx.Request, *, stream: bool = False, **_given: Any) -> httpx.Response:
        """httpx's own would read cookies and a Location, and raise what it thinks of them."""
        response = self.exchange(request)
        if not stream:
            response.read()
        return response

    def close(self) -> None:
        """Closes every connection."""
        self.receivers.close()
        super().close()

    def __exit__(self, *reason: Any) -> None:
        self.receivers.close()
        super().__exit__(*reason)


def make_client(receiver: str, total_seconds: float = TOTAL_SECONDS) -> GuardedClient:
    """The one client of a function for customers' URLs, made when it starts.

    `total_seconds`: for each request. `receiver`: the setting WEBHOOK_RECEIVER, for audio too. "": only public
    addresses are connected to (`GuardedBackend`); "loopback": this machine too; "host:port:tls-port": every request
    goes to that receiver, whatever its URL names (the laptop's).
    """
    return GuardedClient(receiver, total_seconds)
