"""Lambda's asynchronous invocations, which EventBridge, schedules and `InvocationType: Event` use.

Who invokes gets no answer. A function that fails is tried again, twice unless its EventInvokeConfig says otherwise,
and then the event goes to the OnFailure destination of that config; without one it is lost, as it is on AWS. (The
dead-letter queue of an EventBridge rule is for events that Lambda would not take, which does not happen here.)
"""

import json
import threading
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3

from local.cloud.functions import Functions, UnknownFunctionError, name_of
from local.cloud.physical_names import queue_url
from local.cloud.template import FunctionSpec, Template
from local.common.workers import Workers
from local.network.shared.invoker import FunctionError

RETRY_SECONDS = (1.0, 2.0)
"""Before the second and the third try. (Lambda: one minute, two minutes.)"""

STOP_SECONDS = 0.8


class AsynchronousInvocations:
    """Runs functions in threads of its own and sees each invocation through."""

    def __init__(self, template: Template, host: Functions, retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self._specs = {spec.name: spec for spec in template.functions.values()}
        self._host = host
        self._retry_seconds = retry_seconds
        self._stopping = threading.Event()
        self._workers = Workers()

    def submit(self, function: str, event: Any) -> None:
        """Take on an invocation (function: name or ARN); an UnknownFunctionError if there is none."""
        spec = self._specs.get(name_of(function))
        if spec is None:
            raise UnknownFunctionError(f"Function not found: {function}")
        self._workers.spawn(f"event-{spec.name}", partial(self._run, spec, json.dumps(event)))

    def stop(self) -> None:
        """Begin no further try; handlers that are at work are waited for, but not long."""
        self._stopping.set()
        self._workers.join(STOP_SECONDS)

    def _run(self, spec: FunctionSpec, text: str) -> None:
        retries = min(int(spec.event_invoke_config.get("MaximumRetryAttempts", 2)), len(self._retry_seconds))
        for attempt in range(retries + 1):
            try:
                self._host.invoke(spec.name, json.loads(text))
            except FunctionError as error:
                if attempt == retries:
                    self._give_up(spec, text, error, attempt + 1)
                elif self._stopping.wait(self._retry_seconds[attempt]):
                    return
            else:
                return

    def _give_up(self, spec: FunctionSpec, text: str, error: FunctionError, invocations: int) -> None:
        """Sends an event that failed at every try to the function's failure queue, in Lambda's form of a record."""
        destination = spec.event_invoke_config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination is None:
            return
        message = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": f"{spec.arn}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": invocations,
            },
            "requestPayload": json.loads(text),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": error.error_type, "errorMessage": error.message},
        }
        boto3.client("sqs").send_message(QueueUrl=queue_url(destination), MessageBody=json.dumps(message))
