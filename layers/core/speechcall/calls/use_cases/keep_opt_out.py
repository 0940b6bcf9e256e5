"""A callee has pressed a key that opts out: it is kept, whether the call still is up or not."""

from typing import Protocol

from speechcall.menus.rules.menu import OptOutStep
from speechcall.messages.rules.message import Message
from speechcall.optouts.rules.opt_out import By, OptOut, ending_of


class KeepsOptOuts(Protocol):
    """Where opt-outs are kept."""

    def add(self, account_id: str, opt_out: OptOut) -> bool:
        """Writes an opt-out. False: one that counts as much holds already."""


def keep_opt_out(message: Message, step: OptOutStep, *, store: KeepsOptOuts, now_msec: int) -> bool:
    """Keeps that the number of a message has opted out; to be repeated as often as need be. False: it had before.

    Raises ValueError if the message has no digest of its number.
    """
    if not message.number_digest:
        raise ValueError(f"message {message.mid} has no digest of its number")
    entry = OptOut(step.list_name, message.number_digest, ending_of(message.number), now_msec, By.KEY, mid=message.mid)
    return store.add(message.account_id, entry)
