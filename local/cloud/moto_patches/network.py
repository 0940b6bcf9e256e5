"""Nothing that speaks AWS's protocols leaves the machine."""

from typing import Any
from urllib.parse import urlparse

from botocore.httpsession import URLLib3Session

from local.cloud.moto_patches.replace import Replacement, instead_of

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LeavesTheMachineError(RuntimeError):
    """An AWS client was about to connect to a host that is not this machine."""


def refuse_to_leave_the_machine() -> None:
    """A request that nothing here answers goes to the real endpoint, with whatever credentials there are.

    Moto knows the hosts under amazonaws.com only, and only while it is switched on.
    """

    @instead_of(URLLib3Session, "send")
    def send(stock: Replacement, session: Any, request: Any) -> Any:
        host = urlparse(request.url).hostname or ""
        if host not in LOOPBACK:
            raise LeavesTheMachineError(f"the laptop cloud has no {host}, and does not ask the real one")
        return stock(session, request)
