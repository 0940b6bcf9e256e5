"""When a webhook is tried again."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

RETRY_DELAYS_SECONDS: tuple[int, ...] = (5, 30, 120, 600, 1800, 7200, 21600)
"""The waits before the second to the eighth attempt: about 8.7 hours in all."""
MAX_RETRY_AFTER_SECONDS = 21600
"""A receiver that asks for more waits as long as this: the longest wait there is without it."""
OWN_FAULT_DELAYS_SECONDS = (15, 30, 60, 120, 240, 480)
"""The waits after faults of our own network; the last one again and again."""
MAX_OWN_FAULTS = 60
"""With these it has been tried for about 8 hours too."""
TURN_DELAYS_SECONDS = (2, 4, 8, 15, 30, 60)
"""The waits for a turn, where a destination has its share of attempts in flight."""

_JITTER = 0.2
_RETRYABLE_STATUS = {408, 409, 425, 429}

Uniform = Callable[[float, float], float]


def is_delivered(status: int) -> bool:
    """Whether an HTTP status says that the receiver has the webhook: 2xx only."""
    return 200 <= status < 300


def is_retryable(status: int) -> bool:
    """Whether a receiver that answered so may want the webhook again. 3xx is never followed."""
    return status in _RETRYABLE_STATUS or status >= 500


def retry_delay(attempts_made: int, uniform: Uniform, retry_after: int | None = None) -> int | None:
    """Whole seconds to wait after `attempts_made` failed attempts, ±20 %; None: give up.

    A receiver's Retry-After (seconds) is waited for where it is longer, up to six hours.
    """
    if attempts_made > len(RETRY_DELAYS_SECONDS):
        return None
    delay = RETRY_DELAYS_SECONDS[attempts_made - 1] * uniform(1 - _JITTER, 1 + _JITTER)
    if retry_after is not None:
        delay = max(delay, min(retry_after, MAX_RETRY_AFTER_SECONDS) * uniform(1, 1 + _JITTER))
    return max(1, round(delay))


def own_fault_delay(faults: int, uniform: Uniform) -> int | None:
    """Whole seconds to wait after the `faults`th fault of our own network; None: give up."""
    if faults > MAX_OWN_FAULTS:
        return None
    delay = OWN_FAULT_DELAYS_SECONDS[min(faults, len(OWN_FAULT_DELAYS_SECONDS)) - 1]
    return max(1, round(delay * uniform(1 - _JITTER, 1 + _JITTER)))


def turn_delay(waits: int, uniform: Uniform) -> int:
    """Whole seconds to wait for a turn that was not to be had `waits` times before."""
    delay = TURN_DELAYS_SECONDS[min(waits, len(TURN_DELAYS_SECONDS) - 1)]
    return max(1, round(delay * uniform(1 - _JITTER, 1 + _JITTER)))


def retry_after_seconds(text: str | None, now_sec: int) -> int | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or a date); None: it asks for nothing."""
    given = (text or "").strip()
    if given.isascii() and given.isdigit():
        return int(given[:9])  # nine digits are longer than anybody waits; more of them would say nothing else
    try:
        moment = parsedate_to_datetime(given)
        # Without a zone (asctime's form, and "-0000") it is GMT: RFC 9110, 5.6.7.
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(known.timestamp()) - now_sec)
    except Exception:  # noqa: BLE001 - a receiver's text, and a parser that was made for mail
        return None
