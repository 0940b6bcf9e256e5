"""Of several attempts, which one is the message's outcome; and whether a key could be pressed at all."""

from collections.abc import Sequence

from speechcall.menus.rules.menu import Menu
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.outcome import Outcome, OutcomeName


def has_key(menus: Sequence[Menu]) -> bool:
    """Whether a menu has a key to press: a list of its own for one. Without one, `noKey` has no meaning."""
    return any(menu.own_keys() for menu in menus)


def is_better(outcome: OutcomeName, key_pressed: bool, than: OutcomeName, its_key_pressed: bool) -> bool:
    """Whether a later attempt, and not the best one before it, is what becomes of a message.

    `outcome`, `key_pressed`: of the later attempt; `than`, `its_key_pressed`: of the best before it.
    The best attempt is the message's outcome: one with a key pressed, else one that was answered, else the last one.
    Where two are alike, the later one counts.
    """
    return _rank(outcome, key_pressed) >= _rank(than, its_key_pressed)


def _rank(outcome: OutcomeName, key_pressed: bool) -> int:
    if outcome != "answered":
        return 0
    return 2 if key_pressed else 1


def best_outcome(message: Message, outcome: Outcome, *, key_pressed: bool = False) -> Outcome:
    """What becomes of a message that is not dialled again, with regard to its calls before (`answered_reason`).

    `outcome`, `key_pressed`: of its last attempt, or of what ends it while it waits.
    """
    before = message.answered_reason
    if before is None or is_better(outcome.outcome, key_pressed, "answered", its_key_pressed=False):
        return outcome
    return Outcome("answered", before)
