"""The content of a test case in Amazon Connect's Testing language: what it says, and what is wrong with it.

Sources: Amazon Connect developer guide, "Testing language" (observations, events, actions, example). It is not in all
the truth: others who ran it (flow-as-code, simulate.ts, verified on 2026-09-01; connect-ivr, native-test-api.md) found
that the version is 2019-10-30 and not that of the example, that `Usage` is refused, that a FlowActionStarted takes no
actions, that a digit is a number, and that an empty Text is refused. What nobody has acted out here is refused like
what is misspelt: FlowActionStarted, assertions, overrides, speech.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.network.shared.phone import KEYS

VERSION = "2019-10-30"
STARTED, MESSAGE = "TestInitiated", "MessageReceived"
_CRITERIA = ("Inclusion", "Similarity")


@dataclass(frozen=True)
class Action:
    """What is done once an observation is made: a key of the customer's, or (no key) the end of the test."""

    key: str | None


@dataclass(frozen=True)
class Observation:
    """What is awaited, what is done then, and which observations are awaited after it."""

    identifier: str
    event: Mapping[str, Any]
    actions: tuple[Action, ...]
    then: tuple[str, ...]

    def is_made_by(self, kind: str, told: Mapping[str, str]) -> bool:
        """Whether an event of this kind is the one. `told`: the `uri` or the `text` of a prompt."""
        if self.event["Type"] != kind:
            return False
        if kind == STARTED:
            return True
        wanted = self.event["Properties"]
        if "Media" in wanted:
            return bool(wanted["Media"]["Uri"] == told.get("uri"))
        return str(wanted["Text"]).lower() in told.get("text", "").lower()


class BadTestCase(ValueError):
    """The content could not be published; `problems` says why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_content(content: str) -> tuple[Observation, ...]:
    """The observations of a test case. Raises BadTestCase."""
    try:
        given = json.loads(content)
    except ValueError as error:
        raise BadTestCase(["the content is not JSON"]) from error
    problems = list(_problems(given))
    if problems:
        raise BadTestCase(problems)
    return tuple(_observation(one) for one in given["Observations"])


def _observation(given: Mapping[str, Any]) -> Observation:
    actions = tuple(Action(_key_of(one)) for one in given.get("Actions", []))
    then = tuple(given.get("Transitions", {}).get("NextObservations", []))
    return Observation(given["Identifier"], given["Event"], actions, then)


def _key_of(action: Mapping[str, Any]) -> str | None:
    if action["Type"] == "TestControl":
        return None
    return str(action["Parameters"]["Instruction"]["Properties"]["Value"])


def _problems(given: Any) -> Iterator[str]:
    if not isinstance(given, dict) or not isinstance(given.get("Observations"), list) or not given["Observations"]:
        yield "the content has no Observations"
        return
    if given.get("Version") != VERSION:
        yield f"Version is not {VERSION}"
    if set(given) - {"Version", "Metadata", "Observations"}:
        yield "the content has an unknown member"
    names = [one.get("Identifier") for one in given["Observations"] if isinstance(one, dict)]
    for one in given["Observations"]:
        if not isinstance(one, dict):
            yield "an observation is not an object"
            continue
        name = one.get("Identifier")
        if not isinstance(name, str) or not name or names.count(name) > 1:
            yield f"the observation {name!r} has no Identifier of its own"
        yield from (f"{name}: {problem}" for problem in _observation_problems(one, names))


def _observation_problems(one: Mapping[str, Any], names: list[Any]) -> Iterator[str]:
    if more := set(one) - {"Identifier", "Event", "Actions", "Transitions"}:
        yield f"unknown members: {', '.join(sorted(more))}"
    yield from _event_problems(one.get("Event"))
    for action in one.get("Actions", []):
        if problem := _action_problem(action):
            yield problem
    transitions = one.get("Transitions", {})
    following = transitions.get("NextObservations", []) if isinstance(transitions, dict) else [None]
    yield from (f"leads to {name!r}, which is not there" for name in following if name not in names)


def _event_problems(event: Any) -> Iterator[str]:
    if not isinstance(event, dict) or not event.get("Identifier") or event.get("Actor") != "System":
        yield "the event has not its Identifier and the Actor System"
        return
    properties = event.get("Properties", {})
    if event.get("Type") == STARTED:
        return
    if event.get("Type") != MESSAGE:
        yield f"the event {event.get('Type')} is not acted out here"
        return
    media = properties.get("Media")
    by_text, by_media = bool(properties.get("Text")), isinstance(media, dict) and bool(media.get("Uri"))
    if by_text == by_media:
        yield "a message is awaited by one of Text and Media"
    if by_media and (media.get("SourceType"), media.get("MediaType")) != ("S3", "Audio"):
        yield "Media is not SourceType S3 and MediaType Audio"
    criteria = properties.get("MatchingCriteria")
    if not isinstance(criteria, dict) or criteria.get("Type") not in _CRITERIA:
        yield f"MatchingCriteria has no Type {' or '.join(_CRITERIA)}"


def _action_problem(action: Any) -> str | None:
    if not isinstance(action, dict) or not action.get("Identifier"):
        return "an action has no Identifier"
    parameters = action.get("Parameters", {})
    if parameters.get("ActionType") != action.get("Type"):
        return "an action's Parameters do not name its ActionType"
    if action["Type"] == "TestControl":
        return None if parameters.get("Command") == {"Type": "EndTest"} else "the only command is EndTest"
    if action["Type"] != "SendInstruction":
        return f"the action {action['Type']} is not acted out here"
    instruction = parameters.get("Instruction", {})
    if parameters.get("Actor") != "Customer" or instruction.get("Type") != "DtmfInput":
        return "only the Customer's DtmfInput is acted out here"
    value = instruction.get("Properties", {}).get("Value")
    is_digit = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9
    is_sign = isinstance(value, str) and value in set(KEYS) - set("0123456789")
    return None if is_digit or is_sign else f"{value!r} is no key: a digit is a number"
