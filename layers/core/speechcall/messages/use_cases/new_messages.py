"""The port of who accepts messages, apart from `MessageStore` for the same reason as `MessageReader`."""

from collections.abc import Sequence
from typing import Protocol

from speechcall.messages.rules.message import Message
from speechcall.messages.use_cases.message_reader import MessageReader


class NewMessages(MessageReader, Protocol):
    """The messages, for who accepts them."""

    def add(self, messages: Sequence[Message]) -> None:
        """Writes new messages (at most 100) together or not at all; those of a list that is there stay as they are."""
