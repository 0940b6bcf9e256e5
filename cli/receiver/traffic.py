"""What a trial sends: as the service does, by the same code, and only where somebody may try it.

Times are real: every webhook has the moment at which it is sent, unless it is one that has to be refused.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpcore
import httpx
from standardwebhooks import Webhook

from speechcall.outbound.adapters.connections import Receivers
from speechcall.outbound.adapters.guarded_network import Attempt, GuardedBackend
from speechcall.outbound.adapters.http_clients import CONNECT_SECONDS, LOOPBACK, TOTAL_SECONDS, make_client
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender, unreachable
from speechcall.webhooks.rules.delivery import OUR_NETWORK
from speechcall.webhooks.rules.webhook import Notice, WebhookRequest, notice_request

MOST_REQUESTS = 200
MOST_COUNT_BYTES = 1024
MOST_COUNT_DIGITS = 6
PAUSE_SECONDS = 0.5
LOST = "LOST"
"""An answer came, and was thrown away unread, as a network may do it."""


class TooManyRequests(Exception):
    """The trial would send more than it may."""


class UnreadableCount(Exception):
    """What the receiver's own count answers is no number."""


class CountNotAsked(Exception):
    """The receiver's own count could not be asked for: the network of this machine failed."""


@dataclass(frozen=True)
class Hook:
    """A webhook as it is to be sent. A field that is not given makes nothing wrong with it."""

    mid: str
    seq: int = 2
    """The question of the call that its key answers; 2 is the first."""
    action: str = '{"confirmed":true}'
    """JSON: the body of the action, which stands under `action` in what is sent."""
    age: int = 0
    """Seconds by which its timestamp is old; negative: ahead."""
    number: str = "+380670000000"
    without: str = ""
    """The header that is left out; empty: none."""
    changes: dict[str, str] = field(default_factory=dict)
    """Values of headers, by name, or of `body`, that take the place of what was signed."""
    signatures: Callable[[str], str] = str
    """Makes the value of `webhook-signature` from the right signature."""
    secret: str = ""
    """It is signed with this one; empty: with the trial's."""

    @property
    def event_id(self) -> str:
        """Its `webhook-id`: of a key press in this call."""
        return f"{self.mid}-1-{self.seq}-m0-d1-0"


@dataclass(frozen=True)
class Answer:
    """What came of one request: its status, and how many seconds it took.

    `word`: why there is no status (None), such as TIMEOUT; else empty.
    """

    status: int | None
    word: str
    seconds: float

    @property
    def is_our_fault(self) -> bool:
        """Whether this machine's own network failed: of the receiver nothing is known then."""
        return self.word == OUR_NETWORK


@dataclass(frozen=True)
class Pace:
    """How a request is sent: in two pieces, with `pause` called between them; or its answer is thrown away, if any."""

    pause: Callable[[], object] | None = None
    loses_answer: bool = False


class _AnswerLost(httpcore.ReadError):
    """Something of an answer came, and was thrown away."""


class _Stream(httpcore.NetworkStream):
    """A connection over a bad network."""

    def __init__(self, inner: httpcore.NetworkStream, pace: Pace) -> None:
        self._inner, self._pace = inner, pace

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What came, empty at the connection's end. Raises _AnswerLost for what came if the answer is to be lost."""
        content = self._inner.read(max_bytes, timeout)
        if content and self._pace.loses_answer:
            raise _AnswerLost(LOST)
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes a whole request; with a pause, in two pieces, the second of which begins in the middle of the body."""
        head = buffer.index(b"\r\n\r\n") + 4
        middle = head + (len(buffer) - head) // 2
        if self._pace.pause:
            self._inner.write(buffer[:middle], timeout)
            self._pace.pause()
            buffer = buffer[middle:]
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._pace)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(GuardedBackend):
    """Looks at each address as the service does, and makes a bad network of the connection."""

    def __init__(self, attempt: Attempt, pace: Pace, *, allow_loopback: bool) -> None:
        super().__init__(attempt, allow_loopback=allow_loopback)
        self._pace = pace

    def connect_tcp(self, *given: Any, **more: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*given, **more), self._pace)


class _Network:
    """Connections over a bad network, for one request."""

    def __init__(self, traffic: "Traffic", pace: Pace) -> None:
        attempt, seconds = Attempt(), traffic.seconds
        backend = _Backend(attempt, pace, allow_loopback=traffic.on_this_machine)
        times = min(CONNECT_SECONDS, seconds), seconds
        self.receivers = Receivers(backend, traffic.context, attempt, seconds=times)


class Traffic:
    """Sends webhooks to one URL, and keeps count of all requests."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        count_url: str = "",
        on_this_machine: bool,
        seconds: float = TOTAL_SECONDS,
        pause: Callable[[], object] = lambda: time.sleep(PAUSE_SECONDS),
    ) -> None:
        """`secret` signs. `count_url`: what the receiver answers counts at, with `{mid}` in it; empty: it tells none.

        `on_this_machine`: addresses of this machine are allowed. `seconds`: for which an answer is waited for.
        """
        self._url, self._secret, self._count_url = url, secret, count_url
        self.on_this_machine, self.context = on_this_machine, httpx.create_ssl_context()
        self.seconds = seconds
        self.pause = pause
        """Called in the middle of a slow request's body."""
        self._client = make_client(LOOPBACK if on_this_machine else "", seconds)
        self._send = WebhookSender(self._client)
        self.requests = 0
        self.slowest = 0.0
        """Seconds of the slowest answer."""

    def close(self) -> None:
        """Closes every connection."""
        self._client.close()

    @property
    def counts(self) -> bool:
        """Whether the receiver says how many webhooks of a message it took."""
        return bool(self._count_url)

    def send(self, hook: Hook, pace: Pace | None = None) -> Answer:
        """The answer to one webhook. Raises TooManyRequests, ForbiddenAddress."""
        self._spend(1)
        return self._sent(self._request(hook), pace)

    def send_together(self, hooks: Iterable[Hook]) -> list[Answer]:
        """The answers to webhooks that are sent at the same time, in their order. Raises as `send` does."""
        requests = [self._request(hook) for hook in hooks]
        self._spend(len(requests))
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self._sent, requests))

    def count(self, mid: str) -> int:
        """How many webhooks of a message the receiver says it took; only if `counts`.

        Raises UnreadableCount, CountNotAsked, TooManyRequests.
        """
        self._spend(1)
        try:
            request = self._client.build_request("GET", self._count_url.replace("{mid}", mid))
            response = self._client.exchange(request)
            try:
                content = b""
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MOST_COUNT_BYTES:
                        break
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, ForbiddenAddress) as error:
            if unreachable(error).ours:
                raise CountNotAsked from error
            raise UnreadableCount("its count was not answered") from error
        text = content.strip().decode("ascii", "replace")
        if response.status_code != 200 or not text.isascii() or not text.isdigit() or len(text) > MOST_COUNT_DIGITS:
            raise UnreadableCount(f"its count was answered {response.status_code}, without a whole number")
        return int(text)

    def _spend(self, requests: int) -> None:
        if self.requests + requests > MOST_REQUESTS:
            raise TooManyRequests
        self.requests += requests

    def _request(self, hook: Hook) -> WebhookRequest:
        """A webhook as the service makes it, but for what `hook` says.

        Its `changes` and `without` are carried out after signing: what they make is not what was signed.
        """
        now = int(time.time()) - hook.age
        given = f'"from":"Trial","to":"{hook.number}","mid":"{hook.mid}"'
        request = notice_request(Notice("", self._url, f'{{{given},"action":{hook.action}}}'), hook.event_id, now)
        moment, body = datetime.fromtimestamp(now, UTC), request.body.decode()
        right = Webhook(hook.secret or self._secret).sign(hook.event_id, moment, body)
        headers = [*request.headers, ("webhook-signature", hook.signatures(right))]
        changed = [(name, hook.changes.get(name, value)) for name, value in headers if name != hook.without]
        content = hook.changes["body"].encode() if "body" in hook.changes else request.body
        return replace(request, headers=tuple(changed), body=content)

    def _sent(self, request: WebhookRequest, pace: Pace | None = None) -> Answer:
        """Sends a request, over a bad network if there is a pace, and says what came of it. Raises ForbiddenAddress.

        LOST: there was an answer, and it was our side that threw it away. A request with a pace does not count for
        `slowest`.
        """
        network = _Network(self, pace) if pace else None
        send = WebhookSender(network) if network else self._send
        began = time.monotonic()
        try:
            status, word = send(request).status, ""
        except Unreachable as error:
            status, word = None, LOST if isinstance(error.__cause__, _AnswerLost) else error.word
        finally:
            if network:
                network.receivers.close()
        seconds = time.monotonic() - began
        if pace is None:
            self.slowest = max(self.slowest, seconds)
        return Answer(status, word, seconds)
