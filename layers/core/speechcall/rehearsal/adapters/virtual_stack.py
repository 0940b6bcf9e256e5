"""A stack in memory for one rehearsal: its stores hold what waits in the real one now."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from speechcall.messages.rules.message import Message
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.rehearsal.use_cases.rehearse import Stores


@contextmanager
def uncollected() -> Iterator[None]:
    """Around rehearsals in a process of their own: they leave no circles, and a collector would search all messages."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Standing(NamedTuple):
    """Who waits, and who holds a line, as it was read."""

    lines: PoolState = PoolState()
    turns: Sequence[Turn] = ()
    queues: Sequence[Queue] = ()
    messages: Sequence[Message] = ()
    """Those that are queued, in calls, or prepared."""
    stopped: Mapping[tuple[Brake, object], str] = MappingProxyType({})
    """Lists by id, campaigns by account and name: `paused`, or `cancelled`."""


def stores_of(standing: Standing) -> Stores:
    """Stores in memory that hold what stands in the real ones. Each rehearsal gets its own, and changes only these."""
    messages = MemoryMessages()
    messages.pool.state = standing.lines._replace(held=dict(standing.lines.held))
    for turn in standing.turns:
        # What calls cost is not known here; with a limit, and without prices, none would begin.
        messages.turns.change(replace(turn, spend_per_day=None))
    for queue in standing.queues:
        messages.turns.change(queue)
    messages.brakes.update(standing.stopped)
    for one in standing.messages:
        messages.place(one)

    def listen(told: Callable[[Message], object]) -> None:
        messages.tell_end = told

    return Stores(messages, messages.turns, messages.pool, MemoryCalls(), messages.opt_outs, listen)
