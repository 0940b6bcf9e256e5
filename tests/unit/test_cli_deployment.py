"""Which deployment a command works on, and how it says that it cannot."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from typer.testing import CliRunner

from cli.deployment import Place
from cli.main import app
from speechcall.domain.errors import StoreUnavailable
from tests.stores.accounts import MemoryAccounts


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
    ("error", "sentence"),
    [
        (StoreUnavailable("ConnectTimeoutError"), "The table did not answer (ConnectTimeoutError)."),
        (NoCredentialsError(), "AWS cannot be asked (Unable to locate credentials); --profile and --region say"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "You may not."}}, "Query"),
            "AWS refuses Query: You may not.",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence(error, sentence):
    result = run("account", "list", "--local", obj=failing(error))
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {sentence}")
    assert result.output.count("\n") == 1


def test_a_bug_is_no_sentence_and_its_traceback_shows_no_secret():
    program = """
from types import SimpleNamespace
from cli import accounts
from cli.main import app

def fail(*_):
    raise RuntimeError("a bug")

accounts.secrets = SimpleNamespace(token_urlsafe=lambda _: "a-" + "secret")
double = SimpleNamespace(accounts=SimpleNamespace(add=fail))
app(["account", "create", "new", "--prefix", "+1", "--local"], obj=lambda _: double)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "RuntimeError: a bug" in ended.stderr
    assert "a-secret" not in ended.stdout + ended.stderr


def test_help_names_every_command():
    for noun, verbs in {"account": "create rotate list disable enable set", "prompt": "add list play remove"}.items():
        text = run(noun, "--help").output
        assert all(f"\n  {verb} " in text for verb in verbs.split())
    assert run("--help").exit_code == 0
