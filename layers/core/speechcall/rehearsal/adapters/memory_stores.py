"""The stores of calls and messages in memory, next to those on DynamoDB: for rehearsals, races and large backlogs.

What their methods do is said at their ports: `CallStore` (`calls.use_cases.ports`) and `MessageStore`
(`messages.use_cases.message_ports`). Held equal to DynamoDB by tests/integration/store_contract. A store's lock makes
each change of a call or a message one step with its places, its line and what it is charged.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Kind, Refused, Reply, Step, Ticket
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.rules.refusal import over_limit
from speechcall.campaigns.rules.funnel import Heard
from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.call_log import Decided, Entry
from speechcall.messages.adapters.message_items import CALLING_CHECK_MSEC, first_check_msec, shard_name, waiting_values
from speechcall.messages.adapters.messages_store import limits_of, reserved_of
from speechcall.messages.adapters.status_items import events_of, list_event, told_of_message
from speechcall.messages.rules.dial_times import NO_CAPS, Caps, Counts
from speechcall.messages.rules.message import Message, State, kept_after_end
from speechcall.messages.rules.opening import opens_later_msec
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.status_event import StatusEvent
from speechcall.messages.rules.turns import cost
from speechcall.messages.use_cases.message_ports import (
    Brake,
    Claim,
    HeldBack,
    LinesFull,
    LineTaken,
    NotQueued,
    OptedOut,
    Redialled,
)
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.outbound.rules.destination import destination
from speechcall.rehearsal.adapters.copies import altered, finish_copy
from speechcall.rehearsal.adapters.memory_campaigns import EndsOfList, MemoryCampaigns
from speechcall.rehearsal.adapters.memory_index import MemoryIndex
from speechcall.rehearsal.adapters.memory_limits import MemoryLimits
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from speechcall.rehearsal.adapters.memory_pool import MemoryPool
from speechcall.rehearsal.adapters.memory_turns import MemoryTurns
from speechcall.shared.adapters.keys import LATER, waiting_partition, waiting_place
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.outcome import End, Outcome
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.webhooks.rules.webhook import WebhookTask, status_task

Key = tuple[str, int]


_SEALED = str.maketrans("0123456789", "zyxwvutsrq")


class Hooks(Protocol):
    """Where the deliveries of status events are written."""

    def tell(self, task: WebhookTask, account_id: str, destination: str, due_msec: int) -> object: ...


class MemoryCalls:
    """A `CallStore` in memory."""

    def __init__(self) -> None:
        self._contacts: dict[str, Key] = {}
        self._calls: dict[Key, Call] = {}
        self._lock = threading.Lock()

    def get(self, mid: str, attempt: int) -> Call | None:
        with self._lock:
            return self._calls.get((mid, attempt))

    def seal_digits(self, mid: str, digits: str) -> str:
        return f"sealed {mid} {digits.translate(_SEALED)}"

    def open(self, call: Call, expires_at: int) -> Call:  # noqa: ARG002 - nothing expires here
        key = (call.mid, call.attempt)
        with self._lock:
            if key not in self._calls:
                self._calls[key] = call
            self._renew_token(key, call.ticket)
            return self._calls[key]

    def put_command(
        self, mid: str, attempt: int, command: Command, ticket: Ticket, bounds: Bounds, now_msec: int
    ) -> tuple[bool, Call | None]:
        key = (mid, attempt)
        with self._lock:
            call = self._calls.get(key)
            if call is None or call.ended:
                return False, call
            if call.ticket.visit == ticket.visit:
                return self._renew_token(key, ticket), self._calls[key]
            asks = command.kind is Kind.ASK
            if ticket.visit < call.ticket.visit or (asks and over_limit(call, bounds, now_msec)):
                return False, call
            visits = call.visits + asks
            self._calls[key] = call._replace(seq=call.seq + 1, command=command, ticket=ticket, visits=visits)
            return True, self._calls[key]

    def advance(self, mid: str, attempt: int, command: Command, ticket: Ticket) -> tuple[bool, Call | None]:
        key = (mid, attempt)
        with self._lock:
            call = self._calls.get(key)
            machine_is_behind = call is not None and call.log_seq > call.seq
            if call is None or ticket.visit < call.ticket.visit:
                return False, call
            if call.ticket.visit == ticket.visit:
                return self._renew_token(key, ticket), self._calls[key]
            if call.log_seq < call.seq or (call.ended and not machine_is_behind):
                return False, call
            visits = call.visits + (command.kind is Kind.ASK)
            self._calls[key] = call._replace(seq=call.seq + 1, command=command, ticket=ticket, visits=visits)
            return True, self._calls[key]

    def append(self, mid: str, attempt: int, contact_id: str, entry: Entry, turn: int = 0) -> tuple[bool, Call | None]:
        def appended(call: Call) -> Call | None:
            # The first entry may be the first that is known of the contact.
            own = (None, contact_id) if entry.seq == 1 else (contact_id,)
            follows = call.log_seq == entry.seq - 1 and call.seq <= entry.seq
            if call.plan is None or is_over(call) or call.contact_id not in own or not follows:
                return None
            return call.with_entry(entry)._replace(contact_id=contact_id, turn=max(call.turn, turn))

        with self._lock:
            call = self._calls.get((mid, attempt))
            changed = appended(call) if call else None
            if changed:
                self._calls[mid, attempt] = changed
            return changed is not None, changed or call

    def decide(self, mid: str, attempt: int, decided: Decided) -> Call | None:
        def changed(call: Call) -> Call | None:
            entry = call.entry(decided.seq)
            if call.ended or entry is None or entry.decided:
                return None
            return call.with_decision(decided)

        return self._change(mid, attempt, changed) or self.get(mid, attempt)

    def _renew_token(self, key: Key, ticket: Ticket) -> bool:
        call = self._calls[key]
        if call.ended or call.ticket.visit != ticket.visit or call.ticket.retry > ticket.retry:
            return False
        self._calls[key] = call._replace(ticket=ticket)
        return True

    def begin_placing(self, mid: str, attempt: int, now_msec: int, before_msec: int) -> bool:
        def placing(call: Call) -> Call | None:
            just_now = call.placing_msec is not None and call.placing_msec >= before_msec
            if is_over(call) or call.contact_id or just_now:
                return None
            return call._replace(placing_msec=now_msec, not_placed_msec=None)

        return self._change(mid, attempt, placing) is not None

    def set_not_placed(self, mid: str, attempt: int, placing_msec: int) -> bool:
        def not_placed(call: Call) -> Call | None:
            is_ours = call.placing_msec == placing_msec
            return call._replace(placing_msec=None, not_placed_msec=placing_msec) if is_ours else None

        return self._change(mid, attempt, not_placed) is not None

    def set_refused(self, mid: str, attempt: int, refused: Refused) -> None:
        self._change(mid, attempt, lambda call: None if call.ended else call._replace(refused=refused))

    def take_turn(self, mid: str, attempt: int, contact_id: str, turn: int, reply: Reply | None = None) -> Call | None:
        def taken(call: Call) -> Call | None:
            if call.contact_id not in (None, contact_id) or call.turn >= turn:
                return None
            kept = _kept(call, reply) if reply else None
            return (kept or call)._replace(turn=turn)

        return self._change(mid, attempt, taken) or self.get(mid, attempt)

    def set_contact(self, mid: str, attempt: int, contact_id: str) -> Call | None:
        return self._change(mid, attempt, lambda call: call._replace(contact_id=call.contact_id or contact_id))

    def name_contact(self, contact_id: str, mid: str, attempt: int, expires_at: int) -> None:  # noqa: ARG002 - as above
        self._contacts[contact_id] = (mid, attempt)

    def find_contact(self, contact_id: str) -> Key | None:
        return self._contacts.get(contact_id)

    def set_answered(self, mid: str, attempt: int, contact_id: str, now_msec: int) -> Call | None:
        def answered(call: Call) -> Call | None:
            if is_over(call) or call.contact_id not in (None, contact_id):
                return None
            return call._replace(answered_msec=call.answered_msec or now_msec, contact_id=call.contact_id or contact_id)

        return self._change(mid, attempt, answered)

    def set_done(self, mid: str, attempt: int, seq: int, step: Step | None, reply: Reply | None = None) -> None:
        def done(call: Call) -> Call | None:
            if call.done_seq >= seq:
                return None
            path = (*call.path, step) if step else call.path
            kept = call.kept_reply
            newest = kept if reply is None or (kept and kept.seq > seq) else reply
            return call._replace(done_seq=seq, path=path, kept_reply=newest)

        self._change(mid, attempt, done)

    def keep_reply(self, mid: str, attempt: int, reply: Reply) -> Call | None:
        return self._change(mid, attempt, lambda call: _kept(call, reply))

    def give_up(self, mid: str, attempt: int, now_msec: int) -> Call | None:
        def given_up(call: Call) -> Call | None:
            if call.ended or call.answered_msec is not None:
                return None
            cause = call.cause or (Cause.NO_ANSWER if call.contact_id else None)
            return call._replace(gave_up_msec=call.gave_up_msec or now_msec, cause=cause)

        return self._change(mid, attempt, given_up)

    def set_stop_reason(self, mid: str, attempt: int, reason: str) -> None:
        self._change(mid, attempt, lambda call: call._replace(stop_reason=call.stop_reason or reason))

    def end(self, mid: str, attempt: int, cause: Cause, now_msec: int, *, is_guess: bool = False) -> Call | None:
        def ended(call: Call) -> Call:
            guesses = (is_guess and call.cause is None) or call.cause_is_guess
            known = call.cause or cause
            return call._replace(ended_msec=call.ended_msec or now_msec, cause=known, cause_is_guess=guesses)

        return self._change(mid, attempt, ended)

    def explain(
        self, mid: str, attempt: int, cause: Cause, answered_msec: int | None, *, is_guess: bool = False
    ) -> Call | None:
        def explained(call: Call) -> Call | None:
            answered = call.answered_msec if call.answered_msec is not None else answered_msec
            changed = call._replace(cause=cause, answered_msec=answered, cause_is_guess=is_guess)
            return changed if call.cause_is_guess else None

        return self._change(mid, attempt, explained)

    def forget(self, mid: str) -> None:
        """Drops the calls of a message."""
        with self._lock:
            attempt = 1
            while call := self._calls.pop((mid, attempt), None):
                self._contacts.pop(call.contact_id or "", None)
                attempt += 1

    def _change(self, mid: str, attempt: int, change: Callable[[Call], Call | None]) -> Call | None:
        """Stores and returns what `change` makes of a call. None: there is no call, or it is to stay as it is."""
        with self._lock:
            call = self._calls.get((mid, attempt))
            changed = change(call) if call else None
            if changed:
                self._calls[mid, attempt] = changed
            return changed


def _kept(call: Call, reply: Reply) -> Call | None:
    """The call with a reply kept for its command; None: it may not be kept (see `CallStore.keep_reply`)."""
    earlier = call.kept_reply is not None and call.kept_reply.seq >= reply.seq
    if call.ended or earlier or not call.done_seq < reply.seq == call.seq:
        return None
    return call._replace(kept_reply=reply)


@dataclass
class MemoryMessages:
    """A `MessageStore` in memory, with the pool of lines."""

    pool: MemoryPool = field(default_factory=MemoryPool)
    index: MemoryIndex = field(default_factory=MemoryIndex)
    turns: MemoryTurns = field(default_factory=MemoryTurns)
    campaigns: MemoryCampaigns = field(default_factory=MemoryCampaigns)
    brakes: dict[tuple[Brake, object], str] = field(default_factory=dict)
    """What is stopped: `paused` or `cancelled`, by list, or by account and campaign."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By account and day: those that redials have taken."""
    limits: MemoryLimits = field(default_factory=MemoryLimits)
    faults: Counter[str] = field(default_factory=Counter)
    jobs_begun: list[tuple[Stopped, int]] = field(default_factory=list)
    """What `stop_redials` has made, for the store of jobs."""
    opt_outs: MemoryOptOuts = field(default_factory=MemoryOptOuts)
    told: list[StatusEvent] = field(default_factory=list)
    """The status events, as they are written with what they tell of."""
    ends: dict[str, EndsOfList] = field(default_factory=dict)
    """The counters of lists whose sender is told when all messages have ended."""
    hooks: Hooks | None = None
    tell: Callable[[StatusEvent], object] | None = None
    """Queues an event."""
    tell_end: Callable[[Message], object] | None = None
    """Hears of each message that has ended. It must not ask this store."""
    _messages: dict[str, Message] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def held(self) -> set[str]:
        """The call attempts that have a line."""
        return set(self.pool.state.held.values())

    def get(self, mid: str) -> Message | None:
        with self._lock:
            return self._messages.get(mid)

    def add(self, messages: Sequence[Message]) -> None:
        with self._lock:
            # The ids are there: the same list's, where its request is repeated. Then nothing is to be done.
            if any(message.mid in self._messages for message in messages):
                first = self._messages.get(messages[0].mid)
                if first is None or first.list_id != messages[0].list_id:
                    raise StoreUnavailable("the id of a message is taken")
                return
            for message in messages:
                self._put(message, first_check_msec(message))

    def queue(self, message: Message, asks: tuple[Ask, ...], now_msec: int) -> bool:
        later = self._wake(message, now_msec)

        def queued(stored: Message) -> Message:
            return altered(stored, state=State.QUEUED, asks=asks)

        return self._move(message.mid, State.PREPARING, queued, later or now_msec, stands=later is None)

    def promote(self, message: Message, now_msec: int) -> bool:
        later = self._wake(message, now_msec)
        promoted = lambda stored: altered(stored, is_held=False)  # noqa: E731
        return self._move(
            message.mid, State.QUEUED, promoted, later or now_msec, stands=later is None, attempt=message.attempt
        )

    def _wake(self, message: Message, now_msec: int) -> int | None:
        """Wakes the queue in which a message is to stand, or notes when it opens, and gives None.

        If the message has a `sendAt` that is to come, does nothing and gives that moment: until then it is in no queue.
        """
        if message.send_at_msec > now_msec:
            return message.send_at_msec
        opens = opens_later_msec(message, now_msec)
        queue = (message.account_id, message.campaign, message.is_urgent)
        with self._lock:
            self.turns.wake(*queue, now_msec, window=message.window, opens_msec=opens)
        return None

    def forget_place(self, message: Message) -> None:
        self._move(message.mid, State.FINISHED, lambda stored: stored)

    def refuse(self, message: Message, outcome: Outcome, cause: str | None, now_msec: int) -> bool:
        return self._tell_if(
            self._move(
                message.mid, message.state, lambda stored: self._finish(_finished(stored, outcome, now_msec, cause))
            ),
            message,
            outcome,
            now_msec,
        )

    def refuse_unreadable(self, mid: str, before: State, outcome: Outcome, now_msec: int) -> bool:
        stored = self._messages.get(mid)
        moved = self._move(mid, before, lambda stored: self._finish(_finished(stored, outcome, now_msec)))
        return self._tell_if(moved, altered(stored, state=State.QUEUED), outcome, now_msec) if stored else moved

    def ttl_seconds_of(self, mid: str) -> int | None:
        stored = self._messages.get(mid)
        return stored.ttl_seconds if stored else None

    def _tell_if(self, has_left: bool, message: Message, outcome: Outcome | None, now_msec: int) -> bool:
        """Writes and queues the events of a change of a message, as the transaction that changes it does.

        `has_left`, which it gives back: this change has taken place. If not, another came first, and has told.
        `message`: as it was before.
        """
        if not has_left:
            return False
        of_call = message.state in (State.CALLING, State.SETTLING)
        told_of = told_of_message(message, now_msec, outcome, ends_attempt=of_call, again_msec=None)
        events = events_of(told_of)
        counter = self.ends.get(message.list_id) if message.counts_in_list and outcome else None
        with self._lock:
            if counter and outcome:
                counter.open -= 1
                counter.outcomes[outcome.outcome] += 1
                if counter.open == 0:
                    events.append(list_event(message.list_id))
            self.told += events
            if self.hooks:
                due_msec = now_msec + (QUEUE_LOST_SECONDS * 1000 if self.tell else 0)
                for event in events:
                    self.hooks.tell(status_task(event), message.account_id, destination(message.status_url), due_msec)
        if self.tell:
            for event in events:
                self.tell(event)
        return True

    def place(self, message: Message) -> None:
        """Stores a message that was read from another store, with its places in index and queue.

        A line that it holds is not taken here: the state of the pool is read too.
        """
        with self._lock:
            self._put(message, message.due_msec, stands=message.stands)

    def _finish(self, finished: Message) -> Message:
        """Tells of a message that has ended, counts it in its campaign if it has one, and gives it back."""
        if self.tell_end:
            self.tell_end(finished)
        if finished.campaign and finished.outcome:
            key = (finished.account_id, finished.campaign)
            self.campaigns.finish(key, finished.outcome, finished.finished_msec or 0)
        return finished

    def forget(self, mid: str) -> None:
        """Drops a message that has ended: it has no place in any index."""
        with self._lock:
            self._messages.pop(mid, None)

    def note_fault(self, mid: str) -> int:
        with self._lock:
            stored = self._messages.get(mid)
            if stored is None or stored.state is not State.PREPARING:
                return 0
            self.faults[mid] += 1
            return self.faults[mid]

    def claim_line(
        self, message: Message, flow_arn: str, pool: Pool, now_msec: int, charge: Charge | None = None
    ) -> Claim:
        attempt = message.attempt + 1
        if pool.lines_for(message.is_urgent) < 1:
            return LinesFull()
        with self._lock:
            stored = self._messages.get(message.mid)
            if stored is None or stored.state is not State.QUEUED or stored.attempt != message.attempt:
                return NotQueued()
            refused = self._refusal(message, pool, now_msec, charge)
            if refused:
                return refused
            name, is_urgent = holder(message.mid, attempt), message.is_urgent
            limits = limits_of(charge, pool)
            reserved = reserved_of(limits, charge)
            counts = Counts(limits, name, charge.line_msec if charge else 0, reserved)
            self.limits.count(message, counts, now_msec)
            self.pool.take(name, message.number, pool, now_msec, is_urgent=is_urgent)
            if charge:
                self.turns.charge(charge, name)
            self.campaigns.call((message.account_id, message.campaign), 1)
            called = altered(
                stored,
                state=State.CALLING,
                attempt=attempt,
                flow_arn=flow_arn,
                claimed_msec=now_msec,
                dial_wait_seconds=message.dial_wait_seconds,
                share=charge.turn.share if charge else None,
                charged_msec=charge.line_msec if charge else 0,
                is_limited=charge is not None and charge.turn.max_lines is not None,
                limits=limits,
                reserved=reserved,
                is_held=False,
            )
            self._put(called, now_msec + CALLING_CHECK_MSEC)
            return LineTaken()

    def _refusal(self, message: Message, pool: Pool, now_msec: int, charge: Charge | None) -> Claim | None:
        """Why a message gets no line now; None: it gets one.

        The first reason of several is the one that the real store tells.
        """
        names = {(message.number_digest, name) for name in message.obeyed_lists}
        if self.opt_outs.opted_out(message.account_id, names):
            return OptedOut()
        for brake, name in ((Brake.LIST, message.list_id), (Brake.CAMPAIGN, (message.account_id, message.campaign))):
            if stopped := self.brakes.get((brake, name)):
                return HeldBack(brake, is_final=stopped == "cancelled")
        moved = self.turns.refusal(charge, message.mid) if charge else None
        if isinstance(moved, HeldBack):
            return moved
        no_line = self.pool.refusal(message.number, pool, now_msec, is_urgent=message.is_urgent)
        limits = limits_of(charge, pool)
        return no_line or moved or self.limits.refusal(message, limits, now_msec, reserved_of(limits, charge))

    def caps_of(self, message: Message, now_msec: int) -> Caps:
        with self._lock:
            return self.limits.caps(message, message.limits, now_msec) if message.limits else NO_CAPS

    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:  # noqa: ARG002 - see the port
        def settling(stored: Message) -> Message:
            return altered(stored, state=State.SETTLING, settling_end=end)

        return self._leave(message, settling, now_msec, now_msec)

    def finish(self, message: Message, outcome: Outcome, now_msec: int, heard: Heard | None = None) -> bool:
        def finished(stored: Message) -> Message:
            return self._finish(_finished(stored, outcome, now_msec))

        has_left = self._leave(message, finished, None, now_msec, heard)
        # By this state `_tell_if` knows that a call attempt has ended.
        in_call = message if message.state is State.SETTLING else altered(message, state=State.CALLING)
        return self._tell_if(has_left, in_call, outcome, now_msec)

    def requeue(
        self, message: Message, redials: int, due_msec: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        def queued(stored: Message) -> Message:
            queued = altered(stored, state=State.QUEUED, redials=redials, settling_end=None)
            return altered(queued, answered_reason=message.answered_reason)

        with self._lock:
            why = self._why_not_again(message)
        if why:
            return why
        is_done = self._leave(message, queued, due_msec, now_msec, heard)
        # By this state `_tell_if` knows that a call attempt has ended.
        in_call = message if message.state is State.SETTLING else altered(message, state=State.CALLING)
        self._tell_if(is_done, in_call, None, now_msec)
        return Redialled.QUEUED if is_done else Redialled.DONE_BEFORE

    def redial(
        self, message: Message, due_msec: int, calls_per_day: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        day = (message.account_id, f"{datetime.fromtimestamp(due_msec / 1000, UTC):%Y-%m-%d}")
        with self._lock:
            if calls_per_day < 1:
                return Redialled.DAY_FULL
            if why := self._why_not_again(message):
                return why
            if self.calls[day] >= calls_per_day:
                return Redialled.DAY_FULL
            self.calls[day] += 1
        return self.requeue(message, message.redials + 1, due_msec, now_msec, heard)

    def _why_not_again(self, message: Message) -> Redialled | None:
        """Why a message that calls or settles is not to be queued again; None: it is."""
        stored = self._messages.get(message.mid)
        state = State.SETTLING if message.state is State.SETTLING else State.CALLING
        if stored is None or stored.state is not state or stored.attempt != message.attempt:
            return Redialled.DONE_BEFORE
        names = ((Brake.LIST, message.list_id), (Brake.CAMPAIGN, (message.account_id, message.campaign)))
        is_stopped = any(self.brakes.get(name) == "cancelled" for name in names)
        turn = self.turns.find(message.account_id, message.is_urgent)
        is_cancelled = stored.cancelled_msec is not None or turn.cancelled_upto >= int(message.mid)
        return Redialled.CANCELLED if is_stopped or is_cancelled else None

    def hold_back(self, message: Message, due_msec: int) -> bool:
        with self._lock:
            stored = self._messages.get(message.mid)
            is_paused = self.brakes.get((Brake.LIST, message.list_id)) == "paused"
            if stored is None or stored.state is not State.QUEUED or stored.attempt != message.attempt or not is_paused:
                return False
            self._put(altered(stored, is_held=True), due_msec)
            return True

    def stop_redials(self, message: Message, now_msec: int, *, hangs_up: bool) -> bool:
        with self._lock:
            stored = self._messages.get(message.mid)
            if stored is None or stored.state is not message.state or stored.attempt != message.attempt:
                return False
            hangup_msec = (stored.hangup_msec or now_msec) if hangs_up else stored.hangup_msec
            changed = altered(stored, cancelled_msec=stored.cancelled_msec or now_msec, hangup_msec=hangup_msec)
            self._messages[message.mid] = changed
            if hangs_up:
                self.jobs_begun.append((Stopped(Brake.MESSAGE, message.account_id, message.mid), now_msec))
            return True

    def due(self, state: State, now_msec: int, limit: int) -> list[str]:
        with self._lock:
            return self.index.due(state, now_msec, limit)

    def to_promote(self, now_msec: int, limit: int) -> list[str]:
        with self._lock:
            return self.index.due_in(LATER, now_msec, limit)

    def postpone(self, mid: str, state: State, due_msec: int, attempt: int | None = None) -> None:
        self._move(mid, state, lambda message: message, due_msec, attempt=attempt)

    def _leave(
        self,
        message: Message,
        change: Callable[[Message], Message],
        due_msec: int | None,
        now_msec: int,
        heard: Heard | None = None,
    ) -> bool:
        """Ends a message's call, or its settling, with all that is counted by it.

        `change` makes the message that is stored. False: the message was not in this attempt any more. Its line is
        given back at the end of the call, not of the settling.
        """
        state = State.SETTLING if message.state is State.SETTLING else State.CALLING
        with self._lock:
            stored = self._messages.get(message.mid)
            if stored is None or stored.state is not state or stored.attempt != message.attempt:
                return False
            if state is State.CALLING:
                name = holder(message.mid, message.attempt)
                self.pool.give_back(name, message.number)
                self.campaigns.call((message.account_id, message.campaign), -1)
                if message.share is not None:
                    line_msec = max(now_msec - (message.claimed_msec or now_msec), 0)
                    owed = cost(line_msec - message.charged_msec, message.share)
                    queue = (message.account_id, message.campaign, message.is_urgent, message.window)
                    self.turns.settle(queue, name, line_msec, owed, is_limited=message.is_limited)
            changed = change(stored)
            self.limits.end(message, now_msec, gives_back=state is State.CALLING, is_over=not changed.settling_end)
            self._put(changed, due_msec)
            if heard and stored.funnel:
                self.campaigns.hear((stored.account_id, stored.campaign), stored.funnel, stored.mid, heard)
            return True

    def _move(
        self,
        mid: str,
        before: State,
        change: Callable[[Message], Message],
        due_msec: int | None = None,
        *,
        stands: bool = False,
        attempt: int | None = None,
    ) -> bool:
        """Changes a message if it is in the state `before`, and in this `attempt` (None: in any); whether it was.

        `due_msec` and `stands`: see `_put`.
        """
        with self._lock:
            stored = self._messages.get(mid)
            if stored is None or stored.state is not before or attempt not in (None, stored.attempt):
                return False
            self._put(change(stored), due_msec, stands=stands)
            return True

    def _put(self, message: Message, due_msec: int | None, *, stands: bool = False) -> None:
        """Stores a message, with its places in the index (by `due_msec`) and, if it `stands` in one, in its queue.

        If it stands, the `due_msec` that is given does not count: its moment is that of `waiting_values`.
        """
        if stands:
            due_msec = waiting_values(message)[":due"]
        stored = self._messages.get(message.mid)
        # finish_copy writes into the message, so it has to be ours: neither the one that `add` was given, nor the very
        # one that is stored (`is`), which readers may have. Any other is a copy that was made for this.
        if stored is None or stored is message:
            message = altered(message)
        finish_copy(message, due_msec=due_msec, stands=stands)
        self._messages[message.mid] = message
        is_later = message.state is State.QUEUED and not stands
        self.index.put(message.mid, LATER if is_later else shard_name(message.mid, message.state), due_msec)
        partition = waiting_partition(message.account_id, message.campaign, message.is_urgent, message.window)
        self.turns.places.put(message.mid, partition, waiting_place(message.mid) if stands else None)


def _finished(message: Message, outcome: Outcome, now_msec: int, cause: str | None = None) -> Message:
    """The message as it is stored when it has ended."""
    return altered(
        message,
        state=State.FINISHED,
        settling_end=None,
        outcome=outcome.outcome,
        reason=outcome.reason,
        cause=cause,
        finished_msec=now_msec,
        expires_at=kept_after_end(now_msec, message.keep_days) if message.keep_days else message.expires_at,
    )
