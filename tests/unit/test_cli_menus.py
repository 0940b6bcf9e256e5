"""`speechcall menu`: a picture and words for the menus of a file."""

import json
from pathlib import Path

import pytest

from cli.main import app
from tests.kit.command_line import CliRunner

SPEC = Path(__file__).parents[2] / "events" / "spec"


def run(*arguments):
    return CliRunner().invoke(app, ["menu", *map(str, arguments)])


@pytest.mark.parametrize("name", ["basic-structure", "simple", "complex", "curl"])
def test_the_specifications_requests_can_be_drawn_although_two_have_no_number(name):
    result = run("draw", SPEC / f"{name}.json")
    assert result.exit_code == 0
    assert "flowchart TD" in result.output
    assert '-- "1" -->' in result.output


def test_the_words_tell_the_menus_their_bounds_and_what_is_odd():
    result = run("explain", SPEC / "complex.json")
    assert result.exit_code == 0
    assert "Menu 1: the callee hears ivr_651854, and then has 10 s to press a key." in result.output
    assert "Menus: the shortest call asks 1, the longest 2, with 20 s of silence" in result.output
    assert "LIST_WITHOUT_END messages[0].menu[1].dtmfActions.d1" in result.output


@pytest.mark.parametrize(("action", "is_told"), [("hangup", True), ("optOut", False)])
def test_that_no_key_opts_out_is_told(tmp_path, action, is_told):
    file = tmp_path / "menu.json"
    file.write_text(json.dumps([{"introUrl": "a", "dtmfActions": {"d9": [{"action": action}]}}]))
    assert ("NO_OPT_OUT_KEY message.menu has no key with an optOut" in run("explain", file).output) == is_told


@pytest.mark.parametrize(
    "wrapped", [lambda menu: menu, lambda menu: {"menu": menu}, lambda menu: {"messages": [{"menu": menu}]}]
)
def test_a_menu_array_a_message_and_a_request_are_read(tmp_path, wrapped):
    file = tmp_path / "menu.json"
    file.write_text(json.dumps(wrapped([{"introUrl": "a", "dtmfActions": {"wrong": [{"action": "hangup"}]}}])))
    assert "Menu 0" in run("explain", file).output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not JSON"),
        ("{}", "The file holds neither"),
        (" " * 1024 * 1024 + "[]", "at most 1048576 can be taken"),
        ('{"messages": [5]}', "messages[0].menu"),
        ('[{"introUrl": "a", "dtmfActions": {"d1": [{"action": "jump"}]}}]', "message.menu[0].dtmfActions.d1[0]"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path, text, told):
    file = tmp_path / "menu.json"
    file.write_text(text)
    result = run("draw", file)
    assert result.exit_code == 1
    assert told in result.output
