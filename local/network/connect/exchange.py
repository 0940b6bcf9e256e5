"""What all calls of a carrier share: the flow, the timers, the threads and the ways out to our system."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from local.common.journal import Journal
from local.common.workers import Workers
from local.network.connect.flow import Flow
from local.network.connect.settings import CarrierSettings
from local.network.shared.clock import Clock
from local.network.shared.faults import Chance
from local.network.shared.invoker import Invoker
from local.network.shared.prompts import PromptStore

_log = logging.getLogger(__name__)


class Outbox:
    """Hands events to the bus one after the other, so that no call waits for it.

    `deliveries` says after how many seconds an event is handed over, each time that it is; (0.0,) for each
    keeps their order.
    """

    def __init__(
        self,
        emit: Callable[[dict[str, Any]], None],
        clock: Clock,
        deliveries: Callable[[Mapping[str, Any]], Sequence[float]],
    ) -> None:
        self._emit, self._clock, self._deliveries = emit, clock, deliveries
        self._events: SimpleQueue[dict[str, Any] | None] = SimpleQueue()

    def put(self, event: dict[str, Any]) -> None:
        """Have the event put on the bus soon."""
        for seconds in self._deliveries(event):
            if seconds:
                self._clock.after(seconds, lambda: self._events.put(event))
            else:
                self._events.put(event)

    def run(self) -> None:
        """Hand over events until `stop`. An event that the bus does not take is lost, as best effort allows."""
        while (event := self._events.get()) is not None:
            try:
                self._emit(event)
            except Exception:  # noqa: BLE001 - the bus's trouble must not stop the calls
                _log.exception("a contact event could not be put on the bus")

    def stop(self) -> None:
        """Let `run` return when what was put before is handed over."""
        self._events.put(None)


@dataclass(frozen=True)
class Exchange:
    """Handed to every call."""

    settings: CarrierSettings
    flow: Flow
    invoke: Invoker
    prompts: PromptStore
    journal: Journal
    clock: Clock
    outbox: Outbox
    workers: Workers
    chance: Chance
    call_back_flow: Flow | None = None
    """What runs for who calls the claimed number; None: nothing is associated with it."""
