"""Where a command's output goes to may be full, gone or closed, and what it reads may have no end."""

import errno
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.exit_codes import FAILED, REFUSED
from cli.main import app, main
from speechcall.accounts.rules.account import MOST, Account
from tests.kit.command_line import CliRunner
from tests.stores.accounts import MemoryAccounts
from tests.stores.webhook_secrets import MemoryWebhookSecrets, seal

pytestmark = pytest.mark.slow


class Full(io.RawIOBase):
    """Takes nothing: a full disk, or a program that has gone."""

    def __init__(self, code):
        self.code = code

    def writable(self):
        return True

    def write(self, _data):
        raise OSError(self.code, os.strerror(self.code))


@pytest.fixture
def run(monkeypatch):
    """Runs a command with these streams: its exit status, and what it says on the other one."""

    def invoke(*arguments, **streams):
        err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        with monkeypatch.context() as patch:
            for name, stream in {"stdout": io.TextIOWrapper(io.BytesIO()), "stderr": err, **streams}.items():
                patch.setattr(sys, name, stream)
            patch.setattr(sys, "argv", ["speechcall", *arguments])
            with pytest.raises(SystemExit) as left:
                main()
        return left.value.code, err.buffer.getvalue().decode()

    return invoke


@pytest.fixture
def deployment(monkeypatch):
    made = SimpleNamespace(accounts=MemoryAccounts(), webhook_secrets=MemoryWebhookSecrets(), seal=seal)
    monkeypatch.setattr("cli.target.open_deployment", lambda _place: made)
    return made


def full(code=errno.ENOSPC):
    return io.TextIOWrapper(io.BufferedWriter(Full(code)), "utf-8")


@pytest.mark.parametrize(
    "command", [["--help"], ["menu", "explain", "events/spec/curl.json"], ["account", "list", "--local"]]
)
def test_an_output_that_takes_nothing_is_told_in_a_sentence(run, deployment, command):
    status, err = run(*command, stdout=full())
    assert status == 1
    assert err == "Error: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EPIPE, errno.EIO])
def test_secrets_that_could_not_be_shown_are_said_to_be_lost(run, deployment, code):
    status, err = run("account", "create", "acme", "--prefix", "+380", "--local", stdout=full(code))
    assert status == 1
    assert "`account rotate acme` gives" in err
    status, err = run("account", "rotate", "acme", "--local", stdout=full(code))
    assert status == 1
    assert "`account rotate acme` gives" in err
    status, err = run("account", "rotate", "acme", "--webhook-secret", "--local", stdout=full(code))
    assert status == 1
    assert "`account rotate acme --webhook-secret` gives" in err


def test_without_an_output_nothing_is_done(run, deployment):
    status, err = run("account", "create", "acme", "--prefix", "+380", "--local", stdout=None)
    assert status == 1
    assert err == "Error: There is no output to write to: it is closed.\n"
    assert deployment.accounts.all() == []


def test_without_an_input_nothing_is_confirmed(run, deployment):
    status, err = run("account", "create", "acme", "--prefix", "*", "--local", stdin=None)
    assert status == 3
    assert 'The prefix "*" was not confirmed' in err
    assert deployment.accounts.all() == []


@pytest.mark.parametrize("option", ["--calls-per-day", "--rate", "--burst"])
@pytest.mark.parametrize("number", [1_000_000_001, 10**38, 10**45])
def test_a_number_that_no_table_could_give_back_is_refused(run, deployment, option, number):
    status, err = run("account", "create", "acme", "--prefix", "+380", option, str(number), "--local")
    assert status == 2
    assert option in err
    assert "1000000000" in err
    assert deployment.accounts.all() == []


def test_the_largest_numbers_are_taken(deployment):
    most = str(MOST)
    limits = ["--calls-per-day", most, "--rate", most, "--burst", most]
    made = CliRunner().invoke(app, ["account", "create", "acme", "--prefix", "+380", *limits, "--local"])
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize("sender", ["\udcff=+4930123456", "Shop\udce4=+4930123456"])
def test_a_sender_of_bytes_that_are_no_text_is_refused(run, deployment, sender):
    status, err = run("account", "create", "acme", "--prefix", "+380", "--sender", sender, "--local")
    assert status == 2
    assert "half a surrogate pair" in err


@pytest.mark.parametrize("command", ["explain", "draw"])
@pytest.mark.parametrize(
    ("file", "why"), [("/dev/zero", "more than 1048576 bytes"), ("/proc/self/mem", "cannot be read")]
)
def test_a_file_without_end_or_that_cannot_be_read_is_refused(command, file, why):
    if not Path(file).exists():
        pytest.skip(f"no {file} here")
    told = CliRunner().invoke(app, ["menu", command, file])
    assert told.exit_code == (REFUSED if file == "/dev/zero" else FAILED)
    assert told.output.startswith("Error: The file ")
    assert why in told.output


def test_a_file_is_named_as_it_is_called(tmp_path):
    file = tmp_path / "menus.json"
    file.write_text("[[")
    assert "The file menus.json: The body is not JSON" in CliRunner().invoke(app, ["menu", "explain", str(file)]).output


@pytest.mark.parametrize("file", ["/dev/zero", "/proc/self/mem"])
def test_so_it_is_of_an_introduction(deployment, file):
    if not Path(file).exists():
        pytest.skip(f"no {file} here")
    deployment.accounts.add(Account("acme", ("+380",)), {})
    deployment.prompt_encoding, deployment.audio = None, SimpleNamespace(put=None)
    told = CliRunner().invoke(app, ["prompt", "add", "welcome", file, "--account", "acme", "--local"])
    assert told.exit_code == (REFUSED if file == "/dev/zero" else FAILED)  # too much of it, or nothing
    assert told.output.startswith("Error: The file ")


@pytest.mark.parametrize("place", ["nowhere/heard.wav", ".", "/dev/full"])
def test_audio_that_cannot_be_written_is_told(deployment, tmp_path, place):
    deployment.accounts.add(Account("acme", ("+380",)), {})
    known = SimpleNamespace(name="welcome", prompt=SimpleNamespace(uri="s3://prompts/a"))
    deployment.prompts = SimpleNamespace(find=lambda *_: known)
    deployment.audio = SimpleNamespace(get=lambda _uri: b"RIFF")
    told = CliRunner().invoke(
        app, ["prompt", "play", "welcome", "--account", "acme", "--save", str(tmp_path / place), "--local"]
    )
    assert told.exit_code == 1
    assert "cannot be written: " in told.output
    assert told.output.count("\n") == 1
