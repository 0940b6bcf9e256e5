"""The AWS services of the laptop cloud: moto in this process, holding what the template declares, and no way out."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from moto import mock_aws
from moto.core.config import DefaultConfig

from local.cloud.account import ACCOUNT, REGION
from local.cloud.apply_moto_patches import install_guards
from local.cloud.intrinsics import scalar_text
from local.cloud.moto_patches.executions import stop_all
from local.cloud.moto_patches.sqs import release_receivers
from local.cloud.signature import SECRET
from local.cloud.template import Template
from speechcall.shared.adapters.settings import AWS_CONFIG, CALLER_WAITS_CONFIG, CLIENT_WAITS_CONFIG

_MOTO_CONFIG: DefaultConfig = {
    "stepfunctions": {"execute_state_machine": True},
    "core": {
        "mock_credentials": False,
        "reset_boto3_session": True,
        "service_whitelist": None,
        # Lambda is answered by our own host; this is moto's name for it, and with another one moto would answer too.
        "passthrough": {"urls": [], "services": ["awslambda"]},
    },
}

_ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    # Neither the user's profiles nor an instance's role may be found.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Moto does not know the per-account host names of DynamoDB's streams.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
}


class LocalAws:
    """Switches moto on for this process, and every AWS client in it over to moto. One at a time."""

    _running = False

    def __init__(self, template: Template, endpoints: Mapping[str, str] | None = None) -> None:
        """`endpoints`: services that something else here answers, {"CONNECT": "http://127.0.0.1:1234"}."""
        self._template = template
        self._endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service, url in (endpoints or {}).items()}
        self._mock = mock_aws(config=_MOTO_CONFIG)
        self._before: dict[str, str] = {}

    def start(self) -> None:
        """Replace the process's AWS settings, start moto, and make the template's resources."""
        if LocalAws._running:
            raise RuntimeError("another laptop cloud runs in this process")
        LocalAws._running = True
        install_guards()
        self._before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        for name in self._before:
            del os.environ[name]
        os.environ.update({**_ENVIRONMENT, **self._endpoints})
        for config in (AWS_CONFIG, CALLER_WAITS_CONFIG, CLIENT_WAITS_CONFIG):
            # A parameter that AWS would refuse is refused here, where somebody can see why.
            vars(config)["parameter_validation"] = True
        self._mock.start()
        for resource_type, (service, make) in _MAKERS.items():
            client = boto3.client(service)  # type: ignore[call-overload]  # one of many names
            for logical_id, properties in self._template.resources_of(resource_type).items():
                make(client, self._template.ref(logical_id), properties)
        self._redrive_to_dead_letter_queues()

    def stop(self) -> None:
        """End what runs, forget everything, and give the process its own AWS settings back."""
        release_receivers()
        stop_all(ACCOUNT, REGION, "the laptop cloud stops")
        self._mock.stop()
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self._before)
        LocalAws._running = False

    def _redrive_to_dead_letter_queues(self) -> None:
        """Name the dead-letter queues once all queues are there, whatever their order in the template."""
        client = boto3.client("sqs")
        for logical_id, properties in self._template.resources_of("AWS::SQS::Queue").items():
            if "RedrivePolicy" in properties:
                client.set_queue_attributes(
                    QueueUrl=self._template.ref(logical_id),
                    Attributes={"RedrivePolicy": json.dumps(properties["RedrivePolicy"])},
                )


def _make_table(client: Any, name: str, properties: Mapping[str, Any]) -> None:
    taken = ("AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput", "GlobalSecondaryIndexes")
    request = {key: properties[key] for key in (*taken, "LocalSecondaryIndexes") if key in properties}
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    client.create_table(TableName=name, **request)
    if "TimeToLiveSpecification" in properties:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])


def _make_queue(client: Any, url: str, properties: Mapping[str, Any]) -> None:
    attributes: Any = {
        key: scalar_text(value)
        for key, value in properties.items()
        if key not in ("QueueName", "RedrivePolicy", "Tags")
    }
    if attributes.get("FifoQueue") == "false":
        del attributes["FifoQueue"]
    client.create_queue(QueueName=url.rsplit("/", 1)[-1], Attributes=attributes)


def _make_bucket(client: Any, name: str, _properties: Mapping[str, Any]) -> None:
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def _make_role(client: Any, name: str, properties: Mapping[str, Any]) -> None:
    client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]))
    for policy in properties.get("Policies", []):
        client.put_role_policy(
            RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"])
        )


def _make_key(client: Any, alias: str, properties: Mapping[str, Any]) -> None:
    given = {name: properties[name] for name in ("KeySpec", "KeyUsage") if name in properties}
    client.create_alias(AliasName=alias, TargetKeyId=client.create_key(**given)["KeyMetadata"]["KeyId"])


_MAKERS: Mapping[str, tuple[str, Callable[[Any, str, Mapping[str, Any]], None]]] = {
    "AWS::DynamoDB::Table": ("dynamodb", _make_table),
    "AWS::SQS::Queue": ("sqs", _make_queue),
    "AWS::S3::Bucket": ("s3", _make_bucket),
    "AWS::IAM::Role": ("iam", _make_role),
    "AWS::KMS::Key": ("kms", _make_key),
}
