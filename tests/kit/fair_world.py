"""Accounts that share the lines of a `dialling_world`: shares, urgent messages, and what is stopped at some moment.

It writes down for how long each call held its line, and what was stopped when; the test says what is right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from speechcall.campaigns.rules.funnel import Heard
from speechcall.menus.rules.menu import OWN_LIST
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, Claim, LineTaken, Redialled
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.shared.rules.ids import holder, new_ids, parse_holder
from speechcall.shared.rules.outcome import End, Outcome
from tests.kit.dialling_world import BATCH, NONE, Troubles, Watched, World
from tests.kit.samples import ASK, MESSAGE


@dataclass
class Lines:
    """Who held a line, from when to when; in the order of the claims."""

    began: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)


class Timed(Watched):
    """The store, which writes down when lines are taken and given back."""

    lines: Lines

    def claim_line(
        self, message: Message, flow_arn: str, pool: Pool, now_msec: int, charge: Charge | None = None
    ) -> Claim:
        claim = super().claim_line(message, flow_arn, pool, now_msec, charge)
        if isinstance(claim, LineTaken):
            self.lines.began[holder(message.mid, message.attempt + 1)] = now_msec
        return claim

    def finish(self, message: Message, outcome: Outcome, now_msec: int, heard: Heard | None = None) -> bool:
        return self._note(message, super().finish(message, outcome, now_msec, heard), now_msec)

    def settle(self, message: Message, end: End, guess: Outcome, now_msec: int) -> bool:
        return self._note(message, super().settle(message, end, guess, now_msec), now_msec)

    def requeue(
        self, message: Message, redials: int, due_msec: int, now_msec: int, heard: Heard | None = None
    ) -> Redialled:
        done = super().requeue(message, redials, due_msec, now_msec, heard)
        self._note(message, done is Redialled.QUEUED, now_msec)
        return done

    def _note(self, message: Message, done: bool, now_msec: int) -> bool:
        if done and message.state is State.CALLING:
            self.lines.ended[holder(message.mid, message.attempt)] = now_msec
        return done


class FairWorld(World):
    """Accounts with shares; `arrive` is a list of one of them."""

    store = Timed

    def __init__(
        self,
        seed: int,
        pool: Pool,
        shares: Mapping[str, int],
        troubles: Troubles = NONE,
        call_seconds: tuple[float, ...] = (15, 30, 60, 90, 150),
        max_lines: Mapping[str, int] | None = None,
        calls_per_number: Mapping[str, int] | None = None,
        minutes_per_day: Mapping[str, int] | None = None,
    ):
        super().__init__(seed, pool, troubles, call_seconds)
        self.messages.lines = self.lines = Lines()  # type: ignore[attr-defined]
        self.shares, self.accounts = dict(shares), list(shares)
        self.ready: dict[str, int] = {}
        """When each message was queued."""
        self.cancelled: dict[str, int] = {}
        """When each list was cancelled."""
        self.opted_out: dict[str, int] = {}
        """When the number of each of these messages opted out of what the message obeys."""
        self.numbers: dict[str, list[str]] = {}
        """Whom an account calls; where that is not said, each message is to a number of its own."""
        self.paused: list[tuple[str, int, int]] = []
        """Which account was paused, from when to when."""
        turns = self.messages.turns
        for account, share in shares.items():
            for is_urgent in (False, True):
                most = None if is_urgent else (max_lines or {}).get(account)
                limits: dict[str, Any] = {
                    "calls_per_number": (calls_per_number or {}).get(account),
                    "minutes_per_day": (minutes_per_day or {}).get(account),
                }
                turns.change(replace(turns.find(account, is_urgent), share=share, max_lines=most, **limits))

    def arrive(self, account: str, count: int, at_seconds: float = 0, **fields: Any) -> None:
        """So many messages of an account arrive, a hundred a list and a list a second."""
        for first in range(0, count, BATCH):
            number = min(BATCH, count - first)
            self.play.after(at_seconds + first / BATCH, lambda number=number: self._list(account, number, fields))  # type: ignore[misc]

    def _list(self, account: str, count: int, fields: Mapping[str, Any]) -> None:
        now = self.now_msec()
        list_id, *mids = new_ids(count + 1, now, self.random.getrandbits)
        base = replace(MESSAGE, list_id=list_id, account_id=account, created_msec=now, ttl_seconds=172_800)
        digest = self.messages.opt_outs.digest
        made = [replace(base, mid=mid, **{"number": self._number(account, mid), **fields}) for mid in mids]
        made = [replace(one, number_digest=digest(one.number)) for one in made]
        self.messages.add(made)
        for one in made:
            self.messages.queue(one, (ASK,), now)
            self.ready[one.mid] = now
        self._ids += mids
        self.wake(tuple(mids))

    def _number(self, account: str, mid: str) -> str:
        return self.random.choice(self.numbers[account]) if account in self.numbers else f"+{mid[-14:]}"

    def cancel(self, list_id: str) -> None:
        """No call of a list begins from now on."""
        self.messages.brakes[Brake.LIST, list_id] = "cancelled"
        self.cancelled[list_id] = self.now_msec()

    def opt_out(self, message: Message) -> None:
        """The number of a message opts out, of its account or of a list that the message may not obey."""
        name = self.random.choice([OWN_LIST, "news", "sales"])
        entry = OptOut(name, message.number_digest, "67", self.now_msec(), By.KEY, message.mid)
        self.messages.opt_outs.add(message.account_id, entry)
        if name in message.obeyed_lists:
            self.opted_out.setdefault(message.mid, self.now_msec())

    def pause(self, account: str, seconds: float) -> None:
        """No call of an account begins for a while."""
        turns, begin = self.messages.turns, self.now_msec()
        for is_urgent in (False, True):
            turns.change(replace(turns.find(account, is_urgent), is_paused=True))
        self.paused.append((account, begin, begin + round(seconds * 1000)))
        self.play.after(seconds, lambda: self._resume(account))

    def _resume(self, account: str) -> None:
        turns = self.messages.turns
        for is_urgent in (False, True):
            turns.change(replace(turns.find(account, is_urgent), is_paused=False))
        turns._woken.clear()
        for queue in turns.all_of(account)[1]:
            turns.wake(account, queue.campaign, queue.is_urgent, self.now_msec())

    def account_of(self, name: str) -> str:
        """Whose a call attempt is."""
        return self.messages._messages[parse_holder(name)[0]].account_id

    def line_seconds(self, begin: int, end: int, owner: Callable[[str], str] | None = None) -> dict[str, float]:
        """For how long each `owner` of a call (without it, each account) held lines between two moments, in seconds."""
        found = dict.fromkeys(self.accounts, 0.0) if owner is None else {}
        for name, began in self.lines.began.items():
            held, whose = min(self.lines.ended[name], end) - max(began, begin), (owner or self.account_of)(name)
            found[whose] = found.get(whose, 0.0) + max(held, 0) / 1000
        return found
