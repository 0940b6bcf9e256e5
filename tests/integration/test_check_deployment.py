"""The custom resource: CloudFormation is always answered, and refused only what is known to be wrong."""

import importlib.util
import json
from pathlib import Path

import pytest
from botocore.stub import Stubber
from werkzeug.wrappers import Request, Response

from local.cloud.event_files import EVENTS
from local.cloud.functions import LambdaContext
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.common.http_server import HttpServer
from speechcall.deployment.adapters import custom_resource, patience

APP = Path(__file__).parents[2] / "functions" / "check_deployment" / "app.py"
STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/speechcall/1"


@pytest.fixture
def app(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    spec = importlib.util.spec_from_file_location("check_deployment_app", APP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def aws(app):
    with Stubber(app.clients.functions) as stubber:
        yield stubber


@pytest.fixture
def connect(app):
    """Amazon Connect and Service Quotas as they are where everything is right; a test replaces what is not."""
    told = {
        "DescribeInstance": {"Instance": {"InstanceStatus": "ACTIVE", "OutboundCallsEnabled": True}},
        "ListPhoneNumbersV2": {"ListPhoneNumbersSummaryList": [{"PhoneNumber": CALLER_ID, "TargetArn": INSTANCE_ARN}]},
        "ListContactFlows": {"ContactFlowSummaryList": [{"Name": f"flow {number}"} for number in range(98)]},
        "ListServiceQuotas": {"Quotas": [{"QuotaName": "Contact flows per instance", "Value": 100.0}]},
    }

    def answer(model, **_rest):
        one = told[model.name]
        if isinstance(one, str):
            return Refused(), {"Error": {"Code": one, "Message": ""}, "ResponseMetadata": {}}
        return Taken(), one

    for client in (app.clients.connect, app.clients.quotas):
        client.meta.events.register("before-call", answer)
    return told


class Taken:
    status_code = 200


class Refused:
    status_code = 403


@pytest.fixture
def stack_status(app):
    """Make the stack's status what is given."""
    with Stubber(app.cloudformation) as stubber:

        def give(status):
            told = {"StackName": "speechcall", "CreationTime": "2026-11-23T00:00:00Z", "StackStatus": status}
            stubber.add_response("describe_stacks", {"Stacks": [told]}, {"StackName": STACK})

        yield give


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


def properties(lines="10"):
    event = json.loads((EVENTS / "cloudformation/check-deployment.json").read_text(encoding="utf-8"))
    return event["ResourceProperties"] | {"Lines": lines}


def ask(app, cloudformation, **changes):
    event = json.loads((EVENTS / "cloudformation/check-deployment.json").read_text(encoding="utf-8"))
    event["ResourceProperties"] |= {"Lines": changes.pop("lines", "10"), **changes.pop("given", {})}
    event |= {"ResponseURL": cloudformation.url, "StackId": STACK, **changes}
    app.handler(event, LambdaContext("check", "arn:aws:lambda:eu-central-1:123456789012:function:check", 512, 30))
    *_refused, (method, content_type, body) = cloudformation.requests
    assert method == "PUT"
    assert content_type == ""
    assert len(body) < 4096
    answer = json.loads(body)
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }
    return answer


def test_lines_that_fit_are_deployed(app, aws, connect, cloudformation):
    has(aws, 220)
    answer = ask(app, cloudformation)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"ReservedForEach": "16"}


def test_what_cannot_even_be_calculated_is_answered(app, connect, cloudformation):
    answer = ask(app, cloudformation, lines=["10"])  # no text: the check fails, and the calculation
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {})


def test_a_new_accounts_limit_is_said_with_what_would_be_right(app, aws, connect, cloudformation):
    has(aws, 10)
    answer = ask(app, cloudformation)
    assert answer["Status"] == "FAILED"
    assert "Lines=10 needs 220" in answer["Reason"]
    assert "ask for 220 or more in Service Quotas" in answer["Reason"]


def test_more_lines_than_before_are_refused(app, aws, connect, cloudformation, stack_status):
    has(aws, 100)
    stack_status("UPDATE_IN_PROGRESS")
    answer = ask(app, cloudformation, RequestType="Update", lines="50", PhysicalResourceId="deployment-check")
    assert answer["Status"] == "FAILED"


def test_what_the_stack_has_reserved_itself_is_free_for_it(app, aws, connect, cloudformation):
    # 1,200 in all; 300 lines have 335 of them for each of their functions.
    has(aws, 1200 - 3 * 335)
    before = {"OldResourceProperties": properties(lines="300")}
    answer = ask(
        app, cloudformation, RequestType="Update", lines="299", PhysicalResourceId="deployment-check", **before
    )
    assert answer["Status"] == "SUCCESS"


def test_a_stack_may_always_return_to_what_it_was(app, aws, connect, cloudformation, stack_status):
    has(aws, 10)
    stack_status("UPDATE_ROLLBACK_IN_PROGRESS")
    assert ask(app, cloudformation, RequestType="Update")["Status"] == "SUCCESS"


def test_a_stack_may_always_be_deleted(app, aws, connect, cloudformation):
    answer = ask(app, cloudformation, RequestType="Delete")  # nothing is asked of AWS
    assert answer["Status"] == "SUCCESS"


def test_the_resources_id_never_changes(app, aws, connect, cloudformation):
    ids = set()
    for kind, lines in (("Create", "1"), ("Update", "2"), ("Delete", "2")):
        has(aws, 220)
        ids.add(ask(app, cloudformation, RequestType=kind, lines=lines)["PhysicalResourceId"])
    assert ids == {"deployment-check"}


@pytest.mark.parametrize("code", ["ServiceException", "AccessDeniedException"])
def test_what_cannot_be_read_stops_nothing(app, aws, connect, cloudformation, monkeypatch, code):
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.0, 0.0))
    for _ in range(3):
        aws.add_client_error("get_account_settings", code, http_status_code=403)
    assert ask(app, cloudformation)["Status"] == "SUCCESS"


def test_a_role_that_is_not_known_yet_is_waited_for(app, aws, connect, cloudformation, monkeypatch):
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.0, 0.0))
    aws.add_client_error("get_account_settings", "AccessDeniedException", http_status_code=403)
    has(aws, 10)
    assert ask(app, cloudformation)["Status"] == "FAILED"


@pytest.mark.parametrize("lines", [None, {}, []])
def test_an_event_that_cannot_be_read_stops_nothing(app, aws, connect, cloudformation, lines):
    has(aws, 10)
    assert ask(app, cloudformation, lines=lines)["Status"] == "SUCCESS"


def test_an_answer_is_given_again_when_it_was_not_taken(app, aws, connect, cloudformation, monkeypatch):
    monkeypatch.setattr(custom_resource, "PAUSES_SECONDS", (0.0, 0.0))
    has(aws, 220)
    cloudformation.refusals = 2
    assert ask(app, cloudformation)["Status"] == "SUCCESS"
    assert len(cloudformation.requests) == 3


def refusal(app, aws, cloudformation, **given):
    has(aws, 1000)
    answer = ask(app, cloudformation, given=given)
    assert (answer["Status"] == "FAILED") == bool(answer["Reason"])
    return answer["Reason"]


def test_where_everything_is_right_nothing_is_refused(app, aws, connect, cloudformation):
    assert refusal(app, aws, cloudformation) == ""


OTHER_REGION = INSTANCE_ARN.replace("eu-central-1", "us-west-2")
OTHER_ACCOUNT = INSTANCE_ARN.replace("123456789012", "210987654321")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"CallsPerSecond": "1.5"}, "CallsPerSecond=1.5 is not a whole number from 1 to 100."),
        ({"GraceSeconds": "-5"}, "GraceSeconds=-5 is not a whole number from 1 to 100."),
        ({"MaxCallSeconds": "1e3"}, "MaxCallSeconds=1e3 is not"),
        ({"Lines": "301"}, "Lines=301 is not a whole number from 1 to 300."),
        ({"Lines": "10.0"}, "Lines=10.0 is not"),
        (
            {"ConnectInstanceArn": OTHER_REGION},
            "is in us-west-2 of account 123456789012, and this stack in eu-central-1",
        ),
        ({"ConnectInstanceArn": OTHER_ACCOUNT}, "Deploy to the instance's Region and account"),
    ],
)
def test_what_the_parameters_alone_show_is_told(app, aws, connect, cloudformation, given, told):
    assert told in refusal(app, aws, cloudformation, **given)


NUMBERS = "ListPhoneNumbersSummaryList"
ANOTHER = INSTANCE_ARN[:-1] + "2"


@pytest.mark.parametrize(
    ("operation", "answer", "told"),
    [
        ("DescribeInstance", "ResourceNotFoundException", "There is no Amazon Connect instance"),
        ("DescribeInstance", {"Instance": {"InstanceStatus": "CREATION_IN_PROGRESS"}}, "is CREATION_IN_PROGRESS"),
        (
            "DescribeInstance",
            {"Instance": {"InstanceStatus": "ACTIVE", "OutboundCallsEnabled": False}},
            "may not make outbound calls",
        ),
        ("ListPhoneNumbersV2", {NUMBERS: []}, "is not claimed in this account and Region"),
        (
            "ListPhoneNumbersV2",
            {NUMBERS: [{"PhoneNumber": CALLER_ID + "7", "TargetArn": INSTANCE_ARN}]},
            "is not claimed",
        ),
        ("ListPhoneNumbersV2", {NUMBERS: [{"PhoneNumber": CALLER_ID, "TargetArn": ANOTHER}]}, f"belongs to {ANOTHER}"),
        ("ListContactFlows", {"ContactFlowSummaryList": [{"Name": str(n)} for n in range(100)]}, "100 flows of 100"),
    ],
)
def test_what_amazon_connect_shows_is_told(app, aws, connect, cloudformation, operation, answer, told):
    connect[operation] = answer
    reason = refusal(app, aws, cloudformation)
    assert told in reason
    assert CALLER_ID not in reason


def test_a_number_that_is_allowed_as_an_external_one_need_not_be_claimed(app, aws, connect, cloudformation):
    connect["ListPhoneNumbersV2"] = {NUMBERS: []}
    assert refusal(app, aws, cloudformation, ExternalCallerId="true") == ""


def test_a_number_of_a_traffic_distribution_group_is_let_through(app, aws, connect, cloudformation):
    group = "arn:aws:connect:eu-central-1:123456789012:traffic-distribution-group/1"
    connect["ListPhoneNumbersV2"] = {NUMBERS: [{"PhoneNumber": CALLER_ID, "TargetArn": group}]}
    assert refusal(app, aws, cloudformation) == ""


def test_a_stack_whose_flow_is_there_needs_no_room_for_it(app, aws, connect, cloudformation):
    ours = ["speechcall-speechcall", "speechcall-speechcall-call-back"]
    flows = [*(str(number) for number in range(98)), *ours]
    connect["ListContactFlows"] = {"ContactFlowSummaryList": [{"Name": name} for name in flows]}
    assert refusal(app, aws, cloudformation) == ""


def test_a_stack_of_a_release_before_needs_room_for_the_flow_of_calls_back(app, aws, connect, cloudformation):
    flows = [*(str(number) for number in range(99)), "speechcall-speechcall"]
    connect["ListContactFlows"] = {"ContactFlowSummaryList": [{"Name": name} for name in flows]}
    assert "100 flows of 100, so there is no room for 1 of this stack's" in refusal(app, aws, cloudformation)


NOBODY_CALLS = {"Instance": {"InstanceStatus": "ACTIVE", "OutboundCallsEnabled": True, "InboundCallsEnabled": False}}


def test_an_instance_that_takes_no_calls_cannot_be_called_back(app, aws, connect, cloudformation):
    connect["DescribeInstance"] = NOBODY_CALLS
    assert "RouteCallBacks=false" in refusal(app, aws, cloudformation)


@pytest.mark.parametrize("given", [{"RouteCallBacks": "false"}, {"ExternalCallerId": "true"}])
def test_it_is_good_enough_where_calls_are_not_led_to_the_stack(app, aws, connect, cloudformation, given):
    connect["DescribeInstance"] = NOBODY_CALLS
    assert refusal(app, aws, cloudformation, **given) == ""


def test_all_that_is_wrong_is_told_at_once(app, aws, connect, cloudformation):
    connect["ListPhoneNumbersV2"] = {NUMBERS: []}
    has(aws, 10)
    reason = ask(app, cloudformation, given={"CallsPerSecond": "0"})["Reason"]
    assert "CallsPerSecond=0" in reason
    assert "is not claimed" in reason
    assert "Lines=10 needs" in reason


@pytest.mark.parametrize(
    "operation", ["DescribeInstance", "ListPhoneNumbersV2", "ListContactFlows", "ListServiceQuotas"]
)
@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServiceException", "ThrottlingException"])
def test_what_cannot_be_looked_up_stops_nothing_and_hides_nothing(
    app, aws, connect, cloudformation, monkeypatch, operation, code
):
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.0, 0.0))
    connect[operation] = code
    has(aws, 10)
    reason = ask(app, cloudformation)["Reason"]
    assert reason.startswith("Lines=10 needs")


def test_a_stack_of_the_chime_sdk_asks_nothing_of_amazon_connect(app, aws, connect, cloudformation):
    connect.clear()  # whoever asks meets a KeyError, and would be told
    assert refusal(app, aws, cloudformation, ConnectInstanceArn="", CallsPerSecond="0").startswith("CallsPerSecond=0")


# ------------------------------------------------------ another telephony
def changed(app, cloudformation, *, to, told, before=None):
    """An update that has another telephony place the calls; `told`: what the parts of the index hold."""
    asked = []

    def answer(model, params, **_rest):
        if model.name == "DescribeStacks":
            outputs = [{"OutputKey": "MessagesTableName", "OutputValue": "speechcall-MessagesTable-1"}]
            return Taken(), {"Stacks": [{"StackStatus": "UPDATE_IN_PROGRESS", "Outputs": outputs}]}
        body = json.loads(params["body"])
        assert (body["TableName"], body["IndexName"]) == ("speechcall-MessagesTable-1", "due")
        shard = body["ExpressionAttributeValues"][":shard"]["S"]
        asked.append(shard)
        return Taken(), {"Items": [{"pk": {"S": "M#1"}}] if shard in told else []}

    for client in (app.clients.cloudformation, app.clients.dynamodb):
        client.meta.events.register("before-call", answer)
    old = properties() | {"TelephonyProvider": "connect"} if before is None else before
    given = {"TelephonyProvider": to, "ConnectInstanceArn": "", "CallerId": ""}
    answered = ask(app, cloudformation, given=given, RequestType="Update", OldResourceProperties=old)
    return answered, asked


@pytest.mark.parametrize("shard", ["preparing#0", "queued#3", "calling#1", "later", "settling"])
def test_another_telephony_is_refused_while_a_message_is_unfinished(app, aws, cloudformation, shard):
    has(aws, 1000)
    answered, _ = changed(app, cloudformation, to="simulated", told={shard})
    assert answered["Status"] == "FAILED"
    assert answered["Reason"].startswith("TelephonyProvider=simulated: messages are unfinished")
    assert "for connect" in answered["Reason"]


def test_another_telephony_is_taken_when_every_message_has_ended(app, aws, cloudformation):
    has(aws, 1000)
    answered, asked = changed(app, cloudformation, to="simulated", told=())
    assert answered["Status"] == "SUCCESS"
    assert {shard.partition("#")[0] for shard in asked} == {"preparing", "queued", "calling", "later", "settling"}


def test_the_telephony_of_a_release_that_did_not_name_it_is_told_by_its_instance(app, aws, cloudformation):
    has(aws, 1000)
    old = {name: value for name, value in properties().items() if name != "TelephonyProvider"}
    answered, _ = changed(app, cloudformation, to="simulated", told={"queued#0"}, before=old)
    assert "for connect" in answered["Reason"]


def test_a_stack_that_keeps_its_telephony_is_asked_nothing_of_its_messages(app, aws, cloudformation):
    has(aws, 1000)
    old = properties() | {"TelephonyProvider": "simulated", "ConnectInstanceArn": ""}
    answered, asked = changed(app, cloudformation, to="simulated", told={"queued#0"}, before=old)
    assert (answered["Status"], asked) == ("SUCCESS", [])
