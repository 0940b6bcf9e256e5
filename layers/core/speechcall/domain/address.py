"""Where a webhook or a prompt may lead."""

import ipaddress
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FORBIDDEN = [
    ipaddress.ip_network(network)
    for network in ("192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b:1::/48", "100::/64", "5f00::/16")
]


def is_forbidden(address: IPAddress) -> bool:
    """Whether an address is not a public unicast one, in any of the forms that v6 can wrap a v4 in."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_forbidden(address.ipv4_mapped)
        if address in _NAT64:
            return is_forbidden(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if not address.is_global or address.is_multicast or address.is_reserved:
        return True
    return any(address.version == network.version and address in network for network in _FORBIDDEN)


def url_problem(url: str) -> str | None:
    """What is wrong with a URL that a webhook or prompt shall use, or None.

    Only what can be judged without the network; host names are judged when they are resolved.
    """
    if any(character <= " " or character in "\x7f\\" for character in url):
        return "must not hold spaces, control characters or backslashes"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not host:
        return "has no host name"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password; send credentials in a header"
    try:
        literal = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return f"leads to {literal}, which is not a public address" if is_forbidden(literal) else None
