"""Sends webhooks, and says in a word what kept one from being answered."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import httpx

from speechcall.adapters.http import GuardedClient, read_raw
from speechcall.domain.delivery import OUR_NETWORK
from speechcall.domain.errors import Unreachable
from speechcall.domain.webhook import WebhookAnswer, WebhookRequest

MAX_RESPONSE_BYTES = 20 * 1024

_OUR_SIDE = {
    *(errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE),
    *(errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM),
}
"""No route, no port, no socket or no right to one: the packet never left this machine."""

_WORDS = {
    httpx.PoolTimeout: OUR_NETWORK,
    httpx.ConnectTimeout: "CONNECT_TIMEOUT",
    httpx.TimeoutException: "TIMEOUT",
    httpx.ConnectError: "CONNECT_FAILED",
    httpx.RemoteProtocolError: "BAD_ANSWER",
    httpx.NetworkError: "CONNECTION_RESET",
}
"""The first that fits, where no cause says more."""

_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)


class WebhookSender:
    """Sends webhooks; what receivers answer is read up to 20 KB and dropped."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def __call__(self, request: WebhookRequest) -> WebhookAnswer:
        """The answer. Raises ForbiddenAddress; Unreachable for whatever left none."""
        try:
            try:
                return self._send(request)
            except _BROKEN:
                if self._client.attempt.connections:
                    raise
                # The connection was a kept one, and the receiver had let go of it.
                return self._send(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(error) from error

    def _send(self, request: WebhookRequest) -> WebhookAnswer:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        asked = self._client.build_request("POST", request.url, content=request.body, headers=headers)
        answer = self._client.exchange(asked)
        try:
            with suppress(httpx.HTTPError):
                read_raw(answer, MAX_RESPONSE_BYTES)
            return WebhookAnswer(answer.status_code, answer.headers.get("retry-after"))
        finally:
            answer.close()


def _unreachable(error: Exception) -> Unreachable:
    """What went wrong in a word, and whose side it was on. It shows nothing of the URL."""
    for cause in _causes(error):
        if word := _word_of_cause(cause):
            return Unreachable(word, ours=word == OUR_NETWORK)
    for kind, word in _WORDS.items():
        if isinstance(error, kind):
            return Unreachable(word, ours=word == OUR_NETWORK)
    return Unreachable("BAD_REQUEST", hopeless=True)


def _word_of_cause(cause: BaseException) -> str | None:
    match cause:
        case socket.gaierror(errno=socket.EAI_AGAIN):  # the resolver has no answer: nobody is known to be at fault
            return OUR_NETWORK
        case socket.gaierror() | UnicodeError():
            return "NAME_NOT_FOUND"
        case ssl.SSLError():
            return "TLS_FAILED"
        case OSError(errno=number) if number in _OUR_SIDE:
            return OUR_NETWORK
        case ConnectionRefusedError():
            return "CONNECTION_REFUSED"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
