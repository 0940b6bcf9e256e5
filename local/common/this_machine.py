"""Who is asked, and who asks: what runs on a laptop is for programs and pages of that laptop alone.

A page of any site can send requests to 127.0.0.1, and by a name of its own that leads here (DNS rebinding) it could
even read the answers. The first kind says where it comes from (Fetch, "Origin"; Fetch Metadata, "Sec-Fetch-Site"),
the second asks for a host that is not this machine.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::[0-9]{0,5})?")


def is_this_machine(host: str, names: Collection[str] = ()) -> bool:
    """Whether a Host (with or without a port) is `localhost`, in 127.0.0.0/8, [::1], one of `names`, or under one."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    if found["v6"]:
        return _is_loopback(found["v6"], ipaddress.IPv6Address)
    name = found["name"].lower()
    if name in ("localhost", *names) or any(name.endswith(f".{own}") for own in names if own[-1].isalpha()):
        return True
    return _is_loopback(name, ipaddress.IPv4Address)


def comes_from_elsewhere(method: str, headers: Mapping[str, str], names: Collection[str] = ()) -> bool:
    """Whether a page of another machine's site sent this. One may be led here by a link, as by a bookmark."""
    origin = headers.get("Origin")
    if origin is not None:
        return not is_this_machine(origin.partition("://")[2], names)
    is_link = method in ("GET", "HEAD") and headers.get("Sec-Fetch-Mode") == "navigate"
    return headers.get("Sec-Fetch-Site") == "cross-site" and not is_link


def comes_from_a_page(headers: Mapping[str, str]) -> bool:
    """Whether a page sent this, of whatever site."""
    return "Origin" in headers or "Sec-Fetch-Site" in headers


def _is_loopback(text: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        return kind(text).is_loopback
    except ValueError:
        return False
