"""Streams, queues, schedules and events call the functions as Lambda's triggers do."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.cloud.aws_services import LocalAws
from local.cloud.functions import FunctionHost
from local.cloud.intrinsics import TemplateError
from local.cloud.moto_patches.executions import ExecutionEnd
from local.cloud.template import EventSpec, FunctionSpec, Template
from local.cloud.triggers.asynchronous import AsynchronousInvocations
from local.cloud.triggers.event_bus import EventBus, execution_ended
from local.cloud.triggers.queues import QueueTrigger
from local.cloud.triggers.schedules import ScheduleTrigger, rate_seconds
from local.cloud.triggers.streams import StreamTrigger
from tests.kit.laptop import probe


@pytest.fixture
def template() -> Iterator[Template]:
    """A started AWS with the fixture's resources; afterwards, no thread of a trigger may be left."""
    template = probe.template()
    aws = LocalAws(template)
    aws.start()
    probe.reset()
    yield template
    aws.stop()
    names = ("stream-", "queue-", "batch-", "schedule-", "event")
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(names)] == []


@pytest.fixture
def host(template: Template) -> FunctionHost:
    return FunctionHost(template)


def parts(template: Template, function: str) -> tuple[FunctionSpec, EventSpec]:
    spec = template.functions[function]
    return spec, spec.events[0]


def put(key: str, kind: str = "wanted") -> None:
    boto3.client("dynamodb").put_item(TableName="Table", Item={"pk": {"S": key}, "kind": {"S": kind}})


def keys(event: Any) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]


def failures(template: Template) -> list[Any]:
    """What has arrived in the queue of failures, after waiting for something."""
    answer = boto3.client("sqs").receive_message(QueueUrl=template.ref("Failures"), WaitTimeSeconds=5)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def stream(template: Template, host: FunctionHost) -> Iterator[StreamTrigger]:
    trigger = StreamTrigger(*parts(template, "Streamed"), host.invoke)
    yield trigger
    trigger.stop()


def test_the_stream_hands_over_what_its_filter_lets_through(stream: StreamTrigger, template: Template) -> None:
    stream.start()
    put("1")
    put("2", kind="other")
    put("1", kind="changed")
    put("3")

    def seen() -> list[str]:
        return [key for event in probe.events("Streamed") for key in keys(event)]

    probe.wait_until(lambda: len(seen()) == 2)
    assert seen() == ["1", "3"]
    (record, *_) = probe.events("Streamed")[0]["Records"]
    assert record["eventSourceARN"] == template.get_att("Table", "StreamArn")
    assert record["eventName"] == "INSERT"
    assert record["awsRegion"] == "eu-central-1"
    assert record["dynamodb"]["NewImage"] == {"pk": {"S": "1"}, "kind": {"S": "wanted"}}
    assert record["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_a_batch_that_fails_is_split_until_the_poison_is_alone(stream: StreamTrigger, template: Template) -> None:
    handled: list[str] = []

    def choke(event: Any) -> None:
        if "3" in keys(event):
            raise RuntimeError("poison")
        handled.extend(keys(event))

    probe.reset(Streamed=choke)
    for key in "12345":
        put(key)
    stream.start()
    (failure,) = failures(template)
    probe.wait_until(lambda: len(handled) == 4)
    assert sorted(handled) == ["1", "2", "4", "5"]
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure["requestContext"]["approximateInvokeCount"] == 2
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 1


def test_what_a_function_reports_as_failed_is_tried_again_from_there(stream: StreamTrigger) -> None:
    batches: list[list[str]] = []

    def fail_once(event: Any) -> Any:
        batches.append(keys(event))
        number = event["Records"][1]["dynamodb"]["SequenceNumber"] if len(batches) == 1 else None
        return {"batchItemFailures": [{"itemIdentifier": number}]} if number else {"batchItemFailures": []}

    probe.reset(Streamed=fail_once)
    for key in "123":
        put(key)
    stream.start()
    probe.events("Streamed", count=2)
    assert batches == [["1", "2", "3"], ["2", "3"]]


@pytest.fixture
def queue(template: Template, host: FunctionHost) -> Iterator[QueueTrigger]:
    trigger = QueueTrigger(*parts(template, "Queued"), host.invoke)
    trigger.start()
    yield trigger
    trigger.stop()


def send(template: Template, body: str, group: str) -> None:
    boto3.client("sqs").send_message(
        QueueUrl=template.ref("Orders"), MessageBody=body, MessageGroupId=group, MessageDeduplicationId=f"{group}{body}"
    )


def bodies(function: str, count: int) -> list[str]:
    return [record["body"] for event in probe.events(function, count) for record in event["Records"]]


@pytest.mark.usefixtures("queue")
def test_a_queues_message_is_handed_over_and_deleted(template: Template) -> None:
    send(template, "hello", "g")
    (event,) = probe.events("Queued")
    (record,) = event["Records"]
    assert record["body"] == "hello"
    assert record["eventSourceARN"] == template.get_att("Orders", "Arn")
    assert record["attributes"]["MessageGroupId"] == "g"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> list[str]:
        answer = boto3.client("sqs").get_queue_attributes(QueueUrl=template.ref("Orders"), AttributeNames=names)
        return list(answer["Attributes"].values())

    probe.wait_until(lambda: left() == ["0", "0"])
    assert left() == ["0", "0"]


@pytest.mark.usefixtures("queue")
def test_groups_run_side_by_side_and_each_in_order(template: Template) -> None:
    meeting = threading.Barrier(2, timeout=5)
    order: list[str] = []

    def work(event: Any) -> None:
        body = event["Records"][0]["body"]
        if body in ("a1", "b1"):
            meeting.wait()
        order.append(body)

    probe.reset(Queued=work)
    for body in ("a1", "a2", "a3", "b1"):
        send(template, body, body[0])
    bodies("Queued", 4)
    probe.wait_until(lambda: len(order) == 4)
    assert [body for body in order if body.startswith("a")] == ["a1", "a2", "a3"]


@pytest.mark.usefixtures("queue")
def test_a_message_that_is_not_handled_comes_again_before_its_successor(template: Template) -> None:
    tries: list[str] = []

    def fail_first(event: Any) -> Any:
        record = event["Records"][0]
        tries.append(record["body"])
        if len(tries) == 1:
            raise RuntimeError("not now")
        if len(tries) == 2:
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
        return None

    probe.reset(Queued=fail_first)
    send(template, "1", "g")
    send(template, "2", "g")
    probe.wait_until(lambda: len(tries) == 4, 8)
    assert tries == ["1", "1", "1", "2"]


def test_a_schedule_ticks_at_once_and_then_at_its_interval(template: Template, host: FunctionHost) -> None:
    trigger = ScheduleTrigger(*parts(template, "Scheduled"), host.invoke, interval=0.01)
    trigger.start()
    ticks = probe.events("Scheduled", 3)
    trigger.stop()
    assert len(ticks) >= 3
    assert ticks[0]["detail-type"] == "Scheduled Event"
    assert ticks[0]["source"] == "aws.events"


def test_rates_are_understood_and_nothing_else() -> None:
    assert rate_seconds("rate(1 minute)") == 60
    assert rate_seconds("rate(2 hours)") == 7200
    for schedule in ("cron(0 12 * * ? *)", "rate(0 minutes)", "rate(1 second)"):
        with pytest.raises(TemplateError):
            rate_seconds(schedule)


@pytest.fixture
def later(template: Template, host: FunctionHost) -> Iterator[AsynchronousInvocations]:
    later = AsynchronousInvocations(template, host, retry_seconds=(0.01, 0.01))
    yield later
    later.stop()


def test_an_event_reaches_who_has_a_matching_rule(template: Template, later: AsynchronousInvocations) -> None:
    bus = EventBus(template, later.submit)
    for detail in (
        {"status": "SUCCEEDED", "size": 9},
        {"status": "FAILED", "size": 3},
        {"status": "FAILED", "size": 4},
    ):
        bus.put({"source": "test", "detail-type": "Anything", "detail": detail})
    (event,) = probe.events("Notified")
    assert event["detail"] == {"status": "FAILED", "size": 4}
    assert event["account"] == "123456789012"
    assert event["version"] == "0"


def test_an_event_that_fails_is_tried_again_and_then_kept(template: Template, later: AsynchronousInvocations) -> None:
    probe.reset(Notified=lambda _: 1 / 0)
    later.submit("Notified", {"n": 1})
    (failure,) = failures(template)
    assert len(probe.events("Notified", 2)) == 2
    assert failure["requestPayload"] == {"n": 1}
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert failure["responsePayload"]["errorType"] == "ZeroDivisionError"


def test_the_event_of_an_execution_has_step_functions_shape() -> None:
    end = ExecutionEnd("arn:e", "arn:m", "one", "FAILED", 1, 2, "{}", "Broken", None)
    event = execution_ended(end)
    assert event["source"] == "aws.states"
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["detail"]["stateMachineArn"] == "arn:m"
    assert event["detail"]["status"] == "FAILED"
