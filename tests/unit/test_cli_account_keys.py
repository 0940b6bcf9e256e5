"""`speechcall account key …`, on accounts in memory."""

import json
import re
from dataclasses import dataclass, field, replace

import pytest
from typer.testing import CliRunner

from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Change, Credential, key_name, sha256
from speechcall.accounts.use_cases.named_keys import MAX_KEYS
from tests.stores.accounts import MemoryAccounts
from tests.stores.webhook_secrets import MemoryWebhookSecrets

ACME = Account("acme", ("+380",))


@dataclass
class Deployment:
    accounts: MemoryAccounts = field(default_factory=lambda: MemoryAccounts(ACME))
    webhook_secrets: MemoryWebhookSecrets = field(default_factory=MemoryWebhookSecrets)


@pytest.fixture
def deployment():
    return Deployment()


@pytest.fixture
def run(deployment):
    """Runs a command; what it gave, with `output` and `exit_code`."""

    def invoke(*arguments):
        return CliRunner().invoke(app, ["account", *arguments, "--local"], obj=lambda _place: deployment)

    return invoke


def test_a_key_has_what_was_given_and_is_shown_once(run, deployment):
    networks = ["--from-ip", "203.0.113.0/24", "--from-ip", "2001:DB8::1", "--from-ip", "203.0.113.0/24"]
    result = run(
        "key", "create", "acme", "web-shop", "--scope", "send", "--scope", "read", "--scope", "send", *networks
    )
    assert result.exit_code == 0, result.output
    (key,) = re.findall(r"API key   (sckn_\S+)\n", result.output)
    stored = deployment.accounts.find_credential(key_name(key))
    assert stored.secret_sha256 == sha256(key)
    assert stored.scopes == {Scope.SEND, Scope.READ}
    assert stored.from_ips == ("203.0.113.0/24", "2001:db8::1/128")
    assert stored.created_msec > 1_700_000_000_000
    assert "cannot be shown again" in result.output
    assert "send messages, check and rehearse them (send), and everything that is asked" in result.output
    shown = run("key", "list", "acme").output + run("key", "list", "acme", "--json").output
    assert key not in shown
    assert stored.secret_sha256 not in shown
    assert key not in repr(deployment.accounts.credentials)


def test_keys_are_made_and_listed_for_programs(run):
    made = json.loads(run("key", "create", "acme", "b", "--scope", "manage", "--json").output)
    run("key", "create", "acme", "a", "--scope", "read", "--from-ip", "203.0.113.7")
    assert made["key"].startswith("sckn_")
    listed = json.loads(run("key", "list", "acme", "--json").output)
    assert [one["name"] for one in listed] == ["a", "b"]
    assert {**listed[1], "key": made["key"]} == made
    assert listed[0]["scopes"] == ["read"]
    assert listed[0]["fromIps"] == ["203.0.113.7/32"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed[0]["createdAt"])
    table = run("key", "list", "acme").output.splitlines()
    assert table[0].split() == ["NAME", "SCOPES", "FROM", "CREATED"]
    assert table[1].split()[:3] == ["a", "read", "203.0.113.7/32"]


def test_an_account_without_keys_says_so(run):
    assert run("key", "list", "acme").output == "acme has no keys with a name.\n"
    assert json.loads(run("key", "list", "acme", "--json").output) == []


def test_a_name_is_given_once_and_revoked_once(run):
    assert run("key", "create", "acme", "shop", "--scope", "send").exit_code == 0
    again = run("key", "create", "acme", "shop", "--scope", "read")
    assert (again.exit_code, "There is a key shop of acme already" in again.output) == (3, True)
    assert "has stopped working just now" in run("key", "revoke", "acme", "shop").output
    gone = run("key", "revoke", "acme", "shop")
    assert (gone.exit_code, gone.output) == (
        3,
        "Error: There is no key shop of acme; `account key list acme` shows those there are.\n",
    )


def test_no_account_has_more_than_fifty(run, deployment):
    for number in range(MAX_KEYS):
        key = Credential("acme", "0" * 64, frozenset({Scope.SEND}), f"k{number}")
        assert deployment.accounts.add_named_key(f"NAMED#{number}", key, MAX_KEYS) is Change.DONE
    result = run("key", "create", "acme", "one-more", "--scope", "send")
    assert (result.exit_code, "There are 50 keys of acme" in result.output) == (3, True)


@pytest.mark.parametrize(
    "command", [["create", "nobody", "a", "--scope", "send"], ["list", "nobody"], ["revoke", "nobody", "a"]]
)
def test_an_account_that_is_not_there_is_one_sentence(run, command):
    result = run("key", *command)
    assert result.exit_code == 3
    assert result.output == "Error: There is no account nobody; `account list` shows those there are.\n"


def test_who_is_always_second_is_told(run, deployment):
    deployment.accounts.add_named_key = lambda *_: Change.RACED
    result = run("key", "create", "acme", "shop", "--scope", "send")
    assert (result.exit_code, "by somebody else all the time" in result.output) == (3, True)


def test_a_rotation_leaves_them_and_says_so(run, deployment):
    run("key", "create", "acme", "shop", "--scope", "send")
    result = run("rotate", "acme")
    assert "Keys with a name stay as they are: shop." in result.output
    assert len(deployment.accounts.named_keys("acme")) == 1


def test_a_disabled_account_gets_a_key_and_a_word(run, deployment):
    deployment.accounts.accounts["acme"] = replace(ACME, disabled=True)
    assert "account enable acme" in run("key", "create", "acme", "shop", "--scope", "send").output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["shop"], "Missing option '--scope'"),
        (["shop", "--scope", "audit"], "Invalid value for '--scope'"),
        (["shop", "--scope", "SEND"], "Invalid value for '--scope'"),
        (["", "--scope", "send"], "Invalid value for 'NAME'"),
        (["a b", "--scope", "send"], "Invalid value for 'NAME'"),
        (["x" * 65, "--scope", "send"], "Invalid value for 'NAME'"),
        (["shop", "--scope", "send", "--from-ip", ""], "Invalid value for '--from-ip'"),
        (["shop", "--scope", "send", "--from-ip", "203.0.113"], "no address and no network"),
        (["shop", "--scope", "send", "--from-ip", "203.0.113.0/33"], "no address and no network"),
        (["shop", "--scope", "send", "--from-ip", "203.0.113.7/24"], "did you mean 203.0.113.0/24"),
        (["shop", "--scope", "send", "--from-ip", "203.0.113.0 /24"], "no address and no network"),
        (["shop", "--scope", "send", "--from-ip", "fe80::1%eth0"], "no address and no network"),
        (["shop", "--scope", "send", "--from-ip", "example.com"], "no address and no network"),
        (["shop", "--scope", "send", *["--from-ip", "203.0.113.7"] * 21], "at most 20"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(run, deployment, arguments, complaint):
    result = run("key", "create", "acme", *arguments)
    assert result.exit_code == 2
    assert re.sub(r"[\s│]+", " ", complaint) in re.sub(r"[\s│]+", " ", result.output)
    assert deployment.accounts.credentials == {}
