"""What a credential may be used for, and from where."""

from collections.abc import Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import assert_never


class Scope(StrEnum):
    """A kind of request. Which route needs which: `api.use_cases.routes`."""

    SEND = "send"
    READ = "read"
    MANAGE = "manage"
    ERASE = "erase"


WITHOUT_A_NAME = frozenset({Scope.SEND, Scope.READ, Scope.MANAGE})
"""Of an account's password and its key without a name. Written out: a scope that comes later is not among them by
itself, and those that erase data or remove an opt-out must not be."""


def allows(scope: Scope) -> str:
    """What a scope allows, for people."""
    match scope:
        case Scope.SEND:
            return "send messages, check and rehearse them"
        case Scope.READ:
            return "everything that is asked with GET or HEAD, and whether a number has opted out"
        case Scope.MANAGE:
            return "change anything else: audio, replays of webhooks, new opt-outs; ask for what is kept of a person"
        case Scope.ERASE:
            return "remove opt-outs, and erase what is kept of a person"
        case _:
            assert_never(scope)


def is_from(networks: Sequence[str], address: str) -> bool:
    """Whether an address is in one of the networks (CIDR); without networks any is.

    An unreadable network holds no address, and an unreadable address is in none.
    """
    if not networks:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped  # how a socket for both versions writes 192.0.2.1: ::ffff:192.0.2.1
    return any(found in network for network in map(_network, networks) if network)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
