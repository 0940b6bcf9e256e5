"""Receivers of webhooks for trials: one that is right, and many that are right but for one thing.

Nothing of the product is used here: whoever has read docs/webhooks.md alone could have written it.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FAULTS = {
    "takes what nobody signed": {"forged", "changed"},
    "looks at no timestamp": {"stale", "ahead"},
    "looks only at old timestamps": {"ahead"},
    "takes only timestamps of this minute": {"clocks"},
    "takes what has no signature": {"forged"},
    "compares the beginning of the signature": {"forged"},
    "does not sign the id": {"valid"},
    "looks at the first signature only": {"rotation"},
    "signs what JSON makes of the body": {"exact-bytes"},
    "takes the same again": {"repeated", "replayed", "lost-answer", "same-time"},
    "answers 409 to the same again": {"repeated", "replayed", "lost-answer"},
    "looks first and keeps later": {"same-time"},
    "keeps the id of a forged one": {"true-after-forged"},
    "fails without a header": {"missing"},
    "refuses what comes late": {"late"},
    "takes small bodies only": {"largest"},
    "reads once": {"slow-network"},
    "answers 302": {"valid"},
    "answers 503 to several at a time": {"together"},
    "answers after too long": {"valid"},
}
"""What is wrong with a receiver, and the cases that have to tell it."""


@dataclass
class TrialReceiver:
    """What one has taken; `fault`: what is wrong with it."""

    secret: str
    fault: str = ""
    taken: dict[str, Any] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    """By the message: how many webhooks were taken."""
    last_seq: dict[str, int] = field(default_factory=dict)
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    """Requests that have been read, or a part of their bodies."""

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status to answer with. Header names are lower-case."""
        event_id = headers.get("webhook-id", "")
        if self.fault == "answers 302":
            return 302
        if self.fault == "keeps the id of a forged one" and event_id:
            with self.lock:
                was_there = event_id in self.taken
                self.taken.setdefault(event_id, None)
            if was_there:
                return 204
        if self.fault == "fails without a header":
            int(headers["webhook-timestamp"]), headers["webhook-id"], headers["webhook-signature"]
        if not self._is_theirs(headers, body):
            return 401
        return self._take(event_id, json.loads(body))

    def _take(self, event_id: str, told: dict[str, Any]) -> int:
        mid, seq = told["mid"], int(event_id.split("-")[2])
        if self.fault == "looks first and keeps later" and event_id not in self.taken:
            self.over.wait(0.05)
            self._keep(event_id, mid, told)
            return 204
        with self.lock:
            if event_id in self.taken and self.fault not in (
                "takes the same again",
                "keeps the id of a forged one",
            ):
                return 409 if self.fault == "answers 409 to the same again" else 204
            if self.fault == "refuses what comes late" and seq < self.last_seq.get(mid, 0):
                return 422
            self._keep(event_id, mid, told)
            self.last_seq[mid] = max(seq, self.last_seq.get(mid, 0))
        return 204

    def _keep(self, event_id: str, mid: str, told: dict[str, Any]) -> None:
        self.taken[event_id] = told["action"]
        self.times[mid] += 1

    def _is_theirs(self, headers: Mapping[str, str], body: bytes) -> bool:
        given, event_id = headers.get("webhook-signature", ""), headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        if self.fault == "takes what nobody signed":
            return bool(event_id and body)
        if not (timestamp.isdigit() and len(timestamp) < 12 and event_id):
            return False
        age, tolerance = time.time() - int(timestamp), 300
        if self.fault == "takes only timestamps of this minute":
            tolerance = 60
        looks = self.fault != "looks at no timestamp" and not (self.fault == "looks only at old timestamps" and age < 0)
        if looks and abs(age) > tolerance:
            return False
        if self.fault == "takes what has no signature" and not given:
            return True
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        if self.fault == "signs what JSON makes of the body":
            body = json.dumps(json.loads(body), separators=(",", ":")).encode()
        parts = [timestamp.encode(), body] if self.fault == "does not sign the id" else []
        content = b".".join(parts or [event_id.encode(), timestamp.encode(), body])
        right = ("v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()).encode()
        signatures = given.encode().split(b" ")
        if self.fault == "looks at the first signature only":
            signatures = signatures[:1]
        if self.fault == "compares the beginning of the signature":
            return any(one.startswith(b"v1,") and right.startswith(one) for one in signatures)
        return any(hmac.compare_digest(right, one) for one in signatures)


class _Handler(BaseHTTPRequestHandler):
    receiver: TrialReceiver
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        with self.receiver.lock:
            self.receiver.busy += 1
        try:
            self._answer(self._status())
        finally:
            with self.receiver.lock:
                self.receiver.busy -= 1

    def _status(self) -> int:
        length = int(self.headers["Content-Length"])
        once = self.receiver.fault == "reads once"
        body = self.rfile.read1(length) if once else self.rfile.read(length)
        self._saw()
        if self.receiver.fault == "answers after too long":
            self.receiver.over.wait(10)
        if self.receiver.fault == "takes small bodies only" and length > 4096:
            return 413
        if self.receiver.fault == "answers 503 to several at a time":
            self.receiver.over.wait(0.02)
            if self.receiver.busy > 3:
                return 503
        if once and len(body) < length:
            self.close_connection = True
        try:
            return self.receiver.receive({name.lower(): value for name, value in self.headers.items()}, body)
        except Exception:  # noqa: BLE001 - as a web framework answers whatever was not foreseen
            return 500

    def _saw(self) -> None:
        with self.receiver.lock:
            self.receiver.seen += 1

    def do_GET(self) -> None:
        self._saw()
        (mid,) = parse_qs(urlsplit(self.path).query)["mid"]
        self._answer(200, str(self.receiver.times[mid]).encode())

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_given: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a trial goes away in the middle, too."""


@contextmanager
def served(receiver: TrialReceiver, handler: type[BaseHTTPRequestHandler] | None = None) -> Iterator[str]:
    """The URL at which a receiver listens, on this machine."""
    server = _Server(("127.0.0.1", 0), handler or type("Handler", (_Handler,), {"receiver": receiver}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
