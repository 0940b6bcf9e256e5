"""Of several attempts, which one is the message's outcome; and whether a key could be pressed at all."""

from collections.abc import Sequence

from speechcall.menus.rules.menu import Menu
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.outcome import Outcome, OutcomeName


def has_key(menus: Sequence[Menu]) -> bool:
    """Whether a menu has a key to press: a list of its own for one. Without one, `noKey` has no meaning."""
    return any(menu.own_keys() for menu in menus)


def later_one_decides(outcome: OutcomeName, key_pressed: bool, before: OutcomeName, key_pressed_before: bool) -> bool:
    """Whether a message has the outcome of a later attempt, and not that of the best attempt before it.

    `outcome`, `key_pressed`: of the later attempt; `before`, `key_pressed_before`: of the best one before it.
    One that was answered, and a key pressed, is better than one without a key, and that is better than one that was not
    answered. Of two that are alike the later one decides.
    """
    return _rank(outcome, key_pressed) >= _rank(before, key_pressed_before)


def _rank(outcome: OutcomeName, key_pressed: bool) -> int:
    if outcome != "answered":
        return 0
    return 2 if key_pressed else 1


def best_outcome(message: Message, outcome: Outcome, *, key_pressed: bool = False) -> Outcome:
    """The outcome of a message that is not dialled again: `outcome`, or that of a call before which was answered.

    `outcome`, `key_pressed`: of its last attempt, or of what ends it while it waits.
    """
    before = message.answered_reason
    # After a key nothing is dialled again: so in the call before none was pressed.
    if before is None or later_one_decides(outcome.outcome, key_pressed, "answered", key_pressed_before=False):
        return outcome
    return Outcome("answered", before)
