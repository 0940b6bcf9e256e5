"""The block types that our flow may use, and what Amazon Connect demands of each.

Sources: Amazon Connect API reference, "Flow language actions" (one page per type), and "Restrictions
on parameters" (static only, or one reference, or text with references inside); administrator guide,
"Flow block definitions". Blocks, modes and parameters that exist in Connect but that nothing here
uses are refused like misspelt ones: what this simulator has not acted out, it must not wave through.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.network.connect.references import is_dynamic, is_reference, unknown_reference
from local.network.shared.phone import KEYS

COMPARISONS = frozenset(
    {"Equals", "TextStartsWith", "TextEndsWith", "TextContains"}
    | {"NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo"}
)
_MAX_SPEECH_CHARACTERS = 6_000

Check = Callable[[Any], str | None]
"""Looks at one parameter: None, or what is wrong with it."""


def _one_of(*allowed: str) -> Check:
    return lambda value: None if value in allowed else f"is none of {', '.join(allowed)}"


def _static_integer(low: int, high: int) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "is not a number written as text"
        if is_dynamic(value):
            return "must be static"
        return None if value.isdecimal() and low <= int(value) <= high else f"is not {low} to {high}"

    return check


def _integer_or_reference(low: int, high: int) -> Check:
    static = _static_integer(low, high)
    return lambda value: None if isinstance(value, str) and is_reference(value) else static(value)


def _is_ending(value: Any) -> str | None:
    is_short = isinstance(value, str) and 1 <= len(value) <= 5
    return None if is_short and set(value) <= set(KEYS) else "is not one to five keys, written there"


def _members(checks: Mapping[str, Check], required: frozenset[str] = frozenset()) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict) or not required <= set(value) <= set(checks):
            return f"does not have members of {', '.join(checks)}"
        found = [f"{name} {problem}" for name, text in value.items() if (problem := checks[name](text))]
        return "; ".join(found) or None

    return check


def _text_or_reference(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "is not text"
    return "is neither static nor one known reference" if is_dynamic(value) and not is_reference(value) else None


def _reference(value: Any) -> str | None:
    return None if isinstance(value, str) and is_reference(value) else "is not one known reference"


def _mixed_text(value: Any) -> str | None:
    if not isinstance(value, str) or not value or len(value) > _MAX_SPEECH_CHARACTERS:
        return f"is not text of 1 to {_MAX_SPEECH_CHARACTERS} characters"
    return "has an unknown reference" if unknown_reference(value) else None


def _media(value: Any) -> str | None:
    if not isinstance(value, dict) or set(value) != {"Uri", "SourceType", "MediaType"}:
        return "does not have exactly Uri, SourceType and MediaType"
    if (value["SourceType"], value["MediaType"]) != ("S3", "Audio"):
        return "is not SourceType S3 and MediaType Audio"
    return _mixed_text(value["Uri"])


def _string_map(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "is not an object"
    bad = [key for key, text in value.items() if not isinstance(text, str) or unknown_reference(key + " " + text)]
    return f"has no text, or an unknown reference, in {', '.join(bad)}" if bad else None


_MUCH = 10**6
_LENGTH = _members({"MaximumLength": _integer_or_reference(1, _MUCH)}, frozenset({"MaximumLength"}))
_CUSTOM = _members({"CustomValidation": _LENGTH}, frozenset({"CustomValidation"}))
_GATHERING = _members(
    {
        "InputTerminationSequence": _is_ending,
        "DisableCancelKey": _one_of("True", "False"),
        "InterdigitTimeLimitSeconds": _integer_or_reference(1, 20),
    }
)


def _validation(value: Any) -> str | None:
    return None if value == {"ResponseType": "STRING_MAP"} else "is not ResponseType STRING_MAP"


_PROMPTS: Mapping[str, Check] = {"Text": _mixed_text, "SSML": _mixed_text, "Media": _media}


@dataclass(frozen=True)
class Block:
    """The rules of one block type."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    prompts: tuple[int, int] = (0, 0)
    """Fewest and most of the parameters Text, SSML and Media that may stand together."""
    errors: frozenset[str] = frozenset()
    optional_errors: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()
    operands: frozenset[str] | None = None
    """The only operands that conditions may have; None: any."""
    terminal: bool = False

    def parameter_problems(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the block's Parameters."""
        checks = {**self.required, **self.optional, **(_PROMPTS if self.prompts[1] else {})}
        yield from (f"{name} is missing" for name in self.required if name not in parameters)
        for name, value in parameters.items():
            problem = checks[name](value) if name in checks else "is not a parameter of this block"
            if problem:
                yield f"{name} {problem}"
        if not self.prompts[0] <= sum(name in parameters for name in _PROMPTS) <= self.prompts[1]:
            yield f"has not exactly one of {', '.join(_PROMPTS)}"

    def transition_problems(self, transitions: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the block's Transitions, apart from where they lead."""
        if self.terminal:
            if transitions:
                yield "ends the flow, yet has Transitions"
            return
        if "NextAction" not in transitions:
            yield "NextAction is missing"
        errors = [branch.get("ErrorType") for branch in transitions.get("Errors", [])]
        yield from (f"the error branch {name} is missing" for name in sorted(self.errors - set(errors)))
        for name in errors:
            if name not in self.errors | self.optional_errors or errors.count(name) > 1:
                yield f"the error branch {name} is not offered, or there twice"
        yield from self._condition_problems(transitions.get("Conditions", []))

    def _condition_problems(self, conditions: list[Any]) -> Iterator[str]:
        for branch in conditions:
            condition = branch.get("Condition", {})
            operator, operands = condition.get("Operator"), condition.get("Operands")
            if operator not in self.operators:
                yield f"the condition {operator} is not offered"
            if not isinstance(operands, list) or len(operands) != 1 or not isinstance(operands[0], str):
                yield "a condition has not exactly one operand of text"
            elif is_dynamic(operands[0]) or (self.operands is not None and operands[0] not in self.operands):
                yield f"the operand {operands[0]!r} is not allowed"


BLOCKS: Mapping[str, Block] = {
    "UpdateFlowLoggingBehavior": Block(required={"FlowLoggingBehavior": _one_of("Enabled", "Disabled")}),
    "InvokeLambdaFunction": Block(
        required={"LambdaFunctionARN": _text_or_reference, "InvocationTimeLimitSeconds": _static_integer(1, 8)},
        optional={
            "InvocationType": _one_of("SYNCHRONOUS"),
            "LambdaInvocationAttributes": _string_map,
            "ResponseValidation": _validation,
        },
        errors=frozenset({"NoMatchingError"}),
    ),
    "UpdateContactAttributes": Block(
        required={"Attributes": _string_map, "TargetContact": _one_of("Current")}, errors=frozenset({"NoMatchingError"})
    ),
    # "Results in error if voice or engine are invalid" (its page); of a style nothing here makes use.
    "UpdateContactTextToSpeechVoice": Block(
        required={"TextToSpeechVoice": _text_or_reference},
        optional={"TextToSpeechEngine": _text_or_reference},
        errors=frozenset({"NoMatchingError"}),
    ),
    "Compare": Block(
        required={"ComparisonValue": _reference}, errors=frozenset({"NoMatchingCondition"}), operators=COMPARISONS
    ),
    # One key, stored nowhere ("Get customer input").
    "GetParticipantInput": Block(
        required={"StoreInput": _one_of("False"), "InputTimeLimitSeconds": _static_integer(1, 180)},
        prompts=(0, 1),
        errors=frozenset({"NoMatchingError", "NoMatchingCondition", "InputTimeLimitExceeded"}),
        operators=frozenset({"Equals"}),
        operands=frozenset(KEYS),
    ),
    # Flows from before the error branch existed do without it (administrator guide, "Play prompt").
    "MessageParticipant": Block(prompts=(1, 1), optional_errors=frozenset({"NoMatchingError"})),
    # EndFlowExecution is for whisper and queue flows: an inbound flow ends by disconnecting.
    "DisconnectParticipant": Block(terminal=True),
}

_STORING = Block(
    required={
        "StoreInput": _one_of("True"),
        "InputTimeLimitSeconds": _static_integer(1, 180),
        "InputValidation": _CUSTOM,
    },
    optional={"DTMFConfiguration": _GATHERING},
    prompts=(0, 1),
    errors=frozenset({"NoMatchingError"}),
)
"""The other mode of GetParticipantInput, "Store customer input": several keys, no run result, no conditions.

Its maximum and the time between keys "may be defined statically or dynamically", the time to the first key "must be
defined statically" (GetParticipantInput, "Parameter object"); of the end key nothing is said. Phone numbers and
encryption nothing here makes use of.
"""


def block_of(kind: str, parameters: object) -> Block | None:
    """The rules of an action; None: there is no such type."""
    stores = isinstance(parameters, dict) and parameters.get("StoreInput") == "True"
    return _STORING if kind == "GetParticipantInput" and stores else BLOCKS.get(kind)
