"""The queue of messages that wait for the audio behind a URL."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.domain.errors import StoreUnavailable
from speechcall.domain.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class PromptJob:
    """A message that waits for the audio of one of its menus, and how often it was handed out (from 1)."""

    mid: str
    menu: int
    attempt: int
    receipt_handle: str


class PromptQueue:
    """A FIFO queue with a group for each URL of an account: of a group, one message at a time is worked on."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def ask_for(self, message: Message, menu: int) -> None:
        """Queues a message for a menu's URL; the same one within five minutes once. Raises StoreUnavailable."""
        group = hashlib.sha256(f"{message.account_id} {message.menus[menu].intro}".encode()).hexdigest()
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps({"mid": message.mid, "menu": menu}),
                MessageGroupId=group,
                MessageDeduplicationId=f"{message.mid}-{group}",
            )
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("the queue of prompts did not take a message") from error

    def put_off(self, job: PromptJob, seconds: int) -> None:
        """Hides a job, and with it its whole group, for so long."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=job.receipt_handle, VisibilityTimeout=seconds
        )


def read_job(record: Mapping[str, Any]) -> PromptJob:
    """The job in a record of the queue."""
    body = json.loads(record["body"])
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    return PromptJob(body["mid"], body["menu"], attempt, record["receiptHandle"])
