"""`speechcall menu`: a picture and words for the menus of a file."""

import json
import re
from pathlib import Path

import pytest

from cli.main import app
from cli.menu_files import read_menus
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
    assert result.exit_code == 3
    assert "windows[0].from must be a time from 00:00 to 23:59" in result.output


@pytest.mark.parametrize(
    "wrapped", [lambda menu: menu, lambda menu: {"menu": menu}, lambda menu: {"messages": [{"menu": menu}]}]
)
def test_a_menu_array_a_message_and_a_request_are_read(tmp_path, wrapped):
    file = tmp_path / "menu.json"
    file.write_text(json.dumps(wrapped([{"introUrl": "a", "dtmfActions": {"wrong": [{"action": "hangup"}]}}])))
    assert "Menu 0" in run("explain", file).output


def test_the_menus_that_messages_share_are_told_with_what_each_message_has_in_them(tmp_path):
    file = tmp_path / "request.json"
    said = {"introUrl": "https://a.example/{{order}}.mp3", "dtmfActions": {"wrong": [{"action": "hangup"}]}}
    own = {"menu": [{**said, "introUrl": "own"}]}
    file.write_text(json.dumps({"menus": [said], "messages": [{"vars": {"order": "4 071"}}, own]}))
    assert [one.menus[0].intro for one in read_menus(file)] == ["https://a.example/4%20071.mp3", "own"]
    assert "messages[0]\n\nMenu 0: the callee hears audio from a.example," in run("explain", file).output
    for messages, path in (
        ([{}], "messages[0].vars.order"),
        ([{"vars": {"order": "1", "x": "1"}}], "messages[0].vars.x"),
    ):
        file.write_text(json.dumps({"menus": [said], "messages": messages}))
        told = run("explain", file)
        assert (told.exit_code, path in told.output) == (3, True)
    file.write_text(json.dumps({"menus": [{"introUrl": "{{order}}", "dtmfActions": {}}], "messages": [{}]}))
    assert "menus[0].introUrl has a name, and is no URL" in run("explain", file).output


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
    assert result.exit_code == 3
    assert told in result.output


# ------------------------------------------------------------------ prove, compare
HANGUP = {"action": "hangup"}
HOOK = {"action": "webhook", "url": "https://shop.example/confirmed"}
MENU = [{"introUrl": "welcome", "dtmfActions": {"d1": [HOOK, HANGUP], "wrong": [HANGUP]}}]
LOOP = [{"introUrl": "welcome", "dtmfActions": {"d1": [HANGUP], "wrong": [{"action": "gotoMenu", "menu": 0}]}}]
KEPT, BROKEN = {"never": {"webhook": "*/confirmed", "by": "wrong"}}, {"never": {"webhook": "*/confirmed"}}
LATE = {"always": {"callSeconds": "<= 12"}}


@pytest.fixture
def file(tmp_path):
    """Writes a value as JSON to a new file."""
    numbers = iter(range(10))

    def write(value):
        made = tmp_path / f"file{next(numbers)}.json"
        made.write_text(value if isinstance(value, str) else json.dumps(value))
        return made

    return write


@pytest.mark.parametrize(
    ("promises", "options", "status"),
    [
        ([KEPT], [], 0),
        ({"promises": [KEPT]}, [], 0),
        ([KEPT, LATE, BROKEN], [], 1),
        ([KEPT, LATE], [], 4),
        ([LATE], ["--length", "welcome=2"], 0),
        ([LATE], ["--length", "welcome=2.5"], 1),
    ],
)
def test_a_proof_ends_with_a_status_that_says_what_came_of_it(file, promises, options, status):
    assert run("prove", file(MENU), "--promises", file(promises), *options).exit_code == status


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--pack", "ends-within-three-menus"], 0, 'proved     {"pack":"ends-within-three-menus"}'),
        (["--pack", "opt-out-in-every-menu"], 1, "menu 0 is asked, in which no key leads to an opt-out [menu[0]]"),
        (["--pack", "no-confirmation-without-a-key", "--pack", "opt-out-in-every-menu"], 1, "  proved     "),
        (["--pack", "opt-out-in-all"], 3, "INVALID_PROMISE: opt-out-in-all must be the name of a pack: "),
        (["--pack", "opt-out-in-every-menus"], 3, "did you mean opt-out-in-every-menu?"),
        ([], 2, "give --promises FILE, --pack NAME, or both"),
    ],
)
def test_a_pack_is_proved_by_its_name(file, options, status, told):
    result = run("prove", file(MENU), *options)
    assert result.exit_code == status
    assert told in result.output


def test_packs_are_proved_together_with_a_file(file):
    result = run("prove", file(MENU), "--promises", file([KEPT]), "--pack", "ends-within-three-menus", "--json")
    assert [row["result"] for row in json.loads(result.output)] == ["proved", "proved"]


def test_a_proof_goes_by_the_messages_own_silent_repeats_and_the_stacks_limits(file):
    silent = file([{"never": {"ends": "silence"}}])
    rows = [
        json.loads(run("prove", file(given), "--promises", silent, "--length", "welcome=2", "--json", *options).output)
        for given, options in (
            ({"menu": LOOP}, []),
            ({"menu": LOOP, "silentRepeats": 0}, []),
            ({"menu": LOOP}, ["--silent-repeats", "4"]),
            ({"menu": LOOP}, ["--max-menus", "2"]),
        )
    ]
    assert [len(row[0].get("counterexample", {}).get("keys", ())) for row in rows] == [3, 1, 5, 0]
    assert rows[3][0]["message"].startswith("holds in every call of at most 2 menus")


@pytest.mark.parametrize(
    ("promises", "told"),
    [
        ("{", "is not JSON"),
        (
            [{"never": {"webhok": "*"}}],
            "INVALID_PROMISE promises[0].never.webhok is not known here; did you mean webhook?",
        ),
        ({"promises": []}, "promises must be an array of 1 to 20 promises"),
    ],
)
def test_promises_that_cannot_be_read_are_told_with_their_place(file, promises, told):
    result = run("prove", file(MENU), "--promises", file(promises))
    assert result.exit_code == 3
    assert told in result.output


@pytest.mark.parametrize(
    "length", ["welcome", "welcome=", "=3", "welcome=301", "welcome=-1", "welcome=1e2", "welcome=.5"]
)
def test_a_length_is_a_name_and_seconds(file, length):
    assert run("prove", file(MENU), "--promises", file([KEPT]), "--length", length).exit_code == 2


def test_a_comparison_ends_with_a_status_that_says_what_came_of_it(file):
    other = [{**MENU[0], "introUrl": "hello"}]
    assert run("compare", file(MENU), file({"menu": MENU})).exit_code == 0
    differs = run("compare", file(MENU), file(other))
    assert differs.exit_code == 1
    assert "menu 0 plays welcome and waits 10 s; the new menu 0 plays hello and waits 10 s" in differs.output
    assert run("compare", file(MENU), file(other), "--renamed", "welcome=hello").exit_code == 0
    assert run("compare", file(MENU), file(other), "--renamed", "welcome").exit_code == 2
    repeats = run("compare", file({"menu": LOOP}), file({"menu": LOOP, "silentRepeats": 3}), "--json")
    assert [row["kind"] for row in json.loads(repeats.output)] == ["leads"]


def test_files_with_other_numbers_of_messages_cannot_be_compared(file):
    result = run("compare", file({"messages": [{"menu": MENU}] * 2}), file(MENU))
    assert result.exit_code == 3
    assert "MENUS_NOT_COMPARABLE: file0.json has 2 messages and file1.json 1 message" in result.output


def test_what_the_commands_say_of_files_is_on_the_page(file):
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## What the command says of files")
    shown = re.findall(r"^    (Error: .*(?:\n      .*)*)$", section.partition("\n## ")[0], re.MULTILINE)
    unread = run("prove", file(MENU), "--promises", file([{"never": {"webhok": "*"}}])).output
    unknown = run("prove", file(MENU), "--pack", "opt-out-in-every-menus").output
    apart = run("compare", file({"messages": [{"menu": MENU}] * 2}), file(MENU)).output
    names = {"file1.json": "promises.json", "file3.json": "old.json", "file4.json": "new.json"}
    said = "\n".join((unread.strip(), unknown.strip(), apart.strip()))
    for ours, theirs in names.items():
        said = said.replace(ours, theirs)
    assert said == "\n".join(shown).replace("\n    ", "\n")
