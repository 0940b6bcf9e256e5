"""What a command says can be read in any terminal: a character that its encoding lacks is written as its code."""

import io
import json
import sys
from base64 import urlsafe_b64encode

import pytest
import typer

from cli.as_json import show_json
from cli.failures import Refusal, told
from cli.main import main
from cli.table import show_table

pytestmark = pytest.mark.slow

MENU = """[{"introUrl": "https://пример.укр/привіт.wav", "dtmfActions": {"d1": [{"action": "hangup"}]}}]"""
ENCODINGS = ["latin-1", "cp437", "koi8-u", "utf-8"]


@pytest.fixture
def say(monkeypatch):
    """Runs a command in a terminal of an encoding: its exit status and all that it says."""

    def run(encoding, *arguments):
        streams = {name: io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for name in ("stdout", "stderr")}
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
        monkeypatch.setattr(sys, "argv", ["speechcall", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        monkeypatch.undo()
        said = [stream.buffer.getvalue().decode(encoding) for stream in streams.values()]
        return left.value.code, *said

    return run


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", ["", "account", "prompt", "prompt add", "list watch", "webhook list"])
def test_help_is_readable(say, encoding, command):
    status, out, err = say(encoding, *command.split(), "--help")
    assert status == 0
    assert err == ""
    assert "Usage:" in out


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", ["explain", "draw"])
def test_menus_with_names_of_any_script_are_readable(say, encoding, command, tmp_path):
    file = tmp_path / "menus.json"
    file.write_text(MENU, encoding="utf-8")
    status, out, err = say(encoding, "menu", command, str(file))
    assert status == 0
    assert err == ""
    assert ("пример" if encoding in ("utf-8", "koi8-u") else "\\u043f\\u0440\\u0438") in out


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_so_is_what_went_wrong(say, encoding, tmp_path):
    status, _, err = say(encoding, "menu", "explain", str(tmp_path / "немає-\udcff-漢.json"))
    assert status == 2
    assert ".json" in err
    file = tmp_path / "menus.json"
    file.write_text('{"漢": 1}', encoding="utf-8")
    status, _, err = say(encoding, "menu", "explain", str(file))
    assert status == 3
    assert err[:6] == "Error:"


def refuse(sentence):
    raise Refusal(sentence)


def test_no_stranger_commands_the_terminal(capsys):
    show_table([{"name": "a\x1b]0;owned\x07\x9b31mb\u202egnp", "many": ["\x1b[2J"], "by": {"\x7f": "\r"}}], {}, "")
    said = capsys.readouterr().out
    assert said.splitlines()[1].split() == [
        *(r"a\u001b]0;owned\u0007\u009b31mb\u202egnp", r"\u001b[2J", r"\u007f=\u000d"),
    ]
    with pytest.raises(typer.Exit), told():
        refuse("\x1b[31mred\nand a second line")
    assert capsys.readouterr().err == "Error: \\u001b[31mred\nand a second line\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_json_in_every_encoding(say, encoding, tmp_path):
    content = {"v": 1, "from": "Ünı õ 漢 😀 привіт"}
    parts = [urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({}, content, {})]
    file = tmp_path / "call.jws"
    file.write_bytes(b".".join(parts))
    status, out, _ = say(encoding, "call", "show", str(file))
    assert status == 0
    assert json.loads(out) == content
    assert ("привіт" in out) is (encoding == "utf-8")


def test_no_stranger_commands_the_terminal_in_json(capsys):
    said = "\x1b[31m\x9b31m \u202egnp\x7f"
    show_json({said: said})
    out = capsys.readouterr().out
    assert json.loads(out) == {said: said}
    assert (
        out
        == r"""{
  "\u001b[31m\u009b31m \u202egnp\u007f": "\u001b[31m\u009b31m \u202egnp\u007f"
}
"""
    )
    with pytest.raises(typer.Exit), told(as_json=True):
        refuse("\x9b31mred")
    out = capsys.readouterr().out
    assert "\x9b" not in out
    assert json.loads(out)["error"] == "\x9b31mred"
