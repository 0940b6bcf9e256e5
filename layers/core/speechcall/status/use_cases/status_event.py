"""What is reported of a message, an attempt or a list without a request: GET's own members, as they were. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from speechcall.messages.rules.message import State
from speechcall.messages.rules.status_event import StatusKind
from speechcall.shared.rules.timing import utc_text
from speechcall.status.use_cases.status import History, delivery_status, describe_message

if TYPE_CHECKING:
    from speechcall.api.rules.answers import AttemptEvent, FallbackEvent, FinalEvent, ListEvent, ToldCall
    from speechcall.messages.rules.fallback import FallbackState


@dataclass(frozen=True, slots=True)
class Facts:
    """What is written down of an event when it happens: a later change of the message would hide it."""

    kind: str
    attempt: int
    at_msec: int
    outcome: str | None = None
    """With which the message is finished; None: it is dialled again."""
    reason: str | None = None
    again_msec: int | None = None
    """Not before this, then."""
    fallback: "FallbackState | None" = None
    """What was known of its fallback."""


@dataclass(frozen=True, slots=True)
class EndedList:
    """A list all of whose messages have ended."""

    list_id: str
    account_id: str
    status_url: str
    total: int
    finished_msec: int
    outcomes: Mapping[str, int]
    is_simulated: bool = False


def describe_event(history: History, facts: Facts) -> "FinalEvent | AttemptEvent | FallbackEvent":
    """The body of an event of a message: the same however late it is sent, and whatever has happened since.

    `history`: as it is now; `facts`: what was written down when the event happened.
    """
    status = describe_message(_as_it_was(history, facts), facts.at_msec)
    # The states of its webhooks change; the receiver has the webhooks themselves.
    call: ToldCall = {
        name: value for name, value in status["call"].items() if name not in ("webhooks", "statusWebhooks")
    }  # type: ignore[assignment]
    event: FinalEvent = {
        "event": "final",
        "messageId": status["messageId"],
        "messagelistId": status["messagelistId"],
        "recipient": status["recipient"],
        "deliverystatus": status["deliverystatus"],
        "timestamp": utc_text(facts.at_msec),
        "call": call,
    }
    if "cost" in status:
        event["cost"], event["costCurrency"] = status["cost"], status["costCurrency"]
    if "customerMessageId" in status:
        event["customerMessageId"] = status["customerMessageId"]
    if "campaign" in status:
        event["campaign"] = status["campaign"]
    if "simulated" in status:
        event["simulated"] = True
    if "fallbacks" in status:
        event["fallbacks"] = status["fallbacks"]
    return _of_its_kind(event, facts)


def describe_unreadable(
    mid: str, list_id: str, recipient: str, facts: Facts
) -> "FinalEvent | AttemptEvent | FallbackEvent":
    """The body of an event of a message that cannot be read: which message, and how it stood then; no calls."""
    event: FinalEvent = {
        "event": "final",
        "messageId": mid,
        "messagelistId": list_id,
        "recipient": recipient,
        "deliverystatus": delivery_status(State.QUEUED if facts.outcome is None else State.FINISHED, facts.outcome),
        "timestamp": utc_text(facts.at_msec),
    }
    return _of_its_kind(event, facts)


def _of_its_kind(event: "FinalEvent", facts: Facts) -> "FinalEvent | AttemptEvent | FallbackEvent":
    """The event with the name and the members of its kind. In: as if it were `final`."""
    if facts.kind == StatusKind.FALLBACK:
        return {**event, "event": "fallback"}
    if facts.kind == StatusKind.ATTEMPT:
        return {**event, "event": "attempt", "attempt": facts.attempt}
    return event


def describe_list_event(ended: EndedList) -> "ListEvent":
    """The body of the event of a list."""
    event: ListEvent = {
        "event": "list",
        "messagelistId": ended.list_id,
        "timestamp": utc_text(ended.finished_msec),
        "total": ended.total,
        "outcomes": dict(ended.outcomes),
    }
    if ended.is_simulated:
        event["simulated"] = True
    return event


def _as_it_was(history: History, facts: Facts) -> History:
    """The message, and its calls up to the attempt, as they were when the event happened.

    When its fallback comes to its end a message has ended, and nothing of it changes any more.
    """
    if facts.kind == StatusKind.FALLBACK:
        return replace(history, deliveries=(), fallback=facts.fallback)
    is_finished = facts.outcome is not None
    message = replace(
        history.message,
        state=State.FINISHED if is_finished else State.QUEUED,
        attempt=facts.attempt,
        outcome=facts.outcome,
        reason=facts.reason,
        finished_msec=facts.at_msec if is_finished else None,
        settling_end=None,
        due_msec=facts.again_msec,
        is_held=False,
    )
    calls = [call for call in history.calls if call.attempt <= facts.attempt]
    return History(message, calls, (), facts.fallback, history.prices)
