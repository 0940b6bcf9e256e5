"""The webhook that a key press sends."""

import json
from dataclasses import dataclass

from speechcall.menus.rules.menu import Webhook
from speechcall.messages.rules.message import Message
from speechcall.outbound.rules.address import target_of
from speechcall.outbound.rules.host import shown_host
from speechcall.shared.rules.errors import UnusableUrl

NOWHERE = "nowhere"
"""The destination of a URL that cannot be sent to."""
_OURS = {"content-type", "host", "content-length", "transfer-encoding", "connection"}


@dataclass(frozen=True, slots=True)
class WebhookTask:
    """One webhook step of one key press, as it travels through the queues: names, no contents.

    `seq` is the question that the key answered; `version` the delivery's when the task was queued.
    """

    mid: str
    attempt: int
    seq: int
    menu: int
    key: str
    step: int
    event_id: str
    version: int = 0

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of every log line that is about it. `attempt` is the call's, as in all other lines."""
        return {"mid": self.mid, "attempt": self.attempt, "webhook_id": self.event_id}


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """The HTTP request of one attempt."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    account_id: str = ""
    """Whose it is: connections are kept for requests of the same account."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a receiver answered: the status, and Retry-After as it stood there."""

    status: int
    retry_after: str | None = None


def webhook_of(message: Message, task: WebhookTask) -> Webhook | None:
    """The webhook that a task names; None if the message has no such step, or it is none."""
    if not 0 <= task.menu < len(message.menus):
        return None
    steps = message.menus[task.menu].actions.get(task.key, ())
    action = steps[task.step] if 0 <= task.step < len(steps) else None
    return action if isinstance(action, Webhook) else None


def may_follow_others(message: Message, task: WebhookTask) -> bool:
    """Whether the call may have sent a webhook before this one: in the same list, or from an earlier question."""
    first_question = 2  # dialling is the call's first command
    before = message.menus[task.menu].actions[task.key][: task.step]
    return task.seq > first_question or any(isinstance(action, Webhook) for action in before)


def destination(url: str) -> str:
    """Where a URL leads, without what in it may be secret: scheme, host and port, in one form."""
    try:
        target = target_of(url)
    except UnusableUrl:
        return NOWHERE
    return f"{target.scheme}://{target._replace(host=shown_host(target.host.removesuffix('.'))).authority}"


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
    return WebhookRequest(webhook.url, custom + ours, body.encode(), message.account_id)
