"""One call of a SIP media application: how it is dialled, rings, is answered, follows its lists and ends.

Source: Amazon Chime SDK developer guide, "Understanding telephony events" and "Updating in-progress calls".
"""

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.network.chime.actions import Action, UnusableAnswerError, read_answer
from local.network.chime.call_events import action_data, call_event, participant
from local.network.chime.invocation import Invocation
from local.network.chime.runner import ActionRunner
from local.network.chime.switch import Switch
from local.network.shared.phone import CallState, Phone

if TYPE_CHECKING:
    from local.network.shared.clock import Timer

RING_SECONDS = 60.0
_REFUSALS = {
    "TELECOM_BUSY": 486,
    "TELECOM_NUMBER_INVALID": 404,
    "TELECOM_POTENTIAL_BLOCKING": 403,
    "TELECOM_PROBLEM": 503,
    "OUTBOUND_DESTINATION_ENDPOINT_ERROR": 403,
    "OUTBOUND_RESOURCE_ERROR": 503,
    "CUSTOMER_DISCONNECT": 603,
}
"""What a callee's telephone says, as SIP says it."""
_NO_ANSWER = 480
_IGNORED = {"RINGING", "ACTION_INTERRUPTED", "HANGUP"}
"""Events whose answers are not looked at."""


class ChimeCall:
    """One call: of the API, or, with `sip_rule_id`, of somebody who calls a number that has a SIP rule.

    `number` is the person's in both cases. `phone.changed` guards its state and keeps events and journal in order.
    """

    def __init__(
        self, switch: Switch, number: str, caller_id: str, arguments: Mapping[str, str], sip_rule_id: str = ""
    ) -> None:
        self.id = str(uuid.uuid4())
        self._sip_rule_id = sip_rule_id
        self.sip_code: int | None = None
        self.phone = Phone(self, self.id, number, caller_id, arguments.get("mid"))
        self._switch = switch
        self._arguments = dict(arguments)
        self._attributes: dict[str, str] = {}
        self._call_id = str(uuid.uuid4())
        self._started_msec = time.time_ns() // 1_000_000
        self._answered_at: float | None = None
        self._sequence = 0
        self._runner = ActionRunner(switch, self)
        self._invocations: set[Invocation] = set()
        self._ring_timer: Timer | None = None

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self.phone.state is CallState.ENDED

    @property
    def seq(self) -> str | None:
        """The command that the function said it was carrying out."""
        return self._attributes.get("seq")

    def dial(self) -> None:
        """Place the call; it rings when its function has heard of it."""
        with self.phone.changed:
            if self.ended:
                return
            self.record("dialled", number=self.phone.number, caller_id=self.phone.caller_id)
            data = {"Type": "CallCreateRequest", "Parameters": {"Arguments": self._arguments}}
            self._invoke("NEW_OUTBOUND_CALL", data)

    def call_in(self) -> None:
        """The person calls: the application hears of it, and what it answers is done as soon as it answers.

        An attempt that its function does not answer ends after 30 s (developer guide, "Receiving an inbound call");
        its invocation has ended after 20 s.
        """
        with self.phone.changed:
            self.record("called_in", number=self.phone.number, caller_id=self.phone.caller_id)
            self.phone.state = CallState.RINGING
            self._invoke("NEW_INBOUND_CALL")

    def answer(self) -> bool:
        """The callee takes the call."""
        with self.phone.changed:
            if self.phone.state is not CallState.RINGING or self._sip_rule_id:
                return False
            self._stop_ringing()
            self.phone.state = CallState.ANSWERED
            self._answered_at = time.time()
            self.record("answered")
            self._invoke("CALL_ANSWERED")
            self.phone.changed.notify_all()
            return True

    def refuse(self, reason: str) -> bool:
        """The callee, or the network for it, says no."""
        with self.phone.changed:
            code = _REFUSALS.get(reason, _NO_ANSWER)
            return self.phone.state is CallState.RINGING and self.end(code, f"SIP_{code}")

    def press(self, key: str) -> bool:
        """A key of the callee's."""
        with self.phone.changed:
            return self.phone.state is CallState.ANSWERED and self._runner.press(key)

    def outwait(self) -> bool:
        """The time in which a key is awaited has passed."""
        with self.phone.changed:
            return self.phone.state is CallState.ANSWERED and self._runner.outwait()

    def hang_up(self) -> bool:
        """The callee puts the receiver down."""
        with self.phone.changed:
            is_up = self.phone.state is CallState.ANSWERED or bool(self._sip_rule_id)
            return is_up and self.end(0, "CALLEE_HUNG_UP")

    def hang_up_for_list(self, sip_code: str) -> None:
        """A list's Hangup."""
        self.end(int(sip_code), "HANGUP_ACTION")

    def update(self, arguments: Mapping[str, str]) -> bool:
        """UpdateSipMediaApplicationCall. False if the call is over."""
        with self.phone.changed:
            if self.ended:
                return False
            self.record("updated", **arguments)
            data = {"Type": "CallUpdateRequest", "Parameters": {"Arguments": dict(arguments)}}
            self._invoke("CALL_UPDATE_REQUESTED", data)
            return True

    def end(self, sip_code: int, reason: str, announce: bool = True) -> bool:
        """The call is over. False if it was already. Without `announce`: the carrier itself is gone."""
        with self.phone.changed:
            if self.ended:
                return False
            self._stop_ringing()
            self._runner.close()
            self.phone.state = CallState.ENDED
            self.sip_code = sip_code
            for invocation in self._invocations:
                invocation.cancel()
            answered = self._answered_at is not None
            seconds = time.time() - self._answered_at if self._answered_at is not None else 0.0
            self.record("ended", reason=reason, answered=answered, seconds=seconds)
            if announce:
                leg = {"SipResponseCode": sip_code, "CallId": self._call_id, "ParticipantTag": "LEG-A"}
                self._invoke("HANGUP", {"Type": "Hangup", "Parameters": leg})
            self.phone.changed.notify_all()
            return True

    def record(self, kind: str, **details: Any) -> None:
        """Write into the journal what happens in this call."""
        attempt = self._arguments.get("attempt")
        self._switch.journal.record(kind, mid=self.phone.mid, contact_id=self.id, attempt=attempt, **details)

    def tell(self, kind: str, action: Action, **data: Any) -> None:
        """Let the function know how an action fares."""
        self._invoke(kind, action_data(action, self._call_id, data))

    def _invoke(self, kind: str, data: Mapping[str, Any] | None = None, **more: str) -> None:
        self._sequence += 1
        status = {CallState.ANSWERED: "Connected", CallState.ENDED: "Disconnected"}.get(self.phone.state)
        settings, calls_in = self._switch.settings, bool(self._sip_rule_id)
        leg = participant(
            self._call_id, self.phone.number, self.phone.caller_id, self._started_msec, status, calls_in=calls_in
        )
        event = (
            call_event(settings, kind, self._sequence, self.id, self._attributes, leg, data, self._sip_rule_id) | more
        )
        invocation = Invocation(
            self._switch,
            event,
            answered=lambda answer: self._take(kind, answer),
            failed=lambda problem: self._lose(kind, problem),
            function_arn=settings.call_back_function_arn if calls_in else settings.function_arn,
        )
        if kind != "HANGUP":
            self._invocations.add(invocation)
        invocation.begin()

    def _take(self, kind: str, given: Any) -> None:
        """A function's answer."""
        with self.phone.changed:
            if self.ended or kind in _IGNORED:
                return
            try:
                answer = read_answer(given)
            except UnusableAnswerError as error:
                self.record("flow_error", message=f"{error.error_type}: {error}")
                if kind == "INVALID_LAMBDA_RESPONSE":
                    self.end(_NO_ANSWER, "SIP_480")
                else:
                    self._invoke("INVALID_LAMBDA_RESPONSE", ErrorType=error.error_type, ErrorMessage=str(error))
                return
            if answer.attributes is not None:
                self._attributes = answer.attributes
            if self._sip_rule_id and self._answered_at is None:
                if not answer.actions:
                    self.end(_NO_ANSWER, "SIP_480")
                    return
                # Its first actions answer it.
                self.phone.state = CallState.ANSWERED
                self._answered_at = time.time()
                self.record("answered")
                self.phone.changed.notify_all()
            if kind == "NEW_OUTBOUND_CALL":
                self._ring()
            elif answer.actions is not None and self.phone.state is CallState.ANSWERED:
                # What is answered to an update of a phone that rings has no effect, as with RINGING itself.
                is_update = kind == "CALL_UPDATE_REQUESTED"
                self._runner.take(answer.actions, interrupts=is_update or self._switch.settings.interrupts)

    def _lose(self, kind: str, problem: str) -> None:
        """The function has not answered."""
        with self.phone.changed:
            if kind != "HANGUP" and not self.ended:
                self.record("function_failed", message=problem)
                self.end(_NO_ANSWER, "SIP_480")

    def _ring(self) -> None:
        self.phone.state = CallState.RINGING
        self.record("ringing")
        self._invoke("RINGING")
        seconds = self._switch.settings.no_answer_seconds
        ring_out = RING_SECONDS if seconds is None else seconds
        self._ring_timer = self._switch.clock.after(ring_out, self._ring_out)
        self.phone.changed.notify_all()

    def _ring_out(self) -> None:
        self.refuse("no answer")

    def _stop_ringing(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
