"""What all calls of the simulated application share: the function, the timers, the threads, and the journal."""

from dataclasses import dataclass

from local.carrier.chime.settings import ChimeSettings
from local.carrier.clock import Clock
from local.carrier.invocation import Invoker
from local.carrier.prompts import PromptStore
from local.journal import Journal
from local.workers import Workers


@dataclass(frozen=True)
class Switch:
    """Handed to every call."""

    settings: ChimeSettings
    invoke: Invoker
    prompts: PromptStore
    journal: Journal
    clock: Clock
    workers: Workers
