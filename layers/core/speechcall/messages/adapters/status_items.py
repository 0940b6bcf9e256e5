"""What reports the end of a message or of an attempt: parts of the transaction that ends it.

A status event is a delivery like that of a key's webhook, and is written with the change of which it tells. So it is
there exactly if the change is, under an id that never changes; a queue only wakes it. What it says is read where it is
sent (`status_reader`): in the item are the facts that a later change of the message would hide.

The last message of a list cannot be told from the others by a condition, which knows no arithmetic: so an end that is
counted for its list has two forms, as that of a campaign has.

finish m, of two   TransactWrite: m finished, 2 open, some left ──► 1 open
finish n                TransactWrite: n finished, some left ──X only 1 is: the other form
finish n                     TransactWrite: n finished, none left, the event of the list ──► 0 open
finish n, a repeat           TransactWrite ──X n is finished: nothing is counted, nor told again
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import StatusEvent, StatusKind
from speechcall.outbound.rules.destination import destination
from speechcall.shared.adapters.keys import WEBHOOK, delivery_key, due_shard, list_ends_key, undelivered_shard
from speechcall.shared.adapters.table import Values, to_wire
from speechcall.shared.rules.outcome import Outcome

FORM = 1
"""`v` of the items made here: deliveries, which `delivery_items` reads; and a list's counter, which is none."""
ENDS, LIST_EVENT = "ends", "listEvent"
"""The names of two parts; an event of a message has its kind as its name."""
OUTCOME = "outcome_"
Parts = dict[str, Any]


class Open(Enum):
    """What is left of the messages of a list that have not ended, when one more has."""

    SOME_LEFT = "someLeft"
    NONE_LEFT = "noneLeft"
    UNKNOWN = "unknown"
    """They are not counted (any more)."""


class Told(NamedTuple):
    """What is reported of a message, and where: all that this needs, since the rest of the item may be unreadable."""

    mid: str
    account_id: str
    list_id: str
    attempt: int
    expires_at: int
    status_url: str
    status_events: tuple[str, ...]
    counts_in_list: bool
    now_msec: int
    ends_attempt: bool
    """An attempt is over for good."""
    outcome: Outcome | None
    """With which the message is finished; None: it is dialled again."""
    again_msec: int | None = None
    """Where it is dialled again: not before this."""
    fallback: str = ""
    """What is known of its fallback (`FallbackStatus`) then; empty: it has none, or has not ended."""


def told_of_message(
    message: Message,
    now_msec: int,
    outcome: Outcome | None,
    *,
    ends_attempt: bool,
    again_msec: int | None,
    fallback: str = "",
) -> Told:
    """What is reported of a message that leaves a state, and where: see the members of `Told`."""
    return Told(
        mid=message.mid,
        account_id=message.account_id,
        list_id=message.list_id,
        attempt=message.attempt,
        expires_at=message.expires_at,
        status_url=message.status_url,
        status_events=message.status_events,
        counts_in_list=message.counts_in_list,
        now_msec=now_msec,
        ends_attempt=ends_attempt,
        outcome=outcome,
        again_msec=again_msec,
        fallback=fallback,
    )


def told_of_item(item: Values, now_msec: int, outcome: Outcome) -> Told | None:
    """As `told_of_message`, for a message whose item cannot be understood: from the members of it that can; None: too
    few can. Only that the message has ended is told, nothing of its attempt.
    """
    texts = {name: item.get(name, "") for name in ("mid", "account_id", "list_id", "status_url")}
    events, expires_at, attempt = item.get("status_events", []), item.get("expires_at"), item.get("attempt", 0)
    is_known = all(isinstance(value, str) for value in texts.values()) and isinstance(events, list)
    if not (is_known and isinstance(expires_at, int) and isinstance(attempt, int) and texts["mid"]):
        return None
    return Told(
        **texts,
        attempt=attempt,
        expires_at=expires_at,
        status_events=tuple(name for name in events if isinstance(name, str)),
        counts_in_list=item.get("counts_in_list") is True,
        now_msec=now_msec,
        ends_attempt=False,
        outcome=outcome,
    )


def events_of(told: Told) -> list[StatusEvent]:
    """The events that have happened to a message and of which its sender wants to be told, in their order."""
    happened = {
        StatusKind.ATTEMPT: told.ends_attempt and told.attempt > 0,
        StatusKind.FINAL: told.outcome is not None,
    }
    wanted = told.status_events if told.status_url else ()
    return [StatusEvent(kind, told.mid, told.attempt) for kind, has in happened.items() if has and kind in wanted]


def event_parts(table: str, told: Told, due_msec: int) -> Parts:
    """The parts that write the deliveries of `events_of(told)`, by the kinds of the events.

    `due_msec`: when they are looked for, if no queue has brought them.
    """
    facts: Values = {"event_msec": told.now_msec}
    if told.outcome:
        facts |= {"event_outcome": told.outcome.outcome, "event_reason": told.outcome.reason}
    else:
        facts["again_msec"] = told.again_msec
    if told.fallback:
        facts["event_fallback"] = told.fallback
    place = destination(told.status_url)
    return {
        event.kind.value: _put(table, event, told.account_id, place, told.expires_at, facts, due_msec)
        for event in events_of(told)
    }


def fallback_event(message: Message) -> StatusEvent | None:
    """What is told when a message's fallback has come to its end; None: nothing."""
    wants = message.status_url and StatusKind.FALLBACK in message.status_events
    return StatusEvent(StatusKind.FALLBACK, message.mid, message.attempt) if wants else None


def fallback_event_part(table: str, message: Message, event: StatusEvent, facts: Values, due_msec: int) -> Any:
    """The part of the end of a fallback of which its sender is told."""
    place = destination(message.status_url)
    return _put(table, event, message.account_id, place, message.expires_at, facts, due_msec)


def ends_parts(messages_table: str, registry_table: str, told: Told, left: Open, item: Values, due_msec: int) -> Parts:
    """The parts of an end that count it for its list; empty: it is not counted.

    `left`: which form they have, by what is open behind this end. `item`: the list's counter as it was found; empty
    before the first try, which guesses SOME_LEFT and needs none. `due_msec`: as in `event_parts`.
    """
    if not (told.counts_in_list and told.outcome) or left is Open.UNKNOWN:
        return {}
    some_are_left, it_is_the_last = "open_count > :one", "open_count = :one"
    is_last = left is Open.NONE_LEFT
    values = {":one": 1, ":less": -1, **({":now": told.now_msec} if is_last else {})}
    update = {
        "TableName": registry_table,
        "Key": to_wire(list_ends_key(told.list_id)),
        "UpdateExpression": ("SET finished_msec = :now " if is_last else "")
        + f"ADD open_count :less, {OUTCOME}{told.outcome.outcome} :one",
        "ConditionExpression": it_is_the_last if is_last else some_are_left,
        "ExpressionAttributeValues": to_wire(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    parts: Parts = {ENDS: {"Update": update}}
    if is_last:
        place, event = destination(str(item.get("status_url", ""))), list_event(told.list_id)
        facts = {"event_msec": told.now_msec}
        parts[LIST_EVENT] = _put(messages_table, event, told.account_id, place, told.expires_at, facts, due_msec)
    return parts


def open_after(item: Values | None) -> Open:
    """Which form of an end is right for a list's counter as it was found; None: it is not there (any more)."""
    count = (item or {}).get("open_count", 0)
    if count < 1:
        return Open.UNKNOWN
    return Open.NONE_LEFT if count == 1 else Open.SOME_LEFT


def list_event(list_id: str) -> StatusEvent:
    """That all messages of a list have ended."""
    return StatusEvent(StatusKind.LIST, list_id)


def new_ends(
    list_id: str, account_id: str, messages: int, status_url: str, expires_at: int, *, is_simulated: bool = False
) -> Values:
    """The item that counts how many messages of a new list have not ended. `status_url` is told when all have.

    `is_simulated`: the list rings no phone, and its event says so.
    """
    return {
        **list_ends_key(list_id),
        "v": FORM,
        "list_id": list_id,
        "account_id": account_id,
        "total": messages,
        "open_count": messages,
        "status_url": status_url,
        **({"simulated": True} if is_simulated else {}),
        "expires_at": expires_at,
    }


def _put(
    table: str, event: StatusEvent, account_id: str, place: str, expires_at: int, facts: Mapping[str, Any], due: int
) -> Any:
    """The part that writes a pending delivery to the destination `place`, due at `due` if no queue has brought it.

    It needs no condition, as what it tells of happens once, in the same transaction.
    """
    item = {
        **delivery_key(event.name, event.event_id),
        "v": FORM,
        "mid": event.name,
        "seq": 0,
        "menu": 0,
        "key": event.kind.value,
        "step": 0,
        "event_id": event.event_id,
        "call_attempt": event.attempt,
        "account_id": account_id,
        "destination": place,
        "delivery": "pending",
        "attempts": [],
        "version": 0,
        "expires_at": expires_at,
        "due_shard": due_shard(WEBHOOK, event.name),
        "due_at": due,
        "undelivered_shard": undelivered_shard(account_id),
        **facts,
    }
    return {"Put": {"TableName": table, "Item": to_wire(item)}}
