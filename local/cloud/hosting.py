"""Who runs the functions: this process, Lambda's runtime in processes of its own, or `sam local` in containers."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from subprocess import DEVNULL
from typing import Literal, TextIO

from local.cloud.aws_endpoint import CONTAINERS_NAME, LOOPBACK, MOUNT, AwsDoor, Network, WSGIApplication
from local.cloud.functions import FunctionHost, Functions, Overrides
from local.cloud.permissions import Permissions
from local.cloud.runtime.containers import find_containers
from local.cloud.runtime.host import RuntimeHost
from local.cloud.runtime.sam_local import SamHost, write_env_vars
from local.cloud.template import Template
from local.common.http_server import HttpServer
from local.network.shared.invoker import FunctionError

Hosting = Literal["process", "runtime", "sam"]


@dataclass(frozen=True)
class Surroundings:
    """How the functions reach what this process serves for them: where to listen, by which name, and who may ask."""

    address: str = "127.0.0.1"
    name: str = "127.0.0.1"
    peers: tuple[Network, ...] = LOOPBACK


def surroundings_of(hosting: Hosting) -> Surroundings:
    """Raises RuntimeMissingError if containers are asked for and no engine answers."""
    if hosting != "sam":
        return Surroundings()
    containers = find_containers()
    return Surroundings(containers.address, CONTAINERS_NAME, containers.peers)


def warm(functions: Functions) -> None:
    """Start now what a caller would wait too long for. In: functions whose surroundings all answer."""
    if isinstance(functions, SamHost):
        functions.warm()


def host_functions(
    hosting: Hosting,
    template: Template,
    overrides: Overrides,
    on_error: Callable[[str, FunctionError], None],
    on_refusal: Callable[[str, str], None],
    *,
    others: Mapping[str, WSGIApplication],
    surroundings: Surroundings,
    log: TextIO | None,
    api_port: int,
    exits: ExitStack,
) -> tuple[Functions, str]:
    """The functions, ready to be invoked, and the URL of an API that serves them besides ours, or "".

    In: `others`, the services that are not moto's; `log`, for their output; `api_port`, of `sam local start-api`, or 0;
    `exits`, which stops what was started.
    """
    permissions = Permissions(template, on_refusal)
    if hosting == "process":
        return FunctionHost(template, overrides, on_error, permissions), ""
    door = AwsDoor(template, others, surroundings.peers, permissions)
    server = HttpServer(door, name="aws", host=surroundings.address, names=(surroundings.name,))
    server.start()
    exits.callback(server.stop)
    endpoint = f"http://{surroundings.name}:{server.port}{MOUNT}"
    output = log.fileno() if log else DEVNULL
    if hosting == "runtime":
        processes = RuntimeHost(template, endpoint, overrides, on_error, log=output)
        exits.callback(processes.stop)
        return processes, ""
    containers = SamHost(template, on_error, log=output, api_port=api_port)
    write_env_vars(template, overrides, endpoint)
    exits.callback(containers.stop)
    containers.start()
    return containers, containers.api_url
