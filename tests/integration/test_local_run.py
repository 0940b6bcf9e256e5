"""`make run` as a process: what it takes first, what it prints, and that it leaves another service's state alone."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

import local.__main__ as command
from local.common.http_server import HttpServer, PortTaken

ROOT = Path(__file__).parents[2]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "LOGS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("port_is_the_usual_one", [True, False])
def test_a_taken_port_leaves_the_running_services_log_alone(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port_is_the_usual_one: bool
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with socket.create_server(("127.0.0.1", 0)) as running:
        port = running.getsockname()[1]
        if port_is_the_usual_one:
            monkeypatch.setattr(command, "PORT", port)
        log = command.log_of(port)
        log.write_text("what the running service has written\n")
        try:
            assert command.main(["run", "--port", str(port)]) == 1
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    assert capsys.readouterr().err == f"Port {port} is taken; choose another with PORT=…\n"
    assert log.read_text() == "what the running service has written\n"
    assert list(logs.iterdir()) == [log]


def test_a_log_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    (tmp_path / "build").write_text("a file in the place of a folder")
    monkeypatch.setattr(command, "LOGS", tmp_path / "build")
    try:
        assert command.main(["run", "--port", "0"]) == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert re.fullmatch(r"The log \S+ cannot be written: File exists\n", capsys.readouterr().err)


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "abc", "1e3", "", "١٢٣", "9" * 5000])
def test_what_is_no_port_is_told(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["run", f"--port={port}"])
    assert left.value.code == 2
    assert "argument --port: a port is a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_that_may_not_be_listened_on_is_not_called_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("local.common.http_server._Server.server_bind", refuse)
    with pytest.raises(PortTaken, match=r"Port 80 is not to be had \(Permission denied\); choose another"):
        HttpServer(None, 80)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing_does_not_stop_the_service() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [sys.executable, "-m", "local", "run", "--port", str(port)]
    url, connects = f"http://127.0.0.1:{port}/openapi.json", httpx.HTTPTransport(trust_env=False)
    with (
        Path("/dev/full").open("wb") as full,
        subprocess.Popen(arguments, cwd=ROOT, stdout=full, stderr=subprocess.PIPE) as process,
        httpx.Client(transport=connects, timeout=60) as client,
    ):
        try:
            while process.poll() is None:
                with suppress(httpx.ConnectError):
                    assert client.get(url).status_code == 200
                    break
        finally:
            process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said == b""


@contextmanager
def running(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], bytes]]:
    """`make run` in a process of its own, and its greeting."""
    arguments = [sys.executable, "-m", "local", "run", "--port", "0", *options]
    with subprocess.Popen(
        arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        greeting = b"".join(iter(process.stdout.readline, b"Ctrl-C stops it.\n"))
        try:
            yield process, greeting
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def test_each_service_has_a_log_of_its_own_named_by_its_port() -> None:
    with running() as (_, greeting):
        text = greeting.decode()
        (url,) = set(re.findall(r"http://127\.0\.0\.1:\d+", text))
        port = url.rpartition(":")[2]
        assert f"Log       build/functions-{port}.log" in text
        log = ROOT / "build" / f"functions-{port}.log"
        try:
            assert httpx.get(f"{url}/openapi.json").status_code == 200
            assert httpx.get(f"{url}/phone/hello", headers={"Host": "evil.example"}).status_code == 421
            assert log.is_file()
        finally:
            log.unlink()
