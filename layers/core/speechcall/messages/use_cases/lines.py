"""The pool of lines, as operators and dialers see it."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from speechcall.messages.rules.pool import Capacity, Pool


class PoolState(NamedTuple):
    """The pool as it is stored: what an operator has chosen, what the stack says, and who holds a line."""

    lines: int | None = None
    calls_per_second: int | None = None
    stack: Pool | None = None
    """As the dialer last told it; None: no dialer has run yet."""
    held: Mapping[str, str] = MappingProxyType({})
    """The numbers in a call, each with the call attempt that holds a line for it."""
    normal: frozenset[str] = frozenset()
    """The call attempts that are not urgent, `strays` with them, where lines are kept free for urgent ones."""
    strays: frozenset[str] = frozenset()
    """What stands among `normal` and not among `held`: a release that knows no urgent messages has ended its call."""
    next_msec: int = 0
    """The rate's next free moment."""
    waiting_shares: int = 0
    """The sum of the shares of the accounts that wait for a line, as a sweep last told it."""
    waiting_told_msec: int = 0

    def in_effect(self, stack: Pool) -> Pool:
        """The pool that dialers work with: what an operator has chosen, else what the stack's parameters say."""
        return Pool(
            stack.lines if self.lines is None else self.lines,
            stack.calls_per_second if self.calls_per_second is None else self.calls_per_second,
            stack.urgent_lines,
            stack.calls_per_number,
        )

    def capacity(self, stack: Pool) -> Capacity:
        """What messages that are not urgent share, for estimates."""
        pool = self.in_effect(stack)
        lines = pool.lines_for(is_urgent=False)
        return Capacity(lines, pool.calls_per_second, self.waiting_shares, self.waiting_told_msec)


PoolSetting = Literal["lines", "calls_per_second"]


class PoolStore(Protocol):
    """The pool of lines. Lines are taken and given back with the messages' states: see MessageStore."""

    def read(self) -> PoolState:
        """Strongly consistent."""

    def choose(self, changes: Mapping[PoolSetting, int | None]) -> None:
        """What an operator wants instead of the stack's parameters; None: as the stack says."""

    def tell_stack(self, stack: Pool) -> None:
        """Writes down what the stack's parameters are."""

    def tell_waiting(self, shares: int, now_msec: int) -> None:
        """Writes down the sum of the shares that wait."""

    def slow_down(self, next_msec: int) -> None:
        """No line is taken before a moment; a later one stays."""

    def release(self, holder: str, number: str) -> bool:
        """Takes a line from a call attempt that is not live any more. False: it holds none."""

    def forget_strays(self, strays: Collection[str]) -> None:
        """Takes `PoolState.strays` out of the normal ones."""
