"""The simulated carrier as a whole: Amazon Connect's API, the calls, and the phone page."""

import logging
from collections.abc import Callable
from typing import Any

from local.common.journal import Journal
from local.common.workers import Workers
from local.network.connect.api import connect_api, connect_description
from local.network.connect.contacts import Contacts
from local.network.connect.exchange import Exchange, Outbox
from local.network.connect.flow import load_flow
from local.network.connect.settings import CarrierSettings
from local.network.connect.simulated_calls import SimulatedCalls
from local.network.phone_page.app import PhoneApp
from local.network.shared.clock import Clock
from local.network.shared.faults import Chance
from local.network.shared.invoker import Invoker
from local.network.shared.prompts import PromptStore

_STOP_SECONDS = 0.8

_log = logging.getLogger(__name__)


class Carrier:
    """One Amazon Connect instance with telephones behind it.

    `invoke` runs a Lambda function (ARN, event) and returns its result or raises FunctionError. `emit`
    puts an EventBridge envelope on the bus. `flow` is the contact flow's JSON, as it is deployed, `call_back_flow` that
    of who calls the claimed number (None: it has none); a flow that could not be published raises FlowRefusedError.
    `read_prompt` gives the bytes behind a prompt's URI or raises. Serve `api` and `phone_app` with a server that has
    threads.
    """

    def __init__(
        self,
        settings: CarrierSettings,
        *,
        invoke: Invoker,
        emit: Callable[[dict[str, Any]], None],
        flow: dict[str, Any],
        call_back_flow: dict[str, Any] | None = None,
        read_prompt: Callable[[str], bytes],
        journal: Journal,
    ) -> None:
        self.hello: Callable[[], dict[str, Any]] = dict
        """What the phone page shows before any call: how to send one ("api", "user", "password", "curl")."""
        self._clock = Clock()
        chance = Chance(settings.faults)
        self._outbox = Outbox(emit, self._clock, chance.deliveries)
        self._outbox_workers = Workers()
        self._workers = Workers()
        prompts = PromptStore(read_prompt, settings.unplayable)
        exchange = Exchange(
            settings,
            load_flow(flow),
            invoke,
            prompts,
            journal,
            self._clock,
            self._outbox,
            self._workers,
            chance,
            load_flow(call_back_flow) if call_back_flow else None,
        )
        description = connect_description()
        self.contacts = Contacts(exchange, description)
        simulated = SimulatedCalls(exchange, self.contacts, description)
        self.api = connect_api(settings, self.contacts, simulated, description, chance)
        self.phone_app = PhoneApp(self.contacts, journal, prompts, lambda: self.hello())  # noqa: PLW0108 - it may be set later

    def start(self) -> None:
        """Begin to carry calls."""
        self._clock.start()
        self._outbox_workers.spawn("carrier-events", self._outbox.run)

    def stop(self) -> None:
        """Cut off every call and end the threads; a function that is still running is not waited for long."""
        self.contacts.close()
        self._clock.stop()
        self._outbox.stop()
        running = self._workers.join(_STOP_SECONDS) + self._outbox_workers.join(_STOP_SECONDS)
        if running:
            _log.warning("still in a function when the carrier stopped: %s", ", ".join(running))
