"""A stack in memory for one rehearsal: its stores hold what waits in the real one now."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from speechcall.messages.rules.message import Message
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.rehearsal.use_cases.rehearse import Stores


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
    """Fresh stores: what is rehearsed in them changes nothing else."""
    messages = MemoryMessages()
    messages.pool.state = standing.lines._replace(held=dict(standing.lines.held))
    for turn in standing.turns:
        messages.turns.change(turn)
    for queue in standing.queues:
        messages.turns.change(queue)
    messages.brakes.update(standing.stopped)
    for one in standing.messages:
        messages.place(one)

    def listen(told: Callable[[Message], object]) -> None:
        messages.tell_end = told

    return Stores(messages, messages.turns, messages.pool, MemoryCalls(), messages.opt_outs, listen)
