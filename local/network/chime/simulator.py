"""The simulated Chime SDK as a whole: its API, the calls, and the phone page."""

import logging
from collections.abc import Callable
from typing import Any

from local.common.journal import Journal
from local.common.workers import Workers
from local.network.chime.api import chime_api, chime_description
from local.network.chime.calls import ChimeCalls
from local.network.chime.settings import ChimeSettings
from local.network.chime.switch import Switch
from local.network.phone_page.app import PhoneApp
from local.network.shared.clock import Clock
from local.network.shared.invoker import Invoker
from local.network.shared.prompts import PromptStore

_STOP_SECONDS = 0.8

_log = logging.getLogger(__name__)


class ChimeCarrier:
    """One SIP media application with telephones behind it.

    `invoke` runs a Lambda function (ARN, event) and returns its result or raises FunctionError.
    `read_prompt` gives the bytes behind a prompt's URI or raises. Serve `api` and `phone_app` with a
    server that has threads.
    """

    def __init__(
        self, settings: ChimeSettings, *, invoke: Invoker, read_prompt: Callable[[str], bytes], journal: Journal
    ) -> None:
        self.hello: Callable[[], dict[str, Any]] = dict
        """What the phone page shows before any call: how to send one ("api", "user", "password", "curl")."""
        self._clock = Clock()
        self._workers = Workers()
        prompts = PromptStore(read_prompt, settings.unplayable)
        switch = Switch(settings, invoke, prompts, journal, self._clock, self._workers)
        description = chime_description()
        self.contacts = ChimeCalls(switch, description)
        self.api = chime_api(settings, self.contacts, description)
        self.phone_app = PhoneApp(self.contacts, journal, prompts, lambda: self.hello())  # noqa: PLW0108 - it may be set later

    def start(self) -> None:
        """Begin to carry calls."""
        self._clock.start()

    def stop(self) -> None:
        """Cut off every call and end the threads; a function that is still running is not waited for long."""
        self.contacts.close()
        self._clock.stop()
        if running := self._workers.join(_STOP_SECONDS):
            _log.warning("still in a function when the carrier stopped: %s", ", ".join(running))
