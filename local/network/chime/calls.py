"""All calls of the application, and the rules under which the Chime SDK accepts a new one.

Quotas: AWS General Reference, "Amazon Chime SDK endpoints and quotas". Which error tells that too many calls
are live is not documented: here it is ResourceLimitExceededException, by its name.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from local.network.chime.call import ChimeCall
from local.network.chime.switch import Switch
from local.network.shared.call_register import Register
from local.network.shared.wire import ServiceDescription

WITHHELD = "Anonymous"
"""The `From` of a caller who shows no number (RFC 3323, section 4.1.1.3). Nothing is written of it in the guide."""


class ChimeCalls(Register[ChimeCall]):
    """The calls of an application, by transaction id."""

    def __init__(self, switch: Switch, description: ServiceDescription) -> None:
        super().__init__()
        self._switch, self._service, self._settings = switch, description, switch.settings

    def start(self, request: Mapping[str, Any]) -> ChimeCall:
        """CreateSipMediaApplicationCall: each request is a call. Raises ServiceError."""
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

    def call_in(self, number: str, dialled: str) -> ChimeCall | None:
        """Somebody calls a number of the account; None: no SIP rule is about it, or all calls are taken.

        In: the caller's number, "" where it is withheld. Inbound calls count among the active ones.
        """
        settings = self._settings
        with self._lock:
            owned = settings.owned_numbers
            if not settings.call_back_application_id or not self._open or (owned and dialled not in owned):
                return None
            if self._is_full(settings.concurrent_calls):
                return None
            call = ChimeCall(self._switch, number or WITHHELD, dialled, {}, sip_rule_id=str(uuid.uuid4()))
            self._by_id[call.id] = call
        call.call_in()
        return call

    def update(self, transaction_id: str, arguments: Mapping[str, str]) -> None:
        """UpdateSipMediaApplicationCall. Raises ServiceError, also for a call that is over."""
        call = self.get(transaction_id)
        if call is None or not call.update(arguments):
            raise self._service.error("NotFoundException", "no such call")

    def close(self) -> None:
        """The carrier stops: every call is cut off without a word, and no new one begins."""
        for call in self._close():
            call.end(480, "SIP_480", announce=False)

    def _check(self, request: Mapping[str, Any]) -> None:
        settings = self._settings
        if not self._open:
            raise self._service.error("ServiceUnavailableException", "the carrier has stopped")
        if settings.owned_numbers and request["FromPhoneNumber"] not in settings.owned_numbers:
            raise self._service.error("BadRequestException", "FromPhoneNumber is not in the account's inventory")
        if self._is_full(settings.concurrent_calls):
            raise self._service.error("ResourceLimitExceededException", "active calls")
