"""The token bucket, as the one moment at which it would be full again (generic cell rate algorithm)."""

import math


def cost_msec(messages: int, rate: int) -> int:
    """How far `messages` move the moment at which the bucket is full, in milliseconds."""
    return math.ceil(messages * 1000 / rate)


def latest_full_msec(now_msec: int, messages: int, rate: int, burst: int) -> int:
    """The latest such moment from which `messages` can still be taken now."""
    return now_msec + cost_msec(burst, rate) - cost_msec(messages, rate)


def retry_after_seconds(full_msec: int, now_msec: int, messages: int, rate: int, burst: int) -> int:
    """Whole seconds after which `messages` can be taken, if nobody else takes any."""
    return max(1, math.ceil((full_msec - latest_full_msec(now_msec, messages, rate, burst)) / 1000))
