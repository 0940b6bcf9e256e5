"""Webhook secrets under KMS: sealed for one account, on DynamoDB as in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from local.cloud.aws_services import LocalAws
from local.cloud.permissions import statements_of
from local.cloud.template import Template, read_template
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret
from tests.kit.samples import NOW
from tests.kit.store_samples import CONNECT_ARN, TEMPLATE
from tests.stores.webhook_secrets import MemoryWebhookSecrets

SECRET = "whsec_bGFwdG9wLXdlYmhvb2stc2VjcmV0LXNwZWVjaGNhbGw="
ONE, TWO = SealedSecret("AQ==", NOW), SealedSecret("Ag==", NOW + 1, NOW + 100)


@dataclass
class Aws:
    template: Template
    store: DynamoWebhookSecrets
    seal: KmsSeal
    table: str


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    template = read_template(TEMPLATE, {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
    local = LocalAws(template)
    local.start()
    try:
        environment = template.functions["SendWebhookFunction"].environment
        table = environment["REGISTRY_TABLE"]
        seal = KmsSeal(lambda: boto3.client("kms"), environment["WEBHOOK_SECRETS_KEY"])
        yield Aws(template, DynamoWebhookSecrets(boto3.client("dynamodb"), table), seal, table)
    finally:
        local.stop()


@pytest.fixture(params=["memory", "dynamodb"])
def store(request) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryWebhookSecrets()
        return
    aws = request.getfixturevalue("aws")
    yield aws.store
    client = boto3.client("dynamodb")
    for item in client.scan(TableName=aws.table)["Items"]:
        client.delete_item(TableName=aws.table, Key={name: item[name] for name in ("pk", "sk")})


def test_secrets_are_read_as_they_were_written(store):
    assert store.secrets_of("acme") == ()
    assert store.replace("acme", [ONE], ())
    assert store.secrets_of("acme") == (ONE,)
    assert store.replace("acme", [TWO, ONE], [ONE])
    assert store.secrets_of("acme") == (TWO, ONE)
    assert store.secrets_of("other") == ()
    assert store.replace("acme", (), [TWO, ONE])
    assert store.secrets_of("acme") == ()
    assert store.replace("acme", [ONE], ())


def test_of_two_who_change_them_at_once_one_is_told(store):
    assert store.replace("acme", [ONE], ())
    assert not store.replace("acme", [TWO], ())
    assert not store.replace("acme", [TWO], [TWO])
    assert store.secrets_of("acme") == (ONE,)


def test_secrets_of_which_a_newer_release_says_more_are_rotated(aws):
    client, key = boto3.client("dynamodb"), {"pk": {"S": "WEBHOOK_SECRETS"}, "sk": {"S": "newer"}}
    one = {"sealed": {"S": "AQ=="}, "created_msec": {"N": str(NOW)}, "until_msec": {"NULL": True}, "newer": {"S": "x"}}
    client.put_item(TableName=aws.table, Item={**key, "secrets": {"L": [{"M": one}]}})
    try:
        assert aws.store.secrets_of("newer") == (ONE,)
        assert not aws.store.replace("newer", [TWO], [TWO])
        assert aws.store.replace("newer", [TWO, ONE], [ONE])
        assert aws.store.secrets_of("newer") == (TWO, ONE)
    finally:
        client.delete_item(TableName=aws.table, Key=key)


def test_who_has_a_secret_now(store):
    store.replace("acme", [TWO], ())
    store.replace("other", (), ())
    assert store.signed_accounts(NOW) == {"acme"}
    assert store.signed_accounts(NOW + 100) == set()


def test_what_is_sealed_for_one_account_opens_for_it_alone(aws):
    sealed = aws.seal.seal("acme", SECRET)
    assert SECRET not in sealed
    assert aws.seal.unseal("acme", sealed) == SECRET
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        aws.seal.unseal("other", sealed)


def test_a_function_that_signs_nothing_makes_no_client():
    assert KmsSeal(lambda: pytest.fail("made a client"), "key")


class Down:
    """KMS does not answer."""

    def decrypt(self, **_):
        raise EndpointConnectionError(endpoint_url="https://kms")


def test_a_service_that_does_not_answer_is_our_failure():
    down: Any = Down()
    with pytest.raises(StoreUnavailable):
        KmsSeal(lambda: down, "key").unseal("acme", "AQ==")


def refusing(code: str) -> Any:
    """KMS as it refuses: moto opens with a disabled key too."""
    client = boto3.client("kms", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    stubber = Stubber(client)
    for operation in ("decrypt", "encrypt"):
        stubber.add_client_error(operation, service_error_code=code, http_status_code=400)
    stubber.activate()
    return client


@pytest.mark.parametrize("code", ["DisabledException", "KMSInvalidStateException", "KeyUnavailableException"])
def test_what_a_key_that_is_disabled_or_will_be_deleted_cannot_open_is_tried_again(code):
    client = refusing(code)
    seal = KmsSeal(lambda: client, "key")
    with pytest.raises(StoreUnavailable, match=code):
        seal.unseal("acme", "AQ==")
    with pytest.raises(StoreUnavailable, match=code):
        seal.seal("acme", SECRET)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidCiphertextException"])
def test_a_right_that_is_gone_and_a_seal_of_another_are_no_matter_of_time(code):
    client = refusing(code)
    with pytest.raises(ClientError, match=code):
        KmsSeal(lambda: client, "key").unseal("acme", "AQ==")


def test_who_signs_may_read_the_secrets_and_open_them_and_nothing_else_of_that_kind(aws):
    resources = aws.template.get_att("RegistryTable", "Arn"), aws.template.get_att("WebhookSecretsKey", "Arn")
    allowed = {
        statement["Action"]: statement["Condition"]
        for statement in statements_of(aws.template, "SendWebhookFunction")
        if statement["Resource"] in resources
    }
    assert allowed == {
        "dynamodb:UpdateItem": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["DESTINATION#*"]}},
        "dynamodb:GetItem": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["WEBHOOK_SECRETS", "ENDS#*", "RATES", "RATES#*"]}
        },
        "kms:Decrypt": {
            "StringEquals": {"kms:EncryptionContext:purpose": ["speechcall-webhook-secret", "speechcall-digits"]}
        },
    }
