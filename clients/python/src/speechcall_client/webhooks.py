"""What your server receives: verified, and as objects.

    event = verify(request.headers, body, SECRET)

Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and the bytes of the body.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
"""How far a timestamp may be off: it is the attempt's own, so a late retry has a fresh one."""
_ID = re.compile(
    r"(?P<mid>[0-9]{1,19})-(?P<attempt>[0-9]+)-(?P<seq>[0-9]+)-m(?P<menu>[0-9]+)-(?P<key>[^-]+)-(?P<step>[0-9]+)"
)


class InvalidWebhook(Exception):
    """Not to be trusted: answer 401, and do nothing. The sentence says why; keep it to yourself."""


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook whose signature is right, of a kind that this client does not know; do nothing, and answer 2xx."""

    id: str
    """The same in every attempt and replay: do what it asks for once."""
    timestamp: int
    """When this attempt was made, in epoch seconds."""
    content: Mapping[str, Any] = field(repr=False)
    """The body."""


@dataclass(frozen=True, slots=True)
class KeyPressed(Event):
    """A callee has come to a webhook of a menu: by a key, or by a list for silence or other keys."""

    message_id: str
    sender: str
    """`from` as the message gave it."""
    to: str
    """As the message gave it."""
    action: Mapping[str, Any]
    """The webhook's body, as you wrote it."""
    attempt: int
    """Which call to this number it was, from 1."""
    question: int
    """Grows within a call: by it and `step` the webhooks of a call can be put in order."""
    menu: int
    key: str
    """`1`, `*`, `#` …, or `complete`, `silence`, `invalid` or `wrong`."""
    step: int
    digits: str | None = None
    """What the callee has entered in a menu that asks for several digits."""


@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """News of a message or of a list: `name` is `final`, `attempt`, `fallback` or `list`."""

    name: str
    message_id: str | None
    delivery_status: str | None


def verify(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes | str,
    secrets: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Event:
    """The event in a request, once it is known to come from SpeechCall. Raises InvalidWebhook.

    In: the headers by whatever spelling, and the bytes of the body **as they came**, not JSON that was read and written
    again. Several `secrets` while one is replaced by another; an invalid one is a ValueError.
    """
    keys = [_key(one) for one in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("no secret was given, so nothing can be verified")
    given = _lower(headers)
    content = body.encode() if isinstance(body, str) else bytes(body)
    event_id, stamp, signatures = (
        given.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not event_id or not stamp or not signatures:
        raise InvalidWebhook("webhook-id, webhook-timestamp or webhook-signature is missing")
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise InvalidWebhook("webhook-timestamp is no number")
    signed = f"{event_id}.{stamp}.".encode("utf-8", "surrogatepass") + content
    expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    if not any(hmac.compare_digest(one, right) for one in _signatures(signatures) for right in expected):
        raise InvalidWebhook("no signature is right: another secret, or the body was changed")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance:
        raise InvalidWebhook("webhook-timestamp is too far from now: an old request, or a clock that is wrong")
    return _event(event_id, int(stamp), content)


def sign(event_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """The value of `webhook-signature`, for tests of receivers."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _event(event_id: str, timestamp: int, body: bytes) -> Event:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise InvalidWebhook("the body is no JSON") from error
    if not isinstance(content, dict):
        raise InvalidWebhook("the body is no object")
    if isinstance(name := content.get("event"), str):
        mid, status = content.get("messageId"), content.get("deliverystatus")
        return StatusChanged(event_id, timestamp, content, name=name, message_id=mid, delivery_status=status)
    found = _ID.fullmatch(event_id)
    if found is None or not {"from", "to", "mid", "action"} <= content.keys():
        return Event(event_id, timestamp, content)
    return KeyPressed(
        event_id,
        timestamp,
        content,
        message_id=str(content["mid"]),
        sender=str(content["from"]),
        to=str(content["to"]),
        action=content["action"],
        attempt=int(found["attempt"]),
        question=int(found["seq"]),
        menu=int(found["menu"]),
        key=found["key"].removeprefix("d"),
        step=int(found["step"]),
        digits=content["digits"] if isinstance(content.get("digits"), str) else None,
    )


def _lower(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {str(name).lower(): str(value) for name, value in pairs}


def _signatures(header: str) -> list[bytes]:
    """Those of version 1; what is none is passed over, as a later version would be."""
    found = []
    for one in header.split():
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("the secret is none of SpeechCall's: whsec_ and base64")
    return key
