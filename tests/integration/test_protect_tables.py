"""Deletion protection as CloudFormation goes through it: a deployment, an update, a roll-back, a removal."""

import importlib.util
import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from local.cloud.event_files import EVENTS
from local.cloud.functions import LambdaContext
from speechcall.deployment.adapters import protection

APP = Path(__file__).parents[2] / "functions" / "protect_tables" / "app.py"
TABLES = ["MessagesTable", "RegistryTable"]


@pytest.fixture
def app(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(protection, "PAUSES_SECONDS", (0.0, 0.0))
    with mock_aws():
        spec = importlib.util.spec_from_file_location("protect_tables_app", APP)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "send", lambda _url, _answer: True)
        for table in TABLES:
            make(table)
        yield module


def make(table):
    boto3.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )


def ask(app, kind, status="CREATE_IN_PROGRESS", tables=(*TABLES,), before=(*TABLES,), protect="true"):
    event = json.loads((EVENTS / "cloudformation/protect-tables.json").read_text(encoding="utf-8"))
    event["RequestType"] = kind
    event["ResourceProperties"] |= {"Tables": list(tables), "Protect": protect}
    if kind == "Update":
        event["OldResourceProperties"] = {"Tables": list(before), "Protect": "true"}
    told = {"StackName": "speechcall", "CreationTime": "2026-11-23T00:00:00Z", "StackStatus": status}
    with Stubber(app.cloudformation) as stubber:
        stubber.add_response("describe_stacks", {"Stacks": [told]})
        return app.handler(
            event, LambdaContext("protect", "arn:aws:lambda:eu-central-1:123456789012:function:p", 512, 30)
        )


def can_be_deleted(table):
    try:
        boto3.client("dynamodb").delete_table(TableName=table)
    except ClientError as error:
        return "rotect" not in str(error)
    return True


def test_a_deployed_table_refuses_to_be_deleted(app):
    assert ask(app, "Create")["Status"] == "SUCCESS"
    assert [can_be_deleted(table) for table in TABLES] == [False, False]


def test_a_first_deployment_that_failed_can_remove_its_tables(app):
    ask(app, "Create")
    assert ask(app, "Delete", "ROLLBACK_IN_PROGRESS")["Status"] == "SUCCESS"
    assert [can_be_deleted(table) for table in TABLES] == [True, True]


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_tables_of_a_stack_that_is_removed_stay_protected(app, status):
    ask(app, "Create")
    assert ask(app, "Delete", status)["Status"] == "SUCCESS"
    assert [can_be_deleted(table) for table in TABLES] == [False, False]


def test_the_operator_can_take_the_protection_away(app):
    ask(app, "Create")
    assert ask(app, "Update", "UPDATE_IN_PROGRESS", protect="false")["Status"] == "SUCCESS"
    assert [can_be_deleted(table) for table in TABLES] == [True, True]


def test_a_table_that_a_rolled_back_update_made_can_go(app):
    make("Third")
    ask(app, "Update", "UPDATE_IN_PROGRESS", tables=(*TABLES, "Third"))
    ask(app, "Update", "UPDATE_ROLLBACK_IN_PROGRESS", before=(*TABLES, "Third"))
    assert can_be_deleted("Third")
    assert not can_be_deleted("MessagesTable")


def test_a_table_that_is_being_changed_is_waited_for(app):
    with Stubber(app.dynamodb) as stubber:
        for _ in range(2):
            stubber.add_response("describe_table", {"Table": {}})
            stubber.add_client_error("update_table", "ResourceInUseException")
        stubber.add_response("describe_table", {"Table": {}})
        stubber.add_response("update_table", {})
        assert ask(app, "Create", tables=["MessagesTable"])["Status"] == "SUCCESS"
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("Create", "CREATE_IN_PROGRESS", "FAILED"),
        ("Update", "UPDATE_IN_PROGRESS", "FAILED"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("Delete", "ROLLBACK_IN_PROGRESS", "SUCCESS"),
    ],
)
def test_what_fails_is_told_and_holds_up_no_roll_back(app, kind, status, expected):
    with Stubber(app.dynamodb) as stubber:
        for _ in TABLES:
            stubber.add_client_error("describe_table", "InternalServerError", http_status_code=400)
        answer = ask(app, kind, status)
    assert answer["Status"] == expected
    assert bool(answer["Reason"]) == (expected == "FAILED")
