"""One order of a race between dialers and others: actors on one clock, on the stores' own tables."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Cause
from speechcall.calls.use_cases.leave_call import leave_call
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.outcome import Outcome
from tests.kit.races.interleaving import Actor, Interleaving
from tests.kit.races.tables import RaceTables
from tests.kit.samples import CALL, NOW

POOL = Pool(lines=50, calls_per_second=1000)
BUSY = Outcome("busy", "busy")


class CountedMessages(DynamoMessages):
    """The store, which counts the ends of each message, and notes its claims."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ends: Counter[str] = Counter()
        self.claimed: list[str] = []
        self.refused = 0

    def finish(self, message: Any, outcome: Any, now_msec: int, heard: Any = None) -> bool:
        done = super().finish(message, outcome, now_msec, heard)
        self.ends[message.mid] += done
        return done

    def refuse(self, message: Any, outcome: Any, cause: Any, now_msec: int) -> bool:
        done = super().refuse(message, outcome, cause, now_msec)
        self.ends[message.mid] += done
        return done

    def claim_line(self, message: Any, *given: Any) -> Any:
        claim = super().claim_line(message, *given)
        if isinstance(claim, LineTaken):
            self.claimed.append(message.mid)
        else:
            self.refused += 1
        return claim


class DiallingOrder:
    """It is the clock and the flows of everybody too. In: empty tables, and the seed of what chance decides."""

    def __init__(self, tables: RaceTables, seed: int) -> None:
        tables.clear()
        self.tables, self.random, self.account = tables, Random(seed), f"acme{seed}"
        self.play = Interleaving(self.random, NOW)
        self.messages = CountedMessages(tables.client, *tables.names)
        self.lines = DynamoPool(tables.client, tables.names[1])

    # -------------------------------------------------------------- for everybody
    def now_msec(self) -> int:
        return self.play.msec

    def sleep(self, seconds: float) -> None:
        if self.play.current:
            self.play.sleep(seconds)
        else:
            self.later(seconds)

    def later(self, seconds: float) -> None:
        """Outside of all actors: time passes."""
        self.play.msec += round(seconds * 1000)

    def publish(self, _menus: Any) -> str:
        return "arn:flow"

    def start(self, _arn: str, _name: str, _given: Any) -> bool:
        return True

    # ------------------------------------------------------------------ a run
    def dial(self, named: Sequence[str] = ()) -> None:
        """A run of the dialer; with names, one that these messages woke."""
        end = self.now_msec() + 30_000
        dial_messages(
            named,
            messages=self.messages,
            turns=self.messages.turns,
            flows=self,
            lines=self.lines,
            stack=POOL,
            clock=self,
            time_left=lambda: (end - self.now_msec()) / 1000,
            brings_back=not named,
        )

    def end_busy(self, message: Message) -> None:
        """Who is called is busy; they may be dialled again."""
        call = CALL._replace(mid=message.mid, attempt=message.attempt, ended_msec=self.now_msec(), cause=Cause.BUSY)
        account = Account(message.account_id, ("*",))
        while True:
            try:
                leave_call(message, call, BUSY, self.messages, self.now_msec(), lambda _: account)
            except StoreUnavailable:
                continue
            return

    def run(self, *actors: Callable[[], object]) -> None:
        """All of them at once, each beginning a little later or sooner. Raises what one of them raised."""
        done: list[Actor] = []
        for number, actor in enumerate(actors):
            delay = self.random.choice((0, 0, 0.01, 0.05, 0.2, self.random.random()))
            self.play.after(delay, partial(self._begin, f"actor {number}", actor, done))
        with self.tables.stepping(self.play.step):
            self.play.run()
        for one in done:
            if one.error:
                raise one.error
        assert len(done) == len(actors)

    def _begin(self, name: str, actor: Callable[[], object], done: list[Actor]) -> None:
        done.append(self.play.spawn(name, actor))
