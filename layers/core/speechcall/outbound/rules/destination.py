"""Where a URL leads, without what in it may be secret."""

from speechcall.outbound.rules.address import target_of
from speechcall.outbound.rules.host import shown_host
from speechcall.shared.rules.errors import UnusableUrl

NOWHERE = "nowhere"
"""The destination of a URL that cannot be sent to."""


def destination(url: str) -> str:
    """Scheme, host and port, in one form."""
    try:
        target = target_of(url)
    except UnusableUrl:
        return NOWHERE
    return f"{target.scheme}://{target._replace(host=shown_host(target.host.removesuffix('.'))).authority}"
