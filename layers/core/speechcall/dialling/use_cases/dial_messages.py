"""Takes a line for each message that is due, and starts its state machine.

pool full? ─► stop                ┌──────── too soon: sleep until the next slot, once more ◄─┐
due index, then the named ─► message ─► expired? finish ─► machine ─► line? ─► execution     │
                                └─ its number is in a call: the next one │  └────────────────┘
                                                                         └─ lines full: stop
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from speechcall.menus.rules.menu import Menu
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_ports import (
    Claim,
    LinesFull,
    LineTaken,
    MessageStore,
    NumberBusy,
    Pool,
    TooSoon,
)
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.shared.rules.errors import MenusRefused, RetryableError, StoreUnavailable
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import EXPIRED, MENUS_REFUSED
from speechcall.shared.rules.time_bounds import DIAL_MARGIN_SECONDS
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

MARGIN = 10
"""How many more messages are read from the due index than there are free lines; doubled while none can be dialled."""
MOST_READ = 1000
AGAIN_SECONDS = 20
"""For how long a message that could not be dialled makes room for the others in the due index."""
BUSY_AGAIN_SECONDS, MOST_BUSY_SECONDS = 60, 900
"""The same for each further message to a number that is in a call; the first of them keeps its place."""
CLAIM_TRIES, SKEW_MSEC = 3, 2000
"""A message that another function's clock has just made due is due."""


class Flows(Protocol):
    """The published state machines."""

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, creating it when it is new. RetryableError, MenusRefused."""

    def start(self, flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        """Starts an execution. True: it runs, also where another started it; False: it has ended before."""


@dataclass
class Dialled:
    """What a run has done, in messages."""

    started: int = 0
    expired: int = 0
    refused: int = 0
    """Step Functions will never take their state machine."""


def dial_messages(
    named: Iterable[str],
    *,
    messages: MessageStore,
    flows: Flows,
    lines: PoolStore,
    stack: Pool,
    clock: Clock,
    time_left: Callable[[], float],
    dial_wait: Callable[[int], int] = DIAL_MARGIN_SECONDS.__add__,
) -> Dialled:
    """Dials the messages that wait for a line: those in the due index, and the `named` that it does not show yet.

    Stops when the lines are full, when none is left, or when `time_left` (seconds) runs out; waits
    for the rate's next free moment, never longer. `stack` is what holds where no operator has chosen
    otherwise; `dial_wait`, how long an answer is waited for by the message's own time. Any number of copies may run.
    What goes wrong with one message is logged, and the message tried again 20 s later at the earliest.
    """
    state = lines.read()
    if state.stack != stack:
        try:
            lines.tell_stack(stack)
        except Exception:
            # It is for operators to read: no message waits for it.
            logger.exception("what the stack's parameters are could not be written down")
    pool = state.in_effect(stack)
    run = _Run(messages, flows, pool, clock, time_left, dial_wait, busy=set(state.held))
    if (free := pool.lines - len(state.held)) > 0:
        for mid in _candidates(named, min(free + MARGIN, MOST_READ), run):
            if time_left() <= 0 or isinstance(run.dial(mid), LinesFull | TooSoon):
                break  # there is no line for any other either, or no time
            # A line that came free meanwhile has woken another run.
            if run.done.started >= free:
                break
    return run.done


def execution_input(message: Message, attempt: int) -> dict[str, Any]:
    """The input of an execution, from the stored message alone: a second start is the same start."""
    waits = {f"m{index}": ask.wait_seconds for index, ask in enumerate(message.asks)}
    waits["dial"] = message.dial_wait_seconds or message.ring_seconds + DIAL_MARGIN_SECONDS
    return {"mid": message.mid, "attempt": attempt, "waits": waits}


def _candidates(named: Iterable[str], limit: int, run: "_Run") -> Iterator[str]:
    """First come, first served: what the index shows has waited longer than what a record has just named. Of a page
    the lower ids come first: they were accepted first, also where they have been put off meanwhile.

    A page without anything new, as it is when the index lags or many messages wait for one number, is
    followed by a longer one.
    """
    seen: set[str] = set()
    more = list(dict.fromkeys(named))
    while True:
        page = run.messages.due(State.QUEUED, run.clock.now_msec(), limit)
        is_last = len(page) < limit
        page.sort(key=int)
        if is_last:
            page += more
        fresh = [mid for mid in dict.fromkeys(page) if mid not in seen]
        seen.update(fresh)
        yield from fresh
        if is_last or (not fresh and limit >= MOST_READ):
            return
        limit = limit if fresh else min(limit * 2, MOST_READ)


def _fields(mid: str, message: Message | None) -> dict[str, object]:
    """The fields of a log line about a message."""
    return {"mid": mid, **({"account": message.account_id} if message else {})}


@dataclass
class _Run:
    """One run of a dialer."""

    messages: MessageStore
    flows: Flows
    pool: Pool
    clock: Clock
    time_left: Callable[[], float]
    dial_wait: Callable[[int], int]
    busy: set[str]
    """Numbers that were in a call when the run began, or are found to be."""
    done: Dialled = field(default_factory=Dialled)
    waiting: Counter[str] = field(default_factory=Counter)
    """How many messages were met whose number is in a call."""

    def dial(self, mid: str) -> Claim | None:
        """Dials one message, if it can be, and returns what its claim to a line came to; None: it made none.

        What goes wrong with one puts it off, and is no reason to stop.
        """
        message: Message | None = None
        try:
            message = self.messages.get(mid)
            return self._dial(mid, message)
        except Exception as error:
            if isinstance(error, RetryableError):
                logger.warning("message %s could not be dialled now: %s", mid, error, extra=_fields(mid, message))
            else:
                logger.exception("message %s could not be dialled", mid, extra=_fields(mid, message))
            self._put_off(mid, AGAIN_SECONDS, message)
            return None

    def _dial(self, mid: str, message: Message | None) -> Claim | None:
        now = self.clock.now_msec()
        if message is None or message.state is not State.QUEUED or (message.due_msec or 0) > now + SKEW_MSEC:
            return None
        if message.dial_until_msec <= now:
            self.done.expired += refuse_message(message, EXPIRED, None, now, messages=self.messages)
            return None
        if message.number in self.busy:
            return self._wait_for_number(message)
        try:
            # Published before a line is taken: a line never waits for Step Functions' throttle.
            flow_arn = self.flows.publish(message.menus)
        except MenusRefused as error:
            logger.exception("message %s has menus that Step Functions does not take", mid, extra=_fields(mid, message))
            self.done.refused += refuse_message(message, MENUS_REFUSED, str(error), now, messages=self.messages)
            return None
        message = replace(message, dial_wait_seconds=self.dial_wait(message.ring_seconds))
        claim = self._claim(message, flow_arn)
        if isinstance(claim, NumberBusy):
            return self._wait_for_number(message)
        if isinstance(claim, LineTaken):
            attempt = message.attempt + 1
            self.flows.start(flow_arn, holder(mid, attempt), execution_input(message, attempt))
            self.done.started += 1
            logger.info("call started", extra={**_fields(mid, message), "attempt": attempt})
        return claim

    def _claim(self, message: Message, flow_arn: str) -> Claim | None:
        """Takes a line, waiting for the rate's next moments; None: the message's time has run out meanwhile."""
        refusals = 0
        while (now := self.clock.now_msec()) < message.dial_until_msec:
            try:
                claim = self.messages.claim_line(message, flow_arn, self.pool, now)
            except StoreUnavailable:  # every dialer and every end of a call writes the pool
                refusals += 1
                if refusals == CLAIM_TRIES:
                    raise
                self.clock.sleep(0.1 * refusals)
                continue
            if not isinstance(claim, TooSoon):
                return claim
            wait = max(claim.next_msec - now, 1) / 1000
            if wait > self.time_left():
                return claim
            self.clock.sleep(wait)
        return None

    def _wait_for_number(self, message: Message) -> NumberBusy:
        """The first message to a number in a call keeps its place, so that it is next; the others make room."""
        self.busy.add(message.number)
        self.waiting[message.number] += 1
        if behind := self.waiting[message.number] - 1:
            self._put_off(message.mid, min(behind * BUSY_AGAIN_SECONDS, MOST_BUSY_SECONDS), message)
        return NumberBusy()

    def _put_off(self, mid: str, seconds: int, message: Message | None) -> None:
        """The due index is read from its head: a hundred that must wait must not stand there. None misses its end."""
        until = self.clock.now_msec() + seconds * 1000
        try:
            self.messages.postpone(mid, State.QUEUED, min(until, message.dial_until_msec) if message else until)
        except Exception:
            logger.exception("message %s could not be put off", mid, extra=_fields(mid, message))
