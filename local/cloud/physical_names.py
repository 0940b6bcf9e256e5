"""What `Ref` and `Fn::GetAtt` give on the laptop: the names and ARNs under which the resources are made there."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from local.cloud.intrinsics import TemplateError
from speechcall.telephony.connect.apology import apology_key

REGION = "eu-central-1"
ACCOUNT = "123456789012"
PARTITION = "aws"

_NAME_PROPERTY: Mapping[str, str] = {
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


def _arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:{PARTITION}:{service}:{region}:{account}:{rest}"


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
        return _arn("lambda", f"layer:{name}:1")
    if resource_type == "AWS::CloudFormation::Stack":
        return _arn("cloudformation", f"stack/{name}/{_id_of(name)}")
    return name


def queue_url(arn: str) -> str:
    """The URL of the queue with this ARN."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{arn.rsplit(':', 1)[-1]}"


def attribute(logical_id: str, resource_type: str, properties: Mapping[str, Any], name: str) -> str:
    """What `Fn::GetAtt` gives for the attribute `name`; a TemplateError for one that is not known here."""
    physical = physical_name(logical_id, resource_type, properties)
    known: dict[str, dict[str, str]] = {
        "AWS::DynamoDB::Table": {
            "Arn": _arn("dynamodb", f"table/{physical}"),
            "StreamArn": _arn("dynamodb", f"table/{physical}/stream/{_STREAM_LABEL}"),
        },
        "AWS::IAM::Role": {"Arn": _arn("iam", f"role/{physical}", region="")},
        "AWS::KMS::Key": {"Arn": _arn("kms", physical)},
        "AWS::Logs::LogGroup": {"Arn": _arn("logs", f"log-group:{physical}:*")},
        "AWS::S3::Bucket": {"Arn": _arn("s3", physical, region="", account="")},
        "AWS::SQS::Queue": {
            "Arn": _arn("sqs", physical),
            "QueueName": physical,
            "QueueUrl": reference(logical_id, resource_type, properties),
        },
        "Custom::DeploymentCheck": {"ReservedForEach": "20"},
        "Custom::CarriedPrompts": {
            "ApologyUri": f"https://{properties.get('Bucket')}.s3.{REGION}.amazonaws.com/{apology_key()}"
        },
        "AWS::Connect::ContactFlow": {
            "ContactFlowArn": _arn("connect", f"instance/{_id_of('instance')}/contact-flow/{_id_of(physical)}"),
        },
        "AWS::Chime::SipMediaApplication": {
            "SipMediaApplicationId": _id_of(physical),
            "SipMediaApplicationArn": _arn("chime", f"sma/{_id_of(physical)}"),
        },
        "AWS::Serverless::Function": {"Arn": _arn("lambda", f"function:{physical}")},
        "AWS::Serverless::HttpApi": {"ApiEndpoint": f"https://{physical}.execute-api.{REGION}.amazonaws.com"},
    }
    if name not in known.get(resource_type, {}):
        raise TemplateError(f"the attribute {logical_id}.{name} ({resource_type}) is not known to the laptop cloud")
    return known[resource_type][name]


@cache
def _id_of(text: str) -> str:
    """An identifier of a real one's shape, the same at every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{text}.local.speechcall"))
