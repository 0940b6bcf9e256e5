"""What all calls of the simulated application share: the function, the timers, the threads, and the journal."""

from dataclasses import dataclass

from local.common.journal import Journal
from local.common.workers import Workers
from local.network.chime.settings import ChimeSettings
from local.network.shared.clock import Clock
from local.network.shared.invoker import Invoker
from local.network.shared.prompts import PromptStore


@dataclass(frozen=True)
class Switch:
    """Handed to every call."""

    settings: ChimeSettings
    invoke: Invoker
    prompts: PromptStore
    journal: Journal
    clock: Clock
    workers: Workers
