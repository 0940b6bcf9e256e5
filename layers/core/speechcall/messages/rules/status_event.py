"""What a receiver is told without asking: that a message, a call attempt, a list or a fallback has ended."""

from enum import StrEnum
from typing import NamedTuple


class StatusKind(StrEnum):
    """The kinds of status events."""

    FINAL = "final"
    ATTEMPT = "attempt"
    LIST = "list"
    FALLBACK = "fallback"


KINDS = frozenset(StatusKind)


class StatusEvent(NamedTuple):
    """One event."""

    kind: StatusKind
    name: str
    """The id of the message, or of the list."""
    attempt: int = 0
    """The latest call attempt, when it happened; 0: it was never dialled."""

    @property
    def event_id(self) -> str:
        """The `webhook-id`, the same however often it is sent."""
        return f"{self.name}-a{self.attempt}" if self.kind is StatusKind.ATTEMPT else f"{self.name}-{self.kind}"
