"""Each guard does its work, and is still needed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import local.cloud.moto_patches.sqs
from local.cloud.apply_moto_patches import GUARDS, install_guards
from local.cloud.moto_patches.sqs import _seconds_to_next
from tests.integration.moto_expressions import answers
from tests.integration.moto_symptoms import (
    SYMPTOMS,
    Flows,
    answers_to_expressions,
    fresh_moto,
    make_table,
    refused,
    shows,
    thing,
)
from tests.kit.direct_dynamodb import take_the_short_way

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True, scope="module")
def process_without_guards() -> Iterator[subprocess.Popen[str]]:
    """It looks for the symptoms while this process does the same with guards."""
    command = [sys.executable, "-m", "tests.integration.moto_symptoms"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        install_guards()
        yield process
        process.kill()


@pytest.fixture(scope="module")
def stock_moto(process_without_guards: subprocess.Popen[str]) -> Any:
    """Which symptoms show without guards."""
    output, _ = process_without_guards.communicate(timeout=100)
    assert process_without_guards.returncode == 0
    return json.loads(output)


def test_every_guard_has_its_symptom() -> None:
    assert set(SYMPTOMS) == set(GUARDS)


@pytest.mark.parametrize("guard", SYMPTOMS)
def test_the_guard_takes_the_symptom_away(guard: str) -> None:
    assert not shows(guard), (GUARDS[guard].__doc__ or "").partition("\n")[0]


@pytest.mark.parametrize("guard", SYMPTOMS)
def test_moto_still_has_the_symptom(guard: str, stock_moto: dict[str, bool]) -> None:
    assert stock_moto[guard], f"guard {guard} can be removed: moto does it right by itself"


def test_expressions_that_are_read_once_mean_what_they_meant(stock_moto: dict[str, Any]) -> None:
    assert json.loads(json.dumps(answers_to_expressions())) == stock_moto["answers"]


def test_a_client_without_the_way_there_is_answered_the_same(stock_moto: dict[str, Any]) -> None:
    with fresh_moto():
        client = make_table()
        take_the_short_way(client)
        assert json.loads(json.dumps(answers(client))) == stock_moto["answers"]
        with pytest.raises(TypeError, match="no bytes"):
            client.put_item(TableName="things", Item={**thing("1"), "sound": {"B": b"beep"}})


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("{", "mismatched input '<EOF>'"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Pass", }}}', "extraneous|mismatched"),
    ],
)
def test_a_definition_that_is_refused_is_refused_for_what_is_wrong_with_it(definition: str, said: str) -> None:
    with fresh_moto(), pytest.raises(ClientError, match=said):
        boto3.client("stepfunctions").create_state_machine(
            name="m", definition=definition, roleArn="arn:aws:iam::1:role/r"
        )


@pytest.mark.parametrize(
    ("module", "imports_ec2"), [("local.cloud.aws_services", False), ("moto.stepfunctions.parser.models", True)]
)
def test_ec2_is_not_imported_and_moto_would_import_it(module: str, imports_ec2: bool) -> None:
    program = f"import sys, {module}; sys.exit('moto.ec2.models' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 1
    assert found == imports_ec2, "local/cloud/moto_patches/__init__.py can be emptied: moto leaves EC2 alone by itself"


def test_a_token_is_refused_after_its_state_has_timed_out() -> None:
    with fresh_moto():
        flows = Flows()
        catch = [{"ErrorEquals": ["States.Timeout"], "Next": "B"}]
        states = {
            "A": flows.wait_for_token(TimeoutSeconds=1, Catch=catch, End=True),
            "B": {"Type": "Pass", "End": True},
        }
        arn = flows.start(states)
        token = flows.token()
        assert json.loads(flows.end(arn)["output"])["Error"] == "States.Timeout"
        assert refused(lambda: flows.client.send_task_success(taskToken=token, output="{}")) == "TaskTimedOut"


def test_an_answer_that_is_not_json_is_refused_and_the_token_stays_good() -> None:
    with fresh_moto():
        flows = Flows()
        arn = flows.start({"A": flows.wait_for_token(End=True)})
        token = flows.token()
        assert refused(lambda: flows.client.send_task_success(taskToken=token, output="{")) == "InvalidOutput"
        flows.client.send_task_success(taskToken=token, output='{"key": "1"}')
        assert json.loads(flows.end(arn)["output"]) == {"key": "1"}


def test_an_unknown_token_is_refused() -> None:
    with fresh_moto():
        flows = Flows()
        assert refused(lambda: flows.client.send_task_success(taskToken="?", output="{}")) == "InvalidToken"


def test_a_machine_that_times_out_lets_its_tasks_go() -> None:
    with fresh_moto():
        flows = Flows()
        arn = flows.start({"A": flows.wait_for_token(End=True)}, TimeoutSeconds=1)
        token = flows.token()
        assert flows.end(arn)["status"] == "TIMED_OUT"
        assert refused(lambda: flows.client.send_task_success(taskToken=token, output="{}")) == "TaskTimedOut"


def test_executions_without_a_name_are_told_apart() -> None:
    with fresh_moto():
        flows = Flows()
        machine = (
            flows.start({"A": {"Type": "Pass", "End": True}})
            .replace(":execution:", ":stateMachine:")
            .rpartition(":")[0]
        )
        arns = {flows.client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)}
        assert len(arns) == 2


def test_a_failed_transaction_leaves_the_items_and_the_stream_as_they_were() -> None:
    with fresh_moto():
        client, streams = make_table(), boto3.client("dynamodbstreams")
        client.put_item(TableName="things", Item=thing("old", colour="red"))
        arn = streams.list_streams()["Streams"][0]["StreamArn"]
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        place: Any = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
        change = {
            "TableName": "things",
            "Key": thing("old"),
            "UpdateExpression": "SET colour = :blue",
            "ExpressionAttributeValues": {":blue": {"S": "blue"}},
        }
        delete = {"TableName": "things", "Key": thing("other")}
        failing = {"TableName": "things", "Item": thing("new"), "ConditionExpression": "attribute_exists(pk)"}
        client.put_item(TableName="things", Item=thing("other"))
        items: Any = [{"Update": change}, {"Delete": delete}, {"Put": failing}]
        assert refused(lambda: client.transact_write_items(TransactItems=items)) == "TransactionCanceledException"

        found = client.scan(TableName="things")["Items"]
        assert sorted(found, key=str) == sorted([thing("old", colour="red"), thing("other")], key=str)
        client.put_item(TableName="things", Item=thing("last"))
        records = streams.get_records(ShardIterator=iterator)["Records"]
        assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in records] == ["old", "other", "last"]


def test_a_long_poll_sees_a_delayed_message_when_it_is_due() -> None:
    with fresh_moto():
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
        assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"] == "later"


def test_a_message_that_appears_at_this_very_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """To moto it is visible from the next millisecond on; who waits for the next one must not wait for ever."""
    hidden, shown = (
        SimpleNamespace(visible_at=5000.0, delayed_until=0.0),
        SimpleNamespace(visible_at=1.0, delayed_until=0),
    )
    monkeypatch.setattr(local.cloud.moto_patches.sqs, "unix_time_millis", lambda: 5000.0)
    assert _seconds_to_next(SimpleNamespace(_messages=[shown, hidden])) == pytest.approx(0.001)
    assert _seconds_to_next(SimpleNamespace(_messages=[shown])) == float("inf")
