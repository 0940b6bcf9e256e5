"""The queue that wakes webhooks, with JSON of names: no contents of the customer travel through it."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from speechcall.domain.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def parse_task(body: str) -> WebhookTask:
    """The task in a queue message's body."""
    return WebhookTask(**json.loads(body))


class SqsWebhookQueue:
    """A `WebhookQueue` on SQS."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def again(self, task: WebhookTask, delay_seconds: int) -> None:
        """The task comes after so many seconds (at most 900)."""
        body = json.dumps(asdict(task))
        self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)

    def first(self, task: WebhookTask) -> None:
        """The task comes in its turn, as a state machine queues it: `url` is that of the FIFO queue."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(asdict(task)),
            MessageGroupId=task.mid,
            MessageDeduplicationId=task.event_id,
        )
