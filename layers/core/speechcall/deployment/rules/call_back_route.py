"""Whether calls to the caller ID may be led to us: what somebody else has set up there is never replaced."""

from collections.abc import Collection
from hashlib import sha256
from typing import NamedTuple

ROUTED = "routed"
NOT_THERE = "not routed: the caller ID is not a number of this account and Region"


class Found(NamedTuple):
    """Where calls to a number go: `target` is a flow or an application, empty: nowhere. `handle` names the way."""

    target: str
    handle: str


def is_free(found: Found, own: Collection[str]) -> bool:
    """Whether calls to the number go nowhere, or to what is, or was before an update, this stack's."""
    return not found.target or found.target in own


def taken(found: Found) -> str:
    """What is said of a number that leads elsewhere."""
    return (
        f"not routed: calls to the caller ID go to {found.target} already, and stay there. Lead them to the target of "
        "this stack from there, or by hand (docs/call-backs.md)"
    )


def unknown(code: str) -> str:
    """What is said when it could not be found out, or not be done."""
    return f"not routed: {code}. Route the caller ID by hand (docs/call-backs.md), or deploy again"


def route_id(number: str, target: str) -> str:
    """The resource's id: another number or target is another one, so that CloudFormation removes the old one."""
    return f"call-back-{sha256(f'{number} {target}'.encode()).hexdigest()[:16]}"
