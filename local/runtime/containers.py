"""How Docker's containers reach this machine."""

import ipaddress
import socket
import subprocess
from dataclasses import dataclass

from local.aws_door import LOOPBACK, Network
from local.runtime.emulator import RuntimeMissingError

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
    subnet = ipaddress.ip_network(_docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Subnet}}"))
    gateway = str(next(iter(subnet.hosts())))
    with socket.socket() as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            return Containers("127.0.0.1", LOOPBACK)
    return Containers(gateway, (*LOOPBACK, subnet))


def has_image(name: str) -> bool:
    """Whether the engine has this image."""
    return name in _docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()


def _docker(*arguments: str) -> str:
    try:
        run = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeMissingError(f"there is no Docker engine here: {error}") from error
    if run.returncode:
        raise RuntimeMissingError(f"no Docker engine answers: {run.stderr.strip()}")
    return run.stdout.strip()
