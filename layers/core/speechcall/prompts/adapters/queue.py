"""The queue of messages that wait for the audio behind a URL, for a spoken text, or for parts to be joined.

It is a FIFO queue: jobs of one group are worked off one at a time. A group has the jobs of some URLs of one account; a
job that waits or fails is moved to a group of its own (`Apart`), so that it does not hold up the others.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.menus.rules.introduction import introductions
from speechcall.messages.rules.message import Message
from speechcall.prompts.use_cases.attempt_prompt import fault_seconds
from speechcall.prompts.use_cases.prepare_prompts import Apart
from speechcall.shared.rules.errors import StoreUnavailable

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


GROUPS = 32
"""Of an account: so many of its URLs are looked at, at most, while none has to be tried again. The more there are, the
more rarely a URL waits behind one that hangs, which it does for one attempt."""


@dataclass(frozen=True, slots=True)
class PromptJob:
    """A message that waits for one of its introductions; `attempt`: how often it was handed out (from 1)."""

    mid: str
    place: int
    """Among the introductions of the message: where no menu is joined of parts, the menu."""
    attempt: int
    receipt_handle: str
    apart: Apart = Apart.NO


class PromptQueue:
    """A FIFO queue. Of a group, one message at a time is worked on; an account has a few, and each URL is in one."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def ask_for(self, message: Message, place: int, apart: Apart = Apart.NO) -> None:
        """Queues a message for one of its introductions; once within five minutes. Raises StoreUnavailable."""
        try:
            self._send(message.mid, place, _group(message, place, apart), apart)
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("the queue of prompts did not take a message") from error

    def _send(self, mid: str, place: int, group: str, apart: Apart) -> None:
        """Queues a job. The queue hands out the jobs of a group one by one, and drops a repeat within 5 minutes."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"mid": mid, "menu": place, **({"apart": apart.value} if apart else {})}),
            MessageGroupId=_digest(group),
            MessageDeduplicationId=_digest(f"{mid} {place} {group}"),
        )

    def work(self, records: Iterable[Any], do: Callable[[PromptJob], int | None]) -> list[dict[str, str]]:
        """Has the job of each record done. `do` gives the seconds after which it comes again; None: it does not.

        Out: those that come again, as Lambda takes them (`batchItemFailures`). What `do` raises has been recorded
        nowhere, and is tried again too. What is no job (another version's, say) is dropped: its message is asked for
        again by the sweeper.
        """
        failures = []
        for record in records:
            try:
                job = read_job(record)
            except (LookupError, TypeError, ValueError):
                name = {"record": record.get("messageId")}
                logger.exception("there is no job in a record of the queue of prompts", extra=name)
                continue
            try:
                wait = do(job)
            except Exception:
                fields = {"mid": job.mid, "record": record.get("messageId")}
                logger.exception("message %s could not be prepared, nor its failure recorded", job.mid, extra=fields)
                wait = None if self._try_to_send_apart(job) else fault_seconds(job.attempt)
            if wait is not None:
                self._put_off(job, wait)
                failures.append({"itemIdentifier": record["messageId"]})
        return failures

    def _try_to_send_apart(self, job: PromptJob) -> bool:
        """Moves a job whose failure could not be written to the tables to its message's own group.

        True: it was moved, and holds up no other message. False: it is in that group already, or cannot be moved.
        """
        if job.apart is Apart.MESSAGE:
            return False
        try:
            self._send(job.mid, job.place, _group_of_message(job.mid), Apart.MESSAGE)
        except Exception as error:  # noqa: BLE001 - then it has to wait where it is
            logger.warning("a job could not be put apart: %s", type(error).__name__, extra={"mid": job.mid})
            return False
        return True

    def _put_off(self, job: PromptJob, seconds: int) -> None:
        """Hides a job, and its group, which waits behind it, for so many seconds instead of the queue's own timeout."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=job.receipt_handle, VisibilityTimeout=seconds
            )
        except Exception as error:  # noqa: BLE001 - it comes again after the queue's own timeout
            logger.warning("a job comes again later than it should: %s", type(error).__name__, extra={"mid": job.mid})


def read_job(record: Mapping[str, Any]) -> PromptJob:
    """The job in a record of the queue. Raises LookupError, TypeError, ValueError for an invalid one."""
    body = json.loads(record["body"])
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    return PromptJob(body["mid"], body["menu"], attempt, record["receiptHandle"], Apart(body.get("apart", "")))


def _group(message: Message, place: int, apart: Apart) -> str:
    """The group of a job: one of its account's, which several URLs share; or that of its URL or its message alone."""
    intro = introductions(message.menus)[place].name
    match apart:
        case Apart.NO:
            return f"{message.account_id} {int(_digest(intro), 16) % GROUPS}"
        case Apart.URL:
            return f"{message.account_id} {intro}"
        case Apart.MESSAGE:
            return _group_of_message(message.mid)
    assert_never(apart)


def _group_of_message(mid: str) -> str:
    return f"message {mid}"


def _digest(text: str) -> str:
    """What a group or a message of the queue is called: any text can be; it is not read there."""
    return hashlib.sha256(text.encode()).hexdigest()
