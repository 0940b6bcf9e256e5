"""One rehearsal: messages are dialled by the real dialler, behind those that wait, on a clock that nobody waits for.

      arrive, 100 a second ─► queued ─► dial_messages ─► a made-up callee ─► finish_call ─► finished, or queued again
                                            ▲                                    │
                                            └──── wake-up ◄──── a line is free ◄─┘      each minute: sweep

`dial_messages`, `sweep` and `finish_call` are those of the stack; only stores, clock and callees are not. Nothing that
can go wrong does: no request is throttled, no function dies, no index lags for long.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Call, Cause, Command, Kind, Step, Ticket
from speechcall.calls.rules.owed import opt_out_at
from speechcall.calls.use_cases.finish_call import finish_call
from speechcall.calls.use_cases.ports import CallStore, Contact
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.dialling.use_cases.sweep import Calls, Execution, sweep
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.walk import react
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.optouts.use_cases.opt_out_ports import OptOutStore
from speechcall.rehearsal.rules.callees import CalledOnce, Callees
from speechcall.rehearsal.rules.forecast import UNFINISHED, Rehearsed
from speechcall.rehearsal.use_cases.virtual_time import VirtualTime
from speechcall.shared.rules.ids import holder, parse_holder
from speechcall.shared.rules.outcome import End
from speechcall.shared.use_cases.tasks import TaskAnswer

OTHERS = "#others"
"""The account that stands for all others where their messages are not told; no account is called so."""
OTHERS_FIRST_ID = 9 * 10**18
"""Ids of its messages: above every one that is drawn (`new_ids`)."""
_MORE_THAN_LINES = 20
"""How many more messages of it wait than there are lines: more than a run of the dialler reads (`find_next.MARGIN`)."""
ARRIVE_TOGETHER = 100
"""Messages of a list; a list a second arrives, as `list send` sends them."""
WAKE_SECONDS = 0.3
"""After a line is free a dialler runs: a record of the stream, and an invocation."""
RUN_SECONDS = 55
BRING_BACK_MSEC = 5000
"""How often a dialler looks for messages that were put off, as its function does."""
LONGEST_HOURS = 24 * 40
"""A message waits for a month at most (`sendAt`), and for two days more."""


class Stores(NamedTuple):
    """Where a rehearsal happens: stores in which `stores_of` has put what waits now."""

    messages: MessageStore
    turns: TurnStore
    lines: PoolStore
    calls: CallStore
    opt_outs: OptOutStore
    tell_ends: Callable[[Callable[[Message], object]], None]
    """From then on it is told each message that has ended."""
    forget: Callable[[str], object] = lambda _mid: None
    """Drops a message that has ended, and its calls."""


class Situation(NamedTuple):
    """What there is when a rehearsal begins."""

    now_msec: int
    stack: Pool
    accounts: Mapping[str, Account]
    calling: Sequence[Message] = ()
    """In calls now."""
    preparing: Sequence[Message] = ()
    """They are taken for prepared."""
    others: Message | None = None
    """What a message of the account `OTHERS` looks like, which never expires and of which there is always one more.

    None: nobody else waits.
    """


def rehearse(
    situation: Situation, new: Sequence[Message], callees: Callees, stores: Stores, clock: VirtualTime, seed: int
) -> Rehearsed:
    """What becomes of the messages `new`, in their order, if all are called by the rules of the stack.

    The same seed gives the same result. Whatever is not over after 40 days is counted as it stands then.
    """
    return _Rehearsal(situation, new, callees, stores, clock, seed).run()


class _Rehearsal:
    """One rehearsal, as it runs. It is also the `Flows` by which the dialler starts calls."""

    def __init__(
        self,
        situation: Situation,
        new: Sequence[Message],
        callees: Callees,
        stores: Stores,
        clock: VirtualTime,
        seed: int,
    ) -> None:
        self._situation, self._new, self._callees, self._seed = situation, new, callees, seed
        self._stores, self._clock = stores, clock
        self._own = {one.mid for one in new}
        self._begun: list[int] = []
        self._keys: Counter[str] = Counter()
        self._talked_seconds = 0.0
        self._live: set[str] = set()
        """Call attempts that are up."""
        # A run of the dialler: one is under way; the next one is set on the clock; one was asked for meanwhile.
        self._is_dialling = self._is_woken = self._is_woken_meanwhile = False
        self._brought_back_msec = 0
        self._others_made = self._others_waiting = 0
        self._most_of_others = stores.lines.read().in_effect(situation.stack).lines + _MORE_THAN_LINES
        self._left = len(new)
        self._outcomes: Counter[str] = Counter()
        self._last_msec = situation.now_msec

    def run(self) -> Rehearsed:
        """Turns the clock until all new messages have ended, or LONGEST_HOURS are over."""
        begin = self._clock.now_msec()
        self._stores.tell_ends(self._count_end)
        for one in self._situation.calling:
            self._resume(one)
        self._arrive(self._situation.preparing)
        for first in range(0, len(self._new), ARRIVE_TOGETHER):
            part = self._new[first : first + ARRIVE_TOGETHER]
            self._clock.after(first / ARRIVE_TOGETHER, lambda part=part: self._add(part))  # type: ignore[misc]
        self._tick()
        self._wake()
        end = begin + LONGEST_HOURS * 3_600_000
        while self._left and self._clock.now_msec() < end:
            self._clock.advance()
        if self._left:
            self._outcomes[UNFINISHED] = self._left
        return Rehearsed(
            seed=self._seed,
            begin_msec=begin,
            end_msec=self._last_msec,
            outcomes=dict(sorted(self._outcomes.items())),
            keys=dict(sorted(self._keys.items())),
            begun_msec=tuple(self._begun),
            talked_seconds=self._talked_seconds,
        )

    def _count_end(self, message: Message) -> None:
        if message.mid in self._own:
            self._left -= 1
            self._outcomes[message.outcome or UNFINISHED] += 1
            self._last_msec = self._clock.now_msec()

    # --------------------------------------------------------------- arriving
    def _add(self, part: Sequence[Message]) -> None:
        self._stores.messages.add(part)
        self._arrive(part)

    def _arrive(self, part: Iterable[Message]) -> None:
        now = self._clock.now_msec()
        for one in part:
            self._stores.messages.queue(one, one.asks, now)
        self._wake()

    def _resume(self, message: Message) -> None:
        """Sets the end of a call that is up already on the clock: its time is counted from when it took its line."""
        called = self._called(message, message.attempt)
        self._live.add(holder(message.mid, message.attempt))
        since = (self._clock.now_msec() - (message.claimed_msec or self._clock.now_msec())) / 1000
        left = max(self._held_seconds(called) - since, 0.0)
        self._clock.after(left, lambda: self._end(message.mid, message.attempt, called))

    def _refill_others(self) -> None:
        """Lets others have something to dial at every moment at which the new messages' account has.

        While it has nothing, what the others do changes nothing for it.
        """
        others = self._situation.others
        if others is None or not self._own_waits():
            return
        while self._others_waiting < self._most_of_others:
            self._add_of_others(others)

    def _own_waits(self) -> bool:
        turns = (self._stores.turns.find(self._new[0].account_id, is_urgent) for is_urgent in (False, True))
        return any(one.is_waiting for one in turns)

    def _add_of_others(self, others: Message) -> None:
        now, name = self._clock.now_msec(), str(OTHERS_FIRST_ID + self._others_made)
        one = replace(others, mid=name, number=name, created_msec=now)
        self._others_made += 1
        self._others_waiting += 1
        self._stores.messages.add([one])
        self._stores.messages.queue(one, (), now)

    # ---------------------------------------------------------------- dialling
    def _wake(self) -> None:
        if self._is_dialling:  # it sees by itself most of what has changed; the rest is for the next one
            self._is_woken_meanwhile = True
        elif not self._is_woken:
            self._is_woken = True
            self._clock.after(WAKE_SECONDS, self._dial)

    def _dial(self) -> None:
        """One run of the dialler, as the function of the stack does it."""
        self._is_woken, self._is_woken_meanwhile = False, False
        self._refill_others()
        self._is_dialling, begin = True, self._clock.now_msec()
        brings_back = begin >= self._brought_back_msec + BRING_BACK_MSEC
        if brings_back:
            self._brought_back_msec = begin
        try:
            dial_messages(
                (),
                messages=self._stores.messages,
                turns=self._stores.turns,
                flows=self,
                lines=self._stores.lines,
                stack=self._situation.stack,
                clock=self._clock,
                time_left=lambda: RUN_SECONDS - (self._clock.now_msec() - begin) / 1000,
                brings_back=brings_back,
            )
        finally:
            self._is_dialling = False
        if self._is_woken_meanwhile:
            self._wake()

    def _tick(self) -> None:
        """What the clocks of the stack do each minute: the repairs that matter here, and a run of the dialler."""
        repairs = Calls(
            messages=self._stores.messages,
            lines=self._stores.lines,
            turns=self._stores.turns,
            accounts=lambda: self._situation.accounts,
            # Only `mend_calls` and `settle` ask for these two, and neither is run here.
            start=lambda _arn, name, _given: Execution.RUNS if name in self._live else Execution.ENDED,
            finish=lambda _mid, _attempt: None,
            clock=self._clock,
            count=lambda _metric, _number: None,
        )
        sweep((repairs.release_lines, repairs.expire, repairs.wake_queues))
        self._wake()
        self._clock.after(60, self._tick)

    # ---------------------------------------------------------- state machines
    def publish(self, _menus: tuple[Menu, ...]) -> str:
        """Every machine is there."""
        return "arn:rehearsal"

    def start(self, _flow_arn: str, name: str, _execution_input: dict[str, Any]) -> bool:
        """As `Flows.start`: a call begins, and its end is set on the clock."""
        mid, attempt = parse_holder(name)
        message = self._stores.messages.get(mid)
        if message is None:
            return False
        called = self._called(message, attempt)
        self._live.add(name)
        if mid in self._own:
            self._begun.append(self._clock.now_msec())
        elif message.account_id == OTHERS:
            self._others_waiting -= 1
            self._refill_others()
        self._clock.after(self._held_seconds(called), lambda: self._end(mid, attempt, called))
        return True

    def _called(self, message: Message, attempt: int) -> CalledOnce:
        return self._callees.called(self._seed, message.number, attempt, message.ring_seconds)

    def _held_seconds(self, called: CalledOnce) -> float:
        return self._callees.handling_seconds + called.ring_seconds + called.talk_seconds

    def _end(self, mid: str, attempt: int, called: CalledOnce) -> None:
        """A call is over: what becomes of its message is for `finish_call` to say."""
        message, now = self._stores.messages.get(mid), self._clock.now_msec()
        if message is None:
            return
        self._live.discard(holder(mid, attempt))
        self._stores.calls.open(_call(message, attempt, called, now), message.expires_at)
        if called.key:
            self._press(message, called.key)
        if mid in self._own:
            self._talked_seconds += called.talk_seconds
            if called.cause is None:
                self._keys[called.key or "none"] += 1
        finish_call(
            mid,
            attempt,
            End.COMPLETED if called.cause is None else End.NOT_ANSWERED,
            calls=self._stores.calls,
            messages=self._stores.messages,
            telephony=_NOBODY,
            engine=_NOBODY,
            clock=self._clock,
            owe=lambda _task: None,
            opt_out=lambda _message, _step: None,  # `_press` has done it
            forget=lambda _message, _task: None,  # nobody enters digits
            find_account=self._situation.accounts.get,
        )
        if message.account_id == OTHERS:
            self._stores.forget(mid)
        self._wake()

    def _press(self, message: Message, key: str) -> None:
        """Stores the opt-outs to which a key of the first menu leads.

        They hold at once, for messages that wait as well.
        """
        if not message.menus:
            return
        menu = message.menus[0]
        reaction = react(menu, f"d{key}")
        for step in reaction.opt_outs:
            named, now = opt_out_at(message.menus, 0, reaction.key or "", step), self._clock.now_msec()
            entry = OptOut(named.list_name, message.number_digest, message.number[-2:], now, By.KEY, message.mid)
            self._stores.opt_outs.add(message.account_id, entry)


class _Nobody:
    """The telephony and the engine of calls that are over: nothing is asked of them."""

    dials_once, has_records = True, False

    def place(self, call: Call, ring_timeout_seconds: int) -> str:
        raise NotImplementedError

    def stop(self, contact_id: str) -> None:
        raise NotImplementedError

    def look_up(self, contact_id: str) -> Contact:
        raise NotImplementedError

    def succeed(self, token: str, output: TaskAnswer) -> bool:
        raise NotImplementedError

    def fail(self, token: str, error: str, cause: str) -> bool:
        raise NotImplementedError


_NOBODY = _Nobody()


def _call(message: Message, attempt: int, called: CalledOnce, now_msec: int) -> Call:
    """A call as its item is when it has ended."""
    is_answered = called.cause is None
    return Call(
        mid=message.mid,
        attempt=attempt,
        number=message.number,
        asks=(),
        seq=1,
        done_seq=1,
        command=Command(Kind.DIAL),
        ticket=Ticket("", 0, ""),
        visits=int(is_answered),
        dialled_msec=now_msec,
        contact_id=holder(message.mid, attempt),
        answered_msec=now_msec - round(called.talk_seconds * 1000) if is_answered else None,
        ended_msec=now_msec,
        cause=called.cause or Cause.CALLER_HUNG_UP,
        path=(Step(0, f"d{called.key}", now_msec),) if called.key else (),
    )
