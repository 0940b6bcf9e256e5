"""A stack in memory for one rehearsal: its stores hold what waits in the real one now."""

import gc
import logging
import threading
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

_ACTING = ("speechcall.calls.", "speechcall.dialling.", "speechcall.messages.")
"""The loggers of what acts in a rehearsal."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Around rehearsals in a process of their own: a collector would search all messages, over and over.

    What they leave behind is collected once, at the end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@contextmanager
def apart() -> Iterator[None]:
    """Around one rehearsal in a function: as `uncollected`, and nothing that this thread does is logged as if it had
    happened.
    """
    thread = threading.get_ident()
    loggers = [one for name, one in [*logging.root.manager.loggerDict.items()] if name.startswith(_ACTING)]
    is_anothers = lambda record: record.thread != thread  # noqa: E731
    for one in loggers:
        if isinstance(one, logging.Logger):
            one.addFilter(is_anothers)
    try:
        with uncollected():
            yield
    finally:
        for one in loggers:
            if isinstance(one, logging.Logger):
                one.removeFilter(is_anothers)


class Standing(NamedTuple):
    """Who waits, and who holds a line, as it was read."""

    lines: PoolState = PoolState()
    turns: Sequence[Turn] = ()
    queues: Sequence[Queue] = ()
    messages: Sequence[Message] = ()
    """Those that are queued, in calls, or prepared."""
    stopped: Mapping[tuple[Brake, object], str] = MappingProxyType({})
    """`paused` or `cancelled`: lists by id, campaigns by account and name (read from a stack: lists alone)."""


def stores_of(standing: Standing) -> Stores:
    """Stores in memory that hold what stands in the real ones. Each rehearsal gets its own, and changes only these."""
    messages = MemoryMessages()
    messages.pool.state = standing.lines._replace(held=dict(standing.lines.held))
    for turn in standing.turns:
        # What calls cost is not known here; with a limit, and without prices, none would begin.
        messages.turns.change(replace(turn, spend_per_day=None))
    for is_urgent in (False, True):
        # Where those stand that are served now. Who waits from now on begins there, as in the stack: not at 0, before
        # everybody.
        served = [turn.virtual for turn in standing.turns if turn.is_urgent == is_urgent and turn.is_waiting]
        messages.turns.clocks[is_urgent] = min(served, default=0)
    for queue in standing.queues:
        messages.turns.change(queue)
    messages.brakes.update(standing.stopped)
    for one in standing.messages:
        messages.place(one)

    def listen(told: Callable[[Message], object]) -> None:
        messages.tell_end = told

    calls = MemoryCalls()

    def forget(mid: str) -> None:
        calls.forget(mid)
        messages.forget(mid)

    return Stores(messages, messages.turns, messages.pool, calls, messages.opt_outs, listen, forget)
