"""The command against a running `make run`, and against a stack that is made of it, down to the API's answers."""

import json
import re
import socket
import subprocess
import sys
from urllib.parse import parse_qs

import boto3
import httpx
import pytest
from werkzeug.wrappers import Request, Response

from cli.main import app
from local.cloud.laptop_cloud import Cloud
from local.cloud.seed import AUDIO, PASSWORD, USER
from local.common.http_server import HttpServer
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from tests.kit.command_line import CliRunner

MENU = {"introUrl": "hello", "dtmfActions": {"d1": [{"action": "hangup"}]}}
SEEDED = {**MENU, "introUrl": "ivr_651854"}
MESSAGE = {"from": "Shop", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
WAV = str(AUDIO / "ivr_651854.wav")


@pytest.fixture(scope="module")
def cloud():
    with Cloud() as cloud:
        # The first number makes a client of KMS, which would have the settings of `run`: both are in this process.
        url, content = f"{cloud.url}/bat/messagelist/check", {"messages": [{**MESSAGE, "menu": [SEEDED]}]}
        first = httpx.post(url, json=content, auth=(USER, PASSWORD), trust_env=False)
        assert first.json()["messages"][0]["status"] == "acceptable"
        yield cloud


@pytest.fixture
def run(cloud, monkeypatch):
    """Runs a command that shall succeed, with settings in the environment that are none of its business."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def invoke(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--local", "--port", cloud.url.rsplit(":", 1)[1]])
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.fixture
def account(run):
    """A new account with a prompt: its id, password and key."""
    account_id = f"acme-{len(json.loads(run('account', 'list', '--json')))}"
    secrets = created(run("account", "create", account_id, "--prefix", "+380"))
    run("prompt", "add", "hello", WAV, "--account", account_id)
    return account_id, *secrets


def created(output):
    return re.search(r"password  (\S+)\n  API key   (\S+)\n", output).groups()


@pytest.fixture
def check(cloud):
    """The status of the API's answer, and its one message's, to who shows these credentials."""

    def ask(message=MESSAGE, path="/check", count=1, **credentials):
        url = f"{cloud.url}/bat/messagelist{path}"
        answer = httpx.post(url, json={"messages": [message] * count}, trust_env=False, **credentials)
        messages = answer.json().get("messages", [{}])
        return answer.status_code, messages[0].get("status")

    return ask


def test_a_new_account_is_let_in_with_each_of_its_credentials(account, check):
    user, password, key = account
    assert check(auth=(user, password)) == (200, "acceptable")
    assert check(auth=("@", key)) == (200, "acceptable")
    assert check(headers={"X-Authorization-Key": key}) == (200, "acceptable")
    assert check(auth=(user, key))[0] == 401
    assert check(auth=("@", password))[0] == 401


def test_after_a_rotation_only_the_new_ones_open(account, check, run):
    user, password, key = account
    new_password, new_key = created(run("account", "rotate", user))
    record = json.loads(run("audit", "list", "--json", "--account", user))["records"][0]
    assert (record["by"], record["action"], record["account"]) == ("local", "account rotate", user)
    assert check(auth=(user, password))[0] == check(headers={"X-Authorization-Key": key})[0] == 401
    assert check(auth=(user, new_password))[0] == check(headers={"X-Authorization-Key": new_key})[0] == 200


def test_a_key_with_a_name_sends_from_its_network_until_it_is_revoked(account, check, run):
    user, password, _ = account

    def key(name, *options):
        return json.loads(run("account", "key", "create", user, name, *options, "--json"))["key"]

    here = key("shop", "--scope", "send", "--from-ip", "127.0.0.0/8", "--from-ip", "::1")
    elsewhere = key("till", "--scope", "send", "--from-ip", "203.0.113.7")
    reading = key("screen", "--scope", "read")
    assert check(headers={"X-Authorization-Key": here}) == check(auth=("@", here)) == (200, "acceptable")
    assert check(headers={"X-Authorization-Key": elsewhere})[0] == check(headers={"X-Authorization-Key": reading})[0]
    assert check(headers={"X-Authorization-Key": reading})[0] == 403
    run("account", "rotate", user)
    assert check(headers={"X-Authorization-Key": here})[0] == 200
    run("account", "key", "revoke", user, "shop")
    assert check(headers={"X-Authorization-Key": here})[0] == check(auth=(user, password))[0] == 401
    assert [one["name"] for one in json.loads(run("account", "key", "list", user, "--json"))] == ["screen", "till"]


def test_a_disabled_account_is_let_in_no_more_until_it_is_enabled(account, check, run):
    user, password, key = account
    run("account", "disable", user, "--queue", "keep")
    assert check(auth=(user, password))[0] == check(headers={"X-Authorization-Key": key})[0] == 401
    run("account", "enable", user)
    assert check(auth=(user, password))[0] == 200


def test_what_is_set_is_what_the_api_goes_by(account, check, run):
    user, password, _ = account
    polish = {**MESSAGE, "to": "+48601234567"}
    assert check(polish, auth=(user, password)) == (200, "rejected")
    run("account", "set", user, "--prefix", "+48", "--rate", "1", "--burst", "100", "--calls-per-day", "1")
    assert check(polish, auth=(user, password)) == (200, "acceptable")
    assert check(auth=(user, password)) == (200, "rejected")
    assert check(polish, path="", count=2, auth=(user, password))[0] == 429
    run("account", "set", user, "--sender", "Bank=+4930123456")
    assert check(polish, auth=(user, password)) == (200, "rejected")
    assert check({**polish, "from": "Bank"}, auth=(user, password)) == (200, "acceptable")
    (found,) = (one for one in json.loads(run("account", "list", "--json")) if one["id"] == user)
    assert found["rate"] == 1
    assert found["burst"] == 100
    assert found["callsPerDay"] == 1
    assert found["senders"] == {"Bank": "+4930123456"}


def test_no_secret_is_listed(account, run):
    _, password, key = account
    listed = run("account", "list") + run("account", "list", "--json") + run("prompt", "list", "--account", account[0])
    assert password not in listed
    assert key not in listed
    assert "hash" not in listed.lower()


# ------------------------------------------------------------------- prompts
@pytest.fixture(scope="module")
def clients(cloud):
    """Made before a test's settings are in the environment."""
    return boto3.client("dynamodb"), boto3.client("s3")


def test_a_removal_that_was_cut_off_is_finished_by_the_next_one(clients, account, run, cloud):
    (dynamodb, s3), (user, _, _) = clients, account
    environment = cloud.template.functions["AudioFunction"].environment
    prompts = DynamoPrompts(dynamodb, environment["REGISTRY_TABLE"])
    # Given a command that was killed when it had marked the prompt, and no more
    key = prompts.mark_removed(user, "hello").prompt.uri.partition(".amazonaws.com/")[2]
    run("prompt", "remove", "hello", "--account", user)
    assert prompts.find_any(user, "hello") is None
    found = s3.get_object_tagging(Bucket=environment["PROMPTS_BUCKET"], Key=key)["TagSet"]
    assert found == [{"Key": "removed", "Value": "true"}]


def test_prompts_are_listed_by_identifier(account, run):
    user = account[0]
    run("prompt", "add", "another", WAV, "--account", user)
    rows = [line.split()[:2] for line in run("prompt", "list", "--account", user).splitlines()]
    assert rows == [["ID", "SECONDS"], ["another", "3.6"], ["hello", "3.6"]]
    assert [one["id"] for one in json.loads(run("prompt", "list", "--account", user, "--json"))] == ["another", "hello"]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["add", "a/b", WAV, "--account", "laptop"], 2, "Invalid value for 'ID'"),
        (["add", "a", "no-such-file.wav", "--account", "laptop"], 2, "no-such-file.wav"),
        (["add", "a", __file__, "--account", "laptop"], 3, "Error: The file is no audio of a known format"),
        (["add", "a", WAV, "--account", "nobody"], 3, "There is no account nobody"),
        (["list", "--account", "nobody"], 3, "There is no account nobody"),
    ],
)
def test_a_prompt_that_cannot_be_is_refused(cloud, arguments, status, complaint):
    result = CliRunner().invoke(app, ["prompt", *arguments, "--local", "--port", cloud.url.rsplit(":", 1)[1]])
    assert result.exit_code == status
    assert complaint in result.output


# ---------------------------------------------------------------- no service
def test_where_nothing_runs_it_says_what_to_start():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = CliRunner().invoke(app, ["account", "list", "--local", "--port", str(port)])
    assert result.exit_code == 1
    assert result.output == (
        f"Error: No SpeechCall answers on port {port}: "
        "start it with `make run`, or give the port it runs on with --port.\n"
    )


def test_another_server_is_not_taken_for_ours():
    server = HttpServer(Response("<html>", content_type="text/html"))
    server.start()
    try:
        result = CliRunner().invoke(app, ["account", "list", "--local", "--port", str(server.port)])
    finally:
        server.stop()
    assert result.exit_code == 1
    assert result.output.startswith("Error: No SpeechCall answers on port") is True


def test_one_call_is_made_that_rings_no_phone(cloud):
    """Without the settings of `run`: the telephony, which is in this process, makes clients meanwhile."""
    told = CliRunner().invoke(app, ["selftest", "--json", "--local", "--port", cloud.url.rsplit(":", 1)[1]])
    steps = json.loads(told.stdout[told.stdout.index("[\n") :])  # behind what the functions log here
    assert {step["verdict"] for step in steps} == {"ok"}, told.stdout
    assert [step["check"] for step in steps][-2:] == ["next-prompt", "removed"]


# --------------------------------------------------------------------- stack
@pytest.fixture
def stack(cloud, monkeypatch):
    """A stack `prod`: CloudFormation as its API reference has it, everything else through the door. What was asked."""
    asked = []

    def cloudformation(environ, start_response):
        form = {name: value[0] for name, value in parse_qs(Request(environ).get_data(as_text=True)).items()}
        asked.append((form["Action"], form["StackName"], form["LogicalResourceId"]))
        is_there = form["LogicalResourceId"] in httpx.get(f"{cloud.url}/aws/resources").json()
        if form["StackName"] != "prod" or not is_there:
            what = f"Stack '{form['StackName']}'" if is_there else f"Resource {form['LogicalResourceId']}"
            message = f"<Message>{what} does not exist</Message>"
            error = f"<Type>Sender</Type><Code>ValidationError</Code>{message}"
            text, status = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", 400
        else:
            detail = f"<PhysicalResourceId>{cloud.template.ref(form['LogicalResourceId'])}</PhysicalResourceId>"
            result = f"<StackResourceDetail>{detail}</StackResourceDetail>"
            text, status = f"<R><DescribeStackResourceResult>{result}</DescribeStackResourceResult></R>", 200
        return Response(text, status, content_type="text/xml")(environ, start_response)

    server = HttpServer(cloudformation)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{cloud.url}/aws")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", server.url)
    yield asked
    server.stop()


def test_in_a_stack_the_names_are_asked_of_cloudformation(stack, check):
    def invoke(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--stack", "prod", "--region", "eu-central-1"])
        assert result.exit_code == 0, result.output
        return result.output

    password, _ = created(invoke("account", "create", "staged", "--prefix", "+380"))
    assert stack == [("DescribeStackResource", "prod", name) for name in ("RegistryTable", "WebhookSecretsKey")]
    invoke("prompt", "add", "hello", WAV, "--account", "staged")
    assert ("DescribeStackResource", "prod", "PromptsBucket") in stack
    assert check(auth=("staged", password)) == (200, "acceptable")


def test_a_stack_that_is_not_there_is_one_sentence(stack):
    result = CliRunner().invoke(app, ["account", "list", "--stack", "prof"])
    assert result.exit_code == 3
    assert result.output == "Error: AWS refuses DescribeStackResource: Stack 'prof' does not exist\n"


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
