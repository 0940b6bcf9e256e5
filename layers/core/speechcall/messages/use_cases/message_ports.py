"""What the use cases need of the messages and their lines, as `ports` says it of a call.

Apart from it, so that the functions that a caller waits for load nothing of this.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from speechcall.campaigns.rules.funnel import Heard
from speechcall.menus.rules.ask import Ask
from speechcall.messages.rules.dial_times import Caps
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Turn
from speechcall.messages.use_cases.message_reader import NewMessages
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.rules.outcome import End, Outcome


@dataclass(frozen=True, slots=True)
class LineTaken:
    """A line was taken for the message's next attempt."""


@dataclass(frozen=True, slots=True)
class NotQueued:
    """The message is not (any more) waiting for a line."""


@dataclass(frozen=True, slots=True)
class LinesFull:
    """As many calls are live as there are lines for such a message."""


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
    CANCELLED = "cancelled"
    """It, or what it belongs to, was cancelled; nothing was changed."""


class Brake(Enum):
    """What an operator or a customer can stop."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    LIST = "list"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The message may not be dialled: what it belongs to is paused, or cancelled (`is_final`)."""

    by: Brake
    is_final: bool


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Its number stands on a list of opt-outs that it obeys."""


@dataclass(frozen=True, slots=True)
class AccountFull:
    """Its account holds as many lines as it may."""


@dataclass(frozen=True, slots=True)
class QueueShut:
    """The hours of its queue are shut."""


class Capped(NamedTuple):
    """Its number has had as many calls as may be, or its account has used up its minutes, or what it may spend: what is
    known of that.
    """

    caps: Caps


@dataclass(frozen=True, slots=True)
class TurnMoved:
    """The account was charged by another dialer, or its limits were changed, since it was read. The turn as it is."""

    turn: Turn


Claim = (
    LineTaken
    | NotQueued
    | LinesFull
    | NumberBusy
    | TooSoon
    | HeldBack
    | OptedOut
    | AccountFull
    | QueueShut
    | Capped
    | TurnMoved
)


class MessageStore(NewMessages, Protocol):
    """The messages, and the lines that they hold."""

    def queue(self, message: Message, asks: tuple[Ask, ...], now_msec: int) -> bool:
        """preparing → queued, in its queue, or later if it says so (`sendAt`). False if it is not preparing."""

    def refuse(self, message: Message, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        """preparing, queued or settling → finished, without a call. False if it is not in the state of `message`."""

    def refuse_unreadable(self, mid: str, before: State, outcome: Outcome, now_msec: int) -> bool:
        """The same for a message that cannot be read: its campaign and its sender are told, as far as the item names
        them, and nothing else is done for it.
        """

    def ttl_seconds_of(self, mid: str) -> int | None:
        """For how long a message that cannot be read may be dialled; None: its item says nothing that a message has."""

    def note_fault(self, mid: str) -> int:
        """Counts a fault of ours in preparing a message. How many there were; 0 if it is not preparing."""

    def claim_line(
        self, message: Message, flow_arn: str, pool: Pool, now_msec: int, charge: Charge | None = None
    ) -> Claim:
        """queued → calling, together with a line for attempt `message.attempt + 1`, at the account's charge.

        `charge` None: no account is charged, and the call counts for none. Raises StoreUnavailable.
        """

    def caps_of(self, message: Message, now_msec: int) -> Caps:
        """What is known of the limits in which the latest call of a message was counted."""

    def promote(self, message: Message, now_msec: int) -> bool:
        """A queued message that was put off stands in its queue again, or waits for its `sendAt` if that has not come.

        False: it is not queued (any more), or has had a call since it was read.
        """

    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:
        """calling → settling, together with giving the line of `message.attempt` back. False if it was done before.

        `end`: the word with which its call was finished. `guess`: the outcome if nothing more is heard, for a release
        that knows no such state.
        """

    def finish(self, message: Message, outcome: Outcome, now_msec: int, heard: Heard | None = None) -> bool:
        """calling → finished, together with giving the line of `message.attempt` back; or settling → finished.

        Which of both, `message` says. False if it is not in that state any more. `heard`: what its campaign counts of
        the attempt.
        """

    def requeue(
        self, message: Message, redials: int, due_msec: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        """As `finish`, but → queued, to be dialled again; nothing is changed where that was cancelled."""

    def redial(
        self, message: Message, due_msec: int, calls_per_day: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        """As `requeue`, for a call more of the account, of those of the day (UTC) of `due_msec`: one redial more.

        Both write `answered_reason` of `message` down.
        """

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        """Ids of messages in `state` that are due, the oldest of each shard first. May be a little behind.

        Of the queued: those that were put off and may be dialled again, those whose time is up, and what a release
        before has queued, which knew no queues.
        """

    def forget_place(self, message: Message) -> None:
        """Takes a message that is finished out of its queue, where a release before has left it. One that is not
        finished stays as it is.
        """

    def to_promote(self, now_msec: int, limit: int) -> list[str]:
        """Ids of queued messages that were put off and may be dialled again, the oldest first."""

    def postpone(self, mid: str, state: State, due_msec: int, attempt: int | None = None) -> None:
        """Moves the moment at which a message in `state` is due. A queued one leaves its queue until then.

        One that has left `state` stays as it is; so does one that has had more than `attempt` calls, where that is
        given: it may wait for its redial.
        """

    def hold_back(self, message: Message, due_msec: int) -> bool:
        """As `postpone` of a queued message whose list is paused. False: it is not queued, or its list not paused (any
        more), or it has had a call since it was read; and nothing changed.
        """

    def stop_redials(self, message: Message, now_msec: int, *, hangs_up: bool) -> bool:
        """A message that is calling or settling is not dialled again. False: it has left the state of `message`.

        `hangs_up`: that its call is to be ended is written down in the same write, also as a job (see `StopJob`).
        """
