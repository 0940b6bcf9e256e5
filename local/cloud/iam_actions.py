"""What an AWS request needs to be allowed: IAM's actions and the resources that they are asked of.

Sources: Service Authorization Reference, of each service; DynamoDB developer guide, "Using IAM with transactions".
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from local.cloud.account import PARTITION, arn
from local.cloud.providers.record import Need
from local.cloud.simulated_providers import RINGING, simulated
from speechcall.telephony.provider import provider

_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_PROVIDERS = tuple((provider(name), simulated(name)) for name in RINGING)
_PREFIX = {
    "stepfunctions": "states",
    "service-quotas": "servicequotas",
    "pinpoint-sms-voice-v2": "sms-voice",
    **{one.service: one.signs_as for one, _ in _PROVIDERS},
}
_BATCHES = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}
_TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSStepFunctions": "states",
    "TrentService": "kms",
    "PinpointSMSVoiceV2": "sms-voice",
}
_PATHS = {
    ("polly", "/v1/speech"): "polly:SynthesizeSpeech",
    ("lambda", "/2016-08-19/account-settings"): "lambda:GetAccountSettings",
    ("servicequotas", "/"): "servicequotas:ListServiceQuotas",
    ("servicequotas", ""): "servicequotas:ListServiceQuotas",
}
_NO_HEADERS: Mapping[str, str] = {}
_S3 = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


def needs_of(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Need]:
    """What a request needs, told by its service's and operation's names in boto3 and by its parameters."""
    prefix = _PREFIX.get(service, service)
    handlers = {
        "dynamodb": _dynamodb,
        "sqs": _sqs,
        "states": _states,
        "s3": _s3,
        "kms": _kms,
        "lambda": _lambda,
        "sms-voice": _sms,
        **{one.signs_as: simulation.needs for one, simulation in _PROVIDERS},
    }
    if prefix in handlers:
        return list(handlers[prefix](operation, parameters))
    return [Need(f"{prefix}:{operation}", "")]


def needs_of_request(
    service: str, method: str, path: str, target: str, body: bytes, headers: Mapping[str, str] = _NO_HEADERS
) -> list[Need]:
    """What a request over HTTP needs, told by its signature's service, method, path, X-Amz-Target, body, headers."""
    name, _, operation = target.partition(".")
    if name in _TARGETS:
        return needs_of(_TARGETS[name], operation, json.loads(body or b"{}"))
    if service == "s3":
        bucket, _, key = path.lstrip("/").partition("/")
        sent = {name.lower(): value for name, value in headers.items()}
        source, tags = sent.get("x-amz-copy-source"), sent.get("x-amz-tagging")
        operation = "CopyObject" if source else _S3.get(method, method) if key else "ListObjectsV2"
        given = {"Bucket": bucket, "Key": key, "CopySource": unquote(source or ""), "Tagging": tags}
        return needs_of("s3", operation, given)
    for one, simulation in _PROVIDERS:
        if service == one.signs_as:
            return needs_of(service, *simulation.request_of(method, path, body))
    if service == "lambda" and path.endswith("/invocations"):
        return needs_of("lambda", "Invoke", {"FunctionName": unquote(path.split("/")[-2])})
    if action := _PATHS.get((service, path)):
        return [Need(action, "")]
    return [Need(f"{service}:{method} {path}", "")]


def _dynamodb(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    def need(action: str, table: str, index: str = "") -> Need:
        return Need(f"dynamodb:{action}", arn("dynamodb", f"table/{table}" + (f"/index/{index}" if index else "")))

    if operation == "TransactWriteItems":
        for item in given["TransactItems"]:
            for kind, one in item.items():
                yield need(_TRANSACTION[kind], one["TableName"])
    elif operation == "TransactGetItems":
        yield from (need("GetItem", item["Get"]["TableName"]) for item in given["TransactItems"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        yield from (need(operation, table) for table in given["RequestItems"])
    else:
        yield need(operation, given["TableName"], given.get("IndexName", ""))


def _sqs(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    yield Need(f"sqs:{_BATCHES.get(operation, operation)}", arn("sqs", given["QueueUrl"].rsplit("/", 1)[-1]))


def _sms(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    yield Need(f"sms-voice:{operation}", given.get("OriginationIdentity", ""))


def _lambda(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    if operation != "Invoke":
        yield Need(f"lambda:{operation}", "")
        return
    function = given["FunctionName"]  # a name, or an ARN, which an alias may qualify
    yield Need("lambda:InvokeFunction", function if ":" in function else arn("lambda", f"function:{function}"))


def _states(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    if operation == "CreateStateMachine":
        machine = arn("states", f"stateMachine:{given['name']}")
        yield Need("states:CreateStateMachine", machine)
        yield Need("iam:PassRole", given["roleArn"])
        if given.get("tags"):
            yield Need("states:TagResource", machine)
    else:
        yield Need(f"states:{operation}", given.get("stateMachineArn") or given.get("executionArn") or "")


def _s3(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    bucket = f"arn:{PARTITION}:s3:::{given['Bucket']}"
    if operation.startswith("ListObjects") or operation == "HeadBucket":
        yield Need("s3:ListBucket", bucket)
    elif operation == "CopyObject":  # API reference, CopyObject, "Permissions"
        source = given["CopySource"]
        place = source.lstrip("/") if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
        yield Need("s3:GetObject", f"arn:{PARTITION}:s3:::{place}")
        yield Need("s3:PutObject", f"{bucket}/{given['Key']}")
        yield from [Need("s3:PutObjectTagging", f"{bucket}/{given['Key']}")] if given.get("Tagging") else []
    else:
        yield Need(f"s3:{operation.replace('HeadObject', 'GetObject')}", f"{bucket}/{given.get('Key', '')}")


def _kms(operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
    yield Need(f"kms:{operation}", given.get("KeyId", "") if ":key/" in given.get("KeyId", "") else "")
