"""One contact, as Amazon Connect calls a call: how it is dialled, rings, is answered and ends.

Sources: Amazon Connect administrator guide, "Contact events" (which events, when) and "Contact
records data model" (DisconnectReason).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.network.connect.contact_events import contact_event, now
from local.network.connect.exchange import Exchange
from local.network.connect.flow import Flow
from local.network.connect.flow_session import FlowSession
from local.network.shared.phone import CallState, Phone

if TYPE_CHECKING:
    from local.network.shared.clock import Timer


class Contact:
    """One call: of the API, or `INBOUND`, of somebody who calls a number of the instance.

    `number` is the person's in both cases, and `caller_id` the instance's. `phone.changed` guards its state and keeps
    events and journal in order.
    """

    def __init__(
        self,
        exchange: Exchange,
        contact_id: str,
        number: str,
        caller_id: str,
        attributes: dict[str, str],
        initiated_by: str = "API",
    ) -> None:
        self.id = contact_id
        self.initiated_by = initiated_by
        self.attributes = attributes
        self.initiated = now()
        self.connected: datetime | None = None
        self.disconnected: datetime | None = None
        self.reason: str | None = None
        self.phone = Phone(self, contact_id, number, caller_id, attributes.get("mid"))
        self.watcher: Callable[[str, Mapping[str, Any]], object] | None = None
        """Is told what happens in this call, as the journal is."""
        self._exchange = exchange
        self._ring_timer: Timer | None = None
        self._session: FlowSession | None = None

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self.phone.state is CallState.ENDED

    def dial(self, ring_seconds: float) -> None:
        """Place the call and let the telephone ring, `ring_seconds` at most."""
        with self.phone.changed:
            if self.ended:
                return
            self.record("dialled", number=self.phone.number, caller_id=self.phone.caller_id)
            self._announce("INITIATED")
            self.phone.state = CallState.RINGING
            self.record("ringing")
            # Connect stops ringing at the request's limit; the network may find the callee unreachable before.
            network = self._exchange.settings.no_answer_seconds
            if network is not None and network < ring_seconds:
                ring_seconds, reason = network, "TELECOM_UNANSWERED"
            else:
                reason = "TELECOM_TIMEOUT"
            self._ring_timer = self._exchange.clock.after(ring_seconds, lambda: self._ring_out(reason))
            self.phone.changed.notify_all()

    def answer(self) -> bool:
        """The callee takes the call: the flow starts."""
        with self.phone.changed:
            if self.phone.state is not CallState.RINGING:
                return False
            self._stop_ringing()
            self.phone.state = CallState.ANSWERED
            self.connected = now()
            self._run(self._exchange.flow)
            return True

    def call_in(self, flow: Flow) -> None:
        """The person calls: the flow of the number answers at once (administrator guide, "Contact events")."""
        with self.phone.changed:
            self.record("called_in", number=self.phone.number, caller_id=self.phone.caller_id)
            self._announce("INITIATED")
            self.phone.state = CallState.ANSWERED
            self.connected = now()
            self._run(flow)

    def _run(self, flow: Flow) -> None:
        self.record("answered")
        self._announce("CONNECTED_TO_SYSTEM")
        self._session = FlowSession(self._exchange, self, flow)
        self._session.begin()
        self.phone.changed.notify_all()

    def refuse(self, reason: str) -> bool:
        """The callee, or the network for it, says no; `reason` as a DisconnectReason."""
        with self.phone.changed:
            return self.phone.state is CallState.RINGING and self.end(reason)

    def press(self, key: str) -> bool:
        """A key of the callee's. Heard only while an input block is active; otherwise dropped."""
        with self.phone.changed:
            return self._session is not None and self._session.press(key)

    def outwait(self) -> bool:
        """The time limit of the input block has passed."""
        with self.phone.changed:
            return self._session is not None and self._session.outwait()

    def hang_up(self) -> bool:
        """The callee puts the receiver down."""
        with self.phone.changed:
            if self.phone.state is not CallState.ANSWERED:
                return False
            gone: Callable[[], object] = lambda: self.end("CUSTOMER_DISCONNECT")  # noqa: E731
            if self._exchange.settings.input_fails_on_hang_up and self._session and self._session.fail_input(gone):
                return True
            return bool(gone())

    def stop(self) -> bool:
        """StopContact. False if the call had ended already."""
        with self.phone.changed:
            if self.ended:
                return False
            self.record("stopped")
            return self.end("OTHER" if self.connected else "TELECOM_ORIGINATOR_CANCEL")

    def end(self, reason: str, announce: bool = True) -> bool:
        """The call is over, for `reason`. False if it was already. Without `announce`: the carrier itself is gone."""
        with self.phone.changed:
            if self.ended:
                return False
            self._stop_ringing()
            if self._session is not None:
                self._session.close()
            self.phone.state = CallState.ENDED
            self.disconnected = now()
            self.reason = reason
            seconds = (self.disconnected - self.connected).total_seconds() if self.connected else 0.0
            self.record("ended", reason=reason, answered=self.connected is not None, seconds=seconds)
            if announce:
                self._announce("DISCONNECTED")
                self._announce("COMPLETED")
            self.phone.changed.notify_all()
            return True

    def record(self, kind: str, **details: Any) -> None:
        """Write into the journal what happens in this call."""
        attempt = self.attributes.get("attempt")
        self._exchange.journal.record(kind, mid=self.phone.mid, contact_id=self.id, attempt=attempt, **details)
        if self.watcher is not None:
            self.watcher(kind, details)

    def _ring_out(self, reason: str) -> None:
        self.refuse(reason)

    def _stop_ringing(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()

    def _announce(self, event_type: str) -> None:
        event = contact_event(
            self._exchange.settings,
            event_type,
            contact_id=self.id,
            caller_id=self.phone.caller_id,
            initiated=self.initiated,
            connected=self.connected,
            disconnected=self.disconnected,
            initiated_by=self.initiated_by,
        )
        self._exchange.outbox.put(event)
