"""The functions: each starts with exactly what template.yaml gives it, and is no more than wiring."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from standardwebhooks import Webhook

from local.cloud.aws_services import LocalAws
from local.cloud.functions import FunctionHost
from local.cloud.simulated_providers import parameters_of, simulated
from local.cloud.template import Template
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.shared.adapters.log_fields import failure_fields, log_failures
from speechcall.shared.adapters.settings import MissingSetting
from speechcall.shared.adapters.stream import process_each, stream_fields
from speechcall.shared.rules.unforeseen import told
from speechcall.telephony.provider import ProviderName
from speechcall.webhooks.adapters.queue import task_fields
from speechcall.webhooks.rules.webhook import webhook_request
from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret, Signer, new_secret
from tests.kit.samples import CALL, CALLING, MESSAGE, MID, NOW, FakeClock

ROOT = Path(__file__).parents[2]
CONNECT_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa"
HANDLERS = sorted(ROOT.glob("functions/*/app.py"))


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_is_one_file(path):
    pages = ["pages"] if path.parent.name == "console" else []
    found = sorted(entry.name for entry in path.parent.iterdir() if entry.name != "__pycache__")
    assert found == ["app.py", *pages]


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(ROOT / "template.yaml", {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})


@pytest.fixture(scope="module")
def host(template) -> Iterator[FunctionHost]:
    aws = LocalAws(template)
    aws.start()
    try:
        yield FunctionHost(template)
    finally:
        aws.stop()


def test_every_function_of_the_template_starts_and_every_folder_is_deployed(host, template):
    # The host has loaded each with its environment alone: a setting that the template does not give would have failed
    others = {
        name: Template(ROOT / "template.yaml", parameters_of(name))
        for name in ProviderName
        if name != template.parameters["TelephonyProvider"]
    }
    for name, other in others.items():
        other_host = FunctionHost(other)
        for file in simulated(name).event_files:
            assert file.is_sensible(other_host.invoke(other.functions[file.function].name, file.load())), file.path
    folders = {spec.code_dir for one in (template, *others.values()) for spec in one.functions.values()}
    assert folders == {path.parent for path in HANDLERS}


def test_a_provider_that_nobody_knows_is_said_at_once(host, template):
    unknown = {"FinishCallFunction": {"TELEPHONY_PROVIDER": "carrier pigeon"}}
    with pytest.raises(MissingSetting, match=r"carrier pigeon.*connect, chime, simulated"):
        FunctionHost(template, unknown)


@pytest.fixture
def tables(host, template):
    environment = template.functions["DialerFunction"].environment
    return environment["MESSAGES_TABLE"], environment["REGISTRY_TABLE"]


@pytest.fixture
def post(host, template, tables):
    prompts = DynamoPrompts(boto3.client("dynamodb"), tables[1])
    accounts = DynamoAccounts(boto3.client("dynamodb"), tables[1])
    accounts.add(Account("acme", ("*",)), credentials_of("acme", Secrets("shop", "secret", "key-1")))
    prompts.put("acme", KnownPrompt("ivr_651854", Prompt("https://bucket/a.wav", 2), NOW))

    def invoke(body, user="shop:secret", *, is_base64=False, path="/bat/messagelist", **headers):
        event = json.loads((ROOT / "events" / "api" / "post-messagelist.json").read_text())
        credentials = base64.b64encode(user.encode()).decode()
        event["headers"] = {"authorization": f"Basic {credentials}"} | headers
        event["body"], event["isBase64Encoded"] = body, is_base64
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = "POST"
        event["routeKey"] = f"POST {path}"
        answer = host.invoke(template.functions["MessagelistFunction"].name, event)
        return answer["statusCode"], json.loads(answer["body"]), answer

    return invoke


def specification(to="+380936670003"):
    text = (ROOT / "events" / "spec" / "basic-structure.json").read_text(encoding="utf-8")
    return text.replace("+380936670003", to)


def test_the_specifications_request_is_accepted(post, tables):
    status, answer, _ = post(specification())
    (message,) = answer["messages"]
    assert status == 200
    assert message["status"] == "sent"
    assert message["recipient"] == "+380936670003"
    stored = DynamoMessages(boto3.client("dynamodb"), *tables).get(message["messageId"])
    assert stored.account_id == "acme"
    assert stored.state == State.PREPARING


def test_the_numbers_of_a_webhooks_body_are_stored_and_sent_and_signed_as_they_were_written(post, tables):
    # Given a body with numbers that every number type would write otherwise
    body = '{"a":-0,"b":1e2,"c":0.0000001,"d":[1.10,1E400,1180591620717411303424],"e":{"f":-0.0}}'
    request = json.loads(specification())
    request["messages"][0]["menu"][0]["dtmfActions"]["d1"] = [
        {"action": "webhook", "url": "https://a.example/", "body": 0}
    ]
    _, answer, _ = post(json.dumps(request).replace('"body": 0', f'"body": {body}'))
    # When the message is read back from the table, and its webhook made and signed
    stored = DynamoMessages(boto3.client("dynamodb"), *tables).get(answer["messages"][0]["messageId"])
    webhook: Any = stored.menus[0].actions["d1"][0]
    made = webhook_request(stored, webhook, "1-1-2-m0-d1-0", NOW // 1000)
    secret = new_secret(lambda count: b"x" * count)
    store = SimpleNamespace(secrets_of=lambda _account: (SealedSecret(secret, NOW),))
    signed = Signer(store, lambda _account, sealed: sealed, FakeClock())("acme", made)
    # Then each is there to the letter, and the signature is over these letters
    assert webhook.body == body
    assert signed.body.decode().endswith(f'"action":{body}}}')
    signature = dict(signed.headers)["webhook-signature"]
    moment = datetime.fromtimestamp(NOW // 1000, UTC)
    assert signature == Webhook(secret).sign("1-1-2-m0-d1-0", moment, signed.body.decode())


def test_a_body_that_the_gateway_has_encoded_is_the_same_body(post):
    assert post(base64.b64encode(specification().encode()).decode(), is_base64=True)[0] == 200


@pytest.mark.parametrize(
    ("body", "user", "status", "code"),
    [
        (specification(), "shop:wrong", 401, "UNAUTHORIZED"),
        (specification(), "u" * 4000 + ":x", 401, "UNAUTHORIZED"),
        (specification("12"), "shop:secret", 400, "INVALID_RECIPIENT"),
        ("{", "shop:secret", 400, "MALFORMED_JSON"),
        ("", "shop:secret", 400, "MALFORMED_JSON"),
        (None, "shop:secret", 400, "MALFORMED_JSON"),
        ("[1e9999999999999999999]", "shop:secret", 400, "MALFORMED_JSON"),
        ("{}", "shop:secret", 400, "INVALID_REQUEST"),
        (" " * (1024 * 1024 + 1), "shop:secret", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_mistake_is_answered_with_its_status_and_code(post, body, user, status, code):
    found, answer, whole = post(body, user)
    assert found == status
    assert answer["error"]["code"] == code
    assert ("WWW-Authenticate" in whole["headers"]) == (status == 401)
    assert whole["headers"]["Content-Type"] == "application/json"


def test_a_refusal_tells_every_place(post):
    _, answer, _ = post('{"messages":[{"to":"12"}]}')
    paths = [detail["path"] for detail in answer["error"]["details"]]
    assert paths == [f"messages[0].{name}" for name in ("from", "to", "text", "type", "menu")]


def test_another_path_is_not_found(post):
    status, answer, _ = post("{}", path="/bat/nothing")
    assert status == 404
    assert answer["error"]["code"] == "NOT_FOUND"


def test_our_own_failure_says_nothing_of_what_was_sent(post, monkeypatch, capfd):
    monkeypatch.setattr(DynamoPrompts, "find", lambda *_: (_ for _ in ()).throw(RuntimeError("boom")))
    status, answer, _ = post(specification())
    assert status == 500
    assert answer["error"]["code"] == "INTERNAL_ERROR"
    assert "boom" not in json.dumps(answer)
    shown = "".join(capfd.readouterr())
    assert "+380936670003" not in shown
    assert "c2hvcDpzZWNyZXQ" not in shown


def test_an_unreadable_or_unknown_contact_is_hung_up(host, template):
    name = template.functions["ConnectFlowFunction"].name
    event = json.loads((ROOT / "events" / "connect" / "flow-key.json").read_text())
    for given in ({}, event, None, [], "x", 7, {"Details": None}, {"Details": {"ContactData": [], "Parameters": "x"}}):
        told = {"op": "hangup", "seq": "0", "promptUri": "none", "seconds": "0"}
        no_digits = {"maxDigits": "1", "interDigitSeconds": "3", "endKey": "#"}
        assert host.invoke(name, given) == told | no_digits | {"bargeIn": "true", "silenceUri": "none"}


def test_an_event_that_names_no_contact_is_none_of_ours(host, template):
    strange = ({"detail": {}}, {}, None, [], "x", 7, {"detail": [1]}, {"detail": {"contactId": "a b", "eventType": 1}})
    for given in strange:
        assert host.invoke(template.functions["ConnectEventsFunction"].name, given) == {"ours": False}


def test_a_dead_execution_finishes_its_message(host, template, tables):
    client = boto3.client("dynamodb")
    messages, calls = DynamoMessages(client, *tables), DynamoCalls(client, tables[0])
    messages.add([MESSAGE])
    messages.queue(messages.get(MID), CALLING.asks, NOW)
    messages.claim_line(messages.get(MID), "arn:flow", Pool(1, 1), NOW)
    calls.open(CALL, MESSAGE.expires_at)
    event = json.loads((ROOT / "events" / "stepfunctions" / "execution-failed.json").read_text())
    event["detail"]["name"] = f"{MID}-1"
    name = template.functions["FinishCallFunction"].name
    for _ in range(2):
        assert host.invoke(name, event)["outcome"] == "failed"
    assert messages.get(MID).state is State.FINISHED


def test_an_execution_that_somebody_else_started_is_none_of_ours(host, template):
    # Given a machine of the stack that an operator has started by hand, in the console
    event = json.loads((ROOT / "events" / "stepfunctions" / "execution-failed.json").read_text())
    event["detail"]["name"] = "1b7f4d0e-6d5e-4f2b-9c39-3f6f0a1b2c3d"
    # When it fails, then nothing is finished and nothing is tried again
    name = template.functions["FinishCallFunction"].name
    assert host.invoke(name, event) == {"outcome": "none", "reason": "notOurs"}


def test_of_many_records_those_that_failed_are_named():
    records = [{"messageId": "a"}, {"dynamodb": {"SequenceNumber": "7"}}, {"messageId": "c"}]

    def process(record):
        if record is not records[0]:
            raise ValueError("bad")

    logger = logging.getLogger("quiet")
    logger.disabled = True
    answer = process_each({"Records": records}, process, logger)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}, {"itemIdentifier": "c"}]}


STREAMED = {"SequenceNumber": "7", "Keys": {"pk": {"S": "M#12"}, "sk": {"S": "HOOK#12-3-2-m0-d1-0"}}}
TASK = {"mid": "12", "attempt": 3, "seq": 2, "menu": 0, "key": "d1", "step": 0, "event_id": "12-3-2-m0-d1-0"}
WEBHOOK = {"mid": "12", "attempt": 3, "webhook_id": "12-3-2-m0-d1-0"}


@pytest.mark.parametrize(
    ("record", "fields_of", "names"),
    [
        ({"dynamodb": STREAMED}, stream_fields, {"record": "7", **WEBHOOK}),
        (
            {"dynamodb": STREAMED | {"Keys": {"pk": {"S": "M#12"}, "sk": {"S": "CALL#003"}}}},
            stream_fields,
            {"record": "7", "mid": "12", "attempt": 3},
        ),
        ({"dynamodb": {"SequenceNumber": "7"}}, stream_fields, {"record": "7"}),
        ({"dynamodb": STREAMED | {"Keys": {"pk": {"N": "12"}}}}, stream_fields, {"record": "7"}),
        ({"dynamodb": STREAMED | {"Keys": {"pk": None}}}, stream_fields, {"record": "7"}),
        ({"messageId": "m", "body": json.dumps(TASK)}, task_fields, {"record": "m", **WEBHOOK}),
        ({"messageId": "m", "body": '{"mid": "hunter2"'}, task_fields, {"record": "m"}),
        ({"messageId": "m", "body": json.dumps(TASK | {"mid": "hunter2"})}, task_fields, {"record": "m"}),
        ({"messageId": "m"}, task_fields, {"record": "m"}),
    ],
)
def test_a_record_that_fails_is_named_in_the_log_and_its_body_is_not(record, fields_of, names, caplog):
    secret = "hunter2"

    def process(_record):
        raise ValueError(secret) from RuntimeError(secret)

    process_each({"Records": [record]}, process, logging.getLogger("named"), fields_of)
    (line,) = caplog.records
    known = ("record", "mid", "attempt", "webhook_id")
    assert {name: vars(line)[name] for name in known if name in vars(line)} == names
    assert line.message == "a record could not be processed"
    assert line.error.startswith("ValueError at process:")
    assert line.cause == "RuntimeError"
    assert "process" in line.stack
    assert secret not in str(vars(line))


def test_an_error_of_aws_is_told_by_its_code():
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "hunter2"}}, "Query")
    assert told(refused) == "ClientError AccessDeniedException"
    assert told(ValueError("hunter2")) == "ValueError"


def test_what_was_behind_a_failure_is_told_by_the_first_error_of_all():
    class Between(Exception):
        """As an adapter's own, around that of AWS."""

    secret = "hunter2"
    try:
        try:
            try:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": secret}}, "StopContact")
            except ClientError as error:
                raise Between from error
        except Between as error:
            raise ValueError(secret) from error
    except ValueError as error:
        told_of = failure_fields(error)
    assert str(told_of["error"]).startswith("ValueError at ")
    assert str(told_of["cause"]).startswith("ClientError AccessDeniedException at ")
    assert secret not in str(told_of)


def test_an_invocation_that_fails_names_what_it_was_about(caplog):
    secret = "hunter2"

    def fail():
        raise ValueError(secret)

    with pytest.raises(ValueError, match=secret), log_failures(logging.getLogger("named"), mid="12", attempt=3):
        fail()
    (line,) = caplog.records
    assert line.mid == "12"
    assert line.attempt == 3
    assert line.message == "an invocation failed"
    assert secret not in str(vars(line))


def test_a_webhook_that_cannot_be_delivered_now_comes_again(host, template):
    name = template.functions["SendWebhookFunction"].name
    task = {"mid": "1", "attempt": 1, "seq": 2, "menu": 0, "key": "d1", "step": 0, "event_id": "1-1-2-m0-d1-0"}
    records = [{"messageId": "gone", "body": json.dumps(task)}, {"messageId": "bad", "body": "{"}]
    assert host.invoke(name, {"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_the_clocks_functions_find_nothing_to_do(host, template):
    tick = json.loads((ROOT / "events" / "schedule" / "each-minute.json").read_text())
    assert host.invoke(template.functions["SweepFunction"].name, tick) is None
    assert host.invoke(template.functions["DialerFunction"].name, tick) == {"started": 0}
