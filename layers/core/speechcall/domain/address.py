"""Where a webhook or a prompt may lead."""

import ipaddress
import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# IANA's special-purpose registries, named here one by one: what `is_global` says differs between versions of Python.
_FORBIDDEN_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
_FORBIDDEN_V6 = [  # beside everything outside 2000::/3: protocol assignments with Teredo, documentation, 6to4
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)

_WEB_PORTS = {80, 443}
_LEAST_FREE_PORT = 1024
# Those above 1023 that the Fetch Standard ("port blocking") gives to other protocols, and the common stores.
_OTHER_PROTOCOLS = {
    *(
        1719,
        1720,
        1723,
        2049,
        3659,
        4045,
        4190,
        5060,
        5061,
        6000,
        6566,
        6665,
        6666,
        6667,
        6668,
        6669,
        6679,
        6697,
        10080,
    ),
    *(1433, 1521, 2375, 2379, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 9092, 11211, 27017),
}


def is_forbidden(address: IPAddress) -> bool:
    """Whether an address is not a public unicast one, in any of the forms that v6 can wrap a v4 in."""
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _FORBIDDEN_V4)
    if address.ipv4_mapped:
        return is_forbidden(address.ipv4_mapped)
    if address in _NAT64:
        return is_forbidden(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address not in _GLOBAL_UNICAST or any(address in network for network in _FORBIDDEN_V6)


def is_web_port(port: int) -> bool:
    """Whether a web server may be expected at a port: no mail server, no data base, that a POST could confuse."""
    return port in _WEB_PORTS or (_LEAST_FREE_PORT <= port <= 65535 and port not in _OTHER_PROTOCOLS)


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
    try:
        port = urlsplit(f"//{parts.netloc}").port
    except ValueError:
        port = 0
    if port == 0:
        return "has a port that is not between 1 and 65535"
    if port is not None and not is_web_port(port):
        return f"has the port {port}, which belongs to another protocol; 80, 443 and most from 1024 on can be used"
    return _host_problem(host)


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
