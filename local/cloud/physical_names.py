"""What `Ref` and `Fn::GetAtt` give on the laptop: the names and ARNs under which the resources are made there."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from local.cloud.account import ACCOUNT, REGION, arn
from local.cloud.intrinsics import TemplateError
from local.cloud.simulated_providers import simulated
from speechcall.telephony.connect.apology import apology_key
from speechcall.telephony.provider import ProviderName

_NAME_PROPERTY: Mapping[str, str] = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Key": "Alias",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Serverless::Function": "FunctionName",
}
# A table's real stream ARN ends in the moment of its making; moto finds the stream by the table's name alone.
_STREAM_LABEL = "2026-01-01T00:00:00.000"


def physical_name(logical_id: str, resource_type: str, properties: Mapping[str, Any]) -> str:
    """A resource's name: the one that its properties give, else its logical id, made fit for the service."""
    given = properties.get(_NAME_PROPERTY.get(resource_type, ""))
    if given is not None:
        return str(given)
    if resource_type == "AWS::KMS::Key":
        return f"alias/{logical_id}"  # a key's id is given by the service; an alias stands for it in every request
    if resource_type == "AWS::S3::Bucket":
        return f"speechcall-{logical_id.lower()}"
    if resource_type == "AWS::SQS::Queue" and properties.get("FifoQueue") in (True, "true"):
        return f"{logical_id}.fifo"
    return logical_id


def reference(logical_id: str, resource_type: str, properties: Mapping[str, Any]) -> str:
    """What `Ref` gives."""
    name = physical_name(logical_id, resource_type, properties)
    if resource_type == "AWS::SQS::Queue":
        return queue_url(name)
    if resource_type == "AWS::Serverless::LayerVersion":
        return arn("lambda", f"layer:{name}:1")
    if resource_type == "AWS::SNS::Topic":
        return arn("sns", name)
    if resource_type == "AWS::CloudFormation::Stack":
        return arn("cloudformation", f"stack/{name}/{_id_of(name)}")
    return name


def queue_url(queue_arn: str) -> str:
    """The URL of the queue with this ARN."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue_arn.rsplit(':', 1)[-1]}"


def attribute(logical_id: str, resource_type: str, properties: Mapping[str, Any], name: str) -> str:
    """What `Fn::GetAtt` gives for the attribute `name`; a TemplateError for one that is not known here."""
    physical = physical_name(logical_id, resource_type, properties)
    known: dict[str, dict[str, str]] = {
        "AWS::CloudWatch::Alarm": {"Arn": arn("cloudwatch", f"alarm:{physical}")},
        "AWS::CloudWatch::CompositeAlarm": {"Arn": arn("cloudwatch", f"alarm:{physical}")},
        "AWS::DynamoDB::Table": {
            "Arn": arn("dynamodb", f"table/{physical}"),
            "StreamArn": arn("dynamodb", f"table/{physical}/stream/{_STREAM_LABEL}"),
        },
        "AWS::IAM::Role": {"Arn": arn("iam", f"role/{physical}", region="")},
        "AWS::KMS::Key": {"Arn": arn("kms", physical)},
        "AWS::Logs::LogGroup": {"Arn": arn("logs", f"log-group:{physical}:*")},
        "AWS::S3::Bucket": {"Arn": arn("s3", physical, region="", account="")},
        "AWS::SQS::Queue": {
            "Arn": arn("sqs", physical),
            "QueueName": physical,
            "QueueUrl": reference(logical_id, resource_type, properties),
        },
        "Custom::DeploymentCheck": {"ReservedForEach": "20"},
        "Custom::CallBackRoute": {"Line": "routed"},
        "Custom::CarriedPrompts": {
            "ApologyUri": f"https://{properties.get('Bucket')}.s3.{REGION}.amazonaws.com/{apology_key()}"
        },
        "AWS::Serverless::Function": {"Arn": arn("lambda", f"function:{physical}")},
        "AWS::ApiGatewayV2::DomainName": {"RegionalDomainName": f"{physical}.execute-api.{REGION}.amazonaws.com"},
        "AWS::EC2::EIP": {"AllocationId": f"eipalloc-{physical}"},
        "AWS::EC2::SecurityGroup": {"GroupId": f"sg-{physical}"},
        "AWS::Serverless::HttpApi": {"ApiEndpoint": f"https://{physical}.execute-api.{REGION}.amazonaws.com"},
    }
    for one in map(simulated, ProviderName):
        known |= one.attributes_of(_id_of(physical))
    if name not in known.get(resource_type, {}):
        raise TemplateError(f"the attribute {logical_id}.{name} ({resource_type}) is not known to the laptop cloud")
    return known[resource_type][name]


@cache
def _id_of(text: str) -> str:
    """An identifier of a real one's shape, the same at every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{text}.local.speechcall"))
