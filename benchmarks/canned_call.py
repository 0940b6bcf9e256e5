"""DynamoDB and Step Functions for one call, in a process of their own: an answered task is followed by a question.

The state machine takes no time at all: a task that is answered is followed by the next command at once.
"""

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    item: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        answer: dict[str, Any] = {}
        if operation == "SendTaskSuccess":
            seq = int(self.item["seq"]["N"])
            self.item["done_seq"], self.item["seq"] = {"N": str(seq)}, {"N": str(seq + 1)}
            self.item["command"] = {"M": {"kind": {"S": "ask"}, "menu": {"N": "0"}}}
        elif operation == "GetItem":
            answer = {"Item": self.item}
        elif operation == "UpdateItem":
            answer = {"Attributes": self.item}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the terminal is the benchmark's."""


def _serve(item: Mapping[str, Any], port: Any) -> None:
    _Handler.item = dict(item)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    port.put(server.server_port)
    server.serve_forever()


@contextmanager
def canned_call(item: Mapping[str, Any]) -> Iterator[str]:
    """Its address. `item`: the call in DynamoDB's own form, its first question being asked."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=_serve, args=(item, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join(5)
