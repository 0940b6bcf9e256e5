"""Of every command of `speechcall`: `--json`, its exit statuses, and its place in docs/cli.md."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from cli import api
from cli.exit_codes import FAILED, REFUSED, UNKNOWN, USAGE
from cli.failures import Refusal
from cli.main import app
from speechcall.shared.rules.errors import StoreUnavailable
from tests.kit.command_line import CliRunner

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
WEBHOOK = "1-1-2-m0-d1-0"
FILE = __file__
COMMANDS = {
    "account create": ["acme", "--prefix", "+380"],
    "account rotate": ["acme"],
    "account list": [],
    "account disable": ["acme", "--queue", "keep"],
    "account enable": ["acme"],
    "account set": ["acme", "--rate", "5"],
    "account pause": ["acme"],
    "account resume": ["acme"],
    "account cancel-queue": ["acme"],
    "account key create": ["acme", "shop", "--scope", "send"],
    "account key list": ["acme"],
    "account key revoke": ["acme", "shop"],
    "prompt add": ["a", FILE, "--account", "acme"],
    "prompt list": ["--account", "acme"],
    "prompt play": ["a", "--account", "acme"],
    "prompt remove": ["a", "--account", "acme"],
    "pool show": [],
    "pool set": ["--lines", "3"],
    "rates import": [FILE],
    "rates show": [],
    "rates export": [],
    "message cancel": ["1"],
    "message show": ["1"],
    "audit list": [],
    "stack remove": [],
    "stack restore": ["--at", "2026-11-30T09:00:00Z"],
    "list compare": ["1", FILE],
    "list rehearse": [FILE, "--callees", FILE, "--account", "acme"],
    "list watch": ["1"],
    "list export": ["1"],
    "list cancel": ["1"],
    "list pause": ["1"],
    "list resume": ["1"],
    "campaign cancel": ["acme", "spring"],
    "campaign pause": ["acme", "spring"],
    "campaign resume": ["acme", "spring"],
    "optout import": ["acme", FILE],
    "optout list": ["acme"],
    "optout export": ["acme"],
    "optout remove": ["acme", "+380671234567"],
    "webhook list": ["--account", "acme"],
    "webhook show": [WEBHOOK],
    "webhook replay": [WEBHOOK],
    "deadletter list": [],
    "deadletter redrive": ["--all"],
    "doctor": [],
    "selftest": [],
}
"""Each command that asks a deployment, with what it needs to begin."""
CUSTOMERS = {"message cancel", "list export", "list send"}
"""Those that a customer has, with `--url`."""
ALONE = {
    *("menu draw", "menu explain", "menu prove", "menu compare", "version"),
    *("call show", "call replay", "receiver secret", "receiver try"),
}
"""Those that ask no deployment."""


def leaves(group, before=()):
    for name, command in group.commands.items():
        path = (*before, name)
        yield from leaves(command, path) if hasattr(command, "commands") else [(" ".join(path), command)]


FOUND = dict(leaves(typer.main.get_command(app)))


def run(name, *options, **given):
    return CliRunner().invoke(app, [*name.split(), *COMMANDS.get(name, []), *options], **given)


def test_no_command_is_left_out_here():
    assert set(FOUND) == {*COMMANDS, *CUSTOMERS, *ALONE}


@pytest.mark.parametrize("name", FOUND)
def test_a_command_is_for_programs_too_and_is_documented(name):
    command = FOUND[name]
    assert any("--json" in option.opts for option in command.params)
    assert f"speechcall {name}" in DOCS.read_text(encoding="utf-8")
    assert CliRunner().invoke(app, [*name.split(), "--no-such-option"]).exit_code == USAGE


def raising(error):
    def opened(_place):
        raise error

    return opened


def aws(status):
    told: Any = {"Error": {"Message": "No."}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, "Query")


WRONG = [
    (Refusal("There is none."), REFUSED),
    (aws(400), REFUSED),
    (aws(503), UNKNOWN),
    (StoreUnavailable("Timeout"), UNKNOWN),
    (ReadTimeoutError(endpoint_url="https://a.example"), UNKNOWN),
    (EndpointConnectionError(endpoint_url="https://a.example"), FAILED),
    (OSError(28, "No space left on device"), FAILED),
]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_exit_status_says_what_became_of_it(name):
    for error, status in WRONG:
        told = run(name, "--local", "--json", obj=raising(error))
        assert told.exit_code == status, (name, error, told.output)
        assert json.loads(told.stdout)["status"] == status
        assert told.stderr.startswith("Error: ")
    assert run(name, obj=raising(AssertionError("it asked"))).exit_code == USAGE


@pytest.mark.parametrize("error", [*WRONG, (typer.Exit(FAILED), FAILED)])
def test_what_was_done_before_it_went_wrong_is_told_as_json_too(error):
    """A list that was added to, and then the table does not answer: what was said is not lost with that."""
    raised, status = error

    def pause(*_):
        typer.echo("One is done.\n")
        raise raised

    changed = SimpleNamespace(
        accounts=SimpleNamespace(find=lambda name: SimpleNamespace(account_id=name)), stops=SimpleNamespace(pause=pause)
    )
    told = run("account pause", "--local", "--json", obj=lambda _place: changed)
    assert told.exit_code == status
    found = json.loads(told.stdout)
    assert found.pop("said") == ["One is done."]
    assert set(found) == (set() if isinstance(raised, typer.Exit) else {"error", "status"})
    assert found.get("status", FAILED) == status
    told = run("account pause", "--local", obj=lambda _place: changed)
    assert (told.exit_code, told.stdout) == (status, "One is done.\n\n")


def test_what_a_command_only_says_is_json_as_well():
    changed = SimpleNamespace(
        accounts=SimpleNamespace(find=lambda name: SimpleNamespace(account_id=name)),
        stops=SimpleNamespace(pause=lambda *_: None),
    )
    told = run("account pause", "--local", "--json", obj=lambda _place: changed)
    assert (told.exit_code, len(json.loads(told.stdout)["said"])) == (0, 1)
    told = run("version", "--json")
    assert set(json.loads(told.stdout)) == {"version"}


# ------------------------------------------------------------------- by the API
@pytest.fixture
def asked(monkeypatch):
    """What the API is asked; `answers` is what it says, in turn, and the last for ever."""
    found = SimpleNamespace(requests=[], answers=[])

    def answer(request):
        found.requests.append(request)
        one = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
        if isinstance(one, Exception):
            raise one
        return one

    transport = httpx.MockTransport(answer)
    made = lambda url: api.Api(url, httpx.Client(transport=transport), sleep=lambda _seconds: None)  # noqa: E731
    monkeypatch.setattr(api, "open_api", made)
    return found


URL = ("--url", "https://api.example")


@pytest.mark.parametrize(
    ("state", "status", "says"),
    [("cancelled", 0, "is cancelled"), ("hangingUp", 0, "within a minute"), ("tooLate", REFUSED, "in a call")],
)
def test_a_customer_cancels_a_message(asked, state, status, says):
    asked.answers = [httpx.ReadTimeout("x"), httpx.Response(200, json={"messageId": "1", "state": state})]
    told = run("message cancel", "--hangup", *URL)
    assert (told.exit_code, says in told.stdout) == (status, True)
    first, again = asked.requests
    assert (first.method, first.url.path, first.content) == ("POST", "/bat/message/1/cancel", b'{"hangup": true}')
    assert again.content == first.content
    asked.answers = [httpx.Response(200, json={"messageId": "1", "state": state})]
    told = run("message cancel", *URL, "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (status, {"messageId": "1", "state": state})


@pytest.mark.parametrize("form", [[], ["--format", "jsonl"], ["--json"]])
def test_a_customer_exports_a_list_to_the_byte(asked, form):
    asked.answers = [httpx.Response(200, content="a,b\r\nЇжак,\r\n".encode())]
    told = run("list export", *form, *URL)
    assert (told.exit_code, told.stdout_bytes) == (0, "a,b\r\nЇжак,\r\n".encode())
    (request,) = asked.requests
    assert request.url.path == "/bat/messagelist/1/export"
    assert request.url.params["format"] == ("jsonl" if form else "csv")


def problem(status, code):
    return httpx.Response(status, json={"error": {"code": code, "message": "So it is."}})


@pytest.mark.parametrize(
    ("answer", "cancel", "export"),
    [
        (problem(404, "NOT_FOUND"), REFUSED, REFUSED),
        (problem(401, "UNAUTHORIZED"), REFUSED, REFUSED),
        (problem(403, "SCOPE_REQUIRED"), REFUSED, REFUSED),
        (problem(500, "INTERNAL_ERROR"), UNKNOWN, FAILED),
        (httpx.ConnectError("x"), UNKNOWN, FAILED),
        (httpx.Response(200, content=b"<html>"), FAILED, 0),
        (httpx.Response(200, json={}), FAILED, 0),
        (httpx.Response(200, json=["state"]), FAILED, 0),
        (httpx.Response(403, json=["error"]), REFUSED, REFUSED),
        (httpx.Response(403, json={"error": "no"}), REFUSED, REFUSED),
    ],
)
def test_what_the_api_says_is_an_exit_status_too(asked, answer, cancel, export):
    asked.answers = [answer]
    told = run("message cancel", *URL)
    assert (told.exit_code, told.stderr[:7]) == (cancel, "Error: ")
    assert run("list export", *URL).exit_code == export


def test_the_environment_says_where_and_an_operator_says_otherwise(asked, monkeypatch):
    asked.answers = [httpx.Response(200, json={"messageId": "1", "state": "cancelled"})]
    monkeypatch.setenv("SPEECHCALL_URL", "https://api.example")
    assert run("message cancel").exit_code == 0
    assert run("message cancel", "--local", obj=raising(Refusal("The table."))).stderr == "Error: The table.\n"
    assert run("message cancel", "--local", *URL).exit_code == USAGE
    assert len(asked.requests) == 1


@pytest.mark.parametrize("options", [["--region", "eu-west-1"], ["--profile", "me"], ["--port", "9000"]])
def test_what_names_a_deployment_is_not_dropped_beside_a_url(asked, monkeypatch, options):
    told = run("message cancel", *options, *URL)
    assert (told.exit_code, "belong" in told.output) == (USAGE, True)
    monkeypatch.setenv("SPEECHCALL_URL", "https://api.example")
    assert run("message cancel", *options).exit_code == USAGE
    assert asked.requests == []


def test_two_forms_of_an_export_are_one_too_many(asked):
    told = run("list export", "--format", "csv", "--json", *URL)
    assert told.exit_code == USAGE
    assert "give either --json, which is --format jsonl, or --format csv." in " ".join(told.output.split())
    asked.answers = [httpx.Response(200, content=b"{}")]
    assert run("list export", "--format", "jsonl", "--json", *URL).exit_code == 0
    assert len(asked.requests) == 1


# ------------------------------------------------------------------- completion
@pytest.mark.parametrize(("words", "found"), [("speechcall li", "list"), ("speechcall list ex", "export")])
def test_a_shell_completes_words(words, found):
    environment = {"_SPEECHCALL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    told = CliRunner().invoke(app, [], env=environment, prog_name="speechcall")
    assert told.stdout.split() == [found]
