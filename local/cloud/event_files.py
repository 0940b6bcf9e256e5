"""The events of events/: whose each is, and what a sensible answer is where nothing is known of its call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from local.network.shared.invoker import FunctionError

EVENTS = Path(__file__).parents[2] / "events"


@dataclass(frozen=True)
class EventFile:
    """One file, and a function that takes it."""

    path: str
    function: str
    is_sensible: Callable[[Any], bool]
    error: str = ""
    """The name of the error that is the right answer, if one is."""
    hears: Literal["answered", "key"] | None = None
    """What a callee has done, in the one event of a provider for each that the benchmarks send."""

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


def has(members: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether an answer has these members."""
    return lambda answer: isinstance(answer, dict) and {key: answer.get(key) for key in members} == members


_UNKNOWN_CALLER = _http(401, "UNAUTHORIZED")  # the laptop knows no account `username`


def is_nothing(answer: Any) -> bool:
    """An answer of nothing; an error would be an object."""
    return answer is None


_ALL_DONE = has({"batchItemFailures": []})  # what is not there needs no second try
_NONE_STARTED = has({"started": 0})
_LATER = has({})  # control_call's real answer goes to the task token
_NEVER_PLACED = has({"outcome": "failed", "reason": "notPlaced"})

COMMON_EVENT_FILES = (
    EventFile("cloudformation/check-deployment.json", "CheckDeploymentFunction", has({"Status": "SUCCESS"})),
    EventFile("cloudformation/protect-tables.json", "ProtectTablesFunction", has({"Status": "SUCCESS"})),
    EventFile("cloudformation/carry-prompts.json", "CarryPromptsFunction", has({"Status": "SUCCESS"})),
    EventFile("cloudformation/route-call-backs.json", "RouteCallBacksFunction", has({"Status": "SUCCESS"})),
    EventFile("api/post-messagelist.json", "MessagelistFunction", _UNKNOWN_CALLER),
    EventFile("api/get-message.json", "MessageStatusFunction", _UNKNOWN_CALLER),
    EventFile("api/put-audio.json", "AudioFunction", _UNKNOWN_CALLER),
    EventFile("api/post-replay.json", "ReplayWebhooksFunction", _UNKNOWN_CALLER),
    EventFile("api/post-cancel.json", "StopMessagesFunction", _UNKNOWN_CALLER),
    EventFile("api/post-optout.json", "OptoutsFunction", _UNKNOWN_CALLER),
    EventFile("api/get-account.json", "AccountFunction", _UNKNOWN_CALLER),
    EventFile("api/get-call.json", "CallFilesFunction", _UNKNOWN_CALLER),
    EventFile("api/get-console.json", "ConsoleFunction", has({"statusCode": 200})),
    EventFile("dynamodb/message-inserted.json", "PreparePromptsFunction", _ALL_DONE),
    EventFile("dynamodb/message-queued.json", "DialerFunction", _NONE_STARTED),
    EventFile("dynamodb/message-finished.json", "DialerFunction", _NONE_STARTED),
    EventFile("schedule/each-minute.json", "DialerFunction", _NONE_STARTED),
    EventFile("stepfunctions/control-call-dial.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-ask.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-hang-up.json", "ControlCallFunction", _LATER),
    EventFile("stepfunctions/control-call-look-up.json", "ControlCallFunction", has({"event": "ended"})),
    EventFile("stepfunctions/ask-receiver.json", "AskReceiverFunction", is_nothing, error="LookupError"),
    EventFile("sqs/prompt.json", "FetchPromptFunction", _ALL_DONE),
    EventFile("sqs/webhook.json", "SendWebhookFunction", _ALL_DONE),
    EventFile("sqs/webhook-retry.json", "SendWebhookFunction", _ALL_DONE),
    EventFile("sqs/rehearsal.json", "RehearseFunction", _ALL_DONE),
    EventFile("stepfunctions/finish-call.json", "FinishCallFunction", _NEVER_PLACED),
    EventFile("stepfunctions/execution-failed.json", "FinishCallFunction", _NEVER_PLACED),
    EventFile("schedule/each-minute.json", "WakeWebhooksFunction", has({"woken": 0})),
    EventFile("schedule/each-minute.json", "SendFallbackFunction", has({"ended": 0})),
    EventFile("schedule/each-minute.json", "SweepFunction", is_nothing),
    EventFile("schedule/each-minute.json", "CarryOutStopsFunction", is_nothing),
    EventFile("schedule/each-hour.json", "RetireFlowsFunction", has({"deleted": 0})),
)
"""Those of functions that a stack of any provider has."""
