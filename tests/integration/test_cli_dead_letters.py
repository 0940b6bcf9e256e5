"""`speechcall deadletter …`, on moto's queues and streams, with letters as the laptop cloud writes them."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.dead_letters import QUEUES, DeadLetters
from cli.main import app
from local.cloud.event_files import EVENTS
from local.cloud.lambda_service import served_by
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from local.network.shared.invoker import FunctionError
from tests.kit.command_line import CliRunner

TEMPLATE_READ = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})
FIFO = frozenset(name for name in TEMPLATE_READ.resources_of("AWS::SQS::Queue") if "Fifo" in name) | {
    "PromptQueue",
    "WebhookQueue",
}
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:"
CALLEE = "+4930987654"


class World:
    """Queues, a table with a stream, and functions that note what they are asked and answer as told."""

    def __init__(self):
        self.sqs, self.dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
        self.functions, self.streams = boto3.client("lambda"), boto3.client("dynamodbstreams")
        self.urls, self.asked, self.answer = {}, [], None

    def begin(self):
        """Empty queues, and no table."""
        for url in self.urls.values():
            self.sqs.delete_queue(QueueUrl=url)
        for table in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=table)
        for name in TEMPLATE_READ.resources_of("AWS::SQS::Queue"):
            attributes: Any = {"FifoQueue": "true"} if name in FIFO else {}
            physical = f"{name}.fifo" if name in FIFO else name
            self.urls[name] = self.sqs.create_queue(QueueName=physical, Attributes=attributes)["QueueUrl"]
        self.asked, self.answer = [], None

    def invoke(self, function, event):
        self.asked.append((function.rpartition(":")[2], event))
        if isinstance(self.answer, FunctionError):
            raise self.answer
        return self.answer

    def put(self, queue, body, group=None, **attributes):
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": "first"} if group else {}
        named: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        given = body if isinstance(body, str) else json.dumps(body)
        url = self.urls[QUEUES[queue][0]]
        return self.sqs.send_message(QueueUrl=url, MessageBody=given, MessageAttributes=named, **fifo)["MessageId"]

    def count(self, logical):
        url = self.urls[logical]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def run(self, *arguments):
        letters = DeadLetters(self.sqs, self.functions, self.streams, self.urls.__getitem__)
        deployment = SimpleNamespace(dead_letters=letters)
        with served_by(self.invoke, lambda *_: None):
            return CliRunner().invoke(app, ["deadletter", *arguments, "--local"], obj=lambda _place: deployment)


@pytest.fixture(scope="module")
def shared():
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")  # moto does not know such hosts of streams
        yield World()


@pytest.fixture
def world(shared):
    shared.begin()
    return shared


def invocation(payload, function="ConnectEventsFunction"):
    return {
        "requestContext": {"functionArn": f"{ARN}{function}:$LATEST", "condition": "RetriesExhausted"},
        "requestPayload": payload,
        "responsePayload": {"errorType": "StoreUnavailable", "errorMessage": f"about {CALLEE}"},
    }


def contact():
    return json.loads((EVENTS / "connect/contact-disconnected.json").read_text(encoding="utf-8"))


WEBHOOK = json.loads((EVENTS / "sqs/webhook.json").read_text(encoding="utf-8"))["Records"][0]["body"]
REHEARSAL = json.loads((EVENTS / "sqs/rehearsal.json").read_text(encoding="utf-8"))["Records"][0]["body"]
PROMPT = json.loads((EVENTS / "sqs/prompt.json").read_text(encoding="utf-8"))["Records"][0]["body"]


def test_all_are_listed_by_their_names_and_stay(world):
    world.put("prompts", PROMPT, group="g")
    world.put("webhooks-later", WEBHOOK)
    world.put("invocations", invocation(contact()))
    world.put("events", contact(), TARGET_ARN=f"{ARN}ConnectEventsFunction", ERROR_CODE="THROTTLING")
    rows: list[dict[str, str]] = []
    for _ in range(2):
        rows = json.loads(world.run("list", "--json").output)
        assert [(row["queue"], row["function"], row["what"], row["error"]) for row in rows] == [
            ("prompts", "-", "1234567890123456789", "-"),
            ("webhooks-later", "-", "1234567890123456789", "-"),
            ("invocations", "ConnectEventsFunction", "Amazon Connect Contact Event", "StoreUnavailable"),
            ("events", "ConnectEventsFunction", "Amazon Connect Contact Event", "THROTTLING"),
        ]
    assert CALLEE not in world.run("list").output
    assert [world.count(QUEUES[row["queue"]][0]) for row in rows] == [(1, 0)] * 4


def test_there_may_be_more_than_a_queue_gives_at_once(world):
    for _ in range(23):
        world.put("webhooks-later", WEBHOOK)
    assert len(json.loads(world.run("list", "--json").output)) == 23
    assert world.run("redrive", "--all").exit_code == 0
    assert world.count("WebhookDeadLetterQueue") == (0, 0)
    assert world.count("WebhookRetryQueue") == (23, 0)


@pytest.mark.parametrize(
    ("queue", "body", "group"),
    [
        ("prompts", PROMPT, "g"),
        ("webhooks-first", WEBHOOK, "1234567890123456789"),
        ("webhooks-later", WEBHOOK, None),
        ("rehearsals", REHEARSAL, None),
    ],
)
def test_a_task_goes_back_to_its_queue_as_it_was(world, queue, body, group):
    name = world.put(queue, body, group)
    result = world.run("redrive", name)
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == name
    dead, source = QUEUES[queue]
    assert world.count(dead) == (0, 0)
    found = world.sqs.receive_message(QueueUrl=world.urls[source], MessageSystemAttributeNames=["All"])["Messages"][0]
    assert found["Body"] == body
    assert found["Attributes"].get("MessageGroupId") == group


@pytest.mark.parametrize("queue", ["invocations", "events"])
def test_an_event_comes_to_its_function_again(world, queue):
    if queue == "events":
        world.put(queue, contact(), TARGET_ARN=f"{ARN}ConnectEventsFunction")
    else:
        world.put(queue, invocation(contact()))
    assert world.run("redrive", "--all", "--queue", queue).exit_code == 0
    assert world.asked == [("ConnectEventsFunction", contact())]
    assert world.count(QUEUES[queue][0]) == (0, 0)


def test_what_fails_again_stays_and_is_told(world):
    name = world.put("invocations", invocation(contact()))
    world.answer = FunctionError("StoreUnavailable", f"about {CALLEE}", [])
    result = world.run("redrive", name)
    assert result.exit_code == 1
    assert "ConnectEventsFunction failed again (StoreUnavailable)" in result.output
    assert CALLEE not in result.output
    assert world.count("InvocationDeadLetterQueue") == (1, 0)


def test_what_was_redriven_is_told_as_json_beside_what_fails(world):
    done = [world.put("webhooks-later", WEBHOOK) for _ in range(2)]
    stays = world.put("events", "no JSON")
    result = world.run("redrive", "--all", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["error"], told["status"]) == ("2 redriven, 1 failed.", 1)
    assert sorted(told["said"]) == sorted(done)
    assert f"{stays} stays: it has none of the known forms." in result.stderr
    # Without --json the same, for eyes; where all goes well no error is told.
    result = world.run("redrive", "--all")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("Error: 0 redriven, 1 failed.\n")
    assert json.loads(world.run("redrive", "--all", "--forget", "--json").stdout) == {"said": [stays]}


def stream_letter(world, items=3):
    table = world.dynamodb.create_table(
        TableName="MessagesTable",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    for number in range(items):
        world.dynamodb.put_item(TableName="MessagesTable", Item={"pk": {"S": f"M#{number}"}, "b": {"B": b"\x00"}})
    streams = world.streams
    arn = table["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    numbers = [one["dynamodb"]["SequenceNumber"] for one in streams.get_records(ShardIterator=at)["Records"]]
    return {
        "requestContext": {"functionArn": f"{ARN}PreparePromptsFunction", "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": numbers[1],
            "endSequenceNumber": numbers[-2] if items > 3 else numbers[-1],
            "batchSize": items - (2 if items > 3 else 1),
            "streamArn": arn,
        },
    }


def test_changes_of_the_table_are_read_in_its_stream_again(world):
    world.put("stream", stream_letter(world, items=5))
    world.answer = {"batchItemFailures": []}
    assert world.run("redrive", "--all").exit_code == 0
    ((function, event),) = world.asked
    assert function == "PreparePromptsFunction"
    assert [one["dynamodb"]["Keys"]["pk"]["S"] for one in event["Records"]] == ["M#1", "M#2", "M#3"]
    assert event["Records"][0]["dynamodb"]["NewImage"]["b"] == {"B": "AA=="}
    assert world.count("StreamDeadLetterQueue") == (0, 0)


class InPages:
    """A stream that gives two records at a time, each behind an empty page; GetRecords may do both."""

    def __init__(self, streams, most_pages=99):
        self.get_shard_iterator, self.streams, self.left, self.begun = (
            streams.get_shard_iterator,
            streams,
            most_pages,
            [],
        )

    def get_records(self, ShardIterator, Limit):  # noqa: N803 - boto3's names
        assert 2 <= Limit <= 1000
        self.left -= 1
        if ShardIterator not in self.begun:
            self.begun.append(ShardIterator)
            answer = {"Records": [], "NextShardIterator": ShardIterator}
        else:
            answer = self.streams.get_records(ShardIterator=ShardIterator, Limit=2)
        return {**answer, "NextShardIterator": answer["NextShardIterator"] if self.left else None}


def test_a_batch_that_is_more_than_a_page_is_read_to_its_end(world, monkeypatch):
    """Between its first and its last record lies all that the filter left out: more than 1,000 records, or 1 MB."""
    world.put("stream", stream_letter(world, items=9))
    world.answer = {"batchItemFailures": []}
    monkeypatch.setattr(world, "streams", InPages(world.streams))
    result = world.run("redrive", "--all")
    assert result.exit_code == 0, result.output
    read = [[one["dynamodb"]["Keys"]["pk"]["S"] for one in event["Records"]] for _, event in world.asked]
    assert read == [["M#1", "M#2"], ["M#3", "M#4"], ["M#5", "M#6"], ["M#7"]]
    assert world.count("StreamDeadLetterQueue") == (0, 0)


def test_a_batch_of_which_the_stream_gives_a_part_stays(world, monkeypatch):
    world.put("stream", stream_letter(world, items=9))
    monkeypatch.setattr(world, "streams", InPages(world.streams, most_pages=3))
    result = world.run("redrive", "--all")
    assert result.exit_code == 1
    assert "a part of it, after a day" in result.output
    assert world.count("StreamDeadLetterQueue") == (1, 0)


def test_a_batch_whose_second_page_fails_again_stays(world, monkeypatch):
    world.put("stream", stream_letter(world, items=9))
    monkeypatch.setattr(world, "streams", InPages(world.streams))
    answers = [{"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "1"}]}]
    invoke = world.invoke
    monkeypatch.setattr(world, "invoke", lambda *given: (invoke(*given), answers.pop(0))[1])
    result = world.run("redrive", "--all")
    assert (result.exit_code, "failed again at 1 of the records" in result.output) == (1, True)
    assert len(world.asked) == 2
    assert world.count("StreamDeadLetterQueue") == (1, 0)


def test_a_change_that_fails_again_stays(world):
    world.put("stream", stream_letter(world))
    world.answer = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert world.run("redrive", "--all").exit_code == 1
    assert world.count("StreamDeadLetterQueue") == (1, 0)


def test_what_the_stream_has_forgotten_can_be_removed(world):
    letter = stream_letter(world)
    letter["DDBStreamBatchInfo"]["endSequenceNumber"] = "0"
    world.put("stream", letter)
    result = world.run("redrive", "--all")
    assert result.exit_code == 1
    assert "--forget removes it" in result.output
    assert world.run("redrive", "--all", "--forget").exit_code == 0
    assert world.count("StreamDeadLetterQueue") == (0, 0)
    assert world.asked == []


def test_a_letter_of_no_known_form_stays(world):
    world.put("events", "no JSON")
    result = world.run("redrive", "--all")
    assert result.exit_code == 1
    assert "none of the known forms" in result.output
    assert world.count("EventDeadLetterQueue") == (1, 0)


def test_only_the_one_that_is_named_is_redriven(world):
    names = [world.put("webhooks-later", WEBHOOK) for _ in range(3)]
    assert world.run("redrive", names[1]).exit_code == 0
    assert world.count("WebhookDeadLetterQueue") == (2, 0)
    assert world.count("WebhookRetryQueue") == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["redrive"], "say which"),
        (["redrive", "id", "--all"], "say which"),
        (["list", "--queue", "spam"], "one of prompts, webhooks-first"),
        (["redrive", "id"], "There is no id in the dead-letter queues"),
    ],
)
def test_what_is_meant_must_be_clear(world, arguments, told):
    result = world.run(*arguments)
    assert result.exit_code != 0
    assert told in result.output


def test_every_dead_letter_queue_has_a_name():
    known = {name for pair in QUEUES.values() for name in pair if name}
    assert known | {"WebhookRetryQueue"} == set(TEMPLATE_READ.resources_of("AWS::SQS::Queue"))
