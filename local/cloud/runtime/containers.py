"""How Docker's containers reach this machine."""

import ipaddress
import socket
import subprocess
from dataclasses import dataclass

from local.cloud.aws_endpoint import LOOPBACK, Network
from local.cloud.runtime.emulator import RuntimeMissingError

LOCAL_IMAGE = "speechcall/lambda-python3.13:latest"
"""Made by bin/local-image, where AWS's cannot be had."""


@dataclass(frozen=True)
class Containers:
    """The address to listen on for containers, and from which addresses they ask."""

    address: str
    peers: tuple[Network, ...]


def find_containers() -> Containers:
    """Asks the engine. Raises RuntimeMissingError if none answers.

    On Linux it is the gateway of Docker's bridge. Docker Desktop has its bridge inside a virtual machine, and leads
    containers to this machine's loopback address.
    """
    subnet = ipaddress.ip_network(docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Subnet}}"))
    gateway = str(next(iter(subnet.hosts())))
    with socket.socket() as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            return Containers("127.0.0.1", LOOPBACK)
    return Containers(gateway, (*LOOPBACK, subnet))


def has_image(name: str) -> bool:
    """Whether the engine has this image."""
    return name in docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()


def docker(*arguments: str, given: bytes = b"", seconds: float = 20) -> str:
    """What a docker command prints. In: its standard input. Raises RuntimeMissingError if it fails."""
    try:
        run = subprocess.run(["docker", *arguments], input=given, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeMissingError(f"there is no Docker engine here: {error}") from error
    if run.returncode:
        told = run.stderr.decode("utf-8", "replace").strip()
        raise RuntimeMissingError(f"docker {arguments[0]} does not succeed: {told}")
    return run.stdout.decode("utf-8", "replace").strip()
