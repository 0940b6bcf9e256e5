"""Event source mappings of DynamoDB streams: in order, retried in place, then given to the OnFailure queue."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3

from local.cloud.physical_names import queue_url
from local.cloud.template import EventSpec, FunctionSpec
from local.cloud.triggers.event_filter import EventFilter
from local.cloud.triggers.stream_reader import StreamReader
from local.network.shared.invoker import FunctionError

Records = list[dict[str, Any]]
Invoke = Callable[[str, Any], Any]

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0
STOP_SECONDS = 0.8


class StreamTrigger:
    """One function's mapping of one stream, with its own position in it."""

    def __init__(self, function: FunctionSpec, event: EventSpec, invoke: Invoke) -> None:
        properties = event.properties
        self._function = function
        self._invoke = invoke
        self._filter = EventFilter.of_mapping(properties)
        self._batch_size = int(properties.get("BatchSize", 100))
        self._retries = int(properties.get("MaximumRetryAttempts", -1))
        self._bisects = str(properties.get("BisectBatchOnFunctionError", False)).lower() == "true"
        self._reports_failures = "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", [])
        self._on_failure = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        self._reader = StreamReader(properties["Stream"], properties.get("StartingPosition", "LATEST"))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; a handler that is at work is waited for, but not long."""
        self._stopping.set()
        self._reader.stop()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            records = [record for record in self._reader.read(self._batch_size) if self._filter.matches(record)]
            if records:
                self._handle(records, attempt=0)

    def _handle(self, records: Records, attempt: int) -> None:
        """See `records` through: every one handled, or given up and sent to the OnFailure queue.

        A batch that is split does not use up an attempt, as with Lambda.
        """
        while records and not self._stopping.is_set():
            failed_from = self._first_failed(records)
            if failed_from is None:
                return
            records = records[failed_from:]
            if self._bisects and failed_from == 0 and len(records) > 1:
                half = len(records) // 2
                self._handle(records[:half], attempt)
                records = records[half:]
                continue
            if self._retries >= 0 and attempt >= self._retries:
                self._give_up(records, attempt + 1)
                return
            self._stopping.wait(min(FIRST_RETRY_SECONDS * 2**attempt, LONGEST_RETRY_SECONDS))
            attempt += 1

    def _first_failed(self, records: Records) -> int | None:
        """Invoke the function; the index of the first record that has not been handled, or None."""
        try:
            answer = self._invoke(self._function.arn, {"Records": records})
        except FunctionError:
            return 0
        if not self._reports_failures or not isinstance(answer, dict) or not answer.get("batchItemFailures"):
            return None
        failed = {failure.get("itemIdentifier") for failure in answer["batchItemFailures"]}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        # Lambda takes an identifier that it cannot find for a failure of the whole batch.
        return min((numbers.index(number) for number in failed if number in numbers), default=0)

    def _give_up(self, records: Records, invocations: int) -> None:
        """Tells the function's failure queue where in the stream the records are, as Lambda does, and passes on."""
        if self._on_failure is None:
            return
        first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
        message = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self._function.arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": invocations,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "DDBStreamBatchInfo": {
                "shardId": self._reader.shard_id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _moment(first),
                "approximateArrivalOfLastRecord": _moment(last),
                "batchSize": len(records),
                "streamArn": self._reader.stream_arn,
            },
        }
        boto3.client("sqs").send_message(QueueUrl=queue_url(self._on_failure), MessageBody=json.dumps(message))


def _moment(change: dict[str, Any]) -> str:
    return datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC).isoformat()
