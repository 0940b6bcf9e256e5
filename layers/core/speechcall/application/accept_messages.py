"""POST /bat/messagelist: check, store, answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from speechcall.application.json_text import parse_json
from speechcall.application.ports import Clock, MessageStore
from speechcall.application.requests import MessageModel, check_message, is_url, to_menus, unknown_fields
from speechcall.domain.errors import InvalidRequest, PayloadTooLarge, Problem
from speechcall.domain.ids import new_ids
from speechcall.domain.message import Message, dump_menus
from speechcall.domain.phone import to_e164

MAX_MESSAGES = 100
MAX_BODY_BYTES = 1024 * 1024
MAX_MENUS_BYTES = 64 * 1024
KEPT_SECONDS = 30 * 24 * 3600


class ListStore(Protocol):
    """Where message lists and uploaded prompts are known."""

    def add_list(self, list_id: str, account_id: str, count: int, now_msec: int, expires_at: int) -> None: ...

    def has_prompt(self, account_id: str, identifier: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """One message of the request as given; checked, or with its problems."""

    given: Any
    model: MessageModel | None
    problems: Sequence[Problem]


def accept_messages(
    account_id: str,
    body: bytes,
    *,
    messages: MessageStore,
    lists: ListStore,
    clock: Clock,
    random_bits: Callable[[int], int],
) -> dict[str, Any]:
    """Stores the acceptable messages of a request, together, and returns the answer.

    The answer lists every entry in the order sent: `messageId`, `recipient`, `"status":"sent"`, or
    `"status":"rejected"` with its error. Raises MalformedJson, PayloadTooLarge, or InvalidRequest
    when the envelope is unusable or every message is refused.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"The body has {len(body)} bytes; at most {MAX_BODY_BYTES} can be taken.")
    entries = _check(_envelope(parse_json(body)), account_id, lists)
    accepted = [(entry.model, number) for entry in entries if entry.model and (number := to_e164(entry.model.to))]
    if not accepted:
        problems = [problem for entry in entries for problem in entry.problems]
        raise InvalidRequest("No message of the request can be accepted.", problems)

    now = clock.now_msec()
    list_id, *ids = new_ids(len(accepted) + 1, now, random_bits)
    expires_at = now // 1000 + KEPT_SECONDS
    stored = [
        _message(model, number, mid, list_id, account_id, now)
        for (model, number), mid in zip(accepted, ids, strict=True)
    ]
    lists.add_list(list_id, account_id, len(stored), now, expires_at)
    messages.add(stored)
    return _answer(entries, list_id, ids)


def _envelope(body: Any) -> list[Any]:
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        problem = Problem("INVALID_REQUEST", "messages", 'must be an array of messages: {"messages": […]}')
        raise InvalidRequest("The body has no list of messages.", [problem])
    count = len(body["messages"])
    if not 1 <= count <= MAX_MESSAGES:
        problem = Problem("INVALID_REQUEST", "messages", f"holds {count} messages; 1 to {MAX_MESSAGES} would be right")
        raise InvalidRequest("The list has too few or too many messages.", [problem])
    return list(body["messages"])


def _check(given: list[Any], account_id: str, lists: ListStore) -> list[_Entry]:
    known: dict[str, bool] = {}
    entries = []
    for index, entry in enumerate(given):
        path = f"messages[{index}]"
        model, problems = check_message(entry, path)
        for number, menu in enumerate(model.menu if model else ()):
            if is_url(menu.introUrl):
                continue
            if menu.introUrl not in known:
                known[menu.introUrl] = lists.has_prompt(account_id, menu.introUrl)
            if not known[menu.introUrl]:
                text = f'there is no audio "{menu.introUrl}" in this account; upload it first, or give a URL'
                problems.append(Problem("UNKNOWN_AUDIO", f"{path}.menu[{number}].introUrl", text))
        if model and len(dump_menus(to_menus(model)).encode()) > MAX_MENUS_BYTES:
            problems.append(Problem("INVALID_MENU", f"{path}.menu", f"is larger than {MAX_MENUS_BYTES} bytes"))
        entries.append(_Entry(entry, None if problems else model, problems))
    return entries


def _message(model: MessageModel, number: str, mid: str, list_id: str, account_id: str, now_msec: int) -> Message:
    return Message(
        mid=mid,
        list_id=list_id,
        account_id=account_id,
        sender=model.from_,
        recipient=model.to,
        number=number,
        text=model.text,
        menus=to_menus(model),
        created_msec=now_msec,
        expires_at=now_msec // 1000 + KEPT_SECONDS,
    )


def _answer(entries: Sequence[_Entry], list_id: str, ids: Sequence[str]) -> dict[str, Any]:
    remaining = iter(ids)
    answered = [_accepted(entry, next(remaining)) if entry.model else _rejected(entry) for entry in entries]
    answer: dict[str, Any] = {"messages": answered, "messagelistId": list_id}
    if rejected := sum(1 for entry in entries if not entry.model):
        answer["rejected"] = rejected
    return answer


def _accepted(entry: _Entry, mid: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"messageId": mid, "recipient": entry.given["to"], "status": "sent"}
    if names := unknown_fields(entry.given):
        answer["warnings"] = [
            {"code": "UNKNOWN_FIELD", "path": name, "message": "is not known here and changes nothing"}
            for name in names
        ]
    return answer


def _rejected(entry: _Entry) -> dict[str, Any]:
    given = entry.given.get("to") if isinstance(entry.given, dict) else None
    first = entry.problems[0]
    error: dict[str, Any] = {"code": first.code, "message": first.message, "path": first.path}
    if len(entry.problems) > 1:
        error["details"] = [
            {"code": problem.code, "path": problem.path, "message": problem.message} for problem in entry.problems
        ]
    return {"recipient": given if isinstance(given, str) else None, "status": "rejected", "error": error}
