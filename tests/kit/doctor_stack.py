"""A stack in moto that is as healthy as one can be, for what looks at stacks: made by moto's CloudFormation.

Of template.yaml it has what moto's CloudFormation can make as it stands (tables, queues, bucket, key, alarms, log
group); functions, triggers and rules are small ones under the same names. Amazon Connect and Service Quotas, which moto
has not, answer from a table, and each answer is held to botocore's model.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import httpx
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto import mock_aws

from cli.deployment import Deployment, Place, open_deployment
from local.cloud.apply_moto_patches import install_guards
from local.cloud.intrinsics import read_document
from local.cloud.template import TEMPLATE, read_template
from local.network.sms.origination import Origination
from speechcall import VERSION
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.pool import Pool
from speechcall.telephony.carried import silence_prompt, wait_prompt
from speechcall.telephony.connect.apology import apology, apology_key
from speechcall.telephony.connect.contact_flow import build_contact_flow
from speechcall.telephony.connect.conversation import SILENCE_KEY, WAIT_KEY

ACCOUNT, REGION, NAME = "123456789012", "eu-central-1", "prod"
INSTANCE_ID = "12345678-1234-1234-1234-123456789012"
INSTANCE = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
CALLER_ID = "+4930123456"
SMS_SENDER = f"arn:aws:sms-voice:{REGION}:{ACCOUNT}:phone-number/phone-5eec4ca1"
AS_THEY_STAND = (
    *("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::KMS::Key"),
    "AWS::Logs::LogGroup",
)
OWNERS = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}]}
CALL_BACK_FLOW_ID = "bbbbbbbb-cccc-dddd-eeee-ffffffffffff"
NUMBER_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:phone-number/1"
FLOW_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
MONITORING_STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}-MonitoringStack/1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
PARAMETERS = {"ConnectInstanceArn": INSTANCE, "CallerId": CALLER_ID, "DeletionProtection": "true"}
PARAMETERS |= {"SmsOriginationIdentity": SMS_SENDER}

Change = Callable[[Any], None]
"""What is changed in an answer of AWS."""


@dataclass
class DoctorWorld:
    """The stack, and what is wrong with it."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    """What is changed in the answers of an operation."""
    denied: set[str] = field(default_factory=set)
    """Operations that are not allowed; `*`: none is."""
    asked: list[str] = field(default_factory=list)
    """The operations of AWS that were asked, in order."""
    health: dict[str, Any] = field(default_factory=dict)
    clock_is_ahead_seconds: float = 0.0
    alarms: dict[str, str] = field(default_factory=dict)
    """Alarms of the stack, which moto's CloudFormation does not make, by their logical ids."""
    composites: dict[str, Any] = field(default_factory=dict)
    """Those of them that are composite ones, as DescribeAlarms tells of them."""
    sms: Origination = field(default_factory=lambda: Origination(SMS_SENDER))
    """What the laptop's service for text messages tells."""
    _given: dict[str, Any] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)
    """What Amazon Connect, Service Quotas and Lambda's account settings answer."""

    def begin(self) -> None:
        """Everything is well."""
        for one in (self.changes, self.denied, self.asked):
            one.clear()
        self.health = {"status": "ok", "version": VERSION, "provider": "connect"}
        self.clock_is_ahead_seconds = 0.0
        vars(self.sms).update(vars(Origination(SMS_SENDER)))

    @cached_property
    def deployment(self) -> Deployment:
        """As `--stack prod` opens it, with its requests watched."""
        made = open_deployment(Place(stack=NAME, region=REGION))
        events = made._session.events
        events.register("provide-client-params.*.*", self._remember)
        events.register("before-call.*.*", self._before)
        events.register("after-call.*.*", self._after)
        return unrecorded(made)

    def _remember(self, params: Any, **_more: Any) -> None:
        """Botocore's event `provide-client-params`: what is asked for."""
        self._given = dict(params)

    def _alarms_of_the_nested_stack(self) -> Any:
        kinds = {True: "AWS::CloudWatch::CompositeAlarm", False: "AWS::CloudWatch::Alarm"}
        resources = [
            {"LogicalResourceId": name, "PhysicalResourceId": physical, "ResourceType": kinds[name in self.composites]}
            for name, physical in self.alarms.items()
        ]
        answer = {"StackResourceSummaries": resources, "ResponseMetadata": {"HTTPStatusCode": 200}}
        return httpx.Response(200), answer

    def _before(self, model: Any, **_more: Any) -> Any:
        self.asked.append(model.name)
        if model.name in self.denied or "*" in self.denied:
            response: Any = {
                "Error": {"Code": "AccessDeniedException", "Message": "not you"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(response, model.name)
        if model.name == "ListStackResources" and self._given.get("StackName") == MONITORING_STACK:
            return self._alarms_of_the_nested_stack()
        answers = dict(self.table)
        if model.service_model.service_name == "pinpoint-sms-voice-v2":
            answers[model.name] = self.sms.operations(_not_there(model.name))[model.name](self._given)
        if model.name not in answers:
            return None
        answer = json.loads(json.dumps(answers[model.name]))
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        self._change(model.name, answer)
        return httpx.Response(200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def _after(self, model: Any, parsed: Any, **_more: Any) -> None:
        if model.name == "ListStackResources":
            parsed["StackResourceSummaries"].append(
                {
                    "LogicalResourceId": "MonitoringStack",
                    "PhysicalResourceId": MONITORING_STACK,
                    "ResourceType": "AWS::CloudFormation::Stack",
                }
            )
        if model.name == "DescribeAlarms":
            parsed["CompositeAlarms"] = json.loads(json.dumps([*self.composites.values()]))
        if model.name == "GetTopicAttributes":  # moto counts a queue's subscription among those that wait
            parsed["Attributes"]["SubscriptionsConfirmed"] = "1"
        if model.name not in self.table:
            self._change(model.name, parsed)

    def _change(self, operation: str, answer: Any) -> None:
        for change in self.changes.get(operation, ()):
            change(answer)

    def get_health(self, url: str, **_more: Any) -> httpx.Response:
        """What the API answers to GET /health."""
        assert url == "https://api.example.com/health"
        ahead = datetime.now(UTC).timestamp() + self.clock_is_ahead_seconds
        headers = {"Date": format_datetime(datetime.fromtimestamp(ahead, UTC), usegmt=True)}
        return httpx.Response(200, json=self.health, headers=headers)


def _document() -> dict[str, Any]:
    product = json.loads(json.dumps(read_document(TEMPLATE)))
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "on-call"}}
    resources: dict[str, Any] = {"OnCall": topic}
    for name, one in product["Resources"].items():
        if one.get("Condition") in ("Chime", "Simulated"):
            continue
        if one["Type"] in AS_THEY_STAND:
            resources[name] = {"Type": one["Type"], "Properties": one["Properties"]}
            if one["Type"] == "AWS::KMS::Key":
                one["Properties"]["KeyPolicy"] = json.dumps(OWNERS)  # as text: moto reads it again
            if one["Properties"].get("FifoQueue"):
                one["Properties"]["QueueName"] = f"{name}.fifo"
            if one["Type"] == "AWS::DynamoDB::Table":
                one["Properties"]["DeletionProtectionEnabled"] = True
        elif one["Type"] == "AWS::Serverless::Function":
            resources[name] = {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": f"{NAME}-{name}",
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": f"arn:aws:iam::{ACCOUNT}:role/none",
                    "Code": {"ZipFile": "def handler(event, context): pass"},
                },
            }
    queue = {"Fn::GetAtt": ["WebhookQueue", "Arn"]}
    mapping = {"EventSourceArn": queue, "FunctionName": {"Ref": "SendWebhookFunction"}}
    resources["SendWebhookFunctionFirst"] = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}
    rule = {"Name": "each-minute", "ScheduleExpression": "rate(1 minute)", "State": "ENABLED"}
    resources["DialerFunctionEachMinute"] = {"Type": "AWS::Events::Rule", "Properties": rule}
    outputs = {
        "ApiUrl": {"Value": "https://api.example.com"},
        "ContactFlowId": {"Value": FLOW_ID},
        "CallBackFlowId": {"Value": CALL_BACK_FLOW_ID},
        "LogGroupName": {"Value": {"Ref": "LogGroup"}},
    }
    kept = {name: product[name] for name in ("AWSTemplateFormatVersion", "Parameters", "Conditions", "Mappings")}
    return {**kept, "Resources": resources, "Outputs": outputs}


def unrecorded(deployment: Deployment) -> Deployment:
    """Whose stores write without the audit trail: a test makes what is to be looked at."""
    trail: Any = SimpleNamespace(client=deployment.client("dynamodb"))
    deployment.trail = trail
    return deployment


def _not_there(operation: str) -> Callable[[str], Exception]:
    def error(what: str) -> Exception:
        response: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": what}}
        return ClientError(response, operation)

    return error


@contextmanager
def healthy_stack() -> Iterator[DoctorWorld]:
    """The stack `prod`, in a moto of its own."""
    install_guards()
    world = DoctorWorld()
    world.begin()
    with (
        patch.dict("os.environ", ENVIRONMENT),
        mock_aws(config={"lambda": {"use_docker": False}}),
        patch("cli.doctor.stack_checks.httpx.get", world.get_health),
    ):
        boto3.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument="{}", Path="/")
        boto3.client("cloudformation").create_stack(
            StackName=NAME,
            TemplateBody=json.dumps(_document()),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()],
        )
        deployment = unrecorded(open_deployment(Place(stack=NAME, region=REGION)))
        _fill(deployment, world)
        yield world


def _fill(deployment: Deployment, world: DoctorWorld) -> None:
    """What is no part of the stack, or of what moto's CloudFormation makes."""
    dynamodb = deployment.client("dynamodb")
    for logical in ("MessagesTable", "RegistryTable"):
        name = deployment.name_of(logical)
        ttl: Any = {"Enabled": True, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    bucket = deployment.name_of("PromptsBucket")
    s3 = deployment.client("s3")
    declared = read_template(TEMPLATE, PARAMETERS)
    (policy,) = declared.resources_of("AWS::S3::BucketPolicy").values()
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy["PolicyDocument"]))
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=declared.resource("PromptsBucket")["Properties"][
            "PublicAccessBlockConfiguration"
        ],
    )
    s3.put_object(Bucket=bucket, Key=apology_key(), Body=apology())
    s3.put_object(Bucket=bucket, Key=WAIT_KEY, Body=wait_prompt("connect"))
    s3.put_object(Bucket=bucket, Key=SILENCE_KEY, Body=silence_prompt("connect"))
    sns = deployment.client("sns")
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    monitoring = declared.with_parameters(AlarmTopicArn=topic).nested("MonitoringStack")
    cloudwatch = deployment.client("cloudwatch")
    for name, one in monitoring.resources_of("AWS::CloudWatch::Alarm").items():
        numbers = {key: int(value) for key, value in one.items() if str(value).isdigit()}
        cloudwatch.put_metric_alarm(**{**one, **numbers})
        world.alarms[name] = one["AlarmName"]
    for name, one in monitoring.resources_of("AWS::CloudWatch::CompositeAlarm").items():
        world.alarms[name] = one["AlarmName"]
        world.composites[name] = {**one, "ActionsEnabled": True, "StateValue": "OK"}  # moto makes none
    functions = deployment.client("lambda")
    for name in ("ConnectFlowFunction", "ControlCallFunction", "AskReceiverFunction", "FinishCallFunction"):
        functions.put_function_concurrency(FunctionName=deployment.name_of(name), ReservedConcurrentExecutions=16)
    deployment.lines.tell_stack(Pool(10, 2))
    deployment.accounts.add(Account("acme", ("+49",), sms_per_day=100), {})
    function = functions.get_function_configuration(FunctionName=deployment.name_of("ConnectFlowFunction"))[
        "FunctionArn"
    ]
    apology_uri = f"https://{bucket}.s3.{REGION}.amazonaws.com/{apology_key()}"
    flow = {
        "Id": FLOW_ID,
        "State": "ACTIVE",
        "Status": "PUBLISHED",
        "Content": json.dumps(build_contact_flow(function, apology_uri, "Disabled")),
    }
    instance = {"Id": INSTANCE_ID, "Arn": INSTANCE, "InstanceStatus": "ACTIVE", "OutboundCallsEnabled": True}
    number = {"PhoneNumber": CALLER_ID, "PhoneNumberArn": NUMBER_ARN, "TargetArn": INSTANCE}
    way = {"ResourceId": NUMBER_ARN, "FlowId": f"{INSTANCE}/contact-flow/{CALL_BACK_FLOW_ID}"}
    world.table = {
        "DescribeInstance": {"Instance": instance},
        "ListPhoneNumbersV2": {"ListPhoneNumbersSummaryList": [number]},
        "ListFlowAssociations": {"FlowAssociationSummaryList": [way]},
        "DescribeContactFlow": {"ContactFlow": flow},
        "ListLambdaFunctions": {"LambdaFunctions": [function]},
        "ListServiceQuotas": {
            "Quotas": [
                {"QuotaName": "Concurrent active calls per instance", "Value": 10.0},
                {"QuotaName": "Rate of StartOutboundVoiceContact API requests", "Value": 2.0},
            ]
        },
        "GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
    }
