"""ReceiveDigits: armed by the action, it collects keys and tells them when they match; then it is over.

Source: Amazon Chime SDK developer guide, "ReceiveDigits" and "Receiving caller input". Keys that no listener
waits for are discarded.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from local.network.chime.actions import Action
from local.network.shared.clock import Clock

if TYPE_CHECKING:
    from local.network.shared.clock import Timer


class Listener:
    """One ReceiveDigits. `heard` gets the digits, in the clock's thread."""

    def __init__(self, action: Action, clock: Clock, heard: Callable[[str], None]) -> None:
        self.action = action
        self._pattern = re.compile(str(action.parameters["InputDigitsRegex"]))
        self._between = int(action.parameters["InBetweenDigitsDurationInMilliseconds"]) / 1000
        self._flush = int(action.parameters["FlushDigitsDurationInMilliseconds"]) / 1000
        self._clock, self._heard = clock, heard
        self._digits = ""
        self._timers: list[Timer] = []

    @property
    def has_digits(self) -> bool:
        """Whether a key has come."""
        return bool(self._digits)

    def press(self, key: str) -> None:
        """A key. The digits are looked at when none has come for a while, and told at the latest when flushed."""
        if not self._digits:
            self._timers.append(self._clock.after(self._flush, self._tell))
        self._digits += key
        length = len(self._digits)
        self._timers.append(self._clock.after(self._between, lambda: self._check(length)))

    def close(self) -> None:
        """Hears and tells nothing more."""
        for timer in self._timers:
            timer.cancel()

    def _check(self, length: int) -> None:
        if length == len(self._digits) and self._pattern.search(self._digits):
            self._tell()

    def _tell(self) -> None:
        self.close()
        self._heard(self._digits)
