"""What limits for calls count, in memory, as `caps_store` counts it. The lock of `MemoryMessages`, which owns it, makes
counting one step with the messages' states.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from speechcall.messages.adapters.caps_store import OPEN_AGAIN_MSEC
from speechcall.messages.rules.dial_times import Caps, Counted, Counts, next_day_msec, still_counted
from speechcall.messages.rules.message import Message
from speechcall.messages.use_cases.message_ports import Capped
from speechcall.shared.rules.ids import holder

MINUTE = 60_000


@dataclass
class MemoryLimits:
    """The calls to each number, and what the calls of each account's day came to.

    A day is known by its account and the midnight (UTC, in ms) that ends it.
    """

    calls: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """By account (empty: all of the stack) and number: each attempt, with the moment at which it took its line."""
    used: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Of a day: how long its calls were, in ms."""
    open: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Of a day: how many of its calls are not over, and are counted with what they may take or cost."""
    spent: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Of a day: what its calls have cost, in millionths."""

    def caps(self, message: Message, limits: Mapping[str, int], now_msec: int) -> Caps:
        """As `read_caps`: what the end of the message's latest call will give back does not count any more."""
        is_of_today = next_day_msec(message.claimed_msec or now_msec) == next_day_msec(now_msec)
        talked_msec = 0 if message.was_not_placed else message.talked_msec
        gives_back = message.charged_msec - talked_msec if is_of_today and talked_msec is not None else 0
        not_placed = holder(message.mid, message.attempt) if message.was_not_placed else ""
        caps = self._caps(message, limits, now_msec, gives_back, not_placed)
        spent = self.spent[message.account_id, next_day_msec(now_msec)] - (_gives_back(message) if is_of_today else 0)
        if "spend" in limits and spent + message.reserved > limits["spend"]:
            return caps._replace(spent_until_msec=next_day_msec(now_msec))
        return caps

    def _caps(
        self,
        message: Message,
        limits: Mapping[str, int],
        now_msec: int,
        gives_back_msec: int = 0,
        not_placed: str = "",
    ) -> Caps:
        """What is counted now. `not_placed`: an attempt that is going to be taken from the number's calls."""
        counted = tuple(
            Counted(limits[limit], tuple(sorted(at for name, at in self.calls[key].items() if name != not_placed)))
            for limit, key in _keys(message, limits)
        )
        used = self.used[message.account_id, next_day_msec(now_msec)]
        is_spent = "minutes" in limits and used - gives_back_msec >= limits["minutes"] * MINUTE
        return Caps(counted, next_day_msec(now_msec) if is_spent else 0)

    def refusal(self, message: Message, limits: Mapping[str, int], now_msec: int, reserved: int = 0) -> Capped | None:
        """The limits by which a message may not be called now, as the conditions of `claim_parts` see them.

        None: it may. `reserved`: what the call may cost at most, in millionths. While a call of a day is open, its end
        may give minutes or money back: so a day that is used up is looked at again in a minute.
        """
        caps, day = self._caps(message, limits, now_msec), next_day_msec(now_msec)
        if "spend" in limits and self.spent[message.account_id, day] + reserved > limits["spend"]:
            caps = caps._replace(spent_until_msec=day)
        reached = tuple(one for one in caps.counted if one.allows_msec > now_msec)
        is_open = self.open[message.account_id, day] > 0
        spent = caps.spent_until_msec and (min(now_msec + OPEN_AGAIN_MSEC, day) if is_open else day)
        return Capped(Caps(reached, spent)) if caps.allow_msec > now_msec else None

    def count(self, message: Message, counts: Counts, now_msec: int) -> None:
        """As `claim_parts` does. Calls to a number that count no more are forgotten only if it would have too many."""
        limits, day = counts.limits, (message.account_id, next_day_msec(now_msec))
        for limit, key in _keys(message, limits):
            if len(self.calls[key]) >= limits[limit]:
                counted = still_counted(self.calls[key].values(), now_msec)
                self.calls[key] = {by: moment for by, moment in self.calls[key].items() if moment in counted}
            self.calls[key][counts.name] = now_msec
        if "minutes" in limits:
            self.used[day] += counts.estimate_msec
        self.spent[day] += counts.reserved
        self.open[day] += bool({"minutes", "spend"} & limits.keys())

    def end(self, message: Message, now_msec: int, *, gives_back: bool, is_over: bool) -> None:
        """As `end_parts` corrects what was counted; `gives_back` and `is_over` are said there."""
        claimed_msec = message.claimed_msec or now_msec
        if gives_back and message.was_not_placed:
            for _, key in _keys(message, message.limits):
                self.calls[key].pop(holder(message.mid, message.attempt), None)
        if is_over and "minutes" in message.limits:
            otherwise = max(now_msec - claimed_msec, 0) if gives_back else message.charged_msec
            used = 0 if message.was_not_placed else message.talked_msec
            self.used[message.account_id, next_day_msec(claimed_msec)] += (
                otherwise if used is None else used
            ) - message.charged_msec
        if is_over:
            day = (message.account_id, next_day_msec(claimed_msec))
            self.spent[day] -= _gives_back(message)
            self.open[day] -= bool({"minutes", "spend"} & message.limits.keys())


def _gives_back(message: Message) -> int:
    """What is left of the amount reserved for a call that is over, in millionths; 0 where its cost is not known."""
    kept = 0 if message.was_not_placed else message.reserved if message.spent is None else message.spent
    return message.reserved - kept


def _keys(message: Message, limits: Mapping[str, int]) -> list[tuple[str, tuple[str, str]]]:
    owners = {"account": message.account_id, "stack": ""}
    return [(limit, (owner, message.number)) for limit, owner in owners.items() if limit in limits]
