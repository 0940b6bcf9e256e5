"""The pool in memory. Its owner's lock makes taking and giving back one step with the messages' states."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.lines import PoolSetting, PoolState
from speechcall.messages.use_cases.message_ports import Claim, LinesFull, NumberBusy, TooSoon


@dataclass
class MemoryPool:
    """A `PoolStore` in memory."""

    state: PoolState = field(default_factory=PoolState)

    def read(self) -> PoolState:
        return self.state._replace(held=dict(self.state.held))

    def choose(self, changes: Mapping[PoolSetting, int | None]) -> None:
        wanted: dict[str, Any] = dict(changes.items())
        self.state = self.state._replace(**wanted)

    def tell_stack(self, stack: Pool) -> None:
        self.state = self.state._replace(stack=stack)

    def tell_waiting(self, shares: int, now_msec: int) -> None:
        self.state = self.state._replace(waiting_shares=shares, waiting_told_msec=now_msec)

    def slow_down(self, next_msec: int) -> None:
        self.state = self.state._replace(next_msec=max(self.state.next_msec, next_msec))

    def release(self, holder: str, number: str) -> bool:
        if self.state.held.get(number) != holder:
            return False
        self.give_back(holder, number)
        return True

    def forget_strays(self, strays: Collection[str]) -> None:
        if strays:
            raise NotImplementedError("no release before writes here")

    def refusal(self, number: str, pool: Pool, now_msec: int, *, is_urgent: bool) -> Claim | None:
        """Why no line can be taken, as `why_no_line` says; None: one can."""
        held, normal = self.state.held, self.state.normal
        rest_is_for_urgent = pool.urgent_lines and not is_urgent and len(normal) >= pool.lines_for(is_urgent=False)
        if len(held) >= pool.lines or rest_is_for_urgent:
            return LinesFull()
        if number in held:
            return NumberBusy()
        if self.state.next_msec > now_msec:
            return TooSoon(self.state.next_msec)
        return None

    def take(self, holder: str, number: str, pool: Pool, now_msec: int, *, is_urgent: bool) -> None:
        """As `take_line` does."""
        next_msec = now_msec + pool.slot_msec
        held = self._held()
        held[number] = holder
        normal = self.state.normal | {holder} if pool.urgent_lines and not is_urgent else self.state.normal
        self.state = self.state._replace(held=held, normal=normal, next_msec=next_msec)

    def give_back(self, holder: str, number: str) -> None:
        """As `give_back` does."""
        held = self._held()
        if held.get(number) == holder:
            del held[number]
        self.state = self.state._replace(held=held, normal=self.state.normal - {holder})

    def _held(self) -> dict[str, str]:
        """The numbers in calls, with their holders, to be changed in place: to copy them all each time would be slow.

        A reader's state has a copy of its own (`read`).
        """
        held = self.state.held
        return held if isinstance(held, dict) else dict(held)
