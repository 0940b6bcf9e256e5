"""The port of who only reads messages.

Apart from `MessageStore`, so that `control_call` loads nothing of how messages get a line and leave.
"""

from typing import Protocol

from speechcall.messages.rules.message import Message


class MessageReader(Protocol):
    """The messages, for who only reads them."""

    def get(self, mid: str) -> Message | None: ...
