"""Where webhooks wait, as JSON of names: no contents of the customer travel through a queue."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from speechcall.domain.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def parse_task(body: str) -> WebhookTask:
    """The task in a queue message's body."""
    return WebhookTask(**json.loads(body))


class SqsWebhookQueues:
    """The `WebhookQueues` on SQS."""

    def __init__(self, client: "SQSClient", retry_url: str, dead_letter_url: str) -> None:
        self._client, self._retry_url, self._dead_letter_url = client, retry_url, dead_letter_url

    def again(self, task: WebhookTask, delay_seconds: int) -> None:
        body = json.dumps(asdict(task))
        self._client.send_message(QueueUrl=self._retry_url, MessageBody=body, DelaySeconds=delay_seconds)

    def dead(self, task: WebhookTask) -> None:
        self._client.send_message(QueueUrl=self._dead_letter_url, MessageBody=json.dumps(asdict(task)))
