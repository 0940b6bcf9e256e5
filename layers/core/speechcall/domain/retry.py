"""When a webhook is tried again."""

from collections.abc import Callable

RETRY_DELAYS_SECONDS: tuple[int, ...] = (5, 30, 120, 600)
"""The waits before the second, third, fourth and fifth attempt. Amazon SQS delays a message by
900 seconds at most (SendMessage, DelaySeconds)."""

_JITTER = 0.2
_RETRYABLE_STATUS = {408, 409, 425, 429}


def is_delivered(status: int) -> bool:
    """Whether an HTTP status says that the receiver has the webhook: 2xx only."""
    return 200 <= status < 300


def is_retryable(status: int) -> bool:
    """Whether a receiver that answered so may want the webhook again. 3xx is never followed."""
    return status in _RETRYABLE_STATUS or status >= 500


def retry_delay(attempts_made: int, uniform: Callable[[float, float], float]) -> int | None:
    """Whole seconds to wait after `attempts_made` failed attempts, ±20 %; None: give up."""
    if attempts_made > len(RETRY_DELAYS_SECONDS):
        return None
    delay = RETRY_DELAYS_SECONDS[attempts_made - 1]
    return max(1, round(delay * uniform(1 - _JITTER, 1 + _JITTER)))
