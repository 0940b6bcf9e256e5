"""Where a webhook or a prompt may lead."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from speechcall.outbound.rules.host import MAX_NAME, sent_host
from speechcall.shared.rules.errors import UnusableUrl

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
_FORBIDDEN_V6 = [  # in addition to everything outside 2000::/3: protocol assignments with Teredo, documentation, 6to4
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]

_PORTS = {"http": 80, "https": 443}
# What urlsplit makes of brackets differs between versions of Python.
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[^:]*))?")
_AUTHORITY_AS_GIVEN = re.compile(r"[^:/?#]*://([^/?#]*)")
_MAX_AUTHORITY = 300
_THIS_MACHINE = "localhost"
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
    """Whether a web server may be expected at a port: no mail server or data base, which a POST could confuse."""
    return port in _WEB_PORTS or (_LEAST_FREE_PORT <= port <= 65535 and port not in _OTHER_PROTOCOLS)


def is_loopback(address: IPAddress) -> bool:
    """Whether an address is this machine's own, in v6 wrapped or not (versions of Python differ about it)."""
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (inner or address).is_loopback


def reach_problem(address: IPAddress | None, port: int, *, allow_loopback: bool = False) -> str | None:
    """Why an address and a port may not be connected to, in words that follow what leads there, or None: they may.

    `address`: None while it is not known, so the port alone is judged. `allow_loopback`: this machine may be, at any
    port. Submission, delivery, prompts and redirects are judged by this alone.
    """
    if address is not None and allow_loopback and is_loopback(address):
        return None
    if address is not None and is_forbidden(address):
        return f"leads to {address}, which is not a public address"
    if not is_web_port(port):
        return f"has the port {port}, which belongs to another protocol; 80, 443 and most from 1024 on can be used"
    return None


class Target(NamedTuple):
    """A URL taken apart: where it leads, in the form in which that is sent."""

    scheme: str
    host: str
    """ASCII, in lower case; an IPv6 address without brackets; a name may have a dot at its end."""
    port: int
    rest: str
    """Path and query as they were given."""

    @property
    def authority(self) -> str:
        """Host and port as they are in a URL and in the header Host; the scheme's own port is left out."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _PORTS[self.scheme] else f"{shown}:{self.port}"

    @property
    def url(self) -> str:
        """The URL with its host in that form."""
        return f"{self.scheme}://{self.authority}{self.rest}"

    @property
    def address(self) -> IPAddress | None:
        """The address, where the host is one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


@lru_cache(1024)
def target_of(url: str) -> Target:
    """Where a URL leads, as far as that can be told without the network. Raises UnusableUrl.

    Remembered, for the messages of a list mostly have the same few.
    """
    if any(character <= " " or character in "\x7f\\" for character in url):
        raise UnusableUrl("must not hold spaces, control characters or backslashes")
    found = _AUTHORITY_AS_GIVEN.match(url)
    length = len(found[1]) if found else 0
    if length > _MAX_AUTHORITY and not url.isascii():
        # `urlsplit` brings other letters into one form, in a time that grows with the square of their number.
        raise UnusableUrl(f"has a host name of {length} characters; at most {MAX_NAME} can be")
    try:
        parts = urlsplit(url)
    except ValueError:  # its text may show a password
        raise UnusableUrl("is not a URL: its host cannot be read") from None
    if parts.scheme not in _PORTS:
        raise UnusableUrl("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise UnusableUrl("must not hold a user name or password; send credentials in a header")
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise UnusableUrl("is not a URL: its host cannot be read")
    host, port = authority["host"], _port(authority["port"], parts.scheme)
    if not host:
        raise UnusableUrl("has no host name")
    if port is None:
        raise UnusableUrl("has a port that is not between 1 and 65535")
    rest = url[url.index("//") + 2 + len(parts.netloc) :].partition("#")[0]
    return Target(parts.scheme, sent_host(host), port, rest if rest.startswith("/") else f"/{rest}")


@lru_cache(1024)
def url_problem(url: str, *, allow_loopback: bool = False) -> str | None:
    """What is wrong with a URL that a webhook or prompt shall use, in words that follow "the URL", or None.

    Only what can be judged without the network; host names are judged when they are resolved.
    """
    try:
        target = target_of(url)
    except UnusableUrl as error:
        return str(error)
    if allow_loopback and target.host.removesuffix(".") == _THIS_MACHINE:
        return None
    return reach_problem(target.address, target.port, allow_loopback=allow_loopback)


def _port(given: str | None, scheme: str) -> int | None:
    """The port as a URL gives it; that of the scheme where it gives none. None: no port has this number."""
    if not given:
        return _PORTS[scheme]
    digits = given.lstrip("0")
    fits = digits.isascii() and digits.isdigit() and len(digits) <= 5
    return int(digits) if fits and int(digits) <= 65535 else None


def is_url(intro: str) -> bool:
    """Whether an introUrl is a URL; anything else is an identifier."""
    return intro.lower().startswith(("http://", "https://"))
