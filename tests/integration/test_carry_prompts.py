"""The prompts that the stack carries, as CloudFormation goes through it: a deployment, an update, a removal."""

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from local.cloud.event_files import EVENTS
from local.cloud.functions import LambdaContext
from local.cloud.intrinsics import read_document
from local.cloud.template import TEMPLATE
from local.network.shared.prompts import file_seconds
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.wav import telephone_samples
from speechcall.shared.rules.time_bounds import WAIT_PROMPT_SECONDS
from speechcall.telephony.carried import silence_prompt, wait_prompt
from speechcall.telephony.chime import actions
from speechcall.telephony.connect import conversation
from speechcall.telephony.connect.apology import apology, apology_key

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef

APP = Path(__file__).parents[2] / "functions" / "carry_prompts" / "app.py"
BUCKET = "speechcall-promptsbucket"


@pytest.fixture
def app(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("PROMPTS_BUCKET", BUCKET)
    with mock_aws():
        place: CreateBucketConfigurationTypeDef = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        spec = importlib.util.spec_from_file_location("carry_prompts_app", APP)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "send", lambda _url, _answer: True)
        yield module


def ask(app, kind, status="CREATE_IN_PROGRESS"):
    event = json.loads((EVENTS / "cloudformation/carry-prompts.json").read_text(encoding="utf-8"))
    event["RequestType"] = kind
    told = {"StackName": "speechcall", "CreationTime": "2026-11-29T00:00:00Z", "StackStatus": status}
    with Stubber(app.cloudformation) as stubber:
        stubber.add_response("describe_stacks", {"Stacks": [told]})
        return app.handler(event, LambdaContext("c", "arn:aws:lambda:eu-central-1:123456789012:function:c", 512, 30))


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_apology_is_where_the_flow_plays_it_from(app, kind):
    answer = ask(app, kind)
    assert answer["Status"] == "SUCCESS"
    uri = answer["Data"]["ApologyUri"]
    assert uri == f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/{apology_key()}"
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=uri.partition(".amazonaws.com/")[2])
    assert stored["Body"].read() == apology()


def test_what_is_heard_during_a_lookup_is_where_each_telephony_plays_it_from(app):
    assert ask(app, "Create")["Status"] == "SUCCESS"
    for key, provider, encoding in (
        (conversation.WAIT_KEY, "connect", Encoding.MU_LAW),
        (actions.WAIT_KEY, "chime", Encoding.PCM_16),
    ):
        stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert stored == wait_prompt(provider)
        samples = telephone_samples(stored, encoding)
        assert samples is not None
        assert len(samples) // (encoding.bits // 8) / 8000 == WAIT_PROMPT_SECONDS == conversation.WAIT_SECONDS


def test_the_silence_before_keys_is_where_each_telephony_plays_it_from(app):
    assert ask(app, "Create")["Status"] == "SUCCESS"
    keys = conversation.SILENCE_KEY, actions.SILENCE_KEY
    for key, provider, encoding, silent in zip(
        keys, ("connect", "chime"), (Encoding.MU_LAW, Encoding.PCM_16), (0xFF, 0), strict=True
    ):
        stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert stored == silence_prompt(provider)
        assert set(telephone_samples(stored, encoding) or b"x") == {silent}
    given = read_document(TEMPLATE)["Resources"]["CarriedPrompts"]["Properties"]["Silent"]
    assert given == " ".join(key.removeprefix("prompts/")[:8] for key in keys), "else no update of a stack puts them"


def test_other_notes_make_an_update_of_the_stack_put_them():
    keys = conversation.WAIT_KEY, actions.WAIT_KEY
    waiting = read_document(TEMPLATE)["Resources"]["CarriedPrompts"]["Properties"]["Waiting"]
    assert waiting == " ".join(key.removeprefix("prompts/")[:8] for key in keys)


def test_connect_plays_it():
    assert 1 < file_seconds(apology()) < 5


def test_another_file_makes_an_update_of_the_stack_put_it():
    content = read_document(TEMPLATE)["Resources"]["CarriedPrompts"]["Properties"]["Content"]
    assert apology_key().startswith(f"prompts/{content}")


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("Create", "CREATE_IN_PROGRESS", "FAILED"),
        ("Update", "UPDATE_IN_PROGRESS", "FAILED"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("Delete", "DELETE_IN_PROGRESS", "SUCCESS"),
    ],
)
def test_what_fails_is_told_and_holds_up_no_roll_back(app, kind, status, expected):
    boto3.client("s3").delete_bucket(Bucket=BUCKET)
    assert ask(app, kind, status)["Status"] == expected
