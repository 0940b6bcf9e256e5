"""The calls of a carrier by their ids, for its API, the phone page and its end."""

from collections.abc import Iterator
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Registered(Protocol):
    """A call."""

    @property
    def id(self) -> str: ...
    @property
    def ended(self) -> bool: ...


CallT = TypeVar("CallT", bound=Registered)


class Register(Generic[CallT]):
    """All calls, live and ended, in the order in which they were placed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_id: dict[str, CallT] = {}
        self._open = True

    def __iter__(self) -> Iterator[CallT]:
        with self._lock:
            return iter(list(self._by_id.values()))

    def get(self, contact_id: str) -> CallT | None:
        """The call, live or ended."""
        with self._lock:
            return self._by_id.get(contact_id)

    def live(self) -> list[CallT]:
        """The calls that have not ended."""
        return [call for call in self if not call.ended]

    def _close(self) -> list[CallT]:
        """No new call begins from now on; those that are live."""
        with self._lock:
            self._open = False
        return self.live()

    def _is_full(self, quota: int | None) -> bool:
        """Whether as many calls are live as may be. Called with the lock held."""
        return quota is not None and sum(not call.ended for call in self._by_id.values()) >= quota
