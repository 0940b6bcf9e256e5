"""The callee's end of one call: what a person does with a telephone, and waiting for what it does."""

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Condition
from typing import Protocol

from local.network.shared.faults import DISCONNECT_REASONS

KEYS = "0123456789*#"


class CallState(StrEnum):
    """How far a call has come."""

    DIALLED = "dialled"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Line(Protocol):
    """The network's side of the call. Each is False if the call is not in a state for it."""

    def answer(self) -> bool: ...
    def refuse(self, reason: str) -> bool: ...
    def press(self, key: str) -> bool: ...
    def hang_up(self) -> bool: ...
    def outwait(self) -> bool: ...


class Phone:
    """One ringing, answered or silent telephone. All methods may be called from any thread.

    What a person does returns whether it had an effect: a key pressed while nothing listens is lost,
    as on a telephone. The waits return whether it came to that; False: the call ended, or time is up.
    """

    def __init__(self, line: Line, contact_id: str, number: str, caller_id: str, mid: str | None) -> None:
        self.contact_id = contact_id
        self.number = number
        self.caller_id = caller_id
        self.mid = mid
        self.state = CallState.DIALLED
        self.input_block = 0
        """How many input blocks have begun in this call: the number of the latest one."""
        self.input_open = False
        """Whether a key would be heard now."""
        self.playing = False
        """Whether an input block's prompt is playing."""
        self.changed = Condition()
        """Guards all of the above, for the network's side, which alone writes them."""
        self._line = line

    def answer(self) -> bool:
        """Take the call."""
        return self._line.answer()

    def reject(self) -> bool:
        """Decline the call: the network reports busy."""
        return self._line.refuse("TELECOM_BUSY")

    def invalid(self) -> bool:
        """There is no such subscriber: the network reports an invalid number."""
        return self._line.refuse("TELECOM_NUMBER_INVALID")

    def fail(self, reason: str) -> bool:
        """The network ends the ringing, for a reason out of DISCONNECT_REASONS. ValueError for another one."""
        if reason not in DISCONNECT_REASONS:
            raise ValueError(f"no reason of the network: {reason!r}")
        return self._line.refuse(reason)

    def press(self, key: str) -> bool:
        """Press 0-9, * or #. ValueError for anything else."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"no key of a telephone: {key!r}")
        return self._line.press(key)

    def hang_up(self) -> bool:
        """Put the receiver down. A call that still rings is rejected, not hung up."""
        return self._line.hang_up()

    def outwait(self) -> bool:
        """Say nothing until the input block's time is up, and have it be up now: for a carrier without input timer."""
        return self._line.outwait()

    @property
    def listening(self) -> bool:
        """Whether an input block waits for a key and its prompt has ended."""
        return self.input_open and not self.playing

    def wait_until_ringing(self, timeout: float | None = None) -> bool:
        """Wait for the first ring."""
        return self._wait(lambda: self.state is CallState.RINGING, timeout)

    def wait_until_answered(self, timeout: float | None = None) -> bool:
        """Wait until the call is taken."""
        return self._wait(lambda: self.state is CallState.ANSWERED, timeout)

    def wait_until_playing(self, timeout: float | None = None) -> bool:
        """Wait until the prompt of an input block plays."""
        return self._wait(lambda: self.playing, timeout)

    def wait_until_listening(self, timeout: float | None = None) -> bool:
        """Wait until an input block waits for a key, its prompt over."""
        return self._wait(lambda: self.listening, timeout)

    def wait_for_input(self, after: int = 0, timeout: float | None = None) -> bool:
        """Wait until an input block later than number `after` would hear a key."""
        return self._wait(lambda: self.input_open and self.input_block > after, timeout)

    def wait_until_input_closed(self, block: int, timeout: float | None = None) -> bool:
        """Wait until input block number `block` hears no more."""
        return self._wait(lambda: not (self.input_open and self.input_block == block), timeout)

    def wait_until_ended(self, timeout: float | None = None) -> bool:
        """Wait for the end of the call. Here False always means that time is up."""
        with self.changed:
            return self.changed.wait_for(lambda: self.state is CallState.ENDED, timeout)

    def pause(self, seconds: float) -> bool:
        """Let time pass, as a person does before acting. False as soon as the call has ended."""
        return not self.wait_until_ended(seconds)

    def _wait(self, holds: Callable[[], bool], timeout: float | None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while not holds():
                remaining = None if deadline is None else deadline - time.monotonic()
                if self.state is CallState.ENDED or (remaining is not None and remaining <= 0):
                    return False
                self.changed.wait(remaining)
            return True
