"""The queues of webhooks, with JSON of names: no contents of the customer travel through them."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from speechcall.messages.rules.status_event import StatusEvent
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.log_fields import Fields
from speechcall.shared.adapters.stream import group_of
from speechcall.webhooks.rules.webhook import WebhookTask, status_task

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MAX_NUMBER, _MAX_TEXT = 2**31, 200
_NUMBERS, _TEXTS = ("attempt", "seq", "menu", "step", "version"), ("mid", "key", "event_id")


class NoTask(ValueError):
    """There is no task in a queue message."""


class Work(Protocol):
    """Does a task; `WebhookWork.do`, which says what `receives` and `is_first` are. Out: a word for what came of it."""

    def __call__(self, task: WebhookTask, *, receives: int, is_first: bool) -> str: ...


def dump_task(task: WebhookTask) -> dict[str, str | int]:
    """A task as the members of a queue message. State machines write the same ones (`compile_flow`), but `version`."""
    return {
        "mid": task.mid,
        "attempt": task.attempt,
        "seq": task.seq,
        "menu": task.menu,
        "key": task.key,
        "step": task.step,
        "event_id": task.event_id,
        "version": task.version,
    }


def parse_task(body: str) -> WebhookTask:
    """The task in a queue message's body; members of another release that are not known here are passed over.

    Raises NoTask.
    """
    try:
        given = json.loads(body)
        task = WebhookTask(
            mid=given["mid"],
            attempt=given["attempt"],
            seq=given["seq"],
            menu=given["menu"],
            key=given["key"],
            step=given["step"],
            event_id=given["event_id"],
            version=given.get("version", 0),
        )
    except Exception as error:
        raise NoTask(f"not a task: {type(error).__name__}") from error
    members = dump_task(task)
    # By `type`, not isinstance: True is no number here.
    for name in _NUMBERS:
        if type(value := members[name]) is not int or not 0 <= value < _MAX_NUMBER:
            raise NoTask(f"its {name} is none")
    for name in _TEXTS:
        if type(value := members[name]) is not str or len(value) > _MAX_TEXT:
            raise NoTask(f"its {name} is none")
    if not (task.mid.isascii() and task.mid.isdigit() and task.event_id):
        raise NoTask("it names no webhook")
    return task


def task_fields(record: Mapping[str, Any]) -> Fields:
    """What a queue message is about, for the log: by the names in its task, if it is one."""
    try:
        return parse_task(record["body"]).log_fields
    except (NoTask, LookupError):
        return {}


def telling(make_client: "Callable[[], SQSClient]", url: str) -> Callable[[StatusEvent], None]:
    """Queues status events (`SqsWebhookQueue.tell`). The client is made for the first: most messages have none."""
    client = once(make_client)
    return lambda event: SqsWebhookQueue(client(), url).tell(event)


class SqsWebhookQueue:
    """A `WebhookQueue` on SQS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def again(self, task: WebhookTask, delay_seconds: int) -> None:
        """The task comes after so many seconds (at most 900)."""
        self._send(json.dumps(dump_task(task)), delay_seconds)

    def work(self, record: Mapping[str, Any], do: Work) -> tuple[str, str]:
        """Does the task in a record of either queue: the FIFO queue (it has groups), or that of the retries.

        Out: its event id, and the word for what came of it. Raises what `do` raises. A record that cannot be read would
        hold up others in the FIFO queue, so it is moved to the retries (out: "" and `unreadable`); there it raises
        NoTask until SQS puts it among the dead letters.
        """
        is_first = group_of(record) is not None
        try:
            task = parse_task(record["body"])
        except NoTask:
            if not is_first:
                raise
            self._send(record["body"], 0)
            return "", "unreadable"
        receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        return task.event_id, do(task, receives=receives, is_first=is_first)

    def _send(self, body: str, delay_seconds: int) -> None:
        self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)

    def tell(self, event: StatusEvent) -> None:
        """A status event comes behind what its message has sent before: `url` is that of the FIFO queue."""
        self.first(status_task(event))

    def first(self, task: WebhookTask) -> None:
        """The task comes in its turn, as a state machine queues it: `url` is that of the FIFO queue."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(dump_task(task)),
            MessageGroupId=task.mid,
            MessageDeduplicationId=task.event_id,
        )
