"""A DynamoDB that answers at once what it was told to, in a process of its own: it costs its client nothing."""

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    items: Mapping[str, Any] = {}

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer: dict[str, Any] = {}
        if self.headers["X-Amz-Target"].endswith(".GetItem"):
            found = self.items.get(f"{request['Key']['pk']['S']}/{request['Key']['sk']['S']}")
            answer = {"Item": found} if found else {}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the terminal is the benchmark's."""


def _serve(items: Mapping[str, Any], port: Any) -> None:
    _Handler.items = items
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    port.put(server.server_port)
    server.serve_forever()


@contextmanager
def canned_dynamodb(items: Mapping[str, Any]) -> Iterator[str]:
    """Its address. `items`: what GetItem finds, in DynamoDB's own form, by "pk/sk"; writes are all answered well."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=_serve, args=(items, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join(5)
