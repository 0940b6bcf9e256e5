"""What the use cases need from outside, where more than one implementation is real.

The stores have one on DynamoDB and one in memory (tests of races and of large backlogs), the
telephony one a provider, engine and clock one for AWS and one for tests that decide the order of
steps themselves.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Refused, Reply, Step, Ticket
from speechcall.menus.rules.call_log import Decided, Entry
from speechcall.shared.use_cases.tasks import TaskAnswer


class Engine(Protocol):
    """Step Functions as seen by who answers its tasks."""

    def succeed(self, token: str, output: TaskAnswer) -> bool:
        """Answers a task. False: it was answered before, or its state has timed out."""

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Answers a task with an error name. False as for `succeed`."""


class Contact(NamedTuple):
    """A provider's record of one call. `attributes` are those given when it was placed."""

    contact_id: str
    attributes: Mapping[str, str]
    ended: bool
    answered: bool
    cause: Cause | None
    cause_is_guess: bool = False
    """The record shows the end and not yet its reason: `cause` is what is meant if it never does."""
    missing: bool = False
    """The provider does not know it: it is over and forgotten, or so new that not all of the provider knows it."""
    ended_msec: int | None = None
    """When it ended, as far as the provider says."""


class Telephony(Protocol):
    """A provider of phone calls.

    Each method raises TelephonyThrottled, TelephonyUnavailable or TelephonyMisconfigured.
    """

    dials_once: bool
    """Whether the provider knows a call attempt that it is asked to place again, and does not dial twice."""
    has_records: bool
    """Whether it keeps a record of each call, which alone tells whose the call is and why it ended, and may lag behind
    the news; of another provider the news says both."""

    def place(self, call: Call, ring_timeout_seconds: int) -> str:
        """Dials; returns the contact's id. Use cases go by `place_once`.

        Raises DestinationRefused if this number will never be called.
        """

    def stop(self, contact_id: str) -> None:
        """Ends the contact; one that has ended stays so."""

    def look_up(self, contact_id: str) -> Contact:
        """The contact as the provider knows it."""


class CallStore(Protocol):
    """The call attempts. Reads are strongly consistent, every write is one conditional update.

    Each method raises StoreUnavailable where the store cannot be asked now.
    """

    def get(self, mid: str, attempt: int) -> Call | None: ...

    def seal_digits(self, mid: str, digits: str) -> str:
        """Sensitive digits as they may be stored."""

    def open(self, call: Call, expires_at: int) -> Call:
        """Writes a new attempt with its dial command, or a later try's token into the same one.

        Returns the call as it is now, also where another wrote it.
        """

    def put_command(
        self, mid: str, attempt: int, command: Command, ticket: Ticket, bounds: Bounds, now_msec: int
    ) -> tuple[bool, Call | None]:
        """Writes a command with a new `seq`, or a later try's token under the same `seq`.

        Returns whether the ticket's token is now the one that will be answered, and the call.
        """

    def advance(self, mid: str, attempt: int, command: Command, ticket: Ticket) -> tuple[bool, Call | None]:
        """Writes the next command of a call that goes by its log, or a later try's token under the same `seq`.

        It is refused while the log has no entry for the last command; and when the call has ended, unless the log is
        further than the machine. Returns as `put_command` does.
        """

    def append(self, mid: str, attempt: int, contact_id: str, entry: Entry, turn: int = 0) -> tuple[bool, Call | None]:
        """Adds an entry to the log, directly behind its predecessor; the first entry of a seq stays.

        `turn`: the number of the event that brings it, 0 if there is none; the highest stays, in the same write.

        Returns whether it is this one that was written, and the call as it is now.
        """

    def decide(self, mid: str, attempt: int, decided: Decided) -> Call | None:
        """Writes what the lookup behind an entry has come to; the first decision stays.

        Not once the call has ended. Returns the call as it is now, None if there is none.
        """

    def begin_placing(self, mid: str, attempt: int, now_msec: int, before_msec: int) -> bool:
        """Notes that a provider is about to be asked to dial.

        False: its contact is known, it was asked at `before_msec` or later, or the call has ended or was given up.
        """

    def set_not_placed(self, mid: str, attempt: int, placing_msec: int) -> bool:
        """The provider that was asked at `placing_msec` has certainly not dialled, nor at any request before.

        False: it was asked again since.
        """

    def set_refused(self, mid: str, attempt: int, refused: Refused) -> None:
        """What a repeat was told, while the request before it may have dialled; the last stays."""

    def set_contact(self, mid: str, attempt: int, contact_id: str) -> Call | None:
        """The first contact stays. The call as it is then; None: there is none."""

    def name_contact(self, contact_id: str, mid: str, attempt: int, expires_at: int) -> None:
        """Notes whose a contact is, for news that does not say so. It is the contact of no other attempt, ever."""

    def find_contact(self, contact_id: str) -> tuple[str, int] | None:
        """Whose a contact is, by what was noted; None: nothing was."""

    def take_turn(self, mid: str, attempt: int, contact_id: str, turn: int, reply: Reply | None = None) -> Call | None:
        """Notes the number of a contact's event that is about to be answered; the highest stays.

        A `reply` to the question that waits is kept in the same step, as by `keep_reply`: who sees the number sees it.
        Returns the call as it is now, also if another contact is its own; None if there is none.
        """

    def set_answered(self, mid: str, attempt: int, contact_id: str, now_msec: int) -> Call | None:
        """None if there is no such call, it has ended or was given up, or another contact is its own."""

    def give_up(self, mid: str, attempt: int, now_msec: int) -> Call | None:
        """The phone has rung for as long as it may. None: somebody has answered, or the call has ended.

        Of a call whose contact is known the cause is `noAnswer`, unless it has one.
        """

    def set_done(self, mid: str, attempt: int, seq: int, step: Step | None, reply: Reply | None = None) -> None:
        """Marks a command answered, once, with the step for the call's path; keeps the reply for a next try.

        What is kept for a later command stays: this may come long after the task was answered.
        """

    def keep_reply(self, mid: str, attempt: int, reply: Reply) -> Call | None:
        """Keeps what was heard for the next try's token; the first stays.

        None if the command is done or no longer the call's, the call has ended, or a reply is kept.
        """

    def set_stop_reason(self, mid: str, attempt: int, reason: str) -> None:
        """Why we end the call ourselves; the first reason stays."""

    def end(self, mid: str, attempt: int, cause: Cause, now_msec: int, *, is_guess: bool = False) -> Call | None:
        """Marks the call ended; the first cause stays, also a guess. Returns the call, None if there is none."""

    def explain(
        self, mid: str, attempt: int, cause: Cause, answered_msec: int | None, *, is_guess: bool = False
    ) -> Call | None:
        """Puts why a call has ended, and when it was answered if that was not known, in place of a guess.

        None if there is none (any more): the cause of a call is known once. `is_guess`: this is a better guess.
        """
