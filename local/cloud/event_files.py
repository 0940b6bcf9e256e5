"""The events of events/: whose each is, and what a sensible answer is where nothing is known of its call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.functions import FunctionError

EVENTS = Path(__file__).parents[2] / "events"


@dataclass(frozen=True)
class EventFile:
    """One file, and a function that takes it."""

    path: str
    function: str
    is_sensible: Callable[[Any], bool]
    error: str = ""
    """The name of the error that is the right answer, if one is."""

    def judge(self, ask: Callable[[], Any]) -> tuple[bool, Any]:
        """Whether what the function answers is sensible, and what it is."""
        try:
            answer = ask()
        except FunctionError as error:
            return error.error_type == self.error, str(error)
        return not self.error and self.is_sensible(answer), answer

    def load(self) -> Any:
        """The event."""
        return json.loads((EVENTS / self.path).read_text(encoding="utf-8"))


def _http(status: int, code: str) -> Callable[[Any], bool]:
    return lambda answer: answer["statusCode"] == status and json.loads(answer["body"])["error"]["code"] == code


def _has(members: Mapping[str, Any]) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, dict) and {key: answer.get(key) for key in members} == members


_UNKNOWN_CALLER = _http(401, "UNAUTHORIZED")  # the laptop knows no account `username`


def _is_nothing(answer: Any) -> bool:
    """An error would be an object."""
    return answer is None


_TOLD_AGAIN = "TelephonyUnavailable"  # whose a contact is stands in its record alone, which may lag behind the news
_ALL_DONE = _has({"batchItemFailures": []})  # what is not there needs no second try
_NONE_STARTED = _has({"started": 0})
_LATER = _has({})  # control_call's real answer goes to the task token
_HANG_UP = _has({"op": "hangup", "seq": "0"})
_NEVER_PLACED = _has({"outcome": "failed", "reason": "notPlaced"})

_CARRIES_ON = _has({"SchemaVersion": "1.0", "Actions": None})
_CHIME_HANGS_UP = _has(
    {"Actions": [{"Type": "Hangup", "Parameters": {"ParticipantTag": "LEG-A", "SipResponseCode": "0"}}]}
)

EVENT_FILES = (
    EventFile("cloudformation/check-deployment.json", "CheckDeploymentFunction", _has({"Status": "SUCCESS"})),
    EventFile("cloudformation/protect-tables.json", "ProtectTablesFunction", _has({"Status": "SUCCESS"})),
    EventFile("cloudformation/carry-prompts.json", "CarryPromptsFunction", _has({"Status": "SUCCESS"})),
    EventFile("api/post-messagelist.json", "MessagelistFunction", _UNKNOWN_CALLER),
    EventFile("api/get-message.json", "MessageStatusFunction", _UNKNOWN_CALLER),
    EventFile("api/put-audio.json", "AudioFunction", _UNKNOWN_CALLER),
    EventFile("api/post-replay.json", "ReplayWebhooksFunction", _UNKNOWN_CALLER),
    EventFile("dynamodb/message-inserted.json", "PreparePromptsFunction", _ALL_DONE),
    EventFile("dynamodb/message-queued.json", "DialerFunction", _NONE_STARTED),
    EventFile("dynamodb/message-finished.json", "DialerFunction", _NONE_STARTED),
    EventFile("schedule/each-minute.json", "DialerFunction", _NONE_STARTED),
    EventFile("stepfunctions/control-call-dial.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-ask.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-hang-up.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-look-up.json", "ControlCallFunction", _has({"event": "ended"})),
    EventFile("connect/flow-answered.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-key.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-key-other.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-prompt-error.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-idle.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/flow-next.json", "ConnectFlowFunction", _HANG_UP),
    EventFile("connect/contact-initiated.json", "ConnectEventsFunction", _has({"ours": False})),
    EventFile("connect/contact-connected.json", "ConnectEventsFunction", _has({"ours": False})),
    EventFile("connect/contact-disconnected.json", "ConnectEventsFunction", _is_nothing, _TOLD_AGAIN),
    EventFile("connect/contact-completed.json", "ConnectEventsFunction", _has({"ours": False})),
    EventFile("connect/contact-unanswered-disconnected.json", "ConnectEventsFunction", _is_nothing, _TOLD_AGAIN),
    EventFile("connect/contact-unanswered-completed.json", "ConnectEventsFunction", _has({"ours": False})),
    EventFile("sqs/prompt.json", "FetchPromptFunction", _ALL_DONE),
    EventFile("sqs/webhook.json", "SendWebhookFunction", _ALL_DONE),
    EventFile("sqs/webhook-retry.json", "SendWebhookFunction", _ALL_DONE),
    EventFile("stepfunctions/finish-call.json", "FinishCallFunction", _NEVER_PLACED),
    EventFile("stepfunctions/execution-failed.json", "FinishCallFunction", _NEVER_PLACED),
    EventFile("schedule/each-minute.json", "WakeWebhooksFunction", _has({"woken": 0})),
    EventFile("schedule/each-minute.json", "SweepFunction", _is_nothing),
    EventFile("schedule/each-hour.json", "RetireFlowsFunction", _has({"deleted": 0})),
)

CHIME_EVENT_FILES = (
    EventFile("chime/new-outbound-call.json", "ChimeEventsFunction", _has({"Actions": []})),
    EventFile("chime/call-answered.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/digits-received.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/action-successful-idle.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/action-successful-hold.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/action-failed-prompt.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/action-failed-digits.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/call-update-hang-up.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/call-update-look-up.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/invalid-lambda-response.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/new-inbound-call.json", "ChimeEventsFunction", _CHIME_HANGS_UP),
    EventFile("chime/ringing.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-interrupted.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-successful-after-hangup.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/action-successful-digits.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-normal.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-busy.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-no-answer.json", "ChimeEventsFunction", _CARRIES_ON),
    EventFile("chime/hangup-without-code.json", "ChimeEventsFunction", _CARRIES_ON),
)
"""Those of a stack whose calls the Chime SDK places."""
