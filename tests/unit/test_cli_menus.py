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


def test_the_words_tell_when_the_phone_may_ring(tmp_path):
    file = tmp_path / "request.json"
    menu = {"menu": [{"introUrl": "a", "dtmfActions": {"wrong": [{"action": "hangup"}]}}]}
    windows = [{"from": "09:00", "to": "20:00", "days": ["mon", "tue", "wed"]}]
    messages = [menu, {**menu, "timeZone": "UTC", "notOn": ["2026-12-25"]}, {**menu, "windows": None, "sendAt": None}]
    beside = {"windows": windows, "timeZone": "recipient", "sendAt": "2026-10-01T09:00:00+03:00"}
    file.write_text(json.dumps({**beside, "messages": messages}))
    told = [line for line in run("explain", file).output.splitlines() if line.startswith("The phone")]
    at, rest = "from 2026-10-01T09:00:00+03:00 on", "The account's own hours and limits hold too."
    assert told == [
        f"The phone may ring only {at}; and only mon-wed 09:00-20:00 on the clock of the callee. {rest}",
        f"The phone may ring only {at}; and only mon-wed 09:00-20:00 on the clock of UTC, not on 2026-12-25. {rest}",
    ]
    file.write_text(json.dumps({"windows": [{"from": "9"}], "messages": [menu]}))
    result = run("explain", file)
    assert result.exit_code == 1
    assert "windows[0].from must be a time from 00:00 to 23:59" in result.output


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
