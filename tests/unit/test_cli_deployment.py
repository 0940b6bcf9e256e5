"""Which deployment a command works on, and how it says that it cannot."""

from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from cli.deployment import Deployment, Place, open_deployment
from cli.exit_codes import FAILED, REFUSED, UNKNOWN
from cli.failures import Refusal
from cli.main import app
from speechcall.prompts.rules.encoding import Encoding
from speechcall.shared.rules.errors import StoreUnavailable
from tests.kit.command_line import CliRunner
from tests.stores.accounts import MemoryAccounts

pytestmark = pytest.mark.slow

_Client = httpx.Client
_ANSWER = AWSResponse("http://127.0.0.1:9000/aws", 200, HTTPHeaders(), SimpleNamespace(stream=lambda **_: [b"{}"]))


def run(*arguments, obj=None):
    return CliRunner().invoke(app, list(arguments), obj=obj)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--local"], Place(local=True)),
        (["--local", "--port", "9000"], Place(local=True, port=9000)),
        (["--stack", "prod"], Place(stack="prod")),
        (
            ["--stack", "prod", "--region", "eu-west-1", "--profile", "me"],
            Place(False, 8080, "prod", "eu-west-1", "me"),
        ),
    ],
)
@pytest.mark.parametrize("command", [["account", "list"], ["prompt", "list", "--account", "acme"]])
def test_each_command_is_told_where(command, options, place):
    asked = []
    run(*command, *options, obj=lambda where: asked.append(where) or SimpleNamespace(accounts=MemoryAccounts()))
    assert asked == [place]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "say where: --stack NAME, or --local"),
        (["--local", "--stack", "prod"], "not both"),
        (["--local", "--region", "eu-west-1"], "belong to --stack"),
        (["--local", "--profile", "me"], "belong to --stack"),
        (["--local", "--port", "0"], "'--port'"),
        (["--stack", "prod", "--port", "8080"], "--port belongs to --local."),
    ],
)
def test_where_must_be_clear(options, complaint):
    result = run("account", "list", *options, obj=lambda _place: pytest.fail("asked all the same"))
    assert result.exit_code == 2
    assert complaint in result.output


def failing(error):
    def fail():
        raise error

    return lambda _place: SimpleNamespace(accounts=SimpleNamespace(all=fail))


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (StoreUnavailable("ConnectTimeoutError"), UNKNOWN, "The table did not answer (ConnectTimeoutError)."),
        (
            NoCredentialsError(),
            FAILED,
            "AWS cannot be asked (Unable to locate credentials); --profile and --region say",
        ),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "You may not."}}, "Query"),
            REFUSED,
            "AWS refuses Query: You may not.",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence(error, status, sentence):
    result = run("account", "list", "--local", obj=failing(error))
    assert result.exit_code == status
    assert result.output.startswith(f"Error: {sentence}")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("resources", "encoding"),
    [
        ({"ConnectStack"}, Encoding.MU_LAW),
        ({"ConnectFlowFunction"}, Encoding.MU_LAW),  # of a release whose contact flow was no stack of its own
        ({"ChimeStack"}, Encoding.PCM_16),
        ({"SipMediaApplication"}, Encoding.PCM_16),
    ],
)
def test_prompts_are_made_for_the_telephony_that_the_stack_has(resources, encoding):
    made = Deployment(
        boto3.Session(region_name="eu-central-1"), {name: name for name in resources}.__getitem__, Config()
    )
    assert made.prompt_encoding is encoding


def test_a_stack_of_nobody_that_is_known_gets_no_prompts():
    names: dict[str, str] = {}
    made = Deployment(boto3.Session(region_name="eu-central-1"), names.__getitem__, Config())
    with pytest.raises(Refusal, match="Who places this stack's calls"):
        assert made.prompt_encoding


def test_help_names_every_command():
    for noun, verbs in {"account": "create rotate list disable enable set", "prompt": "add list play remove"}.items():
        text = run(noun, "--help").output
        assert all(f"\n  {verb} " in text for verb in verbs.split())
    assert run("--help").exit_code == 0


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'"x"', b"5", b'{"RegistryTable": 5}', b"<html>"])
def test_another_program_that_has_the_port_is_no_speechcall(answer, monkeypatch):
    given = httpx.MockTransport(lambda _request: httpx.Response(200, content=answer))
    monkeypatch.setattr("cli.deployment.httpx.Client", lambda **_: _Client(transport=given))
    result = run("account", "list", "--local", "--port", "9000")
    assert result.exit_code == 1
    assert result.output.startswith("Error: No SpeechCall answers on port 9000")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_RETRY_MODE", "often"),
        ("AWS_DEFAULTS_MODE", "none"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_CA_BUNDLE", "/nowhere"),
    ],
)
def test_the_services_of_this_machine_are_reached_whatever_is_set_for_aws(variable, value, monkeypatch):
    monkeypatch.setenv(variable, value)
    names = {"RegistryTable": "RegistryTable"}
    given = httpx.MockTransport(lambda _request: httpx.Response(200, json=names))
    monkeypatch.setattr("cli.deployment.httpx.Client", lambda **_: _Client(transport=given))
    urls = []
    client = open_deployment(Place(local=True, port=9000))._dynamodb
    events: Any = client.meta.events
    events.register("before-send", lambda request, **_: urls.append(request.url) or _ANSWER)
    client.list_tables()
    assert urls == ["http://127.0.0.1:9000/aws"]


@pytest.mark.parametrize("options", [[], ["--profile", "me"]])
def test_settings_of_aws_that_cannot_be_read_are_told(options, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile me]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many")
    result = run("account", "list", "--stack", "prod", "--region", "eu-west-1", *options)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The settings of AWS, in the environment or its files, cannot be used: ")


def test_a_service_that_stopped_is_not_looked_for_by_profile():
    result = run("account", "list", "--local", obj=failing(EndpointConnectionError(endpoint_url="http://127.0.0.1:1")))
    assert result.exit_code == 1
    assert result.output.startswith("Error: The service of `make run` does not answer (Could not connect")
    assert "--profile" not in result.output
