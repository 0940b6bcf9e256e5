"""The dead-letter queues of a deployment: what is in them, and how it gets another try.

Sources of the forms: Lambda developer guide, "Capturing records of Lambda asynchronous invocations" and "Configure a
destination to retain records of a failed invocation" (DynamoDB streams: where the batch is, not the batch);
EventBridge user guide, "Using dead-letter queues to process undelivered events" (the event as it was, its
target and error as attributes).
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

QUEUES: Mapping[str, tuple[str, str | None]] = {
    "prompts": ("PromptDeadLetterFifoQueue", "PromptQueue"),
    "webhooks-first": ("WebhookDeadLetterFifoQueue", "WebhookQueue"),
    "webhooks-later": ("WebhookDeadLetterQueue", "WebhookRetryQueue"),
    "rehearsals": ("RehearsalDeadLetterQueue", "RehearsalQueue"),
    "stream": ("StreamDeadLetterQueue", None),
    "invocations": ("InvocationDeadLetterQueue", None),
    "events": ("EventDeadLetterQueue", None),
}
"""By the name that an operator says: the queue, and where its messages came from, if that is a queue too."""

HIDDEN_SECONDS = 120
MOST_PAGES = 1000
"""Of a stream that are read for one batch: in a shard that is open there is always a next one."""
FORGOTTEN = "the stream has forgotten it, or a part of it, after a day; --forget removes it"
_GONE = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})


class NotRedriven(Exception):
    """A letter cannot have another try, or failed again; the sentence says why."""


@dataclass(frozen=True)
class Letter:
    """One message of a dead-letter queue."""

    queue: str
    """As an operator says it: a name in QUEUES."""
    id: str
    receipt: str
    """By which it is deleted or shown again, while it is hidden for us."""
    body: str
    sent_msec: int
    """When it came into this queue; 0: not known."""
    group: str | None
    """Of a FIFO queue; None: the queue is none."""
    attributes: Mapping[str, str]
    """SQS's message attributes, by name."""

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object in the letter's body; empty if the body is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def row(self) -> dict[str, Any]:
        """The letter as a row of a table. Names only: a body may hold numbers and texts."""
        content = self.content
        # An invocation or a batch that failed tells of itself in its content; an event of EventBridge, in attributes.
        context, answer = content.get("requestContext", {}), content.get("responsePayload") or {}
        arn = context.get("functionArn") or self.attributes.get("TARGET_ARN", "")
        payload = content.get("requestPayload") or content
        error = answer.get("errorType") or self.attributes.get("ERROR_CODE") or context.get("condition")
        return {
            "queue": self.queue,
            "id": self.id,
            "since": datetime.fromtimestamp(self.sent_msec / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "function": _name(arn) or "-",
            "what": payload.get("mid")
            or payload.get("rehearsal_id")
            or payload.get("detail-type")
            or _batch(content)
            or "-",
            "error": error or "-",
        }


class DeadLetters:
    """Reads the queues and gives letters another try. Clients are boto3's.

    `name_of`: gives a queue's URL by its logical id.
    """

    def __init__(self, sqs: Any, functions: Any, streams: Any, name_of: Callable[[str], str]) -> None:
        self._sqs, self._functions, self._streams, self._name_of = sqs, functions, streams, name_of

    def read(self, queue: str) -> list[Letter]:
        """All that can be had now; they are hidden from other readers until `show_again`, or for two minutes."""
        return list(self._received(queue))

    def show_again(self, letters: list[Letter]) -> None:
        """Ends the hiding of letters that stay."""
        for one in letters:
            url = self._name_of(QUEUES[one.queue][0])
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=one.receipt, VisibilityTimeout=0)

    def redrive(self, letter: Letter) -> None:
        """Gives a letter that was read another try: it goes back into its queue, or the function is given it.

        Removes it when it is back there, or the function has succeeded. Raises NotRedriven where the function has not,
        or nothing can be tried; then it stays, hidden until `show_again` or for two minutes.
        """
        content, (queue, source) = letter.content, QUEUES[letter.queue]
        if source is not None:  # it failed in a queue: it goes back there
            self._send(letter, self._name_of(source))
        elif "DDBStreamBatchInfo" in content:  # a batch of a stream: the letter says only where it is
            arn = content["requestContext"]["functionArn"]
            for records in self._pages(content["DDBStreamBatchInfo"]):
                self._invoke(arn, {"Records": records})
        elif "requestPayload" in content:  # an asynchronous invocation
            self._invoke(content["requestContext"]["functionArn"], content["requestPayload"])
        elif "TARGET_ARN" in letter.attributes:  # an event that EventBridge could not deliver
            self._invoke(letter.attributes["TARGET_ARN"], content)
        else:
            raise NotRedriven("it has none of the known forms")
        self._sqs.delete_message(QueueUrl=self._name_of(queue), ReceiptHandle=letter.receipt)

    def _received(self, queue: str) -> Iterator[Letter]:
        """The letters of a queue, until it gives no more. Each is hidden from other readers for HIDDEN_SECONDS."""
        url = self._name_of(QUEUES[queue][0])
        while found := self._sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            for one in found:
                known = one.get("Attributes", {})
                attributes = {
                    name: value.get("StringValue", "") for name, value in one.get("MessageAttributes", {}).items()
                }
                yield Letter(
                    queue=queue,
                    id=one["MessageId"],
                    receipt=one["ReceiptHandle"],
                    body=one["Body"],
                    sent_msec=int(known.get("SentTimestamp", 0)),
                    group=known.get("MessageGroupId"),
                    attributes=attributes,
                )

    def _send(self, letter: Letter, url: str) -> None:
        """Puts a letter's body into another queue, as a message of its own.

        In a FIFO queue it gets a deduplication id of its own. Under the one that it came with, the queue would take it
        for a repeat, and drop it, if it was first sent in the last five minutes.
        """
        fifo = (
            {"MessageGroupId": letter.group, "MessageDeduplicationId": f"redrive-{letter.id}"} if letter.group else {}
        )
        self._sqs.send_message(QueueUrl=url, MessageBody=letter.body, **fifo)

    def _invoke(self, function_arn: str, event: Any) -> None:
        """Gives a function the event that it failed at. Raises NotRedriven if it fails again, even at one record."""
        payload = json.dumps(event, default=_as_lambda_gives_it)
        answer = self._functions.invoke(FunctionName=_unqualified(function_arn), Payload=payload.encode())
        if answer.get("FunctionError"):
            told = json.loads(answer["Payload"].read() or b"{}")
            raise NotRedriven(f"{_name(function_arn)} failed again ({told.get('errorType', 'unknown')})")
        content = json.loads(answer["Payload"].read() or b"null")
        if isinstance(content, dict) and content.get("batchItemFailures"):
            raise NotRedriven(
                f"{_name(function_arn)} failed again at {len(content['batchItemFailures'])} of the records"
            )

    def _pages(self, batch: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The records of a failed batch, as the stream has them for a day: a list for each page of it with any.

        All that was written between its first and its last one, also what the function's filter leaves out: that is
        more than a page where much was written. Raises NotRedriven after that day, also where a part is gone: then some
        pages have been given.
        """
        last, is_found = int(batch["endSequenceNumber"]), False
        for page in self._read_on(batch):
            records = [one for one in page if int(one["dynamodb"]["SequenceNumber"]) <= last]
            if records:
                is_found = True
                yield [{**one, "eventSourceARN": batch["streamArn"]} for one in records]
            if page and int(page[-1]["dynamodb"]["SequenceNumber"]) >= last:
                if is_found:
                    return
                break
        raise NotRedriven(FORGOTTEN)

    def _read_on(self, batch: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The pages of a stream from a batch's first record on, to the end of the shard or MOST_PAGES.

        A page has at most 1,000 records or 1 MB, and may be empty though others follow. (DynamoDB API reference,
        GetRecords.) Raises NotRedriven where the stream has forgotten the first record.
        """
        try:
            iterator = self._streams.get_shard_iterator(
                StreamArn=batch["streamArn"],
                ShardId=batch["shardId"],
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=batch["startSequenceNumber"],
            )["ShardIterator"]
            for _ in range(MOST_PAGES):
                found = self._streams.get_records(ShardIterator=iterator, Limit=1000)
                yield found["Records"]
                if (iterator := found.get("NextShardIterator")) is None:
                    return
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise NotRedriven(FORGOTTEN) from error
            raise

    def forget(self, letter: Letter) -> None:
        """Removes a letter without another try."""
        self._sqs.delete_message(QueueUrl=self._name_of(QUEUES[letter.queue][0]), ReceiptHandle=letter.receipt)


def _name(arn: str) -> str:
    """A function's name, of its ARN; empty: of an empty one."""
    return _unqualified(arn).rpartition(":")[2]


def _unqualified(arn: str) -> str:
    """A function's ARN without a version (arn:…:function:NAME:$LATEST)."""
    return ":".join(arn.split(":")[:7])


def _batch(content: Mapping[str, Any]) -> str:
    """What a letter of a stream is about, in words; empty: it is none."""
    batch = content.get("DDBStreamBatchInfo")
    return f"{batch.get('batchSize', '?')} changes" if batch else ""


def _as_lambda_gives_it(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode()
