"""The whole service on this machine, for tests: scripted callees, and webhooks that come to your own receiver.

It needs the extra `laptop` (`pip install speechcall-client[laptop]`), no AWS, no Docker and no telephone. It runs in a
process of its own, so nothing of it changes yours. Pytest has it as the fixture `laptop`.
"""

import asyncio
import base64
import importlib.util
import json
import math
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any
from urllib.parse import urlsplit

import httpx

from speechcall_client.client import Client
from speechcall_client.models import MessageStatus
from speechcall_client.webhooks import TOLERANCE_SECONDS, sign

START_SECONDS = 60.0
ANSWER_SECONDS = 10.0
"""How long the service waits for a receiver."""
Step = tuple[str | float, ...]
"""One thing that a callee does."""
Headers = Sequence[tuple[str, str]]


class LaptopMissing(RuntimeError):
    """The extra `laptop` is not installed, or the service did not start."""


# ------------------------------------------------------------------------- callees
def answers(after: float = 0.0) -> Step:
    """Takes the call, having let it ring for so many seconds."""
    return ("answer", after)


def presses(key: int | str, after: float = 0.05) -> Step:
    """Presses a key, so many seconds into the next menu: 0 to 9, "*" or "#"."""
    return ("press", str(key), after)


def stays_silent() -> Step:
    """Lets the next menu pass without a key."""
    return ("stay_silent",)


def hangs_up(after: float = 0.0) -> Step:
    """Hangs up, so many seconds into the next menu."""
    return ("hang_up", after)


def is_busy() -> Step:
    """Declines the call."""
    return ("busy",)


def does_not_answer() -> Step:
    """Lets it ring."""
    return ("no_answer",)


# ----------------------------------------------------------------------- receivers
@dataclass(frozen=True)
class Delivered:
    """A webhook as it came, and what your receiver has answered."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    seconds: float
    error: str = ""
    """What your receiver raised, if it did; its traceback is on the standard error output."""

    @property
    def content(self) -> Any:
        """The body: `from`, `to`, `mid`, `action`."""
        return json.loads(self.body)

    @property
    def action(self) -> Any:
        """What the menu has under `body`."""
        return self.content["action"]

    @property
    def message_id(self) -> str | None:
        """Whose it is."""
        content = self.content
        found = content.get("mid", content.get("messageId"))
        return found if isinstance(found, str) else None

    def header(self, name: str) -> str:
        """A header by its name, however that is written; "" if it is not there."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), "")


class ReceiverFailed(Exception):
    """A receiver raised something, for which whatever runs it answers a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Receive = Callable[[str, Headers, bytes], int]
"""Hands a request to a receiver (URL, headers, body); the status that it answers."""


def to_wsgi(app: Any) -> Receive:
    """To a WSGI application (Flask, Django)."""

    def receive(url: str, headers: Headers, body: bytes) -> int:
        with httpx.Client(transport=httpx.WSGITransport(app=app)) as client:
            return client.post(url, headers=list(headers), content=body).status_code

    return receive


def to_asgi(app: Any) -> Receive:
    """To an ASGI application (FastAPI, Starlette). Its lifespan is not run."""

    async def ask(url: str, headers: Headers, body: bytes) -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.post(url, headers=list(headers), content=body)).status_code

    return lambda url, headers, body: asyncio.run(ask(url, headers, body))


def to_lambda(handler: Callable[[Any, Any], Any]) -> Receive:
    """To the handler of an AWS Lambda function behind an HTTP API or a function URL (payload format 2.0)."""

    def receive(url: str, headers: Headers, body: bytes) -> int:
        parts = urlsplit(url)
        http = {"method": "POST", "path": parts.path or "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": parts.path or "/",
            "rawQueryString": parts.query,
            "headers": {name.lower(): value for name, value in headers},
            "requestContext": {"http": http, "stage": "$default", "domainName": parts.hostname},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        try:
            answer = handler(event, None)
        except Exception as error:  # whatever it is, the gateway before a function answers for it
            raise ReceiverFailed(502) from error
        return int(answer.get("statusCode", 200)) if isinstance(answer, dict) else 200

    return receive


def to_url(base: str) -> Receive:
    """To a server that runs: `http://127.0.0.1:8000`. Path and query stay."""

    def receive(url: str, headers: Headers, body: bytes) -> int:
        parts = urlsplit(url)
        target = f"{base.rstrip('/')}{parts.path}{'?' if parts.query else ''}{parts.query}"
        kept = [(name, value) for name, value in headers if name.lower() not in ("host", "content-length")]
        with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS) as client:
            return client.post(target, headers=kept, content=body).status_code

    return receive


def _shown_error(raised: BaseException) -> str:
    """Its name and text; the traceback goes to the standard error output."""
    traceback.print_exception(raised, file=sys.stderr)
    return f"{type(raised).__name__}: {raised}"


class Receivers:
    """Every host of a webhook and of an introduction: two ports of plain HTTP, the second for URLs with https."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, Receive]] = []
        self._received: list[Delivered] = []
        self._changed = threading.Condition()
        self._servers = [self._serve(scheme) for scheme in ("http", "https")]

    @property
    def address(self) -> str:
        """HOST:PORT:TLSPORT."""
        return ":".join(["127.0.0.1", *(str(server.server_address[1]) for server in self._servers)])

    def close(self) -> None:
        """Ends both."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def forget(self) -> None:
        """As if nothing had come, and nothing was to be handed on."""
        with self._changed:
            self._routes, self._received = [], []

    def add(self, prefix: str, receive: Receive) -> None:
        """What begins so is handed on; the longest beginning that fits decides."""
        with self._changed:
            self._routes = sorted([*self._routes, (prefix, receive)], key=lambda one: -len(one[0]))

    def hand_on(self, url: str, headers: Headers, body: bytes) -> int:
        """The status that a receiver answers; 200 where there is none, 500 where it fails."""
        return self._answer_of(url, headers, body)[0]

    def _answer_of(self, url: str, headers: Headers, body: bytes) -> tuple[int, str]:
        """The status, and what the receiver raised."""
        receive = next((one for prefix, one in self._routes if url.startswith(prefix)), None)
        if receive is None:
            return 200, ""
        try:
            return receive(url, headers, body), ""
        except ReceiverFailed as failed:
            return failed.status, _shown_error(failed.__cause__ or failed)
        except Exception as error:  # noqa: BLE001 - a receiver that fails is what is tested
            return 500, _shown_error(error)

    def take(self, url: str, headers: Headers, body: bytes) -> int:
        """One webhook of the service's."""
        began = time.monotonic()
        status, error = self._answer_of(url, headers, body)
        with self._changed:
            self._received.append(Delivered(url, tuple(headers), body, status, time.monotonic() - began, error))
            self._changed.notify_all()
        return status

    def wait_for(self, message_id: str | None, count: int, timeout: float) -> list[Delivered]:
        """What has come, once there is so much of it."""

        def found() -> list[Delivered]:
            return [one for one in self._received if message_id in (None, one.message_id)]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, timeout):
                raise AssertionError(f"{len(found())} of {count} webhooks came within {timeout:g} s: {found()}")
            return found()

    def _serve(self, scheme: str) -> ThreadingHTTPServer:
        receivers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, tone(0.3), "audio/wav")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                url = f"{scheme}://{self.headers.get('Host', '')}{self.path}"
                self._answer(receivers.take(url, self.headers.items(), body), b"", "text/plain")

            def _answer(self, status: int, content: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), name=f"receiver-{scheme}", daemon=True).start()
        return server


# -------------------------------------------------------------------------- laptop
class Laptop:
    """The service, while it runs: `with started() as laptop`, or pytest's fixture `laptop`."""

    def __init__(self, process: "subprocess.Popen[str]", receivers: Receivers, ready: Mapping[str, str]) -> None:
        self._process, self._receivers = process, receivers
        self._lock = threading.Lock()
        self.url, self.user, self.password = ready["url"], ready["user"], ready["password"]
        self.key, self.secret = ready["key"], ready["secret"]
        """`secret`: with which the webhooks are signed."""
        self._http = httpx.Client(trust_env=False, timeout=40.0)  # proxies are for other machines
        self.client = Client(self.url, key=self.key, http=self._http)
        """An account that may do everything."""

    def callee(self, number: str, *steps: Step) -> None:
        """What happens in the next call to a number; said again, in the one after it. Others just ring."""
        line = json.dumps({"number": number, "steps": [list(step) for step in steps]})
        with self._lock:
            _write(self._process, line)
            _read(self._process)

    def audio(self, *names: str, seconds: float = 0.3) -> None:
        """Puts a short tone under identifiers that your menus name."""
        for name in names:
            self.client.put_audio(name, tone(seconds))

    def receiver(self, prefix: str, receive: Receive) -> None:
        """Who gets the webhooks whose URL begins so: `to_wsgi(app)`, `to_asgi(app)`, `to_lambda(handler)`, `to_url(…)`.

        The URLs of your menus stay as they are in production; others are answered 200.
        """
        self._receivers.add(prefix, receive)

    def finished(self, message_id: str, timeout: float = 90.0) -> MessageStatus:
        """Where a message stands once its call is over."""
        return self.client.wait(message_id, within=timeout, every=0.1)

    def webhooks(self, message_id: str | None = None, *, count: int = 1, timeout: float = 30.0) -> list[Delivered]:
        """What has come, of a message or in all, once there are `count`; else an AssertionError."""
        try:
            return self._receivers.wait_for(message_id, count, timeout)
        except AssertionError as missing:
            if message_id is None:
                raise
            call = self.client.status(message_id).call
            heard = [step.heard for step in call.path]
            raise AssertionError(f"{missing}; the call: {call.state}, {call.outcome}, heard {heard}") from missing

    def again(self, webhook: Delivered) -> int:
        """Delivers a webhook once more, as the service does when your answer is lost; the status."""
        return self._receivers.hand_on(webhook.url, webhook.headers, webhook.body)

    def signed(self, webhook: Delivered, *, body: bytes | None = None, age: float = 0.0, before: str = "") -> int:
        """Delivers a webhook with a good signature: of another body, `age` seconds old, or `before` it another one."""
        content, moment = webhook.body if body is None else body, int(time.time() - age)
        signature = sign(webhook.header("webhook-id"), moment, content, self.secret)
        own = {"webhook-timestamp": str(moment), "webhook-signature": f"{before} {signature}".strip()}
        return self._receivers.hand_on(webhook.url, _with(webhook.headers, own), content)

    def trial(self, webhook: Delivered) -> list[str]:
        """What is wrong with a receiver, by what it answers to variations of a webhook that it has had; [] is right.

        All have the `webhook-id` that it knows, so a receiver that takes each webhook once does nothing more. Whether
        yours does is for you to look at afterwards.
        """
        faults = []

        def hold(wanted: bool, status: int, fault: str) -> None:
            if (200 <= status < 300) != wanted:
                faults.append(f"{fault} (it answered {status})")

        send, url, headers = self._receivers.hand_on, webhook.url, webhook.headers
        other = sign(webhook.header("webhook-id"), int(time.time()), webhook.body, "whsec_bm90IHRoaXMgb25l")
        spaced = json.dumps(webhook.content, indent=1, ensure_ascii=True).encode()
        named = [(name.title(), value) for name, value in headers]
        unsigned = [(name, value) for name, value in headers if name.lower() != "webhook-signature"]
        hold(True, self.again(webhook), "a webhook that comes again is not answered 2xx: it will come for hours")
        hold(True, send(url, named, webhook.body), "the names of headers are taken in one spelling only")
        hold(True, self.signed(webhook, body=spaced), "the signature is not verified over the bytes as they came")
        hold(True, self.signed(webhook, before=other), "of several signatures only the first is looked at")
        hold(False, send(url, unsigned, webhook.body), "a webhook without a signature is taken")
        hold(False, send(url, headers, webhook.body + b" "), "a body that was changed is taken")
        hold(False, send(url, _with(headers, {"webhook-id": "1-1-2-m0-d1-0"}), webhook.body), "another id is taken")
        hold(False, self.signed(webhook, age=TOLERANCE_SECONDS * 4), "a webhook of twenty minutes ago is taken")
        if webhook.seconds > 2:
            faults.append(
                f"its answer took {webhook.seconds:.1f} s; 2 are good, after {ANSWER_SECONDS:g} it comes again"
            )
        return faults

    def close(self) -> None:
        """Ends the client's connections."""
        self._http.close()

    def forget(self) -> None:
        """Receivers and what has come are forgotten; audio and calls stay."""
        self._receivers.forget()


def _with(headers: Headers, own: Mapping[str, str]) -> list[tuple[str, str]]:
    return [*((name, value) for name, value in headers if name.lower() not in own), *own.items()]


@contextmanager
def started(*, playback: float = 20.0) -> Iterator[Laptop]:
    """The service, while the context lasts. `playback`: how many times faster introductions are played."""
    try:
        is_there = importlib.util.find_spec("local.tools.testbed") is not None
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise LaptopMissing('the laptop is not installed: pip install "speechcall-client[laptop]"')
    receivers = Receivers()
    try:
        with tempfile.TemporaryFile("w+") as log, _process(receivers.address, playback, log) as process:
            laptop = Laptop(process, receivers, _read(process, log)["ready"])
            try:
                yield laptop
            finally:
                laptop.close()
    finally:
        receivers.close()


@contextmanager
def _process(receiver: str, playback: float, log: IO[str]) -> "Iterator[subprocess.Popen[str]]":
    """The service's process: it ends when its input does."""
    # -P: a folder `local` of yours is not taken for the service's package.
    command = [sys.executable, "-P", "-m", "local.tools.testbed", "--receiver", receiver, "--playback", str(playback)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _write(process: "subprocess.Popen[str]", line: str) -> None:
    if process.stdin is None or process.poll() is not None:
        raise LaptopMissing("the laptop has ended")
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _read(process: "subprocess.Popen[str]", log: IO[str] | None = None) -> dict[str, Any]:
    """Its next line. Raises LaptopMissing with the end of its log."""
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        watchdog.cancel()
    if not line:
        told = ""
        if log is not None:
            log.seek(0)
            told = "".join(log.readlines()[-20:])
        raise LaptopMissing(f"the laptop did not start:\n{told}")
    found: dict[str, Any] = json.loads(line)
    return found


def tone(seconds: float, hertz: float = 440.0, rate: int = 8000) -> bytes:
    """A WAV file with a tone, 16 bits, mono."""
    count = round(seconds * rate)
    samples = [round(9000 * math.sin(2 * math.pi * hertz * one / rate)) for one in range(count)]
    data = struct.pack(f"<{count}h", *samples)
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    chunks = b"WAVE" + header + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
