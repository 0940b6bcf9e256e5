"""How long it takes until messages that wait have been called, from the shares that wait and real call lengths.

An account has of the lines its share among the shares that wait, and of the calls a second too. Its campaigns share
that evenly while they have something to dial. So the time of what is left is between that of a campaign which has the
account's lines alone, and that of one which shares them with every other open one.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from speechcall.messages.rules.pool import Capacity
from speechcall.messages.rules.turns import Turn

FEW_CALLS = 20
"""With fewer calls an account's mean is mostly what we assume."""
TOLD_LATELY_MSEC = 180_000
"""The shares that wait are told each minute."""
ROUGHLY, FAIRLY = (0.5, 2.0), (0.8, 1.25)
"""What the mean time of a call may turn out to be, as a part of what it is now."""


class Certainty(StrEnum):
    """How sure an estimate is."""

    FAIR = "fair"
    ROUGH = "rough"
    """Few calls of the account have ended so far, or it is not known lately who waits."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Whole seconds until the last call is over: as expected, and between what."""

    seconds: int
    at_least: int
    at_most: int
    certainty: Certainty


NOTHING_LEFT = Estimate(0, 0, 0, Certainty.FAIR)


def estimate(left: int, turn: Turn, capacity: Capacity, open_campaigns: int, now_msec: int) -> Estimate | None:
    """How long it takes until `left` messages of one queue have been called. None: nothing is dialled, so for ever.

    `turn`: that of the messages' account. `capacity`: what messages share that are not urgent.
    `open_campaigns`: how many campaigns of the account have unfinished messages, with this one. Redials, and time in
    which a phone is busy or a message is prepared, come on top.
    """
    if left <= 0:
        return NOTHING_LEFT
    if capacity.lines < 1 or turn.is_paused or turn.max_lines == 0:
        return None
    # That no account waits is written once only, so it is never too old.
    is_told = not capacity.waiting_shares or now_msec - capacity.told_msec < TOLD_LATELY_MSEC
    is_known = turn.ended >= FEW_CALLS and is_told
    least, most = FAIRLY if is_known else ROUGHLY
    mean = turn.expected_msec / 1000
    rivals = max(open_campaigns, 1)
    return Estimate(
        seconds=ceil(_seconds(left, mean, turn, capacity, rivals)),
        at_least=int(_seconds(left, mean * least, turn, capacity, 1)),
        at_most=ceil(_seconds(left, mean * most, turn, capacity, rivals)),
        certainty=Certainty.FAIR if is_known else Certainty.ROUGH,
    )


def _seconds(left: int, mean: float, turn: Turn, capacity: Capacity, rivals: int) -> float:
    """Seconds until the last of `left` (1 or more) messages has its turn, and its call of `mean` seconds is over.

    `rivals`: how many campaigns share the account's lines evenly, with this one.
    """
    # The sum of the shares may be of a moment at which this account did not wait: its part is never above all.
    part = turn.share / max(capacity.waiting_shares, turn.share)
    lines = capacity.lines * part
    if turn.max_lines is not None:
        lines = min(lines, turn.max_lines)
    a_second = min(lines / mean if mean else capacity.calls_per_second, capacity.calls_per_second * part) / rivals
    return (left - 1) / a_second + mean
