"""Receivers of webhooks in a process of their own, for measurements: each port answers 200 at once, or never."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Connection(asyncio.Protocol):
    """One kept connection: a request is a head with its Content-Length, and that many bytes."""

    def __init__(self, hangs: bool) -> None:
        self._hangs, self._seen = hangs, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (request := self._length()) is not None:
            self._seen = self._seen[request:]
            if not self._hangs and isinstance(self._transport, asyncio.Transport):
                self._transport.write(_ANSWER)

    def _length(self) -> int | None:
        head, end, body = self._seen.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = (line.lower().partition(b":") for line in head.split(b"\r\n"))
        length = next(int(value) for name, _, value in lines if name == b"content-length")
        return len(head) + 4 + length if len(body) >= length else None


async def _serve(count: int, hanging: int) -> None:
    loop = asyncio.get_running_loop()
    ports = []
    for number in range(count):
        server = await loop.create_server(partial(_Connection, number < hanging), "127.0.0.1", 0, backlog=512)
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until who has started us ends


@contextmanager
def receivers(count: int, hanging: int = 0) -> Iterator[list[int]]:
    """The ports of so many receivers, the first ones of which never answer."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(count), str(hanging)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the receivers' process has no pipes")
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.stdin.close()
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
