"""What a call has of a menu, without its actions."""

import math
from typing import NamedTuple

from speechcall.menus.rules.call_log import COMPLETE, OTHER

MOST_DIGITS = 20
"""Of one entry."""
DEFAULT_INTER_DIGIT_MSEC, MIN_INTER_DIGIT_MSEC, MAX_INTER_DIGIT_MSEC = 3000, 1000, 20_000
"""Between two keys of an entry. Amazon Connect: InterdigitTimeLimitSeconds, 1 to 20 (GetParticipantInput)."""
END_KEYS = ("#", "*")
_TELEPHONE = frozenset("0123456789*#")
_MOST_KEPT = 32
"""Of the keys that a telephony reports: it was told when to stop, so it reports no more."""


class Input(NamedTuple):
    """Several digits that a menu asks for, in the place of one key."""

    min_digits: int
    max_digits: int
    end_key: str = END_KEYS[0]
    inter_digit_msec: int = DEFAULT_INTER_DIGIT_MSEC
    sensitive: bool = False
    """Whether what is entered is only ever stored sealed, and erased when nobody is to be told any more."""

    @property
    def inter_digit_seconds(self) -> int:
        """How long the next key is awaited, in the whole seconds in which telephonies count."""
        return math.ceil(self.inter_digit_msec / 1000)

    @property
    def typing_seconds(self) -> int:
        """How long an entry may take at most behind its first key."""
        return (self.max_digits - 1) * self.inter_digit_seconds

    def entered(self, keys: str) -> str:
        """What was entered, of the keys that a telephony reports: up to the end key, which some report too."""
        whole = "".join(key for key in keys[:_MOST_KEPT] if key in _TELEPHONE)
        return whole.partition(self.end_key)[0]

    def judged(self, entered: str) -> str:
        """What that is in the place of a key: COMPLETE, or OTHER for too few digits, or a key that is not a digit."""
        is_long_enough = self.min_digits <= len(entered) <= self.max_digits
        return COMPLETE if is_long_enough and entered.isdigit() else OTHER


class Ask(NamedTuple):
    """What the telephony needs to ask a menu: the prompt's URI, its length, seconds to wait; digits, if not one key.

    `repeats`: how often it is asked again in silence, then with the prompt at `repeat_uri`.
    """

    prompt_uri: str
    prompt_seconds: float
    idle_seconds: int
    wait_seconds: int
    """Of the state machine, for all of it."""
    repeats: int = 0
    repeat_uri: str = ""
    repeat_seconds: float = 0.0
    input: Input | None = None
    keeps: tuple[str, ...] = ()
    """For which of COMPLETE and OTHER a webhook or a lookup is sent: only then is it kept what was entered."""
    barge_in: bool = True
    """Whether a key that is pressed while the prompt is played is taken; else it is lost."""

    def prompt(self, repeat: int) -> tuple[str, float]:
        """What is played, and for how long: 0 is the first time, then come the repeats."""
        return (self.repeat_uri, self.repeat_seconds) if repeat else (self.prompt_uri, self.prompt_seconds)
