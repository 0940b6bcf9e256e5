"""The queue of messages that wait for the audio behind a URL."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.application.fetch_prompts import fault_seconds
from speechcall.domain.errors import StoreUnavailable
from speechcall.domain.message import Message
from speechcall.domain.prompt import is_uploaded

logger = logging.getLogger(__name__)

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
        """Queues a message for a menu's URL; the same one within five minutes once. Raises StoreUnavailable.

        One that waits for no URL, but for a fault of ours to pass, has a group of its own.
        """
        intro = message.menus[menu].intro
        shared = message.mid if is_uploaded(intro) else intro
        group = hashlib.sha256(f"{message.account_id} {shared}".encode()).hexdigest()
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps({"mid": message.mid, "menu": menu}),
                MessageGroupId=group,
                MessageDeduplicationId=f"{message.mid}-{group}",
            )
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("the queue of prompts did not take a message") from error

    def work(self, records: Iterable[Any], do: Callable[[PromptJob], int | None]) -> list[dict[str, str]]:
        """Has the job of each record done. `do` gives the seconds after which it comes again; None: it does not.

        The answer names those that come again. What `do` raises has been recorded nowhere, and is tried again too. What
        is no job (another version's, say) is dropped: its message is asked for again by the sweeper.
        """
        failures = []
        for record in records:
            try:
                job = read_job(record)
            except (LookupError, TypeError, ValueError):
                logger.exception("there is no job in a record of the queue of prompts")
                continue
            try:
                wait = do(job)
            except Exception:
                logger.exception("message %s could not be prepared, nor its failure recorded", job.mid)
                wait = fault_seconds(job.attempt)
            if wait is not None:
                self._put_off(job, wait)
                failures.append({"itemIdentifier": record["messageId"]})
        return failures

    def _put_off(self, job: PromptJob, seconds: int) -> None:
        """Hides a job, and with it its whole group, for so long; others wait for it, so not for the queue's timeout."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=job.receipt_handle, VisibilityTimeout=seconds
            )
        except Exception as error:  # noqa: BLE001 - it comes again after the queue's own timeout
            logger.warning("a job comes again later than it should: %s", type(error).__name__)


def read_job(record: Mapping[str, Any]) -> PromptJob:
    """The job in a record of the queue. Raises LookupError, TypeError, ValueError for what is none."""
    body = json.loads(record["body"])
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    return PromptJob(body["mid"], body["menu"], attempt, record["receiptHandle"])
