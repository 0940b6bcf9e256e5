"""The custom resource: CloudFormation is always answered, and refused only where the lines are known not to fit."""

import importlib.util
import json
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from werkzeug.wrappers import Request, Response

from local.event_files import EVENTS
from local.functions import LambdaContext
from local.http_server import HttpServer
from speechcall.adapters import custom_resource, lambda_limits

APP = Path(__file__).parents[2] / "functions" / "check_concurrency" / "app.py"
STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/speechcall/1"


@pytest.fixture
def app(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    spec = importlib.util.spec_from_file_location("check_concurrency_app", APP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def aws(app):
    with Stubber(app.lambda_client) as stubber:
        yield stubber


@pytest.fixture
def stack_status(app, monkeypatch):
    """Make the stack's status what is given."""

    def give(status):
        client = boto3.client("cloudformation")
        stubber = Stubber(client)
        told = {"StackName": "speechcall", "CreationTime": "2026-11-23T00:00:00Z", "StackStatus": status}
        stubber.add_response("describe_stacks", {"Stacks": [told]}, {"StackName": STACK})
        stubber.activate()
        monkeypatch.setattr(app.boto3, "client", lambda *_args, **_options: client)

    return give


@pytest.fixture
def cloudformation():
    """Where answers are put; `refusals` of them are answered 503 first."""

    class Place:
        def __init__(self):
            self.url, self.refusals, self.requests = "", 0, []

        def __call__(self, environ, start_response):
            request = Request(environ)
            self.requests.append((request.method, request.headers.get("Content-Type", ""), request.get_data()))
            status = 503 if len(self.requests) <= self.refusals else 200
            return Response(status=status)(environ, start_response)

    place = Place()
    server = HttpServer(place, name="cloudformation")
    server.start()
    place.url = f"{server.url}/presigned?signature=1"
    yield place
    server.stop()


def has(aws, executions):
    limit = {"UnreservedConcurrentExecutions": executions, "ConcurrentExecutions": executions + 100}
    aws.add_response("get_account_settings", {"AccountLimit": limit})


def ask(app, cloudformation, **changes):
    event = json.loads((EVENTS / "cloudformation/check-concurrency.json").read_text(encoding="utf-8"))
    lines = changes.pop("lines", "10")
    event |= {"ResponseURL": cloudformation.url, "StackId": STACK, **changes}
    event["ResourceProperties"]["Lines"] = lines
    app.handler(event, LambdaContext("check", "arn:aws:lambda:eu-central-1:123456789012:function:check", 512, 30))
    *_refused, (method, content_type, body) = cloudformation.requests
    assert (method, content_type) == ("PUT", "")
    assert len(body) < 4096
    answer = json.loads(body)
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }
    return answer


def test_lines_that_fit_are_deployed(app, aws, cloudformation):
    has(aws, 35)
    assert ask(app, cloudformation)["Status"] == "SUCCESS"


def test_a_new_accounts_limit_is_said_with_what_would_be_right(app, aws, cloudformation):
    has(aws, 10)
    answer = ask(app, cloudformation)
    assert answer["Status"] == "FAILED"
    assert "Lines=10 needs 35" in answer["Reason"]
    assert "Lines=1 or fewer" in answer["Reason"]


def test_more_lines_than_before_are_refused(app, aws, cloudformation, stack_status):
    has(aws, 100)
    stack_status("UPDATE_IN_PROGRESS")
    answer = ask(app, cloudformation, RequestType="Update", lines="50", PhysicalResourceId="lambda-concurrency")
    assert answer["Status"] == "FAILED"


def test_a_stack_may_always_return_to_what_it_was(app, aws, cloudformation, stack_status):
    has(aws, 10)
    stack_status("UPDATE_ROLLBACK_IN_PROGRESS")
    assert ask(app, cloudformation, RequestType="Update")["Status"] == "SUCCESS"


def test_a_stack_may_always_be_deleted(app, aws, cloudformation):
    answer = ask(app, cloudformation, RequestType="Delete")  # nothing is asked of AWS
    assert answer["Status"] == "SUCCESS"


def test_the_resources_id_never_changes(app, aws, cloudformation):
    ids = set()
    for kind, lines in (("Create", "1"), ("Update", "2"), ("Delete", "2")):
        has(aws, 35)
        ids.add(ask(app, cloudformation, RequestType=kind, lines=lines)["PhysicalResourceId"])
    assert ids == {"lambda-concurrency"}


@pytest.mark.parametrize("code", ["ServiceException", "AccessDeniedException"])
def test_what_cannot_be_read_stops_nothing(app, aws, cloudformation, monkeypatch, code):
    monkeypatch.setattr(lambda_limits, "PAUSES_SECONDS", (0.0, 0.0))
    for _ in range(3):
        aws.add_client_error("get_account_settings", code, http_status_code=403)
    assert ask(app, cloudformation)["Status"] == "SUCCESS"


def test_a_role_that_is_not_known_yet_is_waited_for(app, aws, cloudformation, monkeypatch):
    monkeypatch.setattr(lambda_limits, "PAUSES_SECONDS", (0.0, 0.0))
    aws.add_client_error("get_account_settings", "AccessDeniedException", http_status_code=403)
    has(aws, 10)
    assert ask(app, cloudformation)["Status"] == "FAILED"


@pytest.mark.parametrize("lines", ["", "ten", None, {}])
def test_an_event_that_cannot_be_read_stops_nothing(app, aws, cloudformation, lines):
    has(aws, 10)
    assert ask(app, cloudformation, lines=lines)["Status"] == "SUCCESS"


def test_an_answer_is_given_again_when_it_was_not_taken(app, aws, cloudformation, monkeypatch):
    monkeypatch.setattr(custom_resource, "PAUSES_SECONDS", (0.0, 0.0))
    has(aws, 35)
    cloudformation.refusals = 2
    assert ask(app, cloudformation)["Status"] == "SUCCESS"
    assert len(cloudformation.requests) == 3
