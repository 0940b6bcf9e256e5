"""Walks a contact flow. Pure: it says what is to be done, and is told what came of it.

`walk` is a generator. It yields an Invoke, a Play, a Listen or a Gather and is sent the matching outcome; it
returns when the flow disconnects the caller. It knows neither time nor threads nor a telephone.
Sources: Amazon Connect API reference, "Flow language actions"; administrator guide, "Get customer
input", "Store customer input", "Play prompt", "AWS Lambda function".
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from local.network.connect.flow import Action, Flow
from local.network.connect.references import resolve


@dataclass(frozen=True)
class Prompt:
    """What is played: a sound file's URI, or text (SSML or plain) to be spoken."""

    uri: str | None = None
    speech: str | None = None


@dataclass(frozen=True)
class Invoke:
    """Call a function. Outcome: Returned or Failed."""

    function_arn: str
    parameters: dict[str, str]
    limit_seconds: int


@dataclass(frozen=True)
class Play:
    """Play a prompt to its end; keys are dropped. Outcome: Played or Failed."""

    prompt: Prompt


@dataclass(frozen=True)
class Listen:
    """Play a prompt (if any) and hear one key, which cuts the prompt short. Outcome: Pressed, Silence or Failed."""

    prompt: Prompt | None
    limit_seconds: int
    values: Mapping[str, str]
    """What the references stand for at this moment, for who wants to show it."""


@dataclass(frozen=True)
class Gather:
    """Play a prompt (if any) and hear keys until there are enough, an ending, or none for a while.

    The first key cuts the prompt short. Outcome: Entered, Silence or Failed.
    """

    prompt: Prompt | None
    limit_seconds: int
    most: int
    between_seconds: int
    ending: str
    values: Mapping[str, str]
    """As in Listen."""


@dataclass(frozen=True)
class Returned:
    """The function answered with a flat map of text."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class Pressed:
    """The caller pressed this key."""

    key: str


@dataclass(frozen=True)
class Entered:
    """The caller pressed these keys, and those that end an input."""

    keys: str


@dataclass(frozen=True)
class Played:
    """The prompt was played to its end."""


@dataclass(frozen=True)
class Silence:
    """The time limit of the input block passed without a key."""


@dataclass(frozen=True)
class Failed:
    """It could not be done: the block's error branch is taken."""

    reason: str = ""


Effect: TypeAlias = Invoke | Play | Listen | Gather
Outcome: TypeAlias = Returned | Pressed | Entered | Played | Silence | Failed

_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "Equals": lambda value, operand: value == operand,
    "TextStartsWith": lambda value, operand: value.startswith(operand),
    "TextEndsWith": lambda value, operand: value.endswith(operand),
    "TextContains": lambda value, operand: operand in value,
    "NumberGreaterThan": lambda value, operand: float(value) > float(operand),
    "NumberGreaterOrEqualTo": lambda value, operand: float(value) >= float(operand),
    "NumberLessThan": lambda value, operand: float(value) < float(operand),
    "NumberLessOrEqualTo": lambda value, operand: float(value) <= float(operand),
}


_ENGINES = frozenset({"Standard", "Neural", "Generative"})
"""As exported flows write them; whether other spellings are taken is not written."""
_VOICE_NAME = re.compile(r"[A-Z][a-z]+")


NOTHING_ENTERED = "Timeout"
"""What "Store customer input" stores if nothing is entered, on its way to the Success branch (administrator guide)."""


class FlowStuckError(RuntimeError):
    """The flow runs in a circle of blocks in which nothing can happen any more, or a block has not what it needs."""


def walk(flow: Flow, facts: Mapping[str, str], *, forgets_external: bool = True) -> Generator[Effect, Outcome, None]:
    """Run the flow to its end. `facts` are the contact's own values ("ContactId", "Attributes.mid" …).

    `forgets_external`: an invocation that fails leaves nothing in $.External. What it leaves there is not written; the
    guide says of $.External only that it is what the most recently invoked function has returned.
    """
    facts = dict(facts)
    values = dict(facts)
    identifier: str | None = flow.start
    idle_steps = 0
    while identifier is not None:
        action = flow.actions[identifier]
        effect = _effect(action, values)
        if effect is None:
            # The same values lead the same way: passing more such blocks than there are is a circle.
            idle_steps += 1
            if idle_steps > len(flow.actions):
                raise FlowStuckError(f"the flow runs in a circle at {identifier!r}")
            identifier = _silent_step(action, values)
            if action.type == "UpdateContactAttributes":
                given = action.parameters["Attributes"]
                changed = {f"Attributes.{name}": resolve(text, values) or "" for name, text in given.items()}
                facts |= changed
                values |= changed
            continue
        idle_steps = 0
        outcome = yield effect
        if isinstance(outcome, Returned):
            # Each invocation replaces all of $.External, so a field left out is gone.
            values = {**facts, **{f"External.{name}": value for name, value in outcome.values.items()}}
        elif isinstance(effect, Gather) and not isinstance(outcome, Failed):
            stored = {"StoredCustomerInput": outcome.keys if isinstance(outcome, Entered) else NOTHING_ENTERED}
            facts |= stored
            values |= stored
        elif isinstance(effect, Invoke) and forgets_external:
            values = dict(facts)
        identifier = _after(action, outcome, stores=isinstance(effect, Gather))


def _effect(action: Action, values: Mapping[str, str]) -> Effect | None:
    """What this block wants done; None for a block that does nothing outside the flow."""
    parameters = action.parameters
    if action.type == "InvokeLambdaFunction":
        attributes = parameters.get("LambdaInvocationAttributes", {})
        # A reference to an absent value is passed as empty text.
        resolved = {resolve(name, values) or "": resolve(text, values) or "" for name, text in attributes.items()}
        limit = int(parameters["InvocationTimeLimitSeconds"])
        return Invoke(resolve(parameters["LambdaFunctionARN"], values) or "", resolved, limit)
    if action.type == "MessageParticipant":
        return Play(_prompt(action, values) or Prompt())
    if action.type == "GetParticipantInput" and parameters["StoreInput"] == "True":
        return _gather(action, values)
    if action.type == "GetParticipantInput":
        return Listen(_prompt(action, values), int(parameters["InputTimeLimitSeconds"]), values)
    return None


def _gather(action: Action, values: Mapping[str, str]) -> Gather:
    """Raises FlowStuckError where a value is no number when the block runs: what happens then is not written."""
    given = action.parameters.get("DTMFConfiguration", {})
    most = resolve(action.parameters["InputValidation"]["CustomValidation"]["MaximumLength"], values)
    between = resolve(given.get("InterdigitTimeLimitSeconds", "5"), values)
    if not (most or "").isdecimal() or not (between or "").isdecimal():
        raise FlowStuckError(f"{action.identifier!r} has no number of digits, or of seconds between them")
    return Gather(
        _prompt(action, values),
        int(action.parameters["InputTimeLimitSeconds"]),
        int(most or 1),
        int(between or 1),
        given.get("InputTerminationSequence", "#"),
        values,
    )


def _prompt(action: Action, values: Mapping[str, str]) -> Prompt | None:
    if "Media" in action.parameters:
        return Prompt(uri=resolve(action.parameters["Media"]["Uri"], values) or "")
    text = action.parameters.get("SSML", action.parameters.get("Text"))
    return None if text is None else Prompt(speech=resolve(text, values) or "")


def _silent_step(action: Action, values: Mapping[str, str]) -> str | None:
    if action.type == "Compare":
        value = resolve(action.parameters["ComparisonValue"], values)
        return _matching(action, value) or action.errors["NoMatchingCondition"]
    if action.type == "UpdateContactTextToSpeechVoice":
        voice = resolve(action.parameters["TextToSpeechVoice"], values) or ""
        engine = resolve(action.parameters.get("TextToSpeechEngine", "Standard"), values)
        is_known = _VOICE_NAME.fullmatch(voice) is not None and engine in _ENGINES
        return action.next if is_known else action.errors["NoMatchingError"]
    return None if action.type == "DisconnectParticipant" else action.next


def _after(action: Action, outcome: Outcome, *, stores: bool) -> str | None:
    """The block that follows. An error without a branch of its own goes where every error goes, or simply on."""
    if isinstance(outcome, Failed):
        return action.errors.get("NoMatchingError", action.next)
    if isinstance(outcome, Silence) and not stores:
        return action.errors["InputTimeLimitExceeded"]
    if isinstance(outcome, Pressed):
        return _matching(action, outcome.key) or action.errors["NoMatchingCondition"]
    return action.next


def _matching(action: Action, value: str | None) -> str | None:
    """Where the first true condition leads; conditions are tried in the order in which they stand."""
    for condition in action.conditions:
        try:
            if value is not None and _OPERATORS[condition.operator](value, condition.operand):
                return condition.target
        except ValueError:
            continue  # a number was asked for and the value is none: the condition is not true
    return None
