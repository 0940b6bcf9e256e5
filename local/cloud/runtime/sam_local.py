"""The built functions in Lambda's containers, by `sam local start-lambda` and `sam local start-api`."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from subprocess import DEVNULL
from threading import Lock
from typing import IO, Any

from local.cloud.account import REGION
from local.cloud.artifact import BUILT_TEMPLATE
from local.cloud.aws_endpoint import CONTAINERS_NAME
from local.cloud.functions import UnknownFunctionError, name_of, with_overrides
from local.cloud.runtime.answers import TIMED_OUT, read_answer
from local.cloud.runtime.containers import LOCAL_IMAGE, has_image
from local.cloud.runtime.emulator import RuntimeMissingError
from local.cloud.runtime.layered_images import image_options
from local.cloud.signature import SECRET
from local.cloud.simulated_providers import EVENT_FILES
from local.cloud.template import FunctionSpec, Template
from local.network.shared.invoker import FunctionError

ROOT = Path(__file__).parents[3]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
ENV_VARS = ROOT / "build" / "sam-local.json"
CHECK = "/bat/messagelist/check"
START_SECONDS = 60.0
ANSWER_SECONDS = 180.0
"""A container's first invocation makes its image."""


def write_env_vars(template: Template, overrides: Mapping[str, Any], endpoint: str) -> Path:
    """The file for --env-vars: each function's variables as the laptop cloud resolves them, which SAM cannot."""
    variables = with_overrides(template, overrides)
    for environment in variables.values():
        environment["AWS_ENDPOINT_URL"] = endpoint
    ENV_VARS.parent.mkdir(parents=True, exist_ok=True)
    ENV_VARS.write_text(json.dumps(variables, indent=2), encoding="utf-8")
    return ENV_VARS


def own_options(template: Template) -> list[str]:
    """What SAM's plain commands are given (docs/sam-local.md): the template as built, with its layers."""
    image = ["--skip-pull-image", "--invoke-image", LOCAL_IMAGE] if has_image(LOCAL_IMAGE) else []
    return ["--template", str(BUILT_TEMPLATE), *image, *_common_options(template)]


def options(template: Template) -> list[str]:
    """What SAM's commands are given where the images have the layers in them already."""
    return [*image_options(template), *_common_options(template)]


def _common_options(template: Template) -> list[str]:
    buckets = [template.ref(bucket) for bucket in template.resources_of("AWS::S3::Bucket")]
    names = [CONTAINERS_NAME, *(f"{bucket}.{CONTAINERS_NAME}" for bucket in buckets)]
    hosts = [word for name in names for word in ("--add-host", f"{name}:host-gateway")]
    return ["--env-vars", str(ENV_VARS), "--region", REGION, *hosts]


def sam_environment() -> dict[str, str]:
    """The environment of SAM's own process: nothing of the user's AWS account, which it would hand to the containers.

    It may write its byte code: without it SAM takes 7 s of a processor for its imports, each time.
    """
    left_out = ("AWS_", "SAM_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {
        **kept,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class SamHost:
    """Invokes functions as `local.cloud.functions.FunctionHost` does, but each in a warm container of `sam local`.

    There is one container of a function, and its emulator takes one invocation at a time: the others wait.
    """

    def __init__(
        self,
        template: Template,
        on_error: Callable[[str, FunctionError], None] = lambda _name, _error: None,
        *,
        log: IO[bytes] | int = DEVNULL,
        api_port: int = 0,
    ) -> None:
        if not SAM.exists():
            raise RuntimeMissingError("SAM CLI is not installed: run bin/install sam")
        self._template, self._on_error, self._log = template, on_error, log
        self._locks = {spec.name: Lock() for spec in template.functions.values()}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port, self._api_port = _free_port(), api_port or _free_port()
        self.api_url = f"http://127.0.0.1:{self._api_port}"
        # Before anything is written that a running `sam local` reads.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self._api_port))
            except OSError as taken:
                raise RuntimeMissingError(f"port {self._api_port} of `sam local start-api` is taken") from taken

    def start(self) -> None:
        """Start both servers, and wait until they listen. Containers are started by their first invocation.

        Raises RuntimeMissingError if they do not start.
        """
        given = options(self._template)
        for command, port in (("start-lambda", self._port), ("start-api", self._api_port)):
            self._processes.append(
                subprocess.Popen(
                    [SAM, "local", command, "--port", str(port), "--warm-containers", "LAZY", *given],
                    cwd=ROOT,
                    env=sam_environment(),
                    stdin=DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    start_new_session=True,
                )
            )
        for process, port in zip(self._processes, (self._port, self._api_port), strict=True):
            _await_listener(process, port)

    def warm(self) -> None:
        """Invoke each function once, so that no caller waits for a container. Raises FunctionError if one fails.

        The API's functions are warmed where they are asked: `start-api` has containers of its own.
        """
        api = {spec.name for spec in self._template.functions.values() if _is_api(spec)}
        with ThreadPoolExecutor(2) as pool:
            behind = [spec for spec in self._template.functions.values() if spec.name not in api]
            warming = [pool.submit(self._warm, spec) for spec in behind]
            warming += [pool.submit(self._warm_route, *route) for route in (("GET", "/openapi.json"), ("POST", CHECK))]
            for one in warming:
                one.result()

    def _warm_route(self, method: str, path: str) -> None:
        for _ in range(3):
            connection = HTTPConnection("127.0.0.1", self._api_port, timeout=ANSWER_SECONDS)
            try:
                connection.request(method, path)
                if connection.getresponse().status < 500:
                    return
            except (OSError, HTTPException) as error:
                raise FunctionError("Runtime.ExitError", f"sam local does not answer: {error!r}") from error
            finally:
                connection.close()

    def _warm(self, spec: FunctionSpec) -> None:
        file = {file.function: file for file in EVENT_FILES}[spec.logical_id]
        event = file.load()
        for last in (False, False, True):
            with self._locks[spec.name]:
                answer = self._post(spec.name, json.dumps(event).encode())
            try:
                read_answer(*answer)
            except FunctionError as error:
                if error.error_type == file.error:
                    return
                # On a busy machine a cold start may take longer than the function's timeout; the next try is warmer.
                if last or error.error_type != TIMED_OUT:
                    raise
            else:
                return

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function (name or ARN); its answer. Raises FunctionError or UnknownFunctionError."""
        name = name_of(function)
        if name not in self._locks:
            raise UnknownFunctionError(f"Function not found: {function}")
        try:
            with self._locks[name]:
                answer = self._post(name, json.dumps(event).encode())
            return read_answer(*answer)
        except FunctionError as failure:
            self._on_error(name, failure)
            raise

    def stop(self) -> None:
        """End both servers. SAM removes its containers when it is told to end."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []

    def _post(self, name: str, event: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", f"/2015-03-31/functions/{name}/invocations", body=event)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise FunctionError("Runtime.ExitError", f"sam local does not answer: {error!r}") from error
        finally:
            connection.close()


def _is_api(spec: FunctionSpec) -> bool:
    return any(event.type == "HttpApi" for event in spec.events)


def _await_listener(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeMissingError(f"`sam local` did not start on port {port}: its log says why")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
