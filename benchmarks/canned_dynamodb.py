"""A DynamoDB that keeps what is put and answers at once, in a process of its own: it costs its client nothing."""

import json
import multiprocessing
from collections.abc import Iterator
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
        """Conditions are not looked at, and updates change nothing."""
        if operation == "Encrypt":  # KMS, for the key of the numbers' digests: once in an environment
            return {"CiphertextBlob": request["Plaintext"]}
        if operation == "Decrypt":
            return {"Plaintext": request["CiphertextBlob"]}
        if operation == "GetItem":
            found = self.given.get(_key(request["Key"]))
            return {"Item": found} if found else {}
        puts = [write["Put"] for write in request.get("TransactItems", ()) if "Put" in write]
        for put in [request] if operation == "PutItem" else puts:
            self.given[_key(put["Item"])] = put["Item"]
        return {}


def _key(values: dict[str, Any]) -> tuple[str, str]:
    return values["pk"]["S"], values["sk"]["S"]


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
def canned_dynamodb() -> Iterator[str]:
    """Its address."""
    with served(_DynamoDB, {}) as address:
        yield address
