"""Event source mappings of SQS queues: a long poll, and up to MaximumConcurrency batches at work at the same time."""

import base64
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3

from local.cloud.account import REGION
from local.cloud.moto_patches.sqs import release_receivers
from local.cloud.physical_names import queue_url
from local.cloud.template import EventSpec, FunctionSpec
from local.common.workers import Workers
from local.network.shared.invoker import FunctionError

POLL_SECONDS = 20
STOP_SECONDS = 0.8
DEFAULT_CONCURRENCY = 100
"""Batches at work without a ScalingConfig. (Lambda: up to 1,250, slowly.)"""


class QueueTrigger:
    """One function's mapping of one queue. That a group's messages stay in order is the queue's doing."""

    def __init__(self, function: FunctionSpec, event: EventSpec, invoke: Callable[[str, Any], Any]) -> None:
        properties = event.properties
        self._function = function
        self._invoke = invoke
        self._queue_arn = properties["Queue"]
        self._batch_size = min(int(properties.get("BatchSize", 10)), 10)
        self._reports_failures = "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", [])
        self._concurrency = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", DEFAULT_CONCURRENCY))
        self._workers = Workers()
        self._free = threading.Semaphore(self._concurrency)
        self._client = boto3.client("sqs")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"queue-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; handlers that are at work are waited for, but not long. Their messages stay in the queue."""
        self._stopping.set()
        self._free.release()
        deadline = time.monotonic() + STOP_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            release_receivers()  # again and again: the poll may begin only now
            self._thread.join(0.05)
        self._workers.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._free.acquire()
            messages = [] if self._stopping.is_set() else self._receive()
            if messages:
                self._workers.spawn(f"batch-{self._function.name}", partial(self._handle, messages))
            else:
                self._free.release()

    def _receive(self) -> list[Any]:
        answer = self._client.receive_message(
            QueueUrl=queue_url(self._queue_arn),
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _handle(self, messages: list[Any]) -> None:
        """Invoke the function, and delete what it has handled; the rest appears again after the queue's timeout."""
        try:
            failed = self._failed(messages)
            handled = [message for message in messages if message["MessageId"] not in failed]
            if handled and not self._stopping.is_set():
                self._client.delete_message_batch(
                    QueueUrl=queue_url(self._queue_arn),
                    Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(handled)],
                )
        finally:
            self._free.release()

    def _failed(self, messages: list[Any]) -> set[str]:
        """The ids of the messages that the function has not handled."""
        everything = {message["MessageId"] for message in messages}
        try:
            answer = self._invoke(self._function.arn, {"Records": [self._record(message) for message in messages]})
        except FunctionError:
            return everything
        if not self._reports_failures or not isinstance(answer, dict) or not answer.get("batchItemFailures"):
            return set()
        failed = {failure.get("itemIdentifier") for failure in answer["batchItemFailures"]}
        return failed if failed <= everything else everything

    def _record(self, message: Any) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {k: _attribute(v) for k, v in message.get("MessageAttributes", {}).items()},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": REGION,
        }


def _attribute(value: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        result["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        result["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return result
