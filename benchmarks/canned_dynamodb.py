"""A DynamoDB that answers at once what it was told to, in a process of its own: it costs its client nothing."""

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class JsonHandler(BaseHTTPRequestHandler):
    """Answers each request of AWS's JSON protocol with what `answer` makes of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    given: ClassVar[Any] = None
    """What the server was made with."""

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        raise NotImplementedError

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps(self.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the terminal is the benchmark's."""


class _DynamoDB(JsonHandler):
    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation != "GetItem":
            return {}
        found = self.given.get(f"{request['Key']['pk']['S']}/{request['Key']['sk']['S']}")
        return {"Item": found} if found else {}


def _serve(handler: type[JsonHandler], given: Any, port: Any) -> None:
    handler.given = given
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    port.put(server.server_port)
    server.serve_forever()


@contextmanager
def served(handler: type[JsonHandler], given: Any) -> Iterator[str]:
    """The address of a server with this handler, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=_serve, args=(handler, given, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join(5)


@contextmanager
def canned_dynamodb(items: Mapping[str, Any]) -> Iterator[str]:
    """Its address. `items`: what GetItem finds, in DynamoDB's own form, by "pk/sk"; writes are all answered well."""
    with served(_DynamoDB, dict(items)) as address:
        yield address
