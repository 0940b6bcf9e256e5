"""One call attempt: the conversation between a state machine and a telephony.

The state machine writes a command with its task token; the telephony asks for it, carries it out
and names the command's `seq` when it reports what it heard. See docs/telephony.md.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from speechcall.domain.ask import Ask


class Kind(StrEnum):
    """What the telephony is told to do."""

    DIAL = "dial"
    ASK = "ask"
    HANG_UP = "hang_up"


class Cause(StrEnum):
    """Why a contact ended, whatever the provider calls it."""

    BUSY = "busy"
    NO_ANSWER = "noAnswer"
    INVALID_NUMBER = "invalidNumber"
    BLOCKED = "blocked"
    FAILED = "failed"
    CALLER_HUNG_UP = "callerHungUp"
    HUNG_UP = "hungUp"
    STOPPED = "stopped"
    UNCONFIRMED = "unconfirmed"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Command:
    """What to do, and for an `ask` which menu."""

    kind: Kind
    menu: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who gives a command: the state's visit (its entry time), the try, and the task token.

    A retried task comes with the visit of the first try and a higher `retry`; only the token of the
    latest try can be answered.
    """

    visit: str
    retry: int
    token: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the telephony heard for command `seq`: `answered`, `key` (`d1` … or `other`), `idle`, `prompt_error`."""

    seq: int
    event: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What a repeat was told that was refused, though the request before it may have dialled."""

    reason: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that one call may do."""

    max_visits: int
    max_seconds: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was heard in a menu: `d1`, `idle` or `other`, at an epoch millisecond."""

    menu: int
    heard: str
    at_msec: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call attempt as stored. Times are epoch milliseconds."""

    mid: str
    attempt: int
    number: str
    asks: tuple[Ask, ...]
    seq: int
    done_seq: int
    command: Command
    ticket: Ticket
    visits: int
    dialled_msec: int
    caller_id: str | None = None
    contact_id: str | None = None
    answered_msec: int | None = None
    ended_msec: int | None = None
    cause: Cause | None = None
    stop_reason: str | None = None
    path: tuple[Step, ...] = field(default=())
    kept_reply: Reply | None = None
    """What was heard last: for the token of a next try of the task that waits for it."""
    turn: int = 0
    """The latest of the provider's numbered events that has asked what to do next."""
    placing_msec: int | None = None
    """When the provider was last asked to dial, unless it has certainly refused; whether it dials may not be known."""
    not_placed_msec: int | None = None
    """When every request to dial, the last of them made then, had certainly come to nothing."""
    refused: Refused | None = None
    """How the call ends if nothing is ever heard of it."""

    @property
    def ended(self) -> bool:
        return self.ended_msec is not None

    @property
    def is_certainly_not_placed(self) -> bool:
        """Whether each request to dial was refused. One that died, or whose answer was lost, may have dialled."""
        return self.contact_id is None and self.placing_msec is None and self.not_placed_msec is not None

    @property
    def may_be_placed(self) -> bool:
        """Whether an earlier try may have dialled. A try that has noted nothing is one of the release before this one,
        which noted nothing, or died before it came to it.
        """
        has_noted_nothing = self.ticket.retry > 0 and self.not_placed_msec is None
        return self.contact_id is not None or self.placing_msec is not None or has_noted_nothing

    @property
    def asked_msec(self) -> int:
        """Since when its phone may ring, at the latest."""
        return max(self.dialled_msec, self.placing_msec or 0)

    @property
    def awaits_answer(self) -> bool:
        """Whether the command's token has, as far as is known, not been answered."""
        return self.done_seq < self.seq

    @property
    def known_reply(self) -> Reply | None:
        """What is known to have been heard for the command, whether its task was told or not; None: nothing."""
        if self.command.kind is Kind.DIAL:
            return Reply(self.seq, "answered") if self.answered_msec is not None else None
        return self.kept_reply if self.kept_reply and self.kept_reply.seq == self.seq else None

    @property
    def known_key(self) -> Reply | None:
        """The key that is known to have been heard for the command: it counts also when the call has ended since."""
        reply = self.known_reply
        return reply if reply and reply.event == "key" else None


class Refusal(StrEnum):
    """Why a command was not written."""

    ENDED = "ended"
    LIMIT = "limit"
    STALE = "stale"
    UNKNOWN = "unknown"


def refusal(call: Call | None, ticket: Ticket, command: Command, bounds: Bounds, now_msec: int) -> Refusal | None:
    """Why a command may not be written over `call`, or None if it may.

    In: the call as the refused write found it. The order matters: a call that has ended is
    answered `ended` whatever else holds; a try that was overtaken says nothing at all.
    """
    if call is None:
        return Refusal.UNKNOWN
    if (ticket.visit, ticket.retry) < (call.ticket.visit, call.ticket.retry):
        return Refusal.STALE
    if call.ended:
        return Refusal.ENDED
    if command.kind is Kind.ASK and ticket.visit != call.ticket.visit and over_limit(call, bounds, now_msec):
        return Refusal.LIMIT
    return None


def over_limit(call: Call, bounds: Bounds, now_msec: int) -> bool:
    """Whether no further menu may begin."""
    return call.visits >= bounds.max_visits or now_msec - call.dialled_msec >= bounds.max_seconds * 1000
