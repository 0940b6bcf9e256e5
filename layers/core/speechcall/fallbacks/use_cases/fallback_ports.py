"""What sending fallbacks needs of the tables, and of a service for text messages."""

from enum import Enum
from typing import NamedTuple, Protocol

from speechcall.messages.rules.fallback import FallbackReason, FallbackStatus
from speechcall.messages.rules.message import Message


class Waiting(NamedTuple):
    """A fallback that has not come to its end."""

    mid: str
    until_msec: int
    """From then on it is not sent any more."""
    is_sending: bool
    """The service is being asked, or was when a function was killed."""
    intent_msec: int = 0
    """When the intention to send it was written down; 0: it is not."""


class Intent(Enum):
    """What became of the intention to send it."""

    WRITTEN = "written"
    """It may be sent now, by the run that has written this, and by no other."""
    TAKEN = "taken"
    """It is not waiting any more."""
    OPTED_OUT = "optedOut"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    DAY_FULL = "dayFull"


class End(NamedTuple):
    """How a fallback ends."""

    status: FallbackStatus
    reason: FallbackReason | None = None


class FallbackStore(Protocol):
    """The fallbacks."""

    def due(self, now_msec: int, limit: int) -> list[str]:
        """The messages whose fallback is to be looked at, the oldest first."""

    def find(self, mid: str) -> Waiting | None:
        """The fallback of a message, if it has not come to its end; strongly consistent."""

    def message(self, mid: str) -> Message | None:
        """The message itself; strongly consistent."""

    def intend(self, message: Message, parts: int, parts_per_day: int, now_msec: int) -> Intent:
        """Writes down that a fallback is being sent, and counts the `parts` of its text in the account's day (UTC).

        Or says why it may not be sent: then nothing is written. `parts_per_day`: how many the account may send a day.
        """

    def put_off(self, mid: str, at_msec: int) -> bool:
        """Lets a fallback wait until a moment. False: it was not waiting any more, and nothing is changed."""

    def take_back(self, message: Message, parts: int, intended_msec: int, at_msec: int) -> bool:
        """Takes the intention back, as the text was certainly not sent; its parts are given back. False: it had ended.

        The fallback waits until `at_msec`. `intended_msec`: when the intention was written, by which the day of the
        parts is known.
        """

    def end(
        self, message: Message, end: End, now_msec: int, *, was_sending: bool, parts: int = 0, intended_msec: int = 0
    ) -> bool:
        """Ends a fallback, of which its sender is told. `was_sending`: the intention was written, else it still waits.

        `parts`: so many are given back to the day of `intended_msec`. False: it had ended, or is in the other state.
        """

    def end_unreadable(self, mid: str, end: End, now_msec: int) -> bool:
        """Ends a fallback whose message cannot be read, or is gone: its sender is not told.

        One that is being sent ends as UNKNOWN, one that waits otherwise. False: it had ended, or is in the other state.
        """


class Answer(Enum):
    """What a service answered to a text message."""

    TAKEN = "taken"
    """The service has taken it: it counts as sent."""
    OPTED_OUT = "optedOut"
    """The number has opted out of text messages, by STOP: nothing was sent."""
    REFUSED = "refused"
    """Nothing was sent, nor will be."""
    NOT_NOW = "notNow"
    """Nothing was sent: too many requests, or the service could not be reached."""
    LOST = "lost"
    """It may have been sent."""


class Sms(Protocol):
    """A service for text messages. It is asked once: a second request may send a second text."""

    def send(self, number: str, text: str, mid: str) -> Answer:
        """Sends a text to a number (E.164). `mid` is for the service's own records."""
