"""Action lists as a SIP media application takes them: what an answer must look like, and what each action needs.

Source: Amazon Chime SDK developer guide, "Responding to invocations with action lists", "Supported
actions" (one page each), "Transaction attributes", "Debugging unexpected ACTION_FAILED events". Actions that
exist but that nothing here uses are refused like misspelt ones.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_ACTIONS = 10
MAX_ATTRIBUTES, MAX_ATTRIBUTE_BYTES = 100, 20 * 1024
_KEYS = set("0123456789*#")


class UnusableAnswerError(ValueError):
    """The whole answer is refused: the function hears INVALID_LAMBDA_RESPONSE."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass(frozen=True)
class Action:
    """One action of a list."""

    type: str
    parameters: Mapping[str, Any]

    @property
    def is_interruptible(self) -> bool:
        """Developer guide, "Updating in-progress calls"; RecordAudio is not offered here."""
        return self.type in {"PlayAudio", "Pause"}

    @property
    def msec(self) -> int:
        """A Pause's length."""
        return int(self.parameters["DurationInMilliseconds"])


@dataclass(frozen=True)
class Answer:
    """What a function has answered. None: what there is stays."""

    actions: tuple[Action, ...] | None
    attributes: dict[str, str] | None


def read_answer(answer: Any) -> Answer:
    """A function's answer. Raises UnusableAnswerError. An action's own parameters are looked at when its turn comes."""
    if not isinstance(answer, dict) or answer.get("SchemaVersion") != "1.0":
        raise UnusableAnswerError("SchemaVersionMismatch", "the answer is no object with SchemaVersion 1.0")
    unknown = set(answer) - {"SchemaVersion", "Actions", "TransactionAttributes"}
    if unknown:
        raise UnusableAnswerError("InvalidResponse", f"unknown members {sorted(unknown)}")
    given = answer.get("Actions")
    if given is None:
        return Answer(None, _attributes(answer.get("TransactionAttributes")))
    if not isinstance(given, list) or len(given) > MAX_ACTIONS:
        raise UnusableAnswerError("ActionsInvalidSize", f"Actions is no list of at most {MAX_ACTIONS}")
    return Answer(tuple(_action(action) for action in given), _attributes(answer.get("TransactionAttributes")))


def _action(given: Any) -> Action:
    if not isinstance(given, dict) or given.get("Type") not in _PARAMETERS:
        raise UnusableAnswerError("InvalidAction", "an action of a type that is not offered")
    if not isinstance(given.get("Parameters"), dict) or set(given) != {"Type", "Parameters"}:
        raise UnusableAnswerError("InvalidAction", f"{given['Type']} has not exactly Type and Parameters")
    return Action(given["Type"], given["Parameters"])


def _attributes(given: Any) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise UnusableAnswerError("TransactionAttributesInvalid", "TransactionAttributes is no map of texts")
    if len(given) > MAX_ATTRIBUTES or len(json.dumps(given).encode()) > MAX_ATTRIBUTE_BYTES:
        raise UnusableAnswerError("TransactionAttributesInvalidMapSize", "TransactionAttributes is too large")
    return dict(given)


Check = Callable[[Any], bool]


def _number(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_regex(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _is_source(value: Any) -> bool:
    is_whole = isinstance(value, dict) and set(value) == {"Type", "BucketName", "Key"}
    return is_whole and value["Type"] == "S3" and all(isinstance(text, str) and text for text in value.values())


def _are_keys(value: Any) -> bool:
    return isinstance(value, list) and set(map(str, value)) <= _KEYS


_LEG: Mapping[str, Check] = {"ParticipantTag": lambda value: value == "LEG-A", "CallId": lambda v: isinstance(v, str)}
_MUCH = 10**9
_MAX_SPOKEN = 1000


def _is_spoken(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _MAX_SPOKEN


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z-]+", value) is not None


_PARAMETERS: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check]]] = {
    "PlayAudio": (
        {"AudioSource": _is_source},
        {"PlaybackTerminators": _are_keys, "Repeat": _number(1, _MUCH)},
    ),
    # What it does with fewer digits than it wants, or other ones, and in further attempts, is not acted out here.
    "PlayAudioAndGetDigits": (
        {
            "AudioSource": _is_source,
            "FailureAudioSource": _is_source,
            "MinNumberOfDigits": _number(0, 0),
            "MaxNumberOfDigits": _number(1, 128),
            "TerminatorDigits": _are_keys,
            "InBetweenDigitsDurationInMilliseconds": _number(1, _MUCH),
            "Repeat": _number(1, 1),
            "RepeatDurationInMilliseconds": _number(1, _MUCH),
        },
        {},
    ),
    "ReceiveDigits": (
        {
            "InputDigitsRegex": _is_regex,
            "InBetweenDigitsDurationInMilliseconds": _number(1, _MUCH),
            "FlushDigitsDurationInMilliseconds": _number(1, _MUCH),
        },
        {},
    ),
    "Speak": (
        {"Text": _is_spoken, "CallId": lambda value: isinstance(value, str)},
        {
            "Engine": lambda value: value in ("standard", "neural"),
            "LanguageCode": _is_name,
            "TextType": lambda value: value in ("text", "ssml"),
            "VoiceId": _is_name,
        },
    ),
    "Pause": ({"DurationInMilliseconds": _number(100, 30_000)}, {}),
    "Hangup": ({}, {"SipResponseCode": lambda value: value in ("0", "480", "486")}),
}
"""For each type what its parameters must be: those that it needs, and those that it may have."""


def parameter_problem(action: Action) -> str:
    """Why the action fails with InvalidActionParameter; or ""."""
    required, optional = _PARAMETERS[action.type]
    checks = {**required, **optional, **_LEG}
    for name in required:
        if name not in action.parameters:
            return f"{name} is missing"
    for name, value in action.parameters.items():
        if name not in checks or not checks[name](value):
            return f"{name} parameter value is invalid"
    if action.type == "ReceiveDigits":
        between = action.parameters["InBetweenDigitsDurationInMilliseconds"]
        if action.parameters["FlushDigitsDurationInMilliseconds"] <= between:
            return "FlushDigitsDurationInMilliseconds parameter value is invalid"
    return ""
