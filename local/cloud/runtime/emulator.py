"""One of Lambda's execution environments, without Docker: AWS's emulator, its runtime client, one function.

The emulator comes with SAM CLI (.venv-sam), the runtime client and the boto3 that Lambda has are in .venv-runtime
(`bin/install runtime`).
"""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

from local.cloud.account import REGION
from local.cloud.signature import SECRET
from local.cloud.template import FunctionSpec

ROOT = Path(__file__).parents[3]
START_SECONDS = 10.0
BEYOND_TIMEOUT_SECONDS = 30.0
"""How much longer than the function's timeout an answer is waited for: a cold start is not in it."""

_PATH = "/2015-03-31/functions/function/invocations"


class RuntimeMissingError(RuntimeError):
    """This machine has not what it takes; the message says what to do."""


@cache
def emulator_command() -> tuple[str, str]:
    """The emulator and the runtime's Python. Raises RuntimeMissingError."""
    if not sys.platform.startswith("linux"):
        raise RuntimeMissingError("AWS's runtime interface emulator runs on Linux alone: use `make sam-local`")
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    found = sorted(ROOT.glob(f".venv-sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    python = ROOT / ".venv-runtime" / "bin" / "python"
    if not found or not python.exists():
        raise RuntimeMissingError("the runtime is not installed: run bin/install sam && bin/install runtime")
    return str(found[0]), str(python)


def environment_of(spec: FunctionSpec, variables: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """What Lambda gives the function's process, with `endpoint` as its AWS and the logical id as its access key."""
    runtime_packages = next((ROOT / ".venv-runtime").glob("lib/python3*/site-packages"))
    # Layers lie over each other in /opt, the last one on top; the runtime's own packages come last of all.
    path = [spec.code_dir, *(layer / "python" for layer in reversed(spec.layers)), runtime_packages]
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's disk is read-only: byte code is there if it was shipped
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LAMBDA_RUNTIME_DIR": str(runtime_packages),
        "_HANDLER": spec.handler,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(spec.timeout),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # It tells the laptop's AWS who asks, and thereby what may be asked.
        "AWS_ACCESS_KEY_ID": spec.logical_id,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
        "AWS_ENDPOINT_URL": endpoint,
    }


class Emulator:
    """One environment. Two invocations at once would end the emulator: its owner gives it one at a time."""

    def __init__(self, spec: FunctionSpec, environment: Mapping[str, str], log: IO[bytes] | int) -> None:
        self._spec, self._environment, self._log = spec, dict(environment), log
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def start(self) -> None:
        """Start the emulator. The function itself is loaded by the first invocation."""
        emulator, python = emulator_command()
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._port, runtime_api = _free_ports()
            addresses = (
                *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
                *("--runtime-api-address", f"127.0.0.1:{runtime_api}"),
            )
            command = [emulator, "--log-level", "error", *addresses, python, "-m", "awslambdaric", self._spec.handler]
            self._process = process = subprocess.Popen(
                command,
                cwd=self._spec.code_dir,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
            if self._listens(process, deadline):
                return
            self.stop()  # a port was taken meanwhile
            if time.monotonic() > deadline:
                raise RuntimeMissingError(f"the emulator of {self._spec.name} did not start")

    def _listens(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return True
            time.sleep(0.005)
        return False

    def invoke(self, event: bytes) -> tuple[int, bytes]:
        """Status and body of the emulator's answer. Raises ConnectionError if the environment is gone."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=self._spec.timeout + BEYOND_TIMEOUT_SECONDS)
        try:
            connection.request("POST", _PATH, body=event, headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"the environment of {self._spec.name} is gone: {error!r}") from error
        finally:
            connection.close()

    def processor_seconds(self) -> float:
        """What the emulator and the function have used of the processors since they were started."""
        pids = [self._process.pid, *_session(self._process.pid)] if self._process else []
        used = 0
        for pid in set(pids):
            for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with suppress(OSError):
                    used += int(stat.read_text().split()[0])  # in nanoseconds
        return used / 1e9

    def stop(self) -> None:
        """End the emulator and the function with it."""
        process, self._process = self._process, None
        if process is None:
            return
        # The emulator gives the function's process a group of its own, but the session stays.
        for pid in (process.pid, *_session(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # pid (name) state ppid group session …; the name may hold anything.
            if int(stat.read_text().rpartition(")")[2].split()[3]) == leader:
                found.append(int(stat.parent.name))
    return found


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return int(first.getsockname()[1]), int(second.getsockname()[1])
