"""What CloudWatch is sent: the functions' own metrics, and AWS's of what it runs for them.

The functions write theirs into their log (embedded metric format). AWS's are those that alarms and dashboard name:
Lambda's of each invocation (developer guide, "Types of metrics for Lambda functions"), Amazon SQS's of each queue
(developer guide, "Available CloudWatch metrics for Amazon SQS"), those of an HTTP API (API Gateway developer guide,
"Monitor CloudWatch metrics for HTTP APIs"), and of an Amazon Connect instance what the simulator's journal tells
(administrator guide, "Monitoring your instance using CloudWatch"). What becomes of them is `tests.kit.cloudwatch`'s.
"""

import io
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TextIO, cast

from moto.sqs.models import sqs_backends

from local.cloud.account import ACCOUNT, REGION
from local.cloud.functions import Functions, name_of
from local.cloud.handler_output import logging_to
from local.cloud.template import Template
from local.common.journal import Journal
from local.network.shared.invoker import FunctionError

KEEP = 100_000
OF_CONNECT = {
    "over_quota": ("CallsBreachingConcurrencyQuota", {"MetricGroup": "VoiceCalls"}),
    "flow_error": ("ContactFlowFatalErrors", {"MetricGroup": "ContactFlow"}),
}
"""What an entry of the simulator's journal is to Amazon Connect."""


class Point(NamedTuple):
    """One value of a metric: its namespace, name and dimensions, and when, in seconds since the epoch."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    at: float
    value: float


class Metrics:
    """Everything that was sent, the last `KEEP` values. For many threads."""

    def __init__(self, template: Template, clock: Callable[[], float] = time.time) -> None:
        self._template, self.clock = template, clock
        self._api = next(map(template.ref, template.resources_of("AWS::Serverless::HttpApi")), "")
        self.points: deque[Point] = deque(maxlen=KEEP)
        self._read_to = 0

    def record(self, namespace: str, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        """One value, now."""
        self.points.append(Point(namespace, name, frozenset(dimensions.items()), self.clock(), value))

    @contextmanager
    def collected(self, log: TextIO | None = None) -> Iterator[None]:
        """Within it, what functions log goes to `log`, and the metrics in it count too.

        Namespace and service stand in each function's environment, and are the same for all; here they share one.
        """
        given = next((spec.environment for spec in self._template.functions.values()), {})
        own = {name: value for name, value in given.items() if name.startswith("POWERTOOLS_")}
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        try:
            with logging_to(cast("TextIO", _Lines(self, log))):
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def read_line(self, text: str) -> None:
        """A line of a function's log: what is in the embedded metric format counts, everything else is passed over."""
        if not text.startswith("{") or '"_aws"' not in text:
            return
        written = json.loads(text)
        for declared in written["_aws"]["CloudWatchMetrics"]:
            for names in declared["Dimensions"]:
                for metric in declared["Metrics"]:
                    values = written[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        dimensions = {name: written[name] for name in names}
                        self.record(declared["Namespace"], metric["Name"], value, dimensions)

    def answered(self, status: int) -> None:
        """The API has answered a request."""
        here = {"ApiId": self._api}
        self.record("AWS/ApiGateway", "Count", 1, here)
        for name, first in (("4xx", 400), ("5xx", 500)):
            self.record("AWS/ApiGateway", name, int(first <= status < first + 100), here)

    def look_at_queues(self) -> None:
        """What Amazon SQS tells of each queue each minute."""
        for logical_id in self._template.resources_of("AWS::SQS::Queue"):
            name = self._template.get_att(logical_id, "QueueName")
            queue = sqs_backends[ACCOUNT][REGION].queues[name]
            waiting = list(queue._messages)  # noqa: SLF001 - those that are being worked on too
            oldest = min((float(cast("str", one.sent_timestamp)) / 1000 for one in waiting), default=self.clock())
            here = {"QueueName": name}
            self.record("AWS/SQS", "ApproximateNumberOfMessagesVisible", len(queue.messages), here)
            self.record("AWS/SQS", "ApproximateAgeOfOldestMessage", max(0.0, self.clock() - oldest), here)

    def read_journal(self, journal: Journal) -> None:
        """What has happened in Amazon Connect since this was asked for the last time."""
        monitoring = self._template.nested("MonitoringStack").parameters
        for entry in journal.entries(after=self._read_to):
            self._read_to = entry["id"]
            if entry["kind"] in OF_CONNECT:
                name, group = OF_CONNECT[entry["kind"]]
                here = {"InstanceId": monitoring["ConnectInstanceId"], **group}
                if group["MetricGroup"] == "ContactFlow":
                    here["ContactFlowName"] = monitoring["ContactFlowName"]
                self.record("AWS/Connect", name, 1, here)


class _Lines(io.TextIOBase):
    """The functions' log on its way to where it is kept."""

    def __init__(self, metrics: Metrics, kept: TextIO | None) -> None:
        self._metrics, self._kept = metrics, kept

    def write(self, text: str) -> int:
        self._metrics.read_line(text)
        return len(text) if self._kept is None else self._kept.write(text)

    def flush(self) -> None:
        if self._kept is not None:
            self._kept.flush()


class Watched:
    """Functions, with what Lambda counts of each of their invocations."""

    def __init__(self, functions: Functions, metrics: Metrics) -> None:
        self._functions, self._metrics = functions, metrics
        self.no_room: set[str] = set()
        """Functions without a free execution (ReservedConcurrentExecutions 0, say): Lambda refuses to run them."""

    def invoke(self, function: str, event: Any) -> Any:
        """As `Functions.invoke`."""
        here, clock = {"FunctionName": name_of(function)}, self._metrics.clock
        if name_of(function) in self.no_room:
            self._metrics.record("AWS/Lambda", "Throttles", 1, here)
            raise FunctionError("TooManyRequestsException", "Rate Exceeded.")
        if arrived := _arrival_of_last_record(event):
            self._metrics.record("AWS/Lambda", "IteratorAge", max(0.0, clock() - arrived) * 1000, here)
        began = clock()
        try:
            answer = self._functions.invoke(function, event)
        except FunctionError:
            self._end(here, began, errors=1)
            raise
        self._end(here, began, errors=0)
        return answer

    def _end(self, here: Mapping[str, str], began: float, *, errors: int) -> None:
        self._metrics.record("AWS/Lambda", "Invocations", 1, here)
        self._metrics.record("AWS/Lambda", "Errors", errors, here)
        self._metrics.record("AWS/Lambda", "Duration", (self._metrics.clock() - began) * 1000, here)


def _arrival_of_last_record(event: Any) -> float:
    """When the last change of a stream's batch was made, in seconds since the epoch; 0: it is no such batch."""
    records = event.get("Records") or [{}] if isinstance(event, dict) else [{}]
    change = records[-1].get("dynamodb", {}) if isinstance(records[-1], dict) else {}
    return float(change.get("ApproximateCreationDateTime", 0))
