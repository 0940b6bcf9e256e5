"""A stack in moto with all that outlives one: made by moto's CloudFormation, filled as one that was used.

Of template.yaml it has the tables, the bucket, the key, the log group and a queue. moto knows no
`RetainExceptOnCreate`, so they are `Retain` here, which is the same once a stack is complete (CloudFormation user
guide, DeletionPolicy). And moto makes what it has deleted once more when it lists the resources of a deleted stack: so
that is answered from memory.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import httpx
from moto import mock_aws

from cli.deployment import Deployment, Place, open_deployment
from local.cloud.apply_moto_patches import install_guards
from local.cloud.intrinsics import read_document
from local.cloud.template import TEMPLATE
from tests.kit.doctor_stack import ACCOUNT, AS_THEY_STAND, ENVIRONMENT, OWNERS, REGION

NAME = "trial"
READS = ("Describe", "List", "Get", "Head", "Query", "Scan", "BatchGet")


class Interrupted(BaseException):
    """The process was killed: nothing of the command may catch it."""


@dataclass
class LastingWorld:
    """The stack, and where the process is killed."""

    die: tuple[str, int] | None = None
    """`before` or `after`, and at which of the calls that change something, from 0."""
    changed: list[str] = field(default_factory=list)
    """The operations that changed something."""
    asked: set[str] = field(default_factory=set)
    listings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The resources of each stack that was deleted, by its id."""

    def open(self, place: Place) -> Deployment:
        """As `--stack` opens it, with its requests watched."""
        made = open_deployment(Place(stack=place.stack, region=REGION))
        made._session.events.register("before-call.*.*", self._before)
        made._session.events.register("after-call.*.*", self._after)
        return made

    def _before(self, model: Any, params: dict[str, Any], **_more: Any) -> Any:
        self.asked.add(model.name)
        if not model.name.startswith(READS) and self._is_dead("before", len(self.changed)):
            raise Interrupted(model.name)
        named = params["body"].get("StackName", "") if isinstance(params.get("body"), dict) else ""
        if model.name == "DeleteStack":
            self.listings[named] = _listed(named)
        if model.name == "ListStackResources" and named in self.listings:
            answer = {"StackResourceSummaries": self.listings[named], "ResponseMetadata": {"HTTPStatusCode": 200}}
            return httpx.Response(200), answer
        return None

    def _after(self, model: Any, parsed: Any, **_more: Any) -> None:
        if model.name == "DescribeContinuousBackups":
            _widen(parsed)
        if model.name.startswith(READS):
            return
        if model.name == "DeleteStack":  # a late line of a function that may make its group
            for listing in self.listings.values():
                _log_once_more(listing)
        self.changed.append(model.name)
        if self._is_dead("after", len(self.changed) - 1):
            raise Interrupted(model.name)

    def _is_dead(self, when: str, place: int) -> bool:
        """Also for what other threads would do after it."""
        return self.die is not None and self.die[0] == when and place >= self.die[1]


def _listed(stack_id: str) -> list[dict[str, Any]]:
    found: list[Any] = boto3.client("cloudformation").list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    return found


def _widen(parsed: Any) -> None:
    """Source: DynamoDB API reference, PointInTimeRecoveryDescription (the latest: mostly five minutes before now)."""
    found = parsed["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    if found["PointInTimeRecoveryStatus"] == "ENABLED":
        now = datetime.now(UTC)
        found["EarliestRestorableDateTime"] = now - timedelta(days=35)
        found["LatestRestorableDateTime"] = now - timedelta(minutes=5)


def _log_once_more(listing: list[dict[str, Any]]) -> None:
    logs = boto3.client("logs")
    there = {one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]}
    names = {one["PhysicalResourceId"] for one in listing if one["ResourceType"] == "AWS::Logs::LogGroup"}
    for name in names - there:
        logs.create_log_group(logGroupName=name)


def _document() -> dict[str, Any]:
    product = json.loads(json.dumps(read_document(TEMPLATE)))
    resources: dict[str, Any] = {"WebhookRetryQueue": product["Resources"]["WebhookRetryQueue"]}
    resources["WebhookRetryQueue"]["Properties"].pop("RedrivePolicy")
    for name, one in product["Resources"].items():
        if one["Type"] not in AS_THEY_STAND or one["Type"] == "AWS::SQS::Queue":
            continue
        if one["Type"] == "AWS::KMS::Key":
            one["Properties"]["KeyPolicy"] = json.dumps(OWNERS)
        resources[name] = {"Type": one["Type"], "Properties": one["Properties"]}
        if one["DeletionPolicy"] == "RetainExceptOnCreate":
            resources[name]["DeletionPolicy"] = "Retain"
    kept = {name: product[name] for name in ("AWSTemplateFormatVersion", "Parameters", "Conditions")}
    return {**kept, "Resources": resources}


def physical_names(stack_id: str) -> dict[str, str]:
    """The physical ids of the stack's resources, by their logical ones."""
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in _listed(stack_id)}


def make_stack(*, protected: bool = True) -> dict[str, str]:
    """A stack that was used; its physical names, and `id`. In: moto is on."""
    stack_id = boto3.client("cloudformation").create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(_document()),
        Parameters=[{"ParameterKey": "CallerId", "ParameterValue": "+4930123456"}],
    )["StackId"]
    names = physical_names(stack_id)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    for table in (names["MessagesTable"], names["RegistryTable"]):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=protected)
    dynamodb.put_item(TableName=names["RegistryTable"], Item={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}})
    bucket = names["PromptsBucket"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="uploaded/a.wav", Body=content)
    s3.delete_object(Bucket=bucket, Key="uploaded/a.wav")
    s3.create_multipart_upload(Bucket=bucket, Key="uploads/b")
    prefix = stack_id.rsplit("/", 1)[-1].partition("-")[0]
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    role = f"arn:aws:iam::{ACCOUNT}:role/none"
    for name in (f"{prefix}-one", f"{prefix}-two", f"{prefix}0-of-another"):
        boto3.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role)
    return {**names, "id": stack_id}


def what_is_there(names: dict[str, str]) -> set[str]:
    """What of a stack exists, by AWS's own word."""
    found = {one["name"] for one in boto3.client("stepfunctions").list_state_machines()["stateMachines"]}
    found |= set(boto3.client("dynamodb").list_tables()["TableNames"])
    found |= {one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]}
    found |= {one["logGroupName"] for one in boto3.client("logs").describe_log_groups()["logGroups"]}
    found |= {one["StackName"] for one in boto3.client("cloudformation").describe_stacks()["Stacks"]}
    found |= set(boto3.client("sqs").list_queues().get("QueueUrls", []))
    if boto3.client("kms").describe_key(KeyId=names["WebhookSecretsKey"])["KeyMetadata"]["KeyState"] == "Enabled":
        found.add(names["WebhookSecretsKey"])
    return found


@contextmanager
def empty_account() -> Iterator[LastingWorld]:
    """An account of its own."""
    install_guards()
    with patch.dict("os.environ", ENVIRONMENT), mock_aws():
        boto3.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument="{}", Path="/")
        yield LastingWorld()
