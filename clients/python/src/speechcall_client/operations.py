"""Each request of the API: what is sent, what its answer becomes, and whether it may be sent again. No network here."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from speechcall_client import models
from speechcall_client.menus import Menu, Message, Window

T = TypeVar("T")
MAX_MESSAGES = 100
MAX_REHEARSED = 1000
"""Of a request."""
MAX_BODY_BYTES = 4 * 1024 * 1024
"""Larger audio is uploaded to a URL of its own."""


class Again(Enum):
    """When a request may be sent once more."""

    ALWAYS = "it changes nothing, or the same twice is the same as once"
    UNSENT = "only if it cannot have arrived, or was refused for its rate"


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One request, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Any], T]
    """Makes the answer of its JSON, or (`raw`) of its bytes."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    again: Again = Again.ALWAYS
    idempotency_key: str | None = None
    raw: bool = False
    paged: bool = False
    """Of what is `raw`: `read` is also given the cursor of the next page, out of the header `Link`."""
    gone_is_done: bool = False
    """A 404 to a request that was sent once before means that the first one did it."""


def send(
    messages: Sequence[Message],
    campaign: str | None,
    strict: bool,
    idempotency_key: str | None,
    envelope: Mapping[str, Any],
) -> Operation[models.Accepted]:
    """With a key of its own, so it may be repeated until there is an answer."""
    key = idempotency_key or uuid.uuid4().hex
    content = _messagelist(messages, campaign, envelope)
    headers = {**_JSON, "Idempotency-Key": key}
    read = models.Accepted.model_validate
    return Operation("POST", "/bat/messagelist", read, _strict(strict), headers, _dump(content), idempotency_key=key)


def check(
    messages: Sequence[Message], campaign: str | None, strict: bool, picture: bool, envelope: Mapping[str, Any]
) -> Operation[models.Checked]:
    query = {**_strict(strict), **({"picture": "mermaid"} if picture else {})}
    body = _dump(_messagelist(messages, campaign, envelope))
    return Operation("POST", "/bat/messagelist/check", models.Checked.model_validate, query, _JSON, body)


def rehearse(
    messages: Sequence[Message],
    callees: Mapping[str, Any],
    seeds: int | None,
    start: str | datetime | None,
    campaign: str | None,
    envelope: Mapping[str, Any],
) -> Operation[models.Rehearsal]:
    if not 1 <= len(messages) <= MAX_REHEARSED:
        raise ValueError(f"1 to {MAX_REHEARSED} messages can be rehearsed at once, not {len(messages)}")
    moment = None if start is None else _moment(start)
    own = {"callees": dict(callees), **_given(seeds=seeds, start=moment)}
    body = _dump({**_content(messages, campaign, envelope), **own})
    read = models.Rehearsal.model_validate
    return Operation("POST", "/bat/rehearsal", read, {}, _JSON, body, again=Again.UNSENT)


def rehearsal(rehearsal_id: str) -> Operation[models.Rehearsal]:
    return Operation("GET", f"/bat/rehearsal/{_part(rehearsal_id)}", models.Rehearsal.model_validate)


def _messagelist(messages: Sequence[Message], campaign: str | None, envelope: Mapping[str, Any]) -> dict[str, Any]:
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise ValueError(f"a request has 1 to {MAX_MESSAGES} messages, not {len(messages)}; send_many takes more")
    return _content(messages, campaign, envelope)


def _content(messages: Sequence[Message], campaign: str | None, envelope: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"messages": [one.to_json() for one in messages]}
    return {**content, **({"campaign": campaign} if campaign else {}), **envelope}


def envelope_of(
    menus: Sequence[Menu],
    send_at: str | datetime | None,
    windows: Sequence[Window],
    time_zone: str | None,
    not_on: Sequence[str],
) -> dict[str, Any]:
    """What holds for all messages of a request."""
    return _given(
        menus=[one.to_json() for one in menus] or None,
        sendAt=_moment(send_at) if send_at else None,
        windows=[one.to_json() for one in windows] or None,
        timeZone=time_zone,
        notOn=list(not_on) or None,
    )


def message(message_id: str, with_menu: bool = False) -> Operation[models.MessageStatus]:
    query = {"include": "menu"} if with_menu else {}
    return Operation("GET", f"/bat/message/{_part(message_id)}", models.MessageStatus.model_validate, query)


def messagelist(list_id: str, limit: int, offset: int) -> Operation[models.ListStatus]:
    query = {"limit": str(limit), "offset": str(offset)}
    return Operation("GET", f"/bat/messagelist/{_part(list_id)}", models.ListStatus.model_validate, query)


Page = tuple[tuple[T, ...], str | None]
"""What a page of a listing has, and the cursor of the next one."""


def _page(member: str, kind: type[models.Answer]) -> Callable[[Any], Any]:
    def read(content: Any) -> Any:
        return tuple(kind.model_validate(one) for one in content[member]), content.get("nextCursor")

    return read


def campaigns(cursor: str | None) -> Operation[Page[models.Campaign]]:
    return Operation("GET", "/bat/campaign", _page("campaigns", models.Campaign), _listing(cursor))


def campaign(name: str) -> Operation[models.CampaignStatus]:
    return Operation("GET", f"/bat/campaign/{_part(name)}", models.CampaignStatus.model_validate)


def lists_of_campaign(name: str, cursor: str | None) -> Operation[Page[models.ListOfCampaign]]:
    read = _page("messagelists", models.ListOfCampaign)
    return Operation("GET", "/bat/messagelist", read, {"campaign": name, **_listing(cursor)})


def cancel_message(message_id: str, hangup: bool) -> Operation[models.MessageCancelled]:
    path = f"/bat/message/{_part(message_id)}/cancel"
    return Operation("POST", path, models.MessageCancelled.model_validate, {}, _JSON, _hangup(hangup))


def stop(kind: str, name: str, verb: str, hangup: bool = False) -> Operation[models.Stopped]:
    """`kind`: messagelist or campaign; `verb`: cancel, pause or resume. Each may be repeated."""
    body = _hangup(hangup) if verb == "cancel" else b"{}"
    return Operation("POST", f"/bat/{kind}/{_part(name)}/{verb}", models.Stopped.model_validate, {}, _JSON, body)


def replay_message(message_id: str, webhook_id: str | None) -> Operation[models.Replayed]:
    query = {"webhookId": webhook_id} if webhook_id else {}
    path = f"/bat/message/{_part(message_id)}/webhooks/replay"
    return Operation("POST", path, models.Replayed.model_validate, query, again=Again.UNSENT)


def replay_all(since: str | datetime, state: str | None, cursor: str | None) -> Operation[Page[str]]:
    def read(content: Any) -> Page[str]:
        found = models.Replayed.model_validate(content)
        return found.replayed, found.next_cursor

    body = _dump(_given(since=_moment(since), state=state, cursor=cursor))
    return Operation("POST", "/bat/webhook/replay", read, {}, _JSON, body, again=Again.UNSENT)


def webhooks(
    since: str | datetime | None, state: str | None, cursor: str | None
) -> Operation[Page[models.GivenUpWebhook]]:
    query = {**({"since": _moment(since)} if since else {}), **({"state": state} if state else {}), **_listing(cursor)}
    return Operation("GET", "/bat/webhook", _page("webhooks", models.GivenUpWebhook), query)


def opt_out(number: str, name: str | None, reason: str | None) -> Operation[models.OptOutAdded]:
    body = _dump(_given(number=number, list=name, reason=reason))
    return Operation("POST", "/bat/optout", models.OptOutAdded.model_validate, {}, _JSON, body)


def find_opt_out(number: str, name: str | None) -> Operation[models.OptOutFound]:
    body = _dump(_given(number=number, list=name))
    return Operation("POST", "/bat/optout/find", models.OptOutFound.model_validate, {}, _JSON, body)


def remove_opt_out(number: str, name: str | None, consent: Mapping[str, str] | None) -> Operation[models.OptOutRemoved]:
    body = _dump(_given(number=number, list=name, consent=dict(consent) if consent else None))
    read = models.OptOutRemoved.model_validate
    return Operation("POST", "/bat/optout/remove", read, {}, _JSON, body, again=Again.UNSENT)


def opt_outs(name: str | None, cursor: str | None) -> Operation[Page[models.OptOut]]:
    query = {**({"list": name} if name else {}), **_listing(cursor)}
    return Operation("GET", "/bat/optout", _page("optOuts", models.OptOut), query)


def erase(number: str) -> Operation[dict[str, Any]]:
    body = _dump({"number": number})
    return Operation("POST", "/bat/erasure", dict, {}, _JSON, body, again=Again.UNSENT)


def erasure(erasure_id: str) -> Operation[dict[str, Any]]:
    return Operation("GET", f"/bat/erasure/{_part(erasure_id)}", dict)


def ask_for_person(number: str) -> Operation[dict[str, Any]]:
    body = _dump({"number": number})
    return Operation("POST", "/bat/person/export", dict, {}, _JSON, body, again=Again.UNSENT)


def person(export_id: str, cursor: str | None) -> Operation[dict[str, Any]]:
    return Operation("GET", f"/bat/person/export/{_part(export_id)}", dict, {"cursor": cursor} if cursor else {})


def signed_call(message_id: str, full_number: bool) -> Operation[str]:
    query = {"number": "full"} if full_number else {}
    return Operation("GET", f"/bat/message/{_part(message_id)}/call", bytes.decode, query, raw=True)


def account() -> Operation[models.Account]:
    return Operation("GET", "/bat/account", models.Account.model_validate)


def new_webhook_secret() -> Operation[models.WebhookSecret]:
    read = models.WebhookSecret.model_validate
    return Operation("POST", "/bat/account/webhook-secret", read, {}, _JSON, b"{}", again=Again.UNSENT)


def put_audio(intro_id: str, content: bytes) -> Operation[models.Audio]:
    headers = {"Content-Type": "application/octet-stream"}
    return Operation("PUT", f"/bat/audio/{_part(intro_id)}", models.Audio.model_validate, {}, headers, content)


def begin_upload(intro_id: str, size: int) -> Operation[tuple[str, str]]:
    """The URL to PUT the file to, and the id of the upload."""
    path = f"/bat/audio/{_part(intro_id)}/upload"
    return Operation("POST", path, lambda told: (told["url"], told["uploadId"]), {}, _JSON, _dump({"bytes": size}))


def finish_upload(intro_id: str, upload_id: str) -> Operation[models.Audio]:
    path = f"/bat/audio/{_part(intro_id)}"
    return Operation("PUT", path, models.Audio.model_validate, {"uploadId": upload_id}, again=Again.UNSENT)


def export_list(messagelist_id: str) -> Operation[Page[dict[str, Any]]]:
    return _export(f"/bat/messagelist/{_part(messagelist_id)}/export", None)


def export_campaign(name: str, cursor: str | None) -> Operation[Page[dict[str, Any]]]:
    return _export(f"/bat/campaign/{_part(name)}/export", cursor)


def _export(path: str, cursor: str | None) -> Operation[Page[dict[str, Any]]]:
    def rows(told: tuple[bytes, str | None]) -> Page[dict[str, Any]]:
        content, following = told
        return tuple(json.loads(line) for line in content.splitlines()), following

    query = {"format": "jsonl", **({"cursor": cursor} if cursor else {})}
    return Operation("GET", path, rows, query, raw=True, paged=True)


def audio_list() -> Operation[tuple[models.Audio, ...]]:
    return Operation("GET", "/bat/audio", lambda told: tuple(map(models.Audio.model_validate, told["audio"])))


def audio(intro_id: str) -> Operation[models.Audio]:
    return Operation("GET", f"/bat/audio/{_part(intro_id)}", models.Audio.model_validate)


def audio_file(intro_id: str) -> Operation[bytes]:
    return Operation("GET", f"/bat/audio/{_part(intro_id)}/file", bytes, raw=True)


def remove_audio(intro_id: str) -> Operation[None]:
    return Operation("DELETE", f"/bat/audio/{_part(intro_id)}", lambda _told: None, gone_is_done=True)


_JSON: Mapping[str, str] = {"Content-Type": "application/json"}


def _dump(content: Any) -> bytes:
    """As text of its own: what is NaN or infinite is no JSON, and a ValueError here."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _hangup(hangup: bool) -> bytes:
    return _dump({"hangup": hangup})


def _strict(strict: bool) -> dict[str, str]:
    return {"strict": "true"} if strict else {}


def _listing(cursor: str | None) -> dict[str, str]:
    return {"limit": "100", **({"cursor": cursor} if cursor else {})}


def _part(text: str) -> str:
    """A part of a path. One that would lead elsewhere is a ValueError."""
    if not text or text in (".", ".."):
        raise ValueError(f"no id or name: {text!r}")
    return quote(text, safe="")


def _moment(given: str | datetime) -> str:
    if isinstance(given, str):
        return given
    if given.tzinfo is None:
        raise ValueError("a moment needs a time zone: datetime.now(UTC)")
    return given.isoformat()
