"""What limits calls counts, in memory. Its owner's lock makes counting one step with the messages' states."""

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
    """The calls to each number, of an account or (empty) of all, and the minutes of each account's day."""

    calls: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    used: Counter[tuple[str, int]] = field(default_factory=Counter)
    open: Counter[tuple[str, int]] = field(default_factory=Counter)
    spent: Counter[tuple[str, int]] = field(default_factory=Counter)

    def caps(self, message: Message, limits: Mapping[str, int], now_msec: int) -> Caps:
        """As `read_caps`: what the end of the message's latest call will give back does not count any more."""
        talked_msec = 0 if message.was_not_placed else message.talked_msec
        caps = self._caps(message, limits, now_msec, 0 if talked_msec is None else message.charged_msec - talked_msec)
        spent = self.spent[message.account_id, next_day_msec(now_msec)] - _gives_back(message)
        if "spend" in limits and spent + message.reserved > limits["spend"]:
            return caps._replace(spent_until_msec=next_day_msec(now_msec))
        return caps

    def _caps(self, message: Message, limits: Mapping[str, int], now_msec: int, gives_back_msec: int = 0) -> Caps:
        counted = tuple(
            Counted(limits[limit], tuple(sorted(self.calls[key].values()))) for limit, key in _keys(message, limits)
        )
        used = self.used[message.account_id, next_day_msec(now_msec)]
        is_spent = "minutes" in limits and used - gives_back_msec >= limits["minutes"] * MINUTE
        return Caps(counted, next_day_msec(now_msec) if is_spent else 0)

    def refusal(self, message: Message, limits: Mapping[str, int], now_msec: int, reserved: int = 0) -> Capped | None:
        """The limits by which a message may not be called now, as the conditions of `claim_parts` see them.

        None: it may. `reserved`: what the call may cost. While a call is open, its end may give money back, so a day
        that is spent is looked at again before it ends.
        """
        caps, day = self._caps(message, limits, now_msec), next_day_msec(now_msec)
        if "spend" in limits and self.spent[message.account_id, day] + reserved > limits["spend"]:
            caps = caps._replace(spent_until_msec=day)
        reached = tuple(one for one in caps.counted if one.allows_msec > now_msec)
        is_open = self.open[message.account_id, day] > 0
        spent = caps.spent_until_msec and (min(now_msec + OPEN_AGAIN_MSEC, day) if is_open else day)
        return Capped(Caps(reached, spent)) if caps.allow_msec > now_msec else None

    def count(self, message: Message, counts: Counts, now_msec: int) -> None:
        """As `claim_parts` does. Calls that count no more are forgotten only when there would be too many."""
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
        """As `end_parts` does."""
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
    kept = 0 if message.was_not_placed else message.reserved if message.spent is None else message.spent
    return message.reserved - kept


def _keys(message: Message, limits: Mapping[str, int]) -> list[tuple[str, tuple[str, str]]]:
    owners = {"account": message.account_id, "stack": ""}
    return [(limit, (owner, message.number)) for limit, owner in owners.items() if limit in limits]
