"""Scripted callers, readable as a conversation: `Script([answer(), press("1"), stay_silent(), press("2")])`.

Steps that need the menu's attention wait for the NEXT input block: a prompt that plays, or a menu
that listens, and that no earlier step of the script has dealt with. A script that has no steps left
stays on the line in silence. One script may serve any number of calls at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.network.shared.phone import Phone


class Caller(Protocol):
    """Who answers a simulated telephone."""

    def take(self, phone: Phone) -> None:
        """Deal with one call. Runs in its own thread, from before the first ring; the call outlives a return."""


@dataclass
class Conversation:
    """One call as the script sees it: `block` is the latest input block that it has dealt with."""

    phone: Phone
    block: int = 0

    def await_input(self) -> bool:
        """Wait for the next input block and take it as dealt with. False: the call has ended."""
        if not self.phone.wait_for_input(self.block):
            return False
        self.block = self.phone.input_block
        return True


Step = Callable[[Conversation], bool]
"""One thing that the caller does; False: there is nothing left to do in this call."""


class Script:
    """A caller who does the given things one after the other."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    def take(self, phone: Phone) -> None:
        """Go through the script with one call."""
        conversation = Conversation(phone)
        for step in self._steps:
            if not step(conversation):
                return


def answer(after: float = 0.2) -> Step:
    """Take the call, having let it ring for `after` seconds."""
    return lambda call: call.phone.wait_until_ringing() and call.phone.pause(after) and call.phone.answer()


def press(key: str, after: float = 0.3) -> Step:
    """Press a key `after` seconds into the next input block. If the block has ended by then, the key is lost."""

    def step(call: Conversation) -> bool:
        if not call.await_input() or not call.phone.pause(after):
            return False
        call.phone.press(key)
        return True

    return step


def enter(keys: str, after: float = 0.3, between: float = 0.05) -> Step:
    """Press several keys in the next input block, the first one `after` seconds into it."""

    def step(call: Conversation) -> bool:
        if not call.await_input() or not call.phone.pause(after):
            return False
        for number, key in enumerate(keys):
            if number and not call.phone.pause(between):
                return False
            call.phone.press(key)
        return True

    return step


def press_at_once(key: str) -> Step:
    """Press a key whatever is going on: without an input block it is lost."""

    def step(call: Conversation) -> bool:
        call.phone.press(key)
        return True

    return step


def stay_silent() -> Step:
    """Let the next input block pass without a key."""
    return lambda call: call.await_input() and call.phone.wait_until_input_closed(call.block)


def hang_up(after: float = 0.0) -> Step:
    """Hang up `after` seconds into the next input block."""
    return lambda call: call.await_input() and call.phone.pause(after) and call.phone.hang_up()


def hang_up_at_once(after: float = 0.0) -> Step:
    """Hang up `after` seconds from now, whatever is going on."""
    return lambda call: call.phone.pause(after) and call.phone.hang_up()


def busy(after: float = 0.0) -> Step:
    """Decline the call."""
    return lambda call: call.phone.wait_until_ringing() and call.phone.pause(after) and call.phone.reject()


def no_answer() -> Step:
    """Let it ring."""
    return lambda call: not call.phone.wait_until_ended()


def fail(reason: str, after: float = 0.0) -> Step:
    """Cannot be reached, for a reason out of `faults.DISCONNECT_REASONS`."""
    return lambda call: call.phone.wait_until_ringing() and call.phone.pause(after) and call.phone.fail(reason)


def invalid_number() -> Step:
    """Be nobody's number."""
    return lambda call: call.phone.wait_until_ringing() and call.phone.invalid()
