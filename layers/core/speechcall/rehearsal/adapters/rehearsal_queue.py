"""The queue of rehearsals, with JSON of an id: nothing of a list travels through it."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.shared.rules.errors import StoreUnavailable

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class RehearsalQueue:
    """A queue that brings a rehearsal's id until its worker lets it go. `client` makes it, when one is sent first."""

    def __init__(self, client: Callable[[], "SQSClient"], url: str) -> None:
        self._client, self._url = client, url

    def send(self, job_id: str) -> None:
        """Queues a rehearsal. Raises StoreUnavailable."""
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=json.dumps({"rehearsal_id": job_id}))
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable("the queue of rehearsals did not take one") from error

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Has a message come again after so many seconds, instead of the queue's own hour and a half.

        A failure is only logged: the message comes again as it would have.
        """
        try:
            self._client().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("a rehearsal comes again later than it should: %s", type(error).__name__)

    def work(self, records: Iterable[Any], do: Callable[[str, Callable[[int], None]], bool]) -> list[dict[str, str]]:
        """Has the rehearsal of each record done; `do` is given what hides its message, and says whether it is over.

        The answer names those that come again. What is no rehearsal (another version's, say) is dropped.
        """
        failures = []
        for record in records:
            try:
                job_id = str(json.loads(record["body"])["rehearsal_id"])
            except (LookupError, TypeError, ValueError):
                logger.exception(
                    "there is no rehearsal in a record of its queue", extra={"record": record["messageId"]}
                )
                continue
            hide = lambda seconds, receipt=record["receiptHandle"]: self.hide(receipt, seconds)  # noqa: E731
            if not do(job_id, hide):
                failures.append({"itemIdentifier": record["messageId"]})
        return failures
