"""Takes a line for each message whose turn it is, and starts its state machine.

pool full? ─► stop                                        ┌── another dialer was quicker: whose turn is it now? ◄──┐
accounts in order ─► its queues in order ─► first message ─► expired? finish ─► machine ─► line? ─► execution      │
      ▲                        ▲               │  └─ its hours are shut: the queue leaves the order  └──────────────┘
      │                        └── it comes back when they open
      └── nothing of it can be dialled: the next account, and out of the order if it has slept for a minute
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, assert_never

from speechcall.dialling.use_cases.find_next import Candidate, Order
from speechcall.menus.rules.menu import Menu
from speechcall.messages.rules.dial_times import NO_CAPS, Caps, next_day_msec
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import REST_MSEC
from speechcall.messages.rules.when_to_dial import Dialable, NeverDialable, Obstacle, next_dial
from speechcall.messages.use_cases.lines import PoolState, PoolStore
from speechcall.messages.use_cases.message_ports import (
    AccountFull,
    Brake,
    Capped,
    Claim,
    HeldBack,
    LinesFull,
    LineTaken,
    MessageStore,
    NotQueued,
    NumberBusy,
    OptedOut,
    QueueShut,
    TooSoon,
    TurnMoved,
)
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.messages.use_cases.turn_ports import Charge, TurnStore
from speechcall.shared.rules.errors import MenusRefused, RetryableError, StoreUnavailable
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import (
    CANCELLED,
    CAPPED,
    EXPIRED,
    HOURS_SHUT,
    MENUS_REFUSED,
    OPTED_OUT,
    SPEND_LIMIT,
    Outcome,
)
from speechcall.shared.rules.time_bounds import DIAL_MARGIN_SECONDS
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 20
"""For how long a message that could not be dialled makes room for the others of its queue."""
BUSY_AGAIN_SECONDS, MOST_BUSY_SECONDS = 60, 900
"""The same for each further message to a number that is in a call; the first of them keeps its place."""
PAUSED_AGAIN_SECONDS = 900
"""The same for a message of a list that is paused; a list that is resumed brings its messages back at once."""
CLAIM_TRIES, SKEW_MSEC = 3, 2000
"""A message that another function's clock has just made due is due."""
MOST_PROMOTED = 100
"""How many messages that were put off a run brings back at most."""
INDEX_SECONDS = 1
"""After which time an index mostly shows what was written."""
LOOK_AGAIN_MSEC, LOOK_AGAIN_CALLS = 1000, 10
"""After which time, or so many calls, a run reads the pool and the order again: an urgent message may have come."""


class Flows(Protocol):
    """The published state machines."""

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, creating it when it is new. Raises RetryableError, MenusRefused."""

    def start(self, flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        """Starts an execution. True: it runs, also where another started it; False: it has ended before."""


@dataclass
class Dialled:
    """What a run has done, in messages."""

    started: int = 0
    expired: int = 0
    """They could not be dialled in their time; or never, as their price is above the limit of a day, or not known."""
    refused: int = 0
    """Step Functions will never take their state machine."""
    cancelled: int = 0
    opted_out: int = 0


def dial_messages(
    named: Iterable[str],
    *,
    messages: MessageStore,
    turns: TurnStore,
    flows: Flows,
    lines: PoolStore,
    stack: Pool,
    clock: Clock,
    time_left: Callable[[], float],
    dial_wait: Callable[[int], int] = DIAL_MARGIN_SECONDS.__add__,
    urgent: Iterable[str] = (),
    strays: Iterable[str] = (),
    brings_back: bool = True,
    most_price: Callable[[Message, int], int | None] = lambda _message, _now_msec: None,
) -> Dialled:
    """Dials the messages that wait for a line, in their order, and the `named` that the order does not show yet.

    Stops when the lines are full, when none is left, or when `time_left` (seconds) runs out; waits for the rate's next
    free moment, a second at a time. Any number of copies may run. What goes wrong with one message is logged, and the
    message tried again 20 s later at the earliest. Raises what the reads of the pool, of the order and of the messages
    that were put off raise.

    `named`, `urgent`: ids of messages that were just queued; the urgent ones are dialled before all others, because the
    order may not show them yet. `strays`: ids of messages without a place in a queue; they are given one.
    `brings_back`: messages that were put off and are due go back to their queues first; without it, only when nothing
    else is left. `stack`: what the stack's parameters say, which holds where no operator has chosen otherwise.
    `dial_wait`: for how many seconds the state machine waits for an answer, by the message's ring time in seconds.
    `most_price`: what a call may cost at most if it is begun at a moment, in millionths, for accounts with a limit of
    what they spend in a day; None: its price is not known.
    """
    state = lines.read()
    if state.stack != stack:
        try:
            lines.tell_stack(stack)
        except Exception:
            # Only operators read it: dialling works without it.
            logger.exception("what the stack's parameters are could not be written down")
    if len(state.held) >= state.in_effect(stack).lines:
        return Dialled()
    run = _Run(messages, turns, flows, lines, stack, clock, time_left, dial_wait, most_price, state=state)
    run.dial_named(urgent)
    run.give_places(strays)
    if brings_back:
        run.bring_back()
    run.dial_in_order()
    if not brings_back and run.found_nothing and run.bring_back():
        run.dial_in_order()
    if run.found_nothing:
        run.dial_named(named)
    return run.done


def execution_input(message: Message, attempt: int) -> dict[str, Any]:
    """The input of an execution, from the stored message alone, so that a second start has the same input."""
    waits = {f"m{index}": ask.wait_seconds for index, ask in enumerate(message.asks)}
    waits["dial"] = message.dial_wait_seconds or message.ring_seconds + DIAL_MARGIN_SECONDS
    return {"mid": message.mid, "attempt": attempt, "waits": waits}


def _fields(mid: str, message: Message | None) -> dict[str, object]:
    """The fields of a log line about a message."""
    return {"mid": mid, **({"account": message.account_id} if message else {})}


@dataclass
class _Run:
    """One run of a dialer. Its parameters are those of `dial_messages`; `state` is the pool as it was read last."""

    messages: MessageStore
    turns: TurnStore
    flows: Flows
    lines: PoolStore
    stack: Pool
    clock: Clock
    time_left: Callable[[], float]
    dial_wait: Callable[[int], int]
    most_price: Callable[[Message, int], int | None]
    state: PoolState
    done: Dialled = field(default_factory=Dialled)
    waiting: Counter[str] = field(default_factory=Counter)
    """How many messages were met whose number is in a call."""
    tried: set[str] = field(default_factory=set)
    """Messages that this run does not take again: they are dialled, or have ended, or have to wait."""
    latest: Message | None = None
    """The message that was read last."""
    spent: dict[str, int] = field(default_factory=dict)
    """Until when accounts have used up their minutes, or what they may spend (epoch milliseconds), at the last look."""
    found_nothing: bool = False
    """The order was gone through to its end, and lines are left."""

    def __post_init__(self) -> None:
        self._look()

    def _look(self) -> None:
        """Starts from the pool as it was read last: which lines are free, which numbers are busy, and a new order."""
        self.pool = self.state.in_effect(self.stack)
        self.busy = set(self.state.held)
        """Numbers that were in a call then, or are found to be."""
        self.free = self.pool.lines - len(self.state.held)
        """Lines that were free then; of them `free_normal` for messages that are not urgent."""
        self.free_normal = min(self.free, self.pool.lines_for(is_urgent=False) - len(self.state.normal))
        self.next_msec = self.state.next_msec
        """The rate's next free moment, as far as it is known."""
        self.order = Order(self.turns, self.clock, self.free, skip=self.tried)
        self.spent.clear()  # a limit may be higher since
        self.started, self.looked_msec = 0, self.clock.now_msec()
        """Calls that this run has begun since then; when that was."""

    def _look_again(self) -> None:
        """Reads pool and order again after a second or ten calls: others dial too, and somebody may go first now."""
        is_late = self.clock.now_msec() >= self.looked_msec + LOOK_AGAIN_MSEC
        if is_late or self.started >= LOOK_AGAIN_CALLS:
            self.state = self.lines.read()
            self._look()

    def bring_back(self) -> int:
        """Puts messages that were put off until now back into their queues, and queues whose hours have opened back
        into the order; returns how many of both. Messages whose time is up end.

        What goes wrong with the queues, or with one message, is logged. Raises what the reads raise that find the
        messages, and the pool and the order again.
        """
        opened = 0
        try:
            opened = self.turns.open_due(self.clock.now_msec())
        except Exception:
            logger.exception("queues whose hours have opened could not be put into the order")
        placed = self.give_places(self.messages.to_promote(self.clock.now_msec(), MOST_PROMOTED))
        if opened:
            self.clock.sleep(INDEX_SECONDS)  # no message was changed, so nothing else wakes a dialer for them
        if opened or placed:
            self.state = self.lines.read()
            self._look()
        return placed + opened

    def give_places(self, mids: Iterable[str]) -> int:
        """Of these messages, puts the queued ones that are due and stand in no queue into theirs; returns how many.

        A message that cannot be dialled any more in its time ends. What goes wrong with one is logged.
        """
        placed = 0
        for mid in mids:
            message = None
            try:
                message = self.messages.get(mid)
                now = self.clock.now_msec()
                if message is None or message.state is not State.QUEUED or (message.due_msec or 0) > now + SKEW_MSEC:
                    continue
                when = _when(message, now)
                if isinstance(when, Outcome):
                    self.done.expired += refuse_message(message, when, None, now, messages=self.messages)
                elif not message.stands:
                    placed += self.messages.promote(message, now)
            except RetryableError as error:
                logger.warning(
                    "message %s could not be put into its queue: %s", mid, error, extra=_fields(mid, message)
                )
            except Exception:
                logger.exception("message %s could not be put into its queue", mid, extra=_fields(mid, message))
                self._put_off(mid, AGAIN_SECONDS, message)  # the oldest come first: it must not be in others' way
        return placed

    def dial_in_order(self) -> None:
        """Dials one message after the other, until no line is free, nothing is left to dial (`found_nothing`), or time
        is up.
        """
        while self.time_left() > 0 and self.started < self.free:
            candidate = self.order.next()
            if candidate is None:
                self.found_nothing = True
                return
            if self.started >= self.free_normal and not candidate.turn.is_urgent:
                return  # urgent turns come first, so none is left for the lines that only urgent messages may take
            if self._dial_one(candidate.mid, candidate):
                return
            self._look_again()

    def dial_named(self, named: Iterable[str]) -> None:
        """Dials messages by their ids, because the order lags and may not show them yet.

        Urgent ones are dialled before the order, all others after it, so that they overtake none that it shows.
        """
        for mid in dict.fromkeys(named):
            while self.time_left() > 0 and self.started < self.free and mid not in self.tried:
                if self._dial_one(mid, None):
                    return

    def _wait_for_rate(self) -> bool:
        """Waits a second at most for the rate's next free moment, since somebody may come meanwhile who goes first.

        False: that moment comes too late for this run.
        """
        wait = (self.next_msec - self.clock.now_msec()) / 1000
        if wait > self.time_left():
            return False
        self.clock.sleep(max(min(wait, LOOK_AGAIN_MSEC / 1000), 0.001))
        return True

    def _dial_one(self, mid: str, candidate: Candidate | None) -> bool:
        """Dials one message, if it may be dialled. True: the run ends, as no other message would get a line either, or
        the time left is too short.

        Never raises: a message with which something goes wrong is put off, and the run continues.
        """
        message: Message | None = None
        try:
            message = self._message(mid)
            claim = self._dial(mid, message, candidate)
        except Exception as error:
            if isinstance(error, RetryableError):
                logger.warning("message %s could not be dialled now: %s", mid, error, extra=_fields(mid, message))
            else:
                logger.exception("message %s could not be dialled", mid, extra=_fields(mid, message))
            self._put_off(mid, AGAIN_SECONDS, message)
            claim = None
        return self._heed_for_run(claim, mid, candidate)

    def _heed_for_run(self, claim: Claim | None, mid: str, candidate: Candidate | None) -> bool:
        """Does what a claim (None: none was made, or it failed) means for the rest of the run: the message is not tried
        again, or its queue or account is passed over, or the rate is waited for and the message taken again.

        True: the run ends, as no other message would get a line either, or the time left is too short.
        """
        match claim:
            case TooSoon(next_msec):
                self.next_msec = next_msec
                return not self._wait_for_rate()
            case LinesFull():
                # Lines for urgent messages alone may be free, but urgent turns come first: none of them waits now.
                return True
            case TurnMoved(turn):
                if candidate:
                    self.order.set_turn(turn)
                return False
            case LineTaken() | NotQueued() | NumberBusy() | OptedOut() | None:
                self.tried.add(mid)
                return False
            case AccountFull() | QueueShut() | HeldBack() | Capped():
                self._pass_over(claim, mid, candidate)
                return False
            case _:
                assert_never(claim)

    def _pass_over(
        self, claim: AccountFull | QueueShut | HeldBack | Capped, mid: str, candidate: Candidate | None
    ) -> None:
        """Passes over all that the obstacle of this message's claim holds back: its account, its queue, or it alone; of
        a message that was named (no candidate) it alone.

        What is passed over leaves the order too, where something brings it back: a line, the end of a pause, a moment.
        """
        match claim:
            case AccountFull():
                if candidate:
                    self.order.pass_over(candidate.turn)  # the message is not `tried`: named, it may get a line yet
                else:
                    self.tried.add(mid)
            case QueueShut():
                self.tried.add(mid)
                if candidate:
                    # It has left the order already; or its hours have just ended, and the next run writes until when.
                    self.order.skip_queue(candidate.queue)
            case Capped(caps):
                self.tried.add(mid)
                if candidate and caps.spent_until_msec:
                    # All messages of the queue wait: for the account's next day, or for calls in progress, whose ends
                    # may give back some of today's minutes or money. Until then the queue is not read again.
                    self.order.shut(candidate.queue, caps.spent_until_msec)
            case HeldBack(by, is_final):
                self.tried.add(mid)
                # An account is cancelled up to a message, so what came later may be dialled; a campaign as a whole. A
                # list shares its queue with others.
                if candidate and by is Brake.ACCOUNT and not is_final:
                    self.order.pass_over(candidate.turn)
                elif candidate and by is Brake.CAMPAIGN:
                    self.order.pass_over_queue(candidate.queue)
            case _:
                assert_never(claim)

    def _dial(self, mid: str, message: Message | None, candidate: Candidate | None) -> Claim | None:
        """Takes a line for a message and starts its execution; returns what the claim of the line came to.

        None: no claim was made. The message is gone, is not queued, has to wait, or has ended here. Raises what the
        stores and Step Functions raise, also after the line was taken: then the sweeper starts the execution.
        """
        now = self.clock.now_msec()
        if message is None or message.state is not State.QUEUED or _was_put_off(message, now):
            if message is not None and message.finished_msec and message.finished_msec < now - REST_MSEC:
                # An earlier release, which knew no queues, has ended it: it would stand at the head for ever. (One that
                # has ended within the last minute may stand there only because the index lags.)
                self.messages.forget_place(message)
            return None
        when = _when(message, now)
        if isinstance(when, Outcome):
            self.done.expired += refuse_message(message, when, None, now, messages=self.messages)
            return None
        if when.at_msec > now:
            self._wait_for_hours(message, when.at_msec, candidate)
            return None
        if message.cancelled_msec is not None:  # an earlier release has queued it again although it was cancelled
            self._hold_back(message, Brake.MESSAGE, is_final=True)
            return None
        refusal = self._refuse_early(message, now)
        if refusal:
            return refusal
        try:
            # Published before a line is taken: a line never waits for Step Functions' throttle.
            flow_arn = self.flows.publish(message.menus)
        except MenusRefused as error:
            logger.exception("message %s has menus that Step Functions does not take", mid, extra=_fields(mid, message))
            self.done.refused += refuse_message(message, MENUS_REFUSED, str(error), now, messages=self.messages)
            return None
        message = replace(message, dial_wait_seconds=self.dial_wait(message.ring_seconds))
        charge = self._priced(self._charge(message, candidate), message, now)
        if charge is None:
            logger.warning(
                "message %s may cost more than its account may spend in a day", mid, extra=_fields(mid, message)
            )
            self.done.expired += refuse_message(message, SPEND_LIMIT, None, now, messages=self.messages)
            return None
        claim = self._claim(message, flow_arn, charge, when.until_msec)
        return self._heed_for_message(message, flow_arn, charge, claim)

    def _refuse_early(self, message: Message, now_msec: int) -> Claim | None:
        """Refuses a message as its claim would be refused, if this run knows that already; None: only a claim can tell.

        As after the claim, one to a number that is in a call is put off, unless it is the first (`_wait_for_number`).
        """
        if message.number in self.busy:
            return self._wait_for_number(message)
        if self.next_msec > now_msec:
            return TooSoon(self.next_msec)
        spent_until = self.spent.get(message.account_id, 0)
        return Capped(Caps(spent_until_msec=spent_until)) if spent_until > now_msec else None

    def _heed_for_message(self, message: Message, flow_arn: str, charge: Charge, claim: Claim) -> Claim:
        """Does what a claim means for its message: a call begins, or the message ends, waits elsewhere, or stays as it
        is. Returns the claim, of which `_heed_for_run` does the rest.
        """
        mid, now = message.mid, self.clock.now_msec()
        match claim:
            case NumberBusy():
                return self._wait_for_number(message)
            case HeldBack(by, is_final):
                self._hold_back(message, by, is_final=is_final)
            case OptedOut():
                self.done.opted_out += refuse_message(message, OPTED_OUT, None, now, messages=self.messages)
            case Capped(caps):
                self._wait_for_cap(message, caps)
            case LineTaken():
                attempt = message.attempt + 1
                self.started += 1
                self.next_msec = max(self.next_msec, now + self.pool.slot_msec)
                self.busy.add(message.number)
                self.order.charge(charge, holder(mid, attempt))
                self.flows.start(flow_arn, holder(mid, attempt), execution_input(message, attempt))
                self.done.started += 1
                logger.info("call started", extra={**_fields(mid, message), "attempt": attempt})
            case _:
                pass
        return claim

    def _message(self, mid: str) -> Message | None:
        """A message, read again only if it is not the one read last: what has changed since, the claim refuses."""
        if self.latest is None or self.latest.mid != mid:
            self.latest = self.messages.get(mid)
        return self.latest

    def _charge(self, message: Message, candidate: Candidate | None) -> Charge:
        """For whom a line is taken: as the order has it; for a message that was named (None), as it is read now."""
        if candidate:
            return Charge(candidate.turn, candidate.queue)
        account, is_urgent = message.account_id, message.is_urgent
        turn = self.turns.find(account, is_urgent)
        return Charge(turn, self.turns.find_queue(account, message.campaign, is_urgent, message.window))

    def _priced(self, charge: Charge, message: Message, now_msec: int) -> Charge | None:
        """The charge, with the most that the call may cost where its account has a limit of what it spends in a day.

        None: that price is not known, or is above the limit of a whole day. Such a message can never be dialled, and
        would keep all behind it waiting, day after day; so its caller ends it.
        """
        most = charge.turn.spend_per_day
        if most is None:
            return charge
        price = self.most_price(message, now_msec)
        return None if price is None or price > most else charge._replace(most_price=price)

    def _wait_for_hours(self, message: Message, opens_msec: int, candidate: Candidate | None) -> None:
        """Makes a message wait that may not be dialled before `opens_msec`. All of its queue wait for the same hours:
        the queue leaves the order.

        Without a candidate (the message was named) nothing is to be done: its queue was shut before it stood in it.
        """
        now = self.clock.now_msec()
        if message.send_at_msec > now or (candidate and candidate.queue.window != message.window):
            # An earlier release, which knew neither `sendAt` nor calling hours, has put it into this queue.
            self.messages.promote(message, now)
        elif candidate:
            self.order.shut(candidate.queue, opens_msec)

    def _wait_for_cap(self, message: Message, caps: Caps) -> None:
        """Puts off a message whose number has had as many calls as are allowed, until one more is; ends it if that is
        too late. One whose account has used up its minutes, or what it may spend, keeps its place in its queue.

        The run then claims nothing more for that account before it may call again, and `_pass_over` shuts the queue.
        """
        now = self.clock.now_msec()
        if caps.spent_until_msec:
            self.spent[message.account_id] = caps.spent_until_msec
            if caps.spent_until_msec == next_day_msec(now):  # else calls in progress may give some of it back
                name = message.account_id
                logger.warning("account %s has used up what it may call today", name, extra={"account": name})
            return
        when = _when(message, now, caps)
        if isinstance(when, Outcome):
            self.done.expired += refuse_message(message, when, None, now, messages=self.messages)
        else:
            self.messages.postpone(message.mid, State.QUEUED, when.at_msec, message.attempt)

    def _hold_back(self, message: Message, by: Brake, *, is_final: bool) -> None:
        """Ends a message that is cancelled (`is_final`). One of a paused list leaves its queue for 15 minutes, because
        other lists share the queue; one of a paused campaign or account stays where it is.
        """
        if is_final:
            now = self.clock.now_msec()
            self.done.cancelled += refuse_message(message, CANCELLED, None, now, messages=self.messages)
        elif by is Brake.LIST:
            until = self.clock.now_msec() + PAUSED_AGAIN_SECONDS * 1000
            self.messages.hold_back(message, min(until, message.dial_until_msec))

    def _claim(self, message: Message, flow_arn: str, charge: Charge, until_msec: int) -> Claim:
        """Takes a line; tries again where load, or another transaction of the same moment, is in the way.

        After CLAIM_TRIES raises StoreUnavailable. From `until_msec` on, when the message's hours shut, nothing is
        claimed any more (QueueShut): to publish the machine before this, or to try again, may take seconds.
        """
        for refusals in range(1, CLAIM_TRIES + 1):
            now = self.clock.now_msec()
            if now >= until_msec:
                return QueueShut()
            try:
                return self.messages.claim_line(message, flow_arn, self.pool, now, charge)
            except StoreUnavailable:  # every dialer and every end of a call writes the pool
                if refusals == CLAIM_TRIES:
                    raise
                self.clock.sleep(0.1 * refusals)
        raise AssertionError("a claim is tried at least once")

    def _wait_for_number(self, message: Message) -> NumberBusy:
        """The first message to a number in a call keeps its place, so that it is next; the others make room: they are
        put off, each a minute longer than the one before it, for at most 15.
        """
        self.busy.add(message.number)
        self.waiting[message.number] += 1
        if behind := self.waiting[message.number] - 1:
            self._put_off(message.mid, min(behind * BUSY_AGAIN_SECONDS, MOST_BUSY_SECONDS), message)
        return NumberBusy()

    def _put_off(self, mid: str, seconds: int, message: Message | None) -> None:
        """Takes a message out of its queue for some seconds, but not for longer than its time. Never raises.

        Queues are read from their heads: messages that have to wait must not fill them.
        """
        until = self.clock.now_msec() + seconds * 1000
        try:
            if message:
                until = min(until, message.dial_until_msec)
            self.messages.postpone(mid, State.QUEUED, until, message.attempt if message else None)
        except Exception:
            logger.exception("message %s could not be put off", mid, extra=_fields(mid, message))


def _when(message: Message, now_msec: int, caps: Caps = NO_CAPS) -> Dialable | Outcome:
    """When a message may be dialled next; or how it ends, if it may not be before its time is up."""
    when = next_dial(message.dial_times, now_msec, caps=caps)
    match when:
        case Dialable():
            return when
        case NeverDialable(obstacle=obstacle):
            return _end_of(obstacle)
        case _:
            assert_never(when)


def _end_of(obstacle: Obstacle) -> Outcome:
    """The outcome of a message that this obstacle keeps from being dialled in its time."""
    match obstacle:
        case "ttl":
            return EXPIRED
        case "capped":
            return CAPPED
        case "window":
            return HOURS_SHUT
        case _:
            assert_never(obstacle)


def _was_put_off(message: Message, now_msec: int) -> bool:
    """Whether a queued message is to be dialled later."""
    return not message.stands and (message.due_msec or 0) > now_msec + SKEW_MSEC
