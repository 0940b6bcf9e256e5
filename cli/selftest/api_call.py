"""A message of a stack with simulated telephony, sent as a customer sends it and followed to its end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from cli.api import Api, error_of
from cli.doctor.findings import Check, Finding, Verdict

LOOK_SECONDS, LONGEST_SECONDS = 2.0, 180.0
PRESSED = "d1"
_MENU = {"idleTimeoutMsec": 8000, "dtmfActions": {"d1": [{"action": "hangup"}], "wrong": [{"action": "hangup"}]}}
_SAYS = {"text": "This is a test of SpeechCall. Press one.", "language": "en-GB"}


class ScriptedCall:
    """One message to a simulated number: it ends in 01, so its callee answers and presses 1 in each menu."""

    def __init__(
        self,
        api: Api,
        number: str,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds of any clock that only goes forward."""
        self._api, self._number, self._sleep, self._clock = api, number, sleep, clock
        self._mid = ""
        self._status: dict[str, Any] = {}

    def checks(self) -> Iterator[Check]:
        """The steps as checks. Each is run before the next is chosen; one that fails ends the test."""
        yield Check("accepted", "the API accepts a message", self._send)
        if self._mid:
            yield Check("final", "the message comes to its end", self._follow)
        if self._call.get("state") == "finished":
            yield Check("outcome", "the call was answered, and key 1 was heard", self._outcome)

    def _send(self) -> Iterator[Finding]:
        """Sends the message and keeps its id; a finding if it was refused.

        It has no Idempotency-Key: sent twice, it calls a simulated callee twice. Raises Stopped where the API does not
        answer as it should.
        """
        message = {"from": "selftest", "to": self._number, "text": "selftest", "type": "speechcall"}
        content = json.dumps({"messages": [{**message, "menu": [{**_MENU, "say": _SAYS}]}]}).encode()
        status, answer = self._api.ask("POST", "/bat/messagelist", content, has="messages", changes=True)
        told = answer.get("messages", [{}])[0] if status == 200 else {}
        self._mid = str(told.get("messageId", "")) if told.get("status") == "sent" else ""
        if not self._mid:
            said = told.get("error", {}).get("message") or told.get("status") or error_of(status, answer)["message"]
            yield Finding(f"The message was refused: {said}", "docs/errors.md; the account's settings.")

    def _follow(self) -> Iterator[Finding]:
        """Looks at the message until it has ended; whether that was within LONGEST_SECONDS. Raises as `_send` does."""
        until = self._clock() + LONGEST_SECONDS
        while True:
            _status, self._status = self._api.ask("GET", f"/bat/message/{self._mid}", has="call")
            if self._call["state"] == "finished":
                return
            if self._clock() >= until:
                break
            self._sleep(LOOK_SECONDS)
        yield Finding(
            f"The message is still {self._call['state']} after {LONGEST_SECONDS:.0f} s.",
            f"speechcall message show {self._mid}; speechcall doctor.",
            Verdict.UNKNOWN,
        )

    @property
    def _call(self) -> dict[str, Any]:
        found: dict[str, Any] = self._status.get("call", {})
        return found

    def _outcome(self) -> Iterator[Finding]:
        """Whether the call was answered and key 1 pressed once, as the number's script says, and was simulated."""
        story, outcome = f"speechcall message show {self._mid}", self._call.get("outcome")
        heard = [step.get("heard") for step in self._call.get("path", [])]
        if (outcome, heard) != ("answered", [PRESSED]):
            keys = " ".join(map(str, heard)) or "no key"
            yield Finding(f"The message ended as {outcome}, with {keys}; answered with {PRESSED} was expected.", story)
        if not self._status.get("simulated"):
            yield Finding("The status does not say that the call was simulated.", story)
