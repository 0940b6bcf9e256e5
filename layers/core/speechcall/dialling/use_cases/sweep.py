"""Repairs each minute what an event that was lost left undone."""

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from speechcall.calls.use_cases.finish_call import give_up_msec
from speechcall.dialling.use_cases.dial_messages import execution_input
from speechcall.messages.rules.dial_times import MAX_TTL_SECONDS
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.prompts.use_cases.prepare_prompts import NOT_IN_TIME
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.rules.ids import holder, latest_msec, parse_holder
from speechcall.shared.rules.outcome import EXPIRED
from speechcall.shared.rules.time_bounds import CALL_CHECK_SECONDS, GIVE_UP_SECONDS, SETTLING_SECONDS
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

PREPARE_AGAIN_SECONDS = 300
PAGE, PAGES = 200, 5
WAKE_MINUTES = 5
"""In how many minutes each account's queues are looked at once."""
SETTLE_SECONDS, MEND_SECONDS, STRIDE = 10, 35, 7
"""For how long a run asks why calls have ended, and looks after calls; by how many places the next one begins on."""
LATE_SECONDS = 2 * SETTLING_SECONDS
"""After its call has ended a message that still settles is not held up by the telephony, but by a fault."""

Repair = Callable[[], None]
"""Repairs one kind of thing, and counts what it repaired."""


class Execution(Enum):
    """What became of an execution that should be running."""

    STARTED = "started"
    """Just now: it had not been started before."""
    RUNS = "runs"
    ENDED = "ended"


def sweep(repairs: Iterable[Repair]) -> None:
    """Runs each repair, whatever becomes of the others. Raises what went wrong, when all have run; safe to repeat."""
    errors: list[Exception] = []
    for repair in repairs:
        try:
            repair()
        except Exception as error:  # noqa: BLE001 - the next one has nothing to do with it
            errors.append(error)
    if errors:
        raise ExceptionGroup("parts of the sweep failed", errors)


@dataclass(frozen=True, slots=True)
class Calls:
    """The repairs of messages and of the lines that they hold.

    `start` (flow ARN, name, input) starts an execution that does not exist yet. `finish` (message id, attempt) ends a
    call; None: its message settles still. `count` (metric, number) tells of each thing that was repaired. What goes
    wrong with one message is logged, and tried again the next minute.
    """

    messages: MessageStore
    lines: PoolStore
    start: Callable[[str, str, dict[str, Any]], Execution]
    finish: Callable[[str, int], object]
    clock: Clock
    count: Callable[[str, int], object]
    turns: TurnStore
    accounts: Callable[[], Iterable[str]]
    """The ids of all accounts."""
    is_paused: Callable[[str, str], bool] = lambda _account_id, _campaign: False
    """Whether a campaign of an account is paused: its queue is kept out of the order."""
    has_records: bool = True
    """Whether messages settle, as the telephony is now; where none does they are queried once an hour."""

    def repairs(self) -> tuple[Repair, ...]:
        """All repairs. Those that ask the telephony or Step Functions come last, as they may use up all the time."""
        is_hour = self.clock.now_msec() // 60_000 % 60 == 0
        settles = (self.settle,) if self.has_records or is_hour else ()
        first = (self.prepare_again, self.release_lines, self.expire, self.wake_queues, self.tell_shares)
        return (*first, *settles, self.mend_calls)

    def settle(self) -> None:
        """Asks again why the calls of settling messages have ended, the oldest first, for at most 10 s.

        Counts those that should have been finished before and still are not.
        """
        begin, late = self.clock.now_msec(), 0
        for mid in self.messages.due(State.SETTLING, begin, PAGE * PAGES):
            if self.clock.now_msec() >= begin + SETTLE_SECONDS * 1000:
                break
            with self._alone(mid):
                message = self._read(mid, State.SETTLING)
                if message is not None and message.state is State.SETTLING:
                    is_late = (message.due_msec or begin) <= begin - LATE_SECONDS * 1000
                    late += is_late  # before `finish`, so that one whose finish raises counts too
                    if self.finish(mid, message.attempt) is not None:
                        late -= is_late
        self.count("MessagesSettlingLate", late)

    def prepare_again(self) -> None:
        """Writes to each unprepared message that is due, so that the stream names it again; or ends it, out of time."""
        counted: Counter[str] = Counter()
        for mid in self._due(State.PREPARING):
            with self._alone(mid, State.PREPARING):
                counted[self._prepare_again(mid)] += 1
        self.count("MessagesPreparedAgain", counted["again"])
        self.count("MessagesExpired", counted["expired"])

    def _prepare_again(self, mid: str) -> str:
        """Writes a new time into one unprepared message, or ends it if its time is up. Out: a word for what was done:
        `again`, `expired`, or `gone` where nothing was, as the message is not preparing any more.
        """
        now, message = self.clock.now_msec(), self._read(mid, State.PREPARING)
        if message is None or message.state is not State.PREPARING:
            return "gone"
        if message.dial_until_msec <= now:
            expired = refuse_message(message, EXPIRED, NOT_IN_TIME, now, messages=self.messages)
            return "expired" if expired else "gone"
        due_msec = min(now + PREPARE_AGAIN_SECONDS * 1000, message.dial_until_msec)
        self.messages.postpone(mid, State.PREPARING, due_msec)
        return "again"

    def _due(self, state: State) -> Iterator[str]:
        """The ids of the messages in a state that are due, at most PAGES pages of them.

        The caller moves each to a later time or another state, so the next page finds others; those in `seen` are only
        still in the index, which lags, or could not be moved.
        """
        seen: set[str] = set()
        for _ in range(PAGES):
            found = [mid for mid in self.messages.due(state, self.clock.now_msec(), PAGE) if mid not in seen]
            if not found:
                return
            seen.update(found)
            yield from found

    def mend_calls(self) -> None:
        """A call whose execution was never started is started; one whose execution has ended is finished.

        It stops after 35 s. Each minute it begins at another place of the page, so that none is always left out.
        """
        begin = self.clock.now_msec()
        due = self.messages.due(State.CALLING, begin, PAGE)
        first = begin // 60_000 * STRIDE % len(due) if due else 0
        for mid in due[first:] + due[:first]:
            if self.clock.now_msec() >= begin + MEND_SECONDS * 1000:
                return
            with self._alone(mid):
                self._mend_call(mid)

    @contextmanager
    def _alone(self, mid: str, waits: State | None = None) -> Iterator[None]:
        """What goes wrong with one message is logged, and does not hold up the others.

        `waits`: the state of a message that is put off for five minutes after an unforeseen error: the index gives the
        oldest first, and would give this one each minute before all others. None: it is not put off.
        """
        try:
            yield
        except RetryableError as error:
            logger.warning("message %s could not be repaired now: %s", mid, error, extra={"mid": mid})
        except Exception:
            logger.exception("message %s could not be repaired", mid, extra={"mid": mid})
            if waits is not None:
                with self._alone(mid):
                    self.messages.postpone(mid, waits, self.clock.now_msec() + PREPARE_AGAIN_SECONDS * 1000)

    def _read(self, mid: str, state: State) -> Message | None:
        """A message that the index shows in `state`, in whatever state it is now; None: it is gone, or has ended here.

        One whose item cannot be understood raises, until it has no time left, and no call that was begun in it can be
        up any more: then it ends. A release that understands it may come before that. One that is queued is put off.
        """
        try:
            return self.messages.get(mid)
        except RetryableError:
            raise
        except Exception:
            now = self.clock.now_msec()
            ttl_seconds = self.messages.ttl_seconds_of(mid) or MAX_TTL_SECONDS
            if now < latest_msec(mid) + (ttl_seconds + GIVE_UP_SECONDS) * 1000:
                if state is State.QUEUED:  # the index gives the oldest first: it must not be in others' way
                    self.messages.postpone(mid, state, now + PREPARE_AGAIN_SECONDS * 1000)
                raise
            logger.exception("message %s is given up: it cannot be read", mid, extra={"mid": mid})
            self.messages.refuse_unreadable(mid, state, EXPIRED, now)
            return None

    def _mend_call(self, mid: str) -> None:
        """Starts the execution of one call, finishes the call, or finds it running and puts off the next look."""
        message = self._read(mid, State.CALLING)
        if message is None or message.state is not State.CALLING:
            return
        execution = self._ensure_execution(message)
        if execution is Execution.ENDED:
            self.finish(mid, message.attempt)
            self.count("CallsFinishedLate", 1)
            return
        self.messages.postpone(mid, State.CALLING, self.clock.now_msec() + CALL_CHECK_SECONDS * 1000)
        self.count("ExecutionsStartedLate", int(execution is Execution.STARTED))

    def _ensure_execution(self, message: Message) -> Execution:
        """Starts the execution of a message's attempt, if it was never started; what became of it.

        ENDED makes the caller finish the call. It is also returned where Step Functions does not tell the state, but
        only when no execution can run any more (`give_up_msec`); until then the error is raised, for the next run. A
        message without a state machine has nothing that could run.
        """
        if message.flow_arn is None:
            return Execution.ENDED
        name = holder(message.mid, message.attempt)
        try:
            return self.start(message.flow_arn, name, execution_input(message, message.attempt))
        except Exception:
            if self.clock.now_msec() < give_up_msec(message):
                raise
            fields = {"mid": message.mid, "attempt": message.attempt, "account": message.account_id}
            logger.exception("execution %s is taken for ended: its state cannot be had", name, extra=fields)
            return Execution.ENDED

    def release_lines(self) -> None:
        """Gives back the lines of call attempts that are in no call, as their message is gone, was changed by hand, or
        is in another attempt.

        The pool is read before the messages. An attempt leaves the pool with its state, and never comes back, so one
        that is in the pool and is found not to be calling holds no call.
        """
        released, pool = 0, self.lines.read()
        for number, name in pool.held.items():
            mid, attempt = parse_holder(name)
            with self._alone(mid):
                message = self._read(mid, State.CALLING)
                if message is None or message.state is not State.CALLING or message.attempt != attempt:
                    released += self.lines.release(name, number)
        self.lines.forget_strays(pool.strays)
        self.count("LinesReleased", released)

    def expire(self) -> None:
        """Ends messages whose time has run out while every line was taken, so that no dialer looked at them.

        Messages that were put off and are due go back to their queues; so do those that an earlier release has queued,
        which knew no queues.
        """
        now, expired = self.clock.now_msec(), 0
        for mid in self._due(State.QUEUED):
            with self._alone(mid):
                message = self._read(mid, State.QUEUED)
                if message is None or message.state is not State.QUEUED or (message.due_msec or 0) > now:
                    continue
                if message.dial_until_msec <= now:
                    expired += refuse_message(message, EXPIRED, None, now, messages=self.messages)
                elif not message.stands:
                    self.messages.promote(message, now)
        self.count("MessagesExpired", expired)

    def tell_shares(self) -> None:
        """Writes the sum of the shares that wait for a line into the pool, for estimates: to add it up for each of them
        would read every account.

        While no account waits, that is written once only.
        """
        shares = self.turns.waiting_shares()
        if shares or self.lines.read().waiting_shares:
            self.lines.tell_waiting(shares, self.clock.now_msec())

    def wake_queues(self) -> None:
        """Puts queues into the order that hold messages, are not in it and are not kept out of it on purpose. Each
        account is looked at once in five minutes.

        A message stands in its queue only after that was woken, and a queue leaves the order only when nothing has
        woken it for a minute and nothing is seen in it. So this finds none, unless an index lags for a minute, or an
        account was given its first limit of lines while it held as many: the ends of those calls do not wake it. Also,
        call attempts that hold no line any more are taken from the turns that still count them.
        Turns are read before the pool: an attempt that a turn counts and the pool then does not hold has lost its line.
        """
        now, woken = self.clock.now_msec(), 0
        for account_id in self.accounts():
            if zlib.crc32(account_id.encode()) % WAKE_MINUTES != now // 60_000 % WAKE_MINUTES:
                continue
            turns, queues = self.turns.all_of(account_id)
            order = {turn.is_urgent: turn for turn in turns}
            if any(turn.live for turn in turns):
                held = set(self.lines.read().held.values())
                for turn in turns:
                    self.turns.forget_live(turn, sorted(turn.live - held))
            for queue in queues:
                if _is_placed_or_kept_out(queue, order.get(queue.is_urgent), now) or not self.turns.heads(queue, 1):
                    continue
                if not (queue.campaign and self.is_paused(account_id, queue.campaign)):
                    self.turns.wake(account_id, queue.campaign, queue.is_urgent, now, window=queue.window)
                    woken += 1
        self.count("QueuesWoken", woken)


def _is_placed_or_kept_out(queue: Queue, turn: Turn | None, now_msec: int) -> bool:
    """Whether a queue is in the order, or is kept out of it on purpose."""
    if queue.opens_msec > now_msec:
        return True
    if turn is None:
        return False
    return turn.is_paused or (queue.is_waiting and (turn.is_waiting or not turn.has_room))
