"""The contact flow's questions and our answers, as Amazon Connect carries them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechcall.application.follow_call import Heard, Next
from speechcall.domain.call import Kind

_EVENTS = {"answered", "next", "key", "idle", "prompt_error"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a contact flow says: which call, which contact, what was heard."""

    mid: str
    attempt: int
    contact_id: str
    heard: Heard


def parse_report(event: Mapping[str, Any]) -> Report | None:
    """The report in a ContactFlowEvent; None if it is none of ours, or not readable.

    Unknown members are ignored (developer guide, "Invoke Lambda functions").
    """
    try:
        contact = event["Details"]["ContactData"]
        parameters, attributes = event["Details"]["Parameters"], contact["Attributes"]
        name = str(parameters["event"])
        seq = int(parameters.get("seq") or 0)
        if name not in _EVENTS:
            return None
        heard = Heard(name, seq, str(parameters.get("key", "")))
        return Report(str(attributes["mid"]), int(attributes["attempt"]), str(contact["ContactId"]), heard)
    except (KeyError, TypeError, ValueError):
        return None


def render_next(step: Next) -> dict[str, str]:
    """The flat map of strings that the flow reads as `$.External`.

    Every field each time: each invocation replaces them all, and a missing one matches no branch.
    """
    answer = {"op": step.op, "seq": str(step.seq), "promptUri": "", "seconds": "0"}
    if step.command and step.call and step.command.kind is Kind.ASK:
        ask = step.call.asks[step.command.menu or 0]
        answer |= {"promptUri": ask.prompt_uri, "seconds": str(ask.idle_seconds)}
    return answer
