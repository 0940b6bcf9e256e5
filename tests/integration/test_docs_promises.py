"""docs/promises.md: its commands run as they stand, and say what the page says."""

import json
import re
import shlex
from pathlib import Path

import pytest

from cli.main import app
from speechcall.menus.rules.promise_grammar import PACKS, read_promises
from tests.kit.command_line import CliRunner

PAGE = (Path(__file__).parents[2] / "docs" / "promises.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    speechcall (menu .*)$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"^```(?:json|text)\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
REQUEST, PROMISES, PROVED, CHECKED, GRAMMAR, COMPARED = BLOCKS
FORMS = [json.loads(form) for form in re.findall(r"^\| `(\{.*?\})` \|", PAGE, re.MULTILINE)]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The page's files, where its commands find them."""
    monkeypatch.chdir(tmp_path)
    new = json.loads(REQUEST)
    new["messages"][0]["menu"][1]["dtmfActions"]["wrong"] = [{"action": "hangup"}]
    texts = {"request": REQUEST, "promises": PROMISES, "old": REQUEST, "new": json.dumps(new)}
    for name, text in texts.items():
        Path(f"{name}.json").write_text(text, encoding="utf-8")
    return tmp_path


def run(command):
    result = CliRunner().invoke(app, shlex.split(command))
    return result.exit_code, result.output.strip()


@pytest.mark.usefixtures("files")
def test_each_command_says_what_the_page_says():
    prove, packs, with_length, compare = COMMANDS
    assert run(prove) == (1, PROVED)
    assert "proved     short" not in PROVED
    assert "undecided  short" not in run(with_length)[1]
    assert run(packs)[0] == 1
    assert run(compare) == (1, COMPARED)
    assert run("menu compare old.json old.json")[0] == 0


def test_the_check_answers_what_the_page_says(api):
    body = json.loads(REQUEST) | {"promises": json.loads(PROMISES)[:1]}
    answer = api.post(body, path="/bat/messagelist/check").json
    assert answer["messages"][0]["promises"] == json.loads(CHECKED)


def test_the_forms_of_the_page_are_read():
    assert len(FORMS) == 11
    never = ("webhook", "both", "ends")
    for form in FORMS:
        kind = "never" if set(form) <= {"webhook", "without", "by", "twice"} or set(form) & set(never[1:]) else "always"
        assert read_promises([{kind: form}])[1] == [], form
    for pack in PACKS:
        assert f"| `{pack}` |" in PAGE
