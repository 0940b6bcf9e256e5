"""How often a service lets itself be asked."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """Requests a second in the long run, and at once."""

    rate: float
    burst: int


class Bucket:
    """A token bucket, as the throttling of AWS is described. Guarded by its owner's lock."""

    def __init__(self, quota: Quota) -> None:
        self._quota, self._tokens, self._filled = quota, float(quota.burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more request is allowed now."""
        moment = time.monotonic()
        self._tokens = min(float(self._quota.burst), self._tokens + (moment - self._filled) * self._quota.rate)
        self._filled = moment
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
