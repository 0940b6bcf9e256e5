"""A list's or a campaign's messages as a table: comma-separated for spreadsheets, or JSON lines for programs. Pure.

The columns that we make (ids, numbers, times, counts) are never altered. Free text of the sender's that a spreadsheet
would take for a formula gets an apostrophe before it, in CSV alone: what begins with `=`, `+`, `-`, `@`, a tab or a
line break; and what begins with an apostrophe, so that taking one away always gives back what was written. (OWASP, "CSV
Injection".)
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from speechcall.messages.rules.stops import Held
from speechcall.money.rules.rate import ONE, as_text
from speechcall.status.use_cases.status import History, describe_message

COLUMNS: Final = (
    *("messagelistId", "messageId", "customerMessageId", "campaign", "from", "recipient", "text", "deliverystatus"),
    *("outcome", "endReason", "acceptedAt", "finishedAt", "attempts", "answeredAt", "durationSec", "keys", "fallback"),
    "simulated",
    *("consentBasis", "consentAt", "consentRef"),
    *("cost", "costCurrency"),
)
"""Of each row, in their order; the members of each JSON line. New ones come behind these."""
FREE_TEXT: Final = frozenset({"customerMessageId", "campaign", "from", "text", "consentBasis", "consentRef"})
_A_FORMULA: Final = re.compile(r"(?:^|[;\t\r\n])\s*[=+\-@]|^[\t\r\n']")
"""Also behind a semicolon: that separates cells where a comma is the decimal point, in Ukraine and most of Europe."""


class Format(StrEnum):
    """In which form an export is given."""

    CSV = "csv"
    JSONL = "jsonl"


def row_of(history: History, now_msec: int, held: Held) -> dict[str, Any]:
    """A message as a row: what its status says at a moment, in short. `held`: what may stop it (`held_of`)."""
    status = describe_message(history, now_msec, held)
    call, consent = status["call"], status.get("consent")
    return {
        "messagelistId": status["messagelistId"],
        "messageId": status["messageId"],
        "customerMessageId": status.get("customerMessageId"),
        "campaign": status.get("campaign"),
        "from": history.message.sender,
        "recipient": status["recipient"],
        "text": status["text"],
        "deliverystatus": status["deliverystatus"],
        "outcome": call["outcome"],
        "endReason": call["endReason"],
        "acceptedAt": call["acceptedAt"],
        "finishedAt": call["finishedAt"],
        "attempts": len(call["attempts"]),
        "answeredAt": call["answeredAt"],
        "durationSec": call["durationSec"],
        "keys": [f"{step['menu']}:{step['heard']}" for step in call["path"]],
        "fallback": status["fallbacks"][0]["status"] if "fallbacks" in status else None,
        "simulated": status.get("simulated", False),
        "consentBasis": consent["basis"] if consent else None,
        "consentAt": consent["at"] if consent else None,
        "consentRef": consent["ref"] if consent else None,
        "cost": status.get("cost"),
        "costCurrency": status.get("costCurrency"),
    }


def render(rows: Sequence[dict[str, Any]], form: Format, *, begins: bool) -> str:
    """Rows as text. `begins`: it is the first page, which names the columns, where the form has such."""
    if form is Format.JSONL:
        return "".join(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # RFC 4180: lines end in CR LF, quotes are doubled
    if begins:
        writer.writerow(COLUMNS)
    writer.writerows([_cell(name, row[name]) for name in COLUMNS] for row in rows)
    return text.getvalue()


def _cell(name: str, value: Any) -> str:
    """A value of a column as the text of a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    if name == "cost":
        return as_text(round(value * ONE))  # without an exponent
    if isinstance(value, bool):
        return str(value).lower()
    return without_formula(str(value)) if name in FREE_TEXT else str(value)


def without_formula(text: str) -> str:
    """Free text for a cell of CSV: with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _A_FORMULA.search(text) else text
