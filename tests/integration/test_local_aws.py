"""Moto holds what the template declares, and nothing speaks to the real AWS."""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from local.cloud.aws_services import LocalAws
from local.cloud.moto_patches.network import LeavesTheMachineError
from speechcall.shared.adapters.settings import AWS_CONFIG, CALLER_WAITS_CONFIG
from tests.integration.moto_symptoms import refused
from tests.kit.laptop import probe


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    aws = LocalAws(probe.template(), {"CONNECT": "http://127.0.0.1:9"})
    aws.start()
    yield aws
    aws.stop()


@pytest.mark.usefixtures("started")
def test_the_templates_resources_are_there() -> None:
    table = boto3.client("dynamodb").describe_table(TableName="Table")["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    url = probe.template().ref("Orders")
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "1"
    assert attributes["QueueArn"] == probe.template().get_att("Orders", "Arn")


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("config", [AWS_CONFIG, CALLER_WAITS_CONFIG])
def test_parameters_are_looked_through_here_though_not_in_lambda(config: Config) -> None:
    with pytest.raises(ParamValidationError):
        boto3.client("dynamodb", config=config).get_item(TableName="Table", Key={"pk": {"S": 1}})


@pytest.mark.usefixtures("started")
def test_state_machines_are_executed() -> None:
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"a": 1}, "End": True}}})
    role = "arn:aws:iam::123456789012:role/any"
    machine = client.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, name="one")["executionArn"]
    ended = probe.wait_until(lambda: (d := client.describe_execution(executionArn=arn))["status"] == "SUCCEEDED" and d)
    assert json.loads(ended["output"]) == {"a": 1}


@pytest.mark.usefixtures("started")
def test_the_users_own_settings_are_out_of_reach() -> None:
    assert "AWS_PROFILE" not in os.environ
    credentials: Any = boto3.Session().get_credentials()
    assert credentials.access_key == "local"


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [("lambda", "list_functions", {}), ("s3", "list_buckets", {"endpoint_url": "https://s3.example.com"})],
)
def test_nothing_leaves_the_machine(service: Any, operation: str, arguments: Any) -> None:
    client: Any = boto3.client(service, **arguments)
    with pytest.raises(LeavesTheMachineError):
        getattr(client, operation)()


@pytest.mark.usefixtures("started")
def test_what_moto_does_not_have_is_refused_and_connect_goes_to_the_carrier() -> None:
    assert refused(lambda: boto3.client("chime-sdk-voice").list_sip_media_applications()) == "404"
    assert boto3.client("connect").meta.endpoint_url == "http://127.0.0.1:9"


def test_the_settings_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    aws = LocalAws(probe.template())
    aws.start()
    aws.stop()
    assert {name: value for name, value in os.environ.items() if name.startswith("AWS_")} == before
