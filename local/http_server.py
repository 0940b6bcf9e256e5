"""HTTP on this machine alone: a thread for each connection, kept alive, and all of them gone after `stop`.

The address is loopback's, or the one by which containers reach this machine.
"""

import socket
import threading
import time
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

HOST = "127.0.0.1"
STOP_SECONDS = 0.8


class PortTaken(RuntimeError):
    """Somebody else listens on the port that was asked for."""


class HttpServer:
    """Serves one WSGI application. `url` is known, and connections are accepted, from the moment it is made."""

    def __init__(self, app: Any, port: int = 0, name: str = "http", host: str = HOST) -> None:
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._changing = threading.Lock()
        # Bound here and handed over: werkzeug leaves the process when a port is taken.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                raise PortTaken(f"Port {port} is taken; choose another with PORT=…") from error
            listener.listen(128)
            self.port: int = listener.getsockname()[1]
            self._server = make_server(
                host, self.port, app, threaded=True, request_handler=self._handler(), fd=listener.fileno()
            )
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

    def _handler(self) -> type[WSGIRequestHandler]:
        server = self

        class Handler(WSGIRequestHandler):
            """Quiet, and with connections that stay open."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                with server._changing:
                    server._connections.add(self.request)
                    server._threads.add(threading.current_thread())
                super().setup()

            def finish(self) -> None:
                try:
                    super().finish()
                finally:
                    with server._changing:
                        server._connections.discard(self.request)
                        server._threads.discard(threading.current_thread())

            def log(self, *_arguments: Any) -> None:
                """Say nothing: the journal tells what matters."""

        return Handler
