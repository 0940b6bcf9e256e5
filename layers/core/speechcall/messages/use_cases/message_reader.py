"""The ports of who only reads messages, and of who accepts them.

Apart from `MessageStore`, so that `control_call` and `messagelist` load nothing of how messages get a line and leave.
"""

from collections.abc import Sequence
from typing import Protocol

from speechcall.messages.rules.message import Message


class MessageReader(Protocol):
    """The messages, for who only reads them."""

    def get(self, mid: str) -> Message | None: ...


class NewMessages(MessageReader, Protocol):
    """The messages, for who accepts them."""

    def add(self, messages: Sequence[Message]) -> None:
        """Writes new messages (at most 100) together or not at all; those of a list that is there stay as they are."""
