"""The webhook that a key press sends, and that which tells of a status."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from speechcall.menus.rules.menu import SILENCE, Lookup, Menu, Webhook, ends_list
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import KINDS, StatusEvent, StatusKind

SIMULATED = ("webhook-simulated", "1")
"""The header of all that tells of calls that rang no phone; no sender can set it (`webhook-*` is refused)."""
_OURS = {"content-type", "host", "content-length", "transfer-encoding", "connection"}


@dataclass(frozen=True, slots=True)
class WebhookTask:
    """One webhook step of one key press, as it travels through the queues: names, no contents.

    `seq` is the question that the key answered; `version` the delivery's when the task was queued. Of a status event
    `key` is the kind and `mid` the id of the message or of the list; `attempt` the latest call's; the rest is 0.
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
    def tells_status(self) -> bool:
        """Whether it is that of a status event, and of no key."""
        return self.key in KINDS

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of every log line that is about it. `attempt` is the call's, as in all other lines."""
        if self.key == StatusKind.LIST:
            return {"messagelist_id": self.mid, "webhook_id": self.event_id}
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


class Notice(NamedTuple):
    """What is sent for a status event: whose it is, where it goes, and its body as JSON."""

    account_id: str
    url: str
    body: str
    is_simulated: bool = False
    """No phone has rung for what it tells of."""


def status_task(event: StatusEvent) -> WebhookTask:
    """The task of a status event."""
    return WebhookTask(event.name, event.attempt, 0, 0, event.kind.value, 0, event.event_id)


def webhook_of(message: Message, task: WebhookTask) -> Webhook | None:
    """The webhook that a task names; None if the message has no such step, or the step is another kind of action."""
    if not 0 <= task.menu < len(message.menus):
        return None
    steps = message.menus[task.menu].actions.get(task.key, ())
    action = steps[task.step] if 0 <= task.step < len(steps) else None
    return action if isinstance(action, Webhook) else None


def may_follow_others(message: Message, task: WebhookTask) -> bool:
    """Whether the call may have sent a webhook before this one: in the same list, or from an earlier question.

    The message has the step that the task names (`webhook_of`).
    """
    first_question = 2  # dialling is the call's first command
    before = message.menus[task.menu].actions[task.key][: task.step]
    return task.seq > first_question or any(isinstance(action, Webhook) for action in before)


def webhook_steps(message: Message, task: WebhookTask) -> tuple[int, ...]:
    """The steps (from 0) that are webhooks in the list of actions of a task, up to the action that ends the list."""
    steps = []
    for step, action in enumerate(message.menus[task.menu].actions.get(task.key, ())):
        if isinstance(action, Webhook):
            steps.append(step)
        if ends_list(action):
            break
    return tuple(steps)


def looks_up(message: Message, task: WebhookTask) -> bool:
    """Whether the list of a task ends with a lookup, which is also told what was entered."""
    actions = message.menus[task.menu].actions.get(task.key, ())
    return isinstance(next(filter(ends_list, actions), None), Lookup)


def may_tell_digits(menu: Menu, key: str) -> bool:
    """Whether the list `key` runs for what is entered in a menu that asks for digits."""
    return menu.input is not None and key != SILENCE


def tells_secret_digits(message: Message, task: WebhookTask) -> bool:
    """Whether what it tells of an entry is erased when nobody is to be told of it any more."""
    menu = message.menus[task.menu]
    return menu.input is not None and menu.input.sensitive and may_tell_digits(menu, task.key)


def webhook_request(
    message: Message, webhook: Webhook | Lookup, event_id: str, now_sec: int, digits: str | None = None
) -> WebhookRequest:
    """The request: body exactly `{"from","to","mid","action"}`, the customer's headers, then ours.

    `digits`, where some were entered (None: none were), stands before `action`.
    `action` is the customer's own JSON text, so that its numbers and its member order arrive.
    `webhook-id` and `webhook-timestamp` are those of Standard Webhooks 1.0.0.
    """
    given = ",".join(
        f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}"
        for name, value in (
            ("from", message.sender),
            ("to", message.recipient),
            ("mid", message.mid),
            *((("digits", digits),) if digits is not None else ()),
        )
    )
    body = f'{{{given},"action":{webhook.body}}}'
    custom = tuple((name, value) for name, value in webhook.headers.items() if name.lower() not in _OURS)
    return _request(webhook.url, custom, body, message.account_id, event_id, now_sec, message.is_simulated)


def notice_request(notice: Notice, event_id: str, now_sec: int) -> WebhookRequest:
    """The request of a status event: its body, and our headers as they are for a key press."""
    return _request(notice.url, (), notice.body, notice.account_id, event_id, now_sec, notice.is_simulated)


def _request(
    url: str,
    custom: tuple[tuple[str, str], ...],
    body: str,
    account_id: str,
    event_id: str,
    now_sec: int,
    is_simulated: bool,
) -> WebhookRequest:
    """A request with the customer's headers, then ours; a User-Agent of the customer's replaces ours."""
    agent = () if any(name.lower() == "user-agent" for name, _ in custom) else (("User-Agent", "SpeechCall"),)
    ours = (
        ("Content-Type", "application/json"),
        *agent,
        ("webhook-id", event_id),
        ("webhook-timestamp", str(now_sec)),
        *((SIMULATED,) if is_simulated else ()),
    )
    return WebhookRequest(url, custom + ours, body.encode(), account_id)
