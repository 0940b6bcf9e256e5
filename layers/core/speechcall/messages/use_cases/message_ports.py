"""What the use cases need of the messages and their lines, as `ports` says it of a call.

Apart from it, so that the functions that a caller waits for load nothing of this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from speechcall.menus.rules.ask import Ask
from speechcall.messages.rules.message import Message, State
from speechcall.shared.rules.outcome import End, Outcome


@dataclass(frozen=True, slots=True)
class LineTaken:
    """A line was taken for the message's next attempt."""


@dataclass(frozen=True, slots=True)
class NotQueued:
    """The message is not (any more) waiting for a line."""


@dataclass(frozen=True, slots=True)
class LinesFull:
    """As many calls are live as there are lines."""


class TooSoon(NamedTuple):
    """The rate's next free moment, in epoch milliseconds."""

    next_msec: int


@dataclass(frozen=True, slots=True)
class NumberBusy:
    """A call to the same number is live."""


class Redialled(Enum):
    """What became of a message that was to be dialled again for its account."""

    QUEUED = "queued"
    DONE_BEFORE = "doneBefore"
    DAY_FULL = "dayFull"
    """The account's calls of that day are used up; nothing was changed."""


Claim = LineTaken | NotQueued | LinesFull | NumberBusy | TooSoon


class Pool(NamedTuple):
    """How many calls at once, and how many a second."""

    lines: int
    calls_per_second: int


class MessageReader(Protocol):
    """The messages, for who only reads them."""

    def get(self, mid: str) -> Message | None: ...


class MessageStore(MessageReader, Protocol):
    """The messages, and the lines that they hold."""

    def add(self, messages: Sequence[Message]) -> None:
        """Writes new messages (at most 100) together or not at all; those of a list that is there stay as they are."""

    def queue(self, mid: str, asks: tuple[Ask, ...], now_msec: int) -> bool:
        """preparing → queued. False if it is not preparing."""

    def refuse(self, mid: str, before: State, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        """preparing or queued (`before`) → finished, without a call. False if it is not in that state."""

    def note_fault(self, mid: str) -> int:
        """Counts a fault of ours in preparing a message. How many there were; 0 if it is not preparing."""

    def claim_line(self, message: Message, flow_arn: str, pool: Pool, now_msec: int) -> Claim:
        """queued → calling, together with a line for attempt `message.attempt + 1`."""

    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:
        """calling → settling, together with giving the line of `message.attempt` back. False if it was done before.

        `guess`: the outcome if nothing more is heard, for a release that knows no such state.
        """

    def finish(self, message: Message, outcome: Outcome, now_msec: int) -> bool:
        """calling → finished, together with giving the line of `message.attempt` back; or settling → finished.

        Which of both, `message` says. False if it is not in that state any more.
        """

    def requeue(self, message: Message, redials: int, due_msec: int) -> bool:
        """As `finish`, but → queued, to be dialled again."""

    def redial(self, message: Message, due_msec: int, calls_per_day: int) -> Redialled:
        """As `requeue`, for a call more of the account, of those of the day (UTC) of `due_msec`: one redial more."""

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        """Ids of messages in `state` that are due, the oldest of each shard first. May be a little behind.

        Of the queued, those that were put off take turns with the others.
        """

    def postpone(self, mid: str, state: State, due_msec: int) -> None:
        """Moves the moment at which a message in `state` is due. A queued one keeps no place among the others."""
