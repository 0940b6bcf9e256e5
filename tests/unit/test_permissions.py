"""What a request needs to be allowed, and what a policy allows."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud.iam_actions import needs_of, needs_of_request
from local.cloud.permissions import Permissions, allows
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.providers.record import Need
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/T"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/Q.fifo"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:m"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "T"}, [("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "Query", {"TableName": "T", "IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/index/i")]),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"T": {}}}, [("dynamodb:BatchGetItem", TABLE)]),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "T"}}, {"ConditionCheck": {"TableName": "T"}}]},
            [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)],
        ),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": QUEUE},
            [("sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:Q.fifo")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "f"},
            [("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:123456789012:function:f")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:f:live"},
            [("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:123456789012:function:f:live")],
        ),
        ("stepfunctions", "SendTaskSuccess", {"taskToken": "t"}, [("states:SendTaskSuccess", "")]),
        (
            "stepfunctions",
            "CreateStateMachine",
            {"name": "m", "roleArn": "r"},
            [("states:CreateStateMachine", MACHINE), ("iam:PassRole", "r")],
        ),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "a/c"}, [("s3:GetObject", "arn:aws:s3:::b/a/c")]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "a/d", "CopySource": {"Bucket": "b", "Key": "a/c"}, "Tagging": "old=yes"},
            [
                ("s3:GetObject", "arn:aws:s3:::b/a/c"),
                ("s3:PutObject", "arn:aws:s3:::b/a/d"),
                ("s3:PutObjectTagging", "arn:aws:s3:::b/a/d"),
            ],
        ),
        ("polly", "SynthesizeSpeech", {"Text": "a"}, [("polly:SynthesizeSpeech", "")]),
        ("lambda", "GetAccountSettings", {}, [("lambda:GetAccountSettings", "")]),
        (
            "chime-sdk-voice",
            "CreateSipMediaApplicationCall",
            {"SipMediaApplicationId": "1"},
            [("chime:CreateSipMediaApplicationCall", "arn:aws:chime:eu-central-1:123456789012:sma/1")],
        ),
    ],
)
def test_what_a_request_needs(service, operation, parameters, expected) -> None:
    assert needs_of(service, operation, parameters) == [Need(*one) for one in expected]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (("dynamodb", "POST", "/", "DynamoDB_20120810.PutItem", b'{"TableName":"T"}'), ("dynamodb:PutItem", TABLE)),
        (("polly", "POST", "/v1/speech", "", b"{}"), ("polly:SynthesizeSpeech", "")),
        (("lambda", "GET", "/2016-08-19/account-settings", "", b""), ("lambda:GetAccountSettings", "")),
        (
            ("chime", "POST", "/sip-media-applications/1/calls/2", "", b"{}"),
            ("chime:UpdateSipMediaApplicationCall", "arn:aws:chime:eu-central-1:123456789012:sma/1"),
        ),
        (("s3", "PUT", "/b/a/c", "", b"audio"), ("s3:PutObject", "arn:aws:s3:::b/a/c")),
        (
            ("connect", "POST", "/contact/stop", "", json.dumps({"InstanceId": "i", "ContactId": "c"}).encode()),
            ("connect:StopContact", "arn:aws:connect:eu-central-1:123456789012:instance/i/contact/c"),
        ),
        (
            ("connect", "GET", "/contacts/i/c", "", b""),
            ("connect:DescribeContact", "arn:aws:connect:eu-central-1:123456789012:instance/i/contact/c"),
        ),
    ],
)
def test_what_a_request_over_http_needs(request_, expected) -> None:
    assert needs_of_request(*request_) == [Need(*expected)]


def test_a_copy_over_http_needs_what_its_headers_say() -> None:
    headers = {"x-amz-copy-source": "b/a%2Fc", "x-amz-tagging": "old=yes"}
    needs = needs_of_request("s3", "PUT", "/b/a/d", "", b"", headers)
    allowed = ("GetObject", "a/c"), ("PutObject", "a/d"), ("PutObjectTagging", "a/d")
    assert needs == [Need(f"s3:{action}", f"arn:aws:s3:::b/{key}") for action, key in allowed]


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}, True),
        ({"Effect": "Allow", "Action": ["dynamodb:Query", "dynamodb:Get*"], "Resource": [f"{TABLE[:-1]}*"]}, True),
        ({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": f"{TABLE}/index/*"}, False),
        ({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}, False),
        ({"Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": TABLE}, False),
    ],
)
def test_what_a_statement_allows(statement, allowed) -> None:
    assert allows(statement, Need("dynamodb:GetItem", TABLE)) is allowed


def test_a_function_is_refused_before_anything_is_sent() -> None:
    told = []
    template = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})
    permissions = Permissions(template, lambda function, why: told.append((function, why)))
    client = boto3.Session().client("dynamodb", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with permissions.held_for("ConnectFlowFunction"), pytest.raises(ClientError, match="not authorized") as refused:
        client.delete_item(TableName=template.ref("MessagesTable"), Key={})
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert [function for function, _ in told] == ["ConnectFlowFunction"]
    assert "dynamodb:DeleteItem" in told[0][1]
