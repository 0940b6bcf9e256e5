"""The webhook that a key press sends."""

import json
from dataclasses import dataclass

from speechcall.domain.message import Message, Webhook

_OURS = {"content-type", "host", "content-length", "transfer-encoding", "connection"}


@dataclass(frozen=True, slots=True)
class WebhookTask:
    """One webhook step of one key press, as it travels through the queues: names, no contents."""

    mid: str
    attempt: int
    seq: int
    menu: int
    key: str
    step: int
    event_id: str


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """The HTTP request of one attempt."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def webhook_request(message: Message, webhook: Webhook, event_id: str, now_sec: int) -> WebhookRequest:
    """The request: body exactly `{"from","to","mid","action"}`, the customer's headers, then ours.

    `action` is the customer's own JSON text, so that its numbers and its member order arrive.
    `webhook-id` and `webhook-timestamp` are those of Standard Webhooks 1.0.0.
    """
    given = ",".join(
        f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}"
        for name, value in (("from", message.sender), ("to", message.recipient), ("mid", message.mid))
    )
    body = f'{{{given},"action":{webhook.body}}}'
    custom = tuple((name, value) for name, value in webhook.headers.items() if name.lower() not in _OURS)
    agent = () if any(name.lower() == "user-agent" for name, _ in custom) else (("User-Agent", "SpeechCall"),)
    ours = (
        ("Content-Type", "application/json"),
        *agent,
        ("webhook-id", event_id),
        ("webhook-timestamp", str(now_sec)),
    )
    return WebhookRequest(webhook.url, custom + ours, body.encode())
