"""How long a call waits for a key; and how a moment is written."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

DEFAULT_IDLE_TIMEOUT_MSEC = 10_000
MAX_IDLE_TIMEOUT_MSEC = 180_000

IDLE_STEPS: tuple[int, ...] = tuple(chain(range(1, 31), range(35, 61, 5), range(75, 121, 15), range(150, 181, 30)))
"""The idle timeouts, in seconds, that a call can wait.

The time limit of Amazon Connect's block "Get customer input" must be static (flow language,
GetParticipantInput: InputTimeLimitSeconds, 1 to 180), so the contact flow has one block a step.
"""

INPUT_STEPS: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 45, 60, 90, 120, 180)
"""Those of menus that ask for several digits.

They are fewer: there is a block for each of them with each end key, which is static too, and a flow has at most 250.
"""


def idle_seconds(idle_timeout_msec: int, steps: Sequence[int] = IDLE_STEPS) -> int:
    """The shortest of `steps` (in order) that waits at least `idle_timeout_msec` (1 to 180,000); in seconds."""
    seconds = math.ceil(idle_timeout_msec / 1000)
    return next(step for step in steps if step >= seconds)


def menu_wait_seconds(prompt_seconds: float, waits_seconds: int, grace_seconds: int) -> int:
    """How long the state machine waits for what is heard in a menu that is asked once, in whole seconds.

    The telephony reports silence itself; this wait only ends when nothing is heard from it, so it
    is longer than the introduction, and what the telephony waits behind it (`waits_seconds`), by the grace.
    """
    return math.ceil(prompt_seconds) + waits_seconds + grace_seconds


def utc_text(msec: int) -> str:
    """A moment (epoch milliseconds) as the API and the log write it: 2026-11-22T09:30:00.000Z."""
    return datetime.fromtimestamp(msec / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
