"""Where a webhook or a prompt may lead."""

import ipaddress
import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FORBIDDEN = [
    ipaddress.ip_network(network)
    for network in (
        *("192.88.99.0/24", "2002::/16", "2001::/32", "64:ff9b:1::/48", "100::/64"),
        *("3fff::/20", "5f00::/16", "fec0::/10"),
    )
]
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)


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


@lru_cache(1024)
def url_problem(url: str) -> str | None:
    """What is wrong with a URL that a webhook or prompt shall use, or None.

    Only what can be judged without the network; host names are judged when they are resolved. Remembered,
    for the messages of a list mostly have the same few.
    """
    if any(character <= " " or character in "\x7f\\" for character in url):
        return "must not hold spaces, control characters or backslashes"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:  # its text may show a password
        return "is not a URL: its host cannot be read"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not host:
        return "has no host name"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password; send credentials in a header"
    if not _has_usable_port(parts.netloc):
        return "has a port that is not between 1 and 65535"
    return _host_problem(host)


def _has_usable_port(netloc: str) -> bool:
    try:
        return urlsplit(f"//{netloc}").port != 0
    except ValueError:
        return False


def _host_problem(host: str) -> str | None:
    """A host that ends in a number is an address to every resolver, so it must be one that we can read."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".")
    try:
        literal = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        if _NUMBER.fullmatch(plain.removesuffix(".").rpartition(".")[2]):
            return "has neither a host name nor an address in its usual form, such as 203.0.113.7"
        return None
    return f"leads to {literal}, which is not a public address" if is_forbidden(literal) else None


def is_url(intro: str) -> bool:
    """Whether an introUrl is a URL; anything else is an identifier."""
    return intro.lower().startswith(("http://", "https://"))
