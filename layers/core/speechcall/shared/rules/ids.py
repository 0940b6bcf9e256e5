"""Identifiers of messages, message lists and webhook events."""

import re
from collections.abc import Callable

_EPOCH_MSEC = 1_735_689_600_000  # 2025-01-01T00:00:00Z
_BLOCK_BITS, _PLACE_BITS = 15, 7
_NUMBER = re.compile(r"[0-9]{1,3}")
_ATTEMPT = re.compile(r"[0-9]{1,19}-[0-9]{1,3}")
SHARD_BITS = 2
SHARDS = 1 << SHARD_BITS


def new_ids(count: int, now_msec: int, random_bits: Callable[[int], int]) -> list[str]:
    """`count` (1 to 101) time-ordered decimal ids below 2^63, the first for the list, the rest for messages.

    `random_bits`: a number of so many random bits.

    41 bits of milliseconds since 2025, 15 random bits for a block of 128 ids, 7 bits for the place in it. The
    list has the block's first id, so two requests that drew the same block meet there, before anything
    is written; with different blocks no id is the same. Where the messages begin is random, for their shards' sake.
    """
    block = (((now_msec - _EPOCH_MSEC) << _BLOCK_BITS) + random_bits(_BLOCK_BITS)) << _PLACE_BITS
    first = block + 1 + random_bits(SHARD_BITS)
    return [str(block), *(str(first + offset) for offset in range(count - 1))]


def latest_msec(message_id: str) -> int:
    """The moment before which a message of this id was accepted, also when nothing else of it can be read."""
    return (int(message_id) >> (_BLOCK_BITS + _PLACE_BITS)) + _EPOCH_MSEC + 1


def last_id(now_msec: int) -> int:
    """The largest id that can be drawn at a moment, as a number: what was accepted by then is not above it."""
    return ((now_msec - _EPOCH_MSEC + 1) << (_BLOCK_BITS + _PLACE_BITS)) - 1


def shard_of(message_id: str) -> int:
    """The shard (0 to 3) of the due index that holds a message."""
    return int(message_id) % SHARDS


def event_id(message_id: str, attempt: int, visit: int, menu: int, key: str, step: int) -> str:
    """The name of one webhook step of one key press, the same however often it is run or sent.

    `visit`: the `seq` of the question that the key answered.
    """
    return f"{message_id}-{attempt}-{visit}-m{menu}-{key}-{step}"


def call_attempt_of(event_id: str) -> int | None:
    """The call attempt in the name of a webhook or of an `attempt` event; None if there is none in it."""
    _, _, rest = event_id.partition("-")
    attempt = rest.partition("-")[0].removeprefix("a")
    return int(attempt) if _NUMBER.fullmatch(attempt) else None


def holder(message_id: str, attempt: int) -> str:
    """The name of one call attempt: in the pool, as execution name and as client token."""
    return f"{message_id}-{attempt}"


def parse_attempt(message_id: object, attempt: object) -> tuple[str, int] | None:
    """Message id and attempt as a provider's contact carries them, as text; None if they are not ours."""
    if isinstance(message_id, str) and isinstance(attempt, str) and _ATTEMPT.fullmatch(f"{message_id}-{attempt}"):
        return message_id, int(attempt)
    return None


def parse_holder(name: str) -> tuple[str, int]:
    """Message id and attempt of a name made by `holder`. ValueError if it is none."""
    message_id, _, attempt = name.rpartition("-")
    if not (message_id.isascii() and message_id.isdigit()):
        raise ValueError(f"not the name of a call attempt: {name!r}")
    return message_id, int(attempt)
