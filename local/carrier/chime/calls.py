"""All calls of the application, and the rules under which the Chime SDK accepts a new one.

Quotas: AWS General Reference, "Amazon Chime SDK endpoints and quotas". Which error tells that too many calls
are live is not documented: here it is ResourceLimitExceededException, by its name.
"""

import time
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

from local.carrier.chime.call import ChimeCall
from local.carrier.chime.switch import Switch
from local.carrier.connect_wire import ConnectModel


class RateLimit:
    """At most `rate` requests a second, evenly; None: any number. Not safe for threads by itself."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = max(1.0, rate or 1.0)
        self._refilled = time.monotonic()

    def take(self) -> bool:
        """Whether one more request is allowed now."""
        if self._rate is None:
            return True
        now = time.monotonic()
        self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._refilled) * self._rate)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class ChimeCalls:
    """The calls by transaction id, live and ended, in the order in which they were placed."""

    def __init__(self, switch: Switch, model: ConnectModel) -> None:
        self._switch, self._model, self._settings = switch, model, switch.settings
        self._lock = Lock()
        self._by_id: dict[str, ChimeCall] = {}
        self._open = True
        self._creations = RateLimit(self._settings.calls_per_second)
        self._updates = RateLimit(self._settings.updates_per_second)

    def __iter__(self) -> Iterator[ChimeCall]:
        with self._lock:
            return iter(list(self._by_id.values()))

    def get(self, contact_id: str) -> ChimeCall | None:
        """The call, live or ended."""
        with self._lock:
            return self._by_id.get(contact_id)

    def live(self) -> list[ChimeCall]:
        """The calls that have not ended."""
        return [call for call in self if not call.ended]

    def start(self, request: Mapping[str, Any]) -> ChimeCall:
        """CreateSipMediaApplicationCall: each request is a call. Raises ConnectError."""
        with self._lock:
            self._check(request)
            number, caller_id = str(request["ToPhoneNumber"]), str(request["FromPhoneNumber"])
            call = ChimeCall(self._switch, number, caller_id, request.get("ArgumentsMap", {}))
            self._by_id[call.id] = call
        call.dial()
        caller = self._settings.caller_for(number) if self._settings.caller_for else None
        if caller is not None:
            self._switch.workers.spawn(f"caller-{call.id}", lambda: caller.take(call.phone))
        return call

    def update(self, transaction_id: str, arguments: Mapping[str, str]) -> None:
        """UpdateSipMediaApplicationCall. Raises ConnectError, also for a call that is over."""
        with self._lock:
            if not self._updates.take():
                raise self._model.error("ThrottledClientException", "Rate exceeded")
        call = self.get(transaction_id)
        if call is None or not call.update(arguments):
            raise self._model.error("NotFoundException", "no such call")

    def close(self) -> None:
        """The carrier stops: every call is cut off without a word, and no new one begins."""
        with self._lock:
            self._open = False
        for call in self.live():
            call.end(480, "SIP_480", announce=False)

    def _check(self, request: Mapping[str, Any]) -> None:
        settings = self._settings
        if not self._open:
            raise self._model.error("ServiceUnavailableException", "the carrier has stopped")
        if not self._creations.take():
            raise self._model.error("ThrottledClientException", "Rate exceeded")
        if settings.owned_numbers and request["FromPhoneNumber"] not in settings.owned_numbers:
            raise self._model.error("BadRequestException", "FromPhoneNumber is not in the account's inventory")
        if settings.concurrent_calls is not None:
            live = sum(not call.ended for call in self._by_id.values())
            if live >= settings.concurrent_calls:
                raise self._model.error("ResourceLimitExceededException", "active calls")
