"""One call attempt: the conversation between a state machine and a telephony. See docs/telephony.md."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, assert_never

from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.call_log import (
    PROMPT_ERROR,
    SILENT_REPEATS,
    Decided,
    Entry,
    Plan,
    ThenKind,
    after_wait,
    follows,
    wait_of,
)


class Kind(StrEnum):
    """What a state machine commands. A new member is a type error at each place that has to know it."""

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


class Command(NamedTuple):
    """What to do, and for an `ask` which menu (from 0)."""

    kind: Kind
    menu: int | None = None

    @property
    def asks(self) -> bool:
        """Whether it is a question: it counts as a visit of its menu, and what is heard is its answer."""
        match self.kind:
            case Kind.ASK:
                return True
            case Kind.DIAL | Kind.HANG_UP:
                return False
            case _:
                assert_never(self.kind)


class Ticket(NamedTuple):
    """Who gives a command: the state's visit (its entry time), the try, and the task token.

    A retried task comes with the visit of the first try and a higher `retry`; only the token of the
    latest try can be answered.
    """

    visit: str
    retry: int
    token: str


class Reply(NamedTuple):
    """What the telephony heard for command `seq`: `answered`, `key` (`d1` … or `other`), `idle`, `prompt_error`."""

    seq: int
    event: str
    key: str = ""


class Refused(NamedTuple):
    """What a repeat was told that was refused, though the request before it may have dialled."""

    reason: str
    cause: Cause


class Bounds(NamedTuple):
    """The most that one call may do."""

    max_visits: int
    """Menus asked, repeats included."""
    max_seconds: int
    """After the dial; then no menu begins."""
    silent_repeats: int = SILENT_REPEATS
    """How many menus may be asked again since the last key, where the message does not say it."""


class Step(NamedTuple):
    """One thing that was heard in a menu: `d1`, `idle` or `other`, at an epoch millisecond.

    `decided`: what a lookup behind it has come to, if there was one.
    """

    menu: int
    heard: str
    at_msec: int
    decided: Decided | None = None


class Call(NamedTuple):
    """A call attempt as stored. Times are epoch milliseconds."""

    mid: str
    attempt: int
    number: str
    asks: tuple[Ask, ...]
    seq: int
    """The number of the state machine's latest command; 1: the dial."""
    done_seq: int
    """The latest command whose task is noted as answered; noted only of calls that do not go by a log."""
    command: Command
    """The latest command, and in `ticket` who gave it."""
    ticket: Ticket
    visits: int
    """How often the state machine has asked a menu."""
    dialled_msec: int
    """When it was written: before the provider was first asked to dial."""
    caller_id: str | None = None
    contact_id: str | None = None
    answered_msec: int | None = None
    ended_msec: int | None = None
    cause: Cause | None = None
    cause_is_guess: bool = False  # see `end_of_call.hangs_on_cause`
    stop_reason: str | None = None
    """Why we end the call ourselves, as a message's reason; None: we do not."""
    path: tuple[Step, ...] = ()
    """What was heard in its menus, in order; of a call with a log, made of that."""
    kept_reply: Reply | None = None
    """What was heard last: for the token of a next try of the task that waits for it."""
    turn: int = 0
    """The latest of the provider's numbered events that has asked what to do next."""
    plan: Plan | None = None
    """What decides how the call continues; None: it was dialled under a release that kept no log."""
    log: tuple[Entry, ...] = ()
    """What was heard, and what follows from it. Entry s has seq s; entries are added, never changed."""
    placing_msec: int | None = None
    """When the provider was last asked to dial, unless it has certainly refused; whether it dials may not be known."""
    gave_up_msec: int | None = None  # see `end_of_call.is_over`
    not_placed_msec: int | None = None
    """When every request to dial, the last of them made then, had certainly come to nothing."""
    refused: Refused | None = None
    """How the call ends if nothing is ever reported of it."""
    number_digest: str = ""
    """By which it is found when its number calls back; empty: it is not."""

    @property
    def ended(self) -> bool:
        return self.ended_msec is not None

    @property
    def is_certainly_not_placed(self) -> bool:
        """Whether each request to dial was refused. One that died, or whose answer was lost, may have dialled."""
        return self.contact_id is None and self.placing_msec is None and self.not_placed_msec is not None

    @property
    def may_have_been_placed(self) -> bool:
        """Whether an earlier try may have dialled. One that has noted nothing died before, or is of an old release."""
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
    def log_seq(self) -> int:
        """The seq of the last entry; 0: there is none."""
        return len(self.log)

    @property
    def goes_by_log(self) -> bool:
        """Whether the call continues by its log, because all that the state machine was told is there.

        False for a call of a release that kept no log, and once a function of that release has answered a task while
        the new release was being deployed: such a call goes by `kept_reply`. The `- 1`: the command `seq` is given when
        the entry before it is in the log.
        """
        return self.plan is not None and self.log_seq >= self.seq - 1

    def entry(self, seq: int) -> Entry | None:
        """The entry that answers the question `seq` (1: the dial)."""
        return self.log[seq - 1] if 0 < seq <= self.log_seq else None

    def menu_asked(self, seq: int) -> int | None:
        """Which menu the question `seq` asks; None: there is no such question, or not yet."""
        if (before := self.entry(seq - 1)) and before.then.menu is not None:
            return before.then.menu
        is_asked = self.command.asks and self.seq == seq and self.goes_by_log
        return self.command.menu if is_asked else None

    def would_log(self, seq: int, event: str, key: str, at_msec: int) -> Entry | None:
        """The entry for something that was heard; None if it answers no open question, or the call keeps no log.

        `seq` 1: somebody answered. `key`: see `Entry`; empty: the event brings none.
        """
        menu = self.menu_asked(seq)
        if self.plan is None or seq != self.log_seq + 1 or (seq > 1 and menu is None):
            return None
        return Entry(seq, menu, event, key, at_msec, follows(self.plan, self.log, menu, event, key, at_msec))

    def would_decide(
        self, seq: int, at_msec: int, case: str = "", target: int | None = None, error: str = ""
    ) -> Decided | None:
        """What the lookup behind entry `seq` would come to; None if none is open there.

        `case`: what was answered; empty: no case of the lookup, and `error` says in a word why. `target`: the menu to
        which that leads; None: the one that follows without a case.
        """
        entry = self.entry(seq)
        if entry is None or self.plan is None or entry.then.kind is not ThenKind.WAIT:
            return None
        wait = wait_of(self.plan, entry)
        if wait is None:
            return None
        menu = wait.otherwise if target is None else target
        then = after_wait(self.plan, self.log[: seq - 1], entry, menu, at_msec)
        return Decided(seq, case, menu, at_msec, then, error)

    def waits_until(self, seq: int) -> int | None:
        """Until when (epoch ms) the lookup behind entry `seq` may be waited for; None if none is open there."""
        entry = self.entry(seq)
        if entry is None or self.plan is None or entry.then.kind is not ThenKind.WAIT:
            return None
        wait = wait_of(self.plan, entry)
        return entry.at_msec + wait.timeout_msec if wait else None

    def with_decision(self, decided: Decided) -> "Call":
        """The call when the lookup behind an entry is decided."""
        log = tuple(entry.with_decision(decided) if entry.seq == decided.seq else entry for entry in self.log)
        return self._replace(log=log, path=(*path_of(log), *self.path[len(path_of(self.log)) :]))

    def with_entry(self, entry: Entry) -> "Call":
        """The call with one entry more, as it is once that is written (but for its contact), without a read."""
        stop_reason = entry.then.reason if entry.event == PROMPT_ERROR else None
        return self._replace(
            log=(*self.log, entry),
            path=(*self.path, *path_of([entry])),
            answered_msec=(self.answered_msec or entry.at_msec) if entry.seq == 1 else self.answered_msec,
            stop_reason=self.stop_reason or stop_reason,
        )

    @property
    def known_reply(self) -> Reply | None:
        """What is known to have been heard for the command, whether its task was told or not; None: nothing."""
        match self.command.kind:
            case Kind.DIAL:
                return Reply(self.seq, "answered") if self.answered_msec is not None else None
            case Kind.ASK | Kind.HANG_UP:
                if self.goes_by_log:
                    return Reply(entry.seq, entry.event, entry.key) if (entry := self.entry(self.seq)) else None
                return self.kept_reply if self.kept_reply and self.kept_reply.seq == self.seq else None
            case _:
                assert_never(self.command.kind)

    @property
    def known_key(self) -> Reply | None:
        """The key that is known to have been heard for the command: it counts also when the call has ended since."""
        reply = self.known_reply
        return reply if reply and reply.event == "key" else None


def path_of(log: Iterable[Entry]) -> list[Step]:
    """The steps that entries put on a call's path."""
    return [
        Step(entry.menu, entry.key or entry.event, entry.at_msec, entry.decided)
        for entry in log
        if entry.menu is not None
    ]
