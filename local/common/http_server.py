"""HTTP on this machine alone: a thread for each connection, kept alive, and all of them gone after `stop`.

The address is loopback's, or the one by which containers reach this machine.
"""

import errno
import io
import re
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Collection, Iterable
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

import h11
from werkzeug.datastructures import EnvironHeaders

from local.common.http_wire import Body, Gone, TransportError, Wire
from local.common.this_machine import comes_from_elsewhere, is_this_machine

HOST = "127.0.0.1"
STOP_SECONDS = 0.8
_URL = re.compile(r"http://([^/?#]+)([^#]*)", re.IGNORECASE)


class PortTaken(RuntimeError):
    """Another program listens on the port that was asked for, or this user may not."""


class HttpServer:
    """Serves one WSGI application. `url` is known, and connections are accepted, from the moment it is made.

    `names`: by which this machine is asked besides its loopback ones, with all that are under them.
    """

    def __init__(
        self, app: Any, port: int = 0, name: str = "http", host: str = HOST, names: Collection[str] = ()
    ) -> None:
        self.app, self.names = app, (host, *names)
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._changing = threading.Lock()
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            what = "taken" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
            raise PortTaken(f"Port {port} is {what}; choose another with PORT=…") from error
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, cut every connection, and wait for the threads, but not long."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        with self._changing:
            connections, threads = tuple(self._connections), tuple(self._threads)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed by the other side in this moment
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def opened(self, connection: socket.socket) -> None:
        """This thread has a connection now."""
        with self._changing:
            self._connections.add(connection)
            self._threads.add(threading.current_thread())

    def closed(self, connection: socket.socket) -> None:
        """This thread has no connection any more."""
        with self._changing:
            self._connections.discard(connection)
            self._threads.discard(threading.current_thread())


class _Server(socketserver.ThreadingTCPServer):
    """A listening socket."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: HttpServer) -> None:
        self.owner = owner
        super().__init__(address, _Connection)


class _Connection(socketserver.BaseRequestHandler):
    """One connection, in a thread of its own."""

    server: _Server

    def setup(self) -> None:
        self.server.owner.opened(self.request)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def handle(self) -> None:
        wire = Wire(self.request)
        try:
            while self._serve(wire):
                pass
        except Gone:
            return

    def finish(self) -> None:
        self.server.owner.closed(self.request)

    def _serve(self, wire: Wire) -> bool:
        """One request. Whether another one may follow."""
        try:
            request = wire.next_request()
            if request is None:
                return False
            environ = self._environ(request, wire)
            self._check(environ)
            return self._answer(wire, environ)
        except TransportError as error:
            wire.refuse(error)
            return False

    def _answer(self, wire: Wire, environ: dict[str, Any]) -> bool:
        answer = _Answer(wire, environ["REQUEST_METHOD"])
        try:
            answer.give(self.server.owner.app(environ, answer.start))
        except (Gone, TransportError):
            raise
        except Exception as error:  # whatever the application does not handle is its 500
            traceback.print_exc(file=sys.stderr)
            raise TransportError(500, "Internal Server Error") from error
        return wire.finish()

    def _check(self, environ: dict[str, Any]) -> None:
        """Raises TransportError unless this machine is asked, by a program or a page that is on it."""
        names, headers = self.server.owner.names, dict(EnvironHeaders(environ))
        if not is_this_machine(environ["HTTP_HOST"], names):
            raise TransportError(421, "Only this machine is served here: ask for localhost or 127.0.0.1.")
        if comes_from_elsewhere(environ["REQUEST_METHOD"], headers, names):
            raise TransportError(403, "The request comes from a page of another site.", "CROSS_SITE_REQUEST")

    def _environ(self, request: h11.Request, wire: Wire) -> dict[str, Any]:
        """PEP 3333's, with REQUEST_URI: the target's path and query as they were sent."""
        host, port = self.server.server_address[:2]
        fields = _fields(request)
        target, asked = _target(request.target.decode("ascii"))
        # Where the target names a host, that one is meant (RFC 9112, 3.2.2); Host has to be right all the same.
        given = fields.pop("HTTP_HOST", f"{host!s}:{port}")
        if asked is not None and is_this_machine(given, self.server.owner.names):
            given = asked
        path, _, query = target.partition("?")
        return {
            "REQUEST_METHOD": request.method.decode("ascii"),
            "REQUEST_URI": target,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": self.client_address[1],
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": f"HTTP/{request.http_version.decode('ascii')}",
            "HTTP_HOST": given,
            **fields,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BufferedReader(Body(wire)),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }


class _Answer:
    """An application's answer on its way: the head goes out with the first piece of the body."""

    def __init__(self, wire: Wire, method: str) -> None:
        self._wire, self._method = wire, method
        self._head: tuple[int, str, list[tuple[str, str]]] | None = None
        self._has_begun = False

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        """PEP 3333's `start_response`, without its old `write`."""
        code, _, reason = status.partition(" ")
        self._head = int(code), reason, headers

    def give(self, pieces: Iterable[bytes]) -> None:
        """Sends all of it."""
        try:
            for piece in pieces:
                if piece:
                    self._begin()
                    if self._has_body():
                        self._wire.write(piece)
            self._begin()
        finally:
            if close := getattr(pieces, "close", None):
                close()

    def _has_body(self) -> bool:
        return self._method != "HEAD" and self._head is not None and self._head[0] not in (204, 304)

    def _begin(self) -> None:
        if self._has_begun:
            return
        if self._head is None:
            raise RuntimeError("the application has not said what it answers")
        status, reason, headers = self._head
        self._has_begun = True
        self._wire.begin(status, reason, [("Date", formatdate(usegmt=True)), *headers])


def _fields(request: h11.Request) -> dict[str, str]:
    """The header fields as PEP 3333 has them."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii").upper(), raw_value.decode("latin-1")
        if "_" in name:
            continue  # it could not be told from the same with a hyphen
        key = name.replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        fields[key] = f"{fields[key]}{joint}{value}" if key in fields else value
    return fields


def _target(target: str) -> tuple[str, str | None]:
    """A request's target as path and query, and the host that it names. Raises TransportError."""
    if target.startswith("/") and "#" not in target:
        return target, None
    if target == "*":
        return target, None
    found = _URL.fullmatch(target)
    if found is None:
        raise TransportError(400, "the target is neither a path nor a URL of this server")
    host, path = found.groups()
    return path if path.startswith("/") else f"/{path}", host
