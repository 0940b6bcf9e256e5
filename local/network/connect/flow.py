"""A contact flow as loaded: blocks by name. Loading refuses what Amazon Connect refuses to publish.

The flow language is version 2019-10-30 (Amazon Connect API reference, "Flow language").
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.network.connect.flow_blocks import block_of

VERSION = "2019-10-30"
MAX_ACTIONS = 250
MAX_CHARACTERS = 256_000
_MAX_IDENTIFIER = 50
_NOT_IN_IDENTIFIER = re.compile(r"[%:(\\/)=$,;\[\]{}]")
_PROTOTYPE_NAMES = {"__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf"}


class FlowRefusedError(ValueError):
    """The flow cannot be published. `problems` says why, as InvalidContactFlowException does."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Condition:
    """One way out of a block: taken if the block's result stands in this relation to the operand."""

    operator: str
    operand: str
    target: str


@dataclass(frozen=True)
class Action:
    """One block of the flow, with where it leads: `next`, or by condition, or by kind of error."""

    identifier: str
    type: str
    parameters: Mapping[str, Any]
    next: str | None
    conditions: tuple[Condition, ...]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class Flow:
    """A flow that could be published."""

    start: str
    actions: Mapping[str, Action]


def load_flow(content: Mapping[str, Any]) -> Flow:
    """The flow in `content` (the very JSON that is deployed). Raises FlowRefusedError."""
    problems = list(_envelope_problems(content))
    if problems:
        raise FlowRefusedError(problems)
    identifiers = [action.get("Identifier") for action in content["Actions"]]
    known = {identifier for identifier in identifiers if isinstance(identifier, str)}
    for number, action in enumerate(content["Actions"]):
        name = f"action {action.get('Identifier', number)!r}"
        problems += [f"{name}: {problem}" for problem in _action_problems(action, known)]
    problems += [f"identifier {name!r} is used twice" for name in sorted(known) if identifiers.count(name) > 1]
    if content["StartAction"] not in known:
        problems.append(f"StartAction {content['StartAction']!r} is no action")
    if problems:
        raise FlowRefusedError(problems)
    return Flow(content["StartAction"], {action["Identifier"]: _action(action) for action in content["Actions"]})


def _envelope_problems(content: Mapping[str, Any]) -> Iterator[str]:
    if content.get("Version") != VERSION:
        yield f"Version is not {VERSION}"
    if not isinstance(content.get("StartAction"), str):
        yield "StartAction is missing"
    actions = content.get("Actions")
    if not isinstance(actions, list) or not actions or not all(isinstance(action, dict) for action in actions):
        yield "Actions is not a list of blocks"
    elif len(actions) > MAX_ACTIONS:
        yield f"{len(actions)} actions, more than {MAX_ACTIONS}"
    characters = len(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    if characters > MAX_CHARACTERS:
        yield f"{characters} characters, more than {MAX_CHARACTERS}"


def _action_problems(action: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    yield from _identifier_problems(action.get("Identifier"))
    parameters, transitions = action.get("Parameters"), action.get("Transitions")
    block = block_of(str(action.get("Type")), parameters)
    if block is None:
        yield f"unknown block type {action.get('Type')!r}"
    elif not isinstance(parameters, dict) or not isinstance(transitions, dict):
        yield "Parameters or Transitions is missing"
    else:
        yield from block.parameter_problems(parameters)
        yield from block.transition_problems(transitions)
        for target in _targets(transitions):
            if target not in known:
                yield f"leads to {target!r}, which is no action"


def _identifier_problems(identifier: object) -> Iterator[str]:
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= _MAX_IDENTIFIER:
        yield f"Identifier is not 1 to {_MAX_IDENTIFIER} characters of text"
    elif _NOT_IN_IDENTIFIER.search(identifier) or identifier in _PROTOTYPE_NAMES:
        yield "Identifier has a character that is not allowed, or is a reserved name"


def _targets(transitions: Mapping[str, Any]) -> Iterator[object]:
    if "NextAction" in transitions:
        yield transitions["NextAction"]
    for branch in [*(transitions.get("Conditions") or []), *(transitions.get("Errors") or [])]:
        yield branch.get("NextAction") if isinstance(branch, dict) else None


def _action(action: Mapping[str, Any]) -> Action:
    transitions = action["Transitions"]
    conditions = tuple(
        Condition(branch["Condition"]["Operator"], branch["Condition"]["Operands"][0], branch["NextAction"])
        for branch in transitions.get("Conditions", [])
    )
    errors = {branch["ErrorType"]: branch["NextAction"] for branch in transitions.get("Errors", [])}
    return Action(
        action["Identifier"], action["Type"], action["Parameters"], transitions.get("NextAction"), conditions, errors
    )
