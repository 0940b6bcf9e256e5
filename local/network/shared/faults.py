"""What a provider does to those who build on it, now and then, and how often it lets itself be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import Any

from local.network.shared.quota import Quota

DISCONNECT_REASONS = (
    "TELECOM_BUSY",
    "TELECOM_NUMBER_INVALID",
    "TELECOM_POTENTIAL_BLOCKING",
    "TELECOM_UNANSWERED",
    "TELECOM_TIMEOUT",
    "TELECOM_ORIGINATOR_CANCEL",
    "TELECOM_PROBLEM",
    "OUTBOUND_DESTINATION_ENDPOINT_ERROR",
    "OUTBOUND_RESOURCE_ERROR",
    "CUSTOMER_DISCONNECT",
)
"""Why a call does not come about (administrator guide, "Contact records data model"; those of OUTBOUND: "Contact
events"). That a customer who rejects a call has disconnected is inferred: the reason may stand without an answer."""


DOCUMENTED_QUOTAS: Mapping[str, Quota] = {
    "StartOutboundVoiceContact": Quota(2, 5),
    "StopContact": Quota(10, 15),
    "DescribeContact": Quota(10, 15),
}
"""Administrator guide, "Amazon Connect service quotas", API throttling quotas, of an account and Region."""


@dataclass(frozen=True)
class Faults:
    """How likely each thing is (0 to 1), by default never. The same `seed` gives the same draws in the same order."""

    seed: int = 0
    events_dropped: float = 0.0
    events_doubled: float = 0.0
    events_late: float = 0.0
    """Others overtake an event that is late: this is how they come out of order."""
    late_seconds: tuple[float, float] = (0.1, 2.0)
    requests_failed: float = 0.0
    """A request is answered 500 and nothing is done."""
    requests_lost: float = 0.0
    """A request is answered 500 though it was done."""
    answers_lost: float = 0.0
    """A function has run, and its answer does not reach the contact flow, which tries again."""
    record_lag_seconds: float = 0.0
    """DescribeContact shows a contact as it was so long ago."""
    reason_lag_seconds: float = 0.0
    """DescribeContact shows the end of a contact (DisconnectTimestamp), and only so long after it its DisconnectReason.

    Amazon Connect's developer guide, "Eventual consistency": a change "typically takes less than a few seconds", "but
    in some cases it can take several minutes" to be seen. DescribeContact's reference marks neither member as required.
    """
    record_late_seconds: float = 0.0
    """DescribeContact and StopContact do not know a contact that is newer: nowhere is said that they do at once."""


class Chance:
    """Draws what happens, for many threads."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._random = Random(faults.seed)  # noqa: S311 - it has to be repeatable
        self._lock = Lock()

    def happens(self, likely: float) -> bool:
        """Whether something so likely happens this time."""
        if not likely:
            return False
        with self._lock:
            return self._random.random() < likely

    def deliveries(self, _event: Mapping[str, Any]) -> list[float]:
        """After how many seconds an event comes, each time that it does."""
        if self.happens(self.faults.events_dropped):
            return []
        times = 2 if self.happens(self.faults.events_doubled) else 1
        return [self._seconds_late() for _ in range(times)]

    def _seconds_late(self) -> float:
        if not self.happens(self.faults.events_late):
            return 0.0
        with self._lock:
            return self._random.uniform(*self.faults.late_seconds)
