"""The token bucket, as the one moment at which it would be full again (generic cell rate algorithm).

Moments are in ticks of 1/rate milliseconds: a message costs exactly 1,000 of them, so that nothing is rounded.
"""

TICKS_A_MESSAGE = 1000


def ticks(now_msec: int, rate: int) -> int:
    """A moment in ticks."""
    return now_msec * rate


def latest_full(now_msec: int, messages: int, rate: int, burst: int) -> int:
    """The latest moment (ticks) at which the bucket may become full if `messages` are to be taken now."""
    return ticks(now_msec, rate) + (burst - messages) * TICKS_A_MESSAGE


def retry_after_seconds(full: int, now_msec: int, messages: int, rate: int, burst: int) -> int:
    """Whole seconds after which `messages` can be taken, if nobody else takes any."""
    missing = full - latest_full(now_msec, messages, rate, burst)
    return max(1, -(-missing // ticks(1000, rate)))
