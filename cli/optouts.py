"""`speechcall optout …`: who does not want to be called, of one account."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import values
from cli.accounts import found as found_account
from cli.as_json import AsJson, show_json
from cli.changes import changing, in_threads
from cli.deployment import Deployment
from cli.failures import Refusal
from cli.files import read_file
from cli.table import show_table
from cli.target import on_deployment
from speechcall.menus.rules.menu import OWN_LIST
from speechcall.optouts.rules.opt_out import LIST_NAME, By, Consent, OptOut, ending_of
from speechcall.requests.use_cases.manage_opt_outs import describe, take_back
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.errors import ConsentRequired, NotFound
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.timing import utc_text
from speechcall.status.use_cases.export import without_formula

app = typer.Typer(no_args_is_help=True)

MOST_BYTES = 50 * 1024 * 1024
WORKERS = 16
PAGE = 100
MOST_SHOWN = 20
MOST_DAYS = 3650
_COLUMNS = (
    *("list", "digest", "ending", "optedOutAt", "by", "reason", "messageId"),
    *("removedAt", "consentBasis", "consentAt", "consentRef"),
)
_DAY_MSEC = 24 * 3600 * 1000


def _list_name(given: str) -> str:
    if given != OWN_LIST and not LIST_NAME.fullmatch(given):
        raise typer.BadParameter("a list's name has 1 to 64 letters, digits, _ and -.")
    return given


AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", callback=values.account_id, help="The account's id.")]
ListName = Annotated[
    str,
    typer.Option("--list", metavar="NAME", callback=_list_name, help="Which list; without it the account's own."),
]


@dataclass(frozen=True)
class Row:
    """A number of a file, and since when its person has opted out."""

    number: str
    since_msec: int


@app.command("import")
@on_deployment
@changing("optout import", "list_name", "max_age", "replace")
def import_(
    deployment: Deployment,
    account_id: AccountId,
    file: Annotated[Path, typer.Argument(help="CSV: a number a line, and after a comma its date if it is known.")],
    list_name: ListName = OWN_LIST,
    max_age: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_DAYS, metavar="DAYS", help="A register: for so many days the list may be used."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="From when the file is, of which --max-age counts; now.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove those of earlier files that this one does not have.")
    ] = False,
) -> None:
    """Add the numbers of a file. If a line is wrong, nothing is added."""
    found_account(deployment, account_id)
    now = SystemClock().now_msec()
    until = _holds_until(list_name, max_age, as_of, now)
    if until is not None and until <= now:
        raise Refusal(f"The file is older than {max_age} days, so nothing was added.")
    rows, wrong = read_rows(read_file(file, MOST_BYTES), now)
    if wrong:
        shown = "; ".join(wrong[:MOST_SHOWN])
        more = f"; and {len(wrong) - MOST_SHOWN} more" if len(wrong) > MOST_SHOWN else ""
        raise Refusal(f"The file {file.name} has {len(wrong)} wrong lines, so nothing was added: {shown}{more}.")
    if not rows:
        raise Refusal(f"The file {file.name} has no number, so nothing was changed.")
    store = deployment.opt_outs
    store.digest(rows[0].number)  # the key is made, or opened, once
    entries = [
        OptOut(list_name, store.digest(row.number), ending_of(row.number), row.since_msec, By.IMPORT) for row in rows
    ]
    added = sum(in_threads(lambda entry: store.add(account_id, entry), entries, WORKERS))
    typer.echo(f"{added} numbers were added to {_named(list_name, account_id)}.")
    if there := len(rows) - added:
        typer.echo(f"{there} stood there already, and stay as they were.")
    if replace:
        removed = _remove_all_but(deployment, account_id, list_name, {entry.digest for entry in entries}, now)
        typer.echo(f"{removed} of earlier files are not in this one, and were removed.")
    if until is not None:
        store.set_holds_until(account_id, list_name, until)
        typer.echo(f"The list holds until {utc_text(until)}; then messages that name it are refused.")


def _holds_until(list_name: str, max_age: int | None, as_of: str | None, now_msec: int) -> int | None:
    """Until when (epoch milliseconds) a list may be used that is imported now; None: for ever. The moment may be over.

    `max_age`: --max-age, in days, counted from when the file was made. `as_of`: --as-of, which says when that was;
    without it: now. None: not given. Raises BadParameter for what does not go together, and for an `as_of` that is
    wrong or in the future.
    """
    if max_age is None:
        if as_of is not None:
            raise typer.BadParameter("--as-of goes with --max-age.")
        return None
    if list_name == OWN_LIST:
        raise typer.BadParameter("--max-age goes with --list: the account's own list has no age.")
    made_msec = now_msec if as_of is None else _moment(as_of)
    if made_msec is None or made_msec > now_msec:
        raise typer.BadParameter("--as-of is a day or a moment in the past: 2026-11-30 or 2026-11-30T09:00:00Z.")
    return made_msec + max_age * _DAY_MSEC


def _remove_all_but(deployment: Deployment, account_id: str, list_name: str, kept: set[str], now_msec: int) -> int:
    """Takes back what files have brought to a list, but for the digests `kept`; how many that were.

    What callees, the API and operators did stays, and so does what has changed since it was read here.
    """
    store = deployment.opt_outs
    gone = [
        one
        for one in _all(deployment, account_id, list_name, all_=False)
        if one.by is By.IMPORT and one.digest not in kept
    ]
    return sum(in_threads(lambda one: store.remove(account_id, one, None, now_msec), gone, WORKERS))


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    account_id: AccountId,
    list_name: Annotated[
        str | None,
        typer.Option("--list", metavar="NAME", help="Of this list alone; empty: of the account's own."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List those who have opted out. Numbers are not kept: their last two digits are shown."""
    found_account(deployment, account_id)
    rows = [_row(one) for one in _all(deployment, account_id, list_name, all_=False)]
    if as_json:
        show_json(rows)
    else:
        show_table(rows, {"optedOutAt": "opted out", "messageId": "message"}, "Nobody has opted out.")


@app.command()
@on_deployment
def export(deployment: Deployment, account_id: AccountId, as_json: AsJson = False) -> None:
    """Write all entries as CSV, also those that were removed, with their consents and digests."""
    found_account(deployment, account_id)
    if as_json:
        show_json([_described(one) for one in _all(deployment, account_id, None, all_=True)])
        return
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in _all(deployment, account_id, None, all_=True):
        told, free = _cells(one)
        writer.writerow([*told, *map(without_formula, free)])
    typer.echo(text.getvalue(), nl=False)


def _cells(one: OptOut) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands under _COLUMNS, in two parts: the first five, which we make; the rest, some of which others wrote.

    Only the second part may hold what a spreadsheet would take for a formula.
    """
    consent = one.consent or Consent("", "", "")
    removed = utc_text(one.removed_msec) if one.removed_msec is not None else ""
    told = (one.list_name, one.digest, one.ending, utc_text(one.since_msec), one.by.value)
    return told, (one.reason or "", one.mid or "", removed, consent.basis, consent.at, consent.ref)


def _described(one: OptOut) -> dict[str, str]:
    """An entry by the names of the CSV's columns; what is empty there is left out."""
    told, free = _cells(one)
    return {name: cell for name, cell in zip(_COLUMNS, (*told, *free), strict=True) if cell}


@app.command()
@on_deployment
@changing("optout remove")
def remove(
    deployment: Deployment,
    account_id: AccountId,
    number: Annotated[str, typer.Argument(help='The number; "-": it is read from the input, and in no history.')],
    list_name: ListName = OWN_LIST,
    basis: Annotated[str | None, typer.Option(help="The consent: on which ground, such as form.")] = None,
    at: Annotated[str | None, typer.Option(help="Since when: RFC 3339, such as 2026-11-30T09:00:00Z.")] = None,
    ref: Annotated[str | None, typer.Option(help="Where the proof is.")] = None,
) -> None:
    """Take an opt-out back. One that the callee made needs a consent: --basis, --at and --ref."""
    found_account(deployment, account_id)
    e164 = to_e164((sys.stdin.readline() if number == "-" else number).strip())
    if e164 is None:
        raise typer.BadParameter("a number is in international format, such as +380671234567.")
    given = [value for value in (basis, at, ref) if value]
    if given and len(given) < 3:
        raise typer.BadParameter("a consent has all three: --basis, --at and --ref.")
    if at and to_msec(at) is None:
        raise typer.BadParameter("--at is a moment with its offset, such as 2026-11-30T09:00:00Z.")
    consent = Consent(*given) if given else None
    store = deployment.opt_outs
    try:
        now = SystemClock().now_msec()
        removed = take_back(account_id, list_name, store.digest(e164), consent, store=store, now_msec=now)
    except NotFound as error:
        raise Refusal(f"This number is not on {_named(list_name, account_id)}.") from error
    except ConsentRequired as error:
        why = "The consent is from before" if consent else "Say with --basis, --at and --ref why you may call"
        raise Refusal(f"The callee has opted out by a key. {why}.") from error
    typer.echo(f"The number that ends in {removed.ending} may be called again, as far as this list goes.")


def read_rows(content: bytes, now_msec: int) -> tuple[list[Row], list[str]]:
    """The rows of a file, and what is wrong with it, by line. A number that is there twice has its last row.

    A number without a date has opted out now. The first line may be a heading; empty lines are passed over.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], [f"line {line}: no UTF-8"]
    rows, wrong = [], []
    for line, fields in enumerate(csv.reader(StringIO(text)), 1):
        cells = [cell.strip() for cell in fields]
        if not any(cells) or (line == 1 and cells[0].lower() in ("number", "phone", "to")):
            continue
        row = _read_row(cells, now_msec)
        if isinstance(row, Row):
            rows.append(row)
        else:
            wrong.append(f"line {line}: {row}")
    return list({row.number: row for row in rows}.values()), wrong


def _read_row(cells: list[str], now_msec: int) -> Row | str:
    """A line's row, or in words what is wrong with it: without the number, for what is printed may be kept."""
    number = to_e164(cells[0])
    if number is None:
        return "no number in international format, such as +380671234567"
    if len(cells) > 2:
        return f"{len(cells)} columns; a number and its date would be right"
    if len(cells) < 2 or not cells[1]:
        return Row(number, now_msec)
    since = _moment(cells[1])
    if since is None:
        return "a date is 2026-11-30 or 2026-11-30T09:00:00Z"
    # A day is given in UTC; where the clocks are ahead of it, today may begin up to 14 hours from now.
    if since > now_msec + _DAY_MSEC:
        return "its date is in the future"
    return Row(number, since)


def _moment(text: str) -> int | None:
    """Epoch milliseconds of a moment with its offset, or of the begin of a day (UTC); None: it is neither."""
    if (msec := to_msec(text)) is not None:
        return msec
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _all(deployment: Deployment, account_id: str, list_name: str | None, *, all_: bool) -> Iterator[OptOut]:
    """The opt-outs of a list, or (None) of all lists of an account. `all_`: those that were taken back too."""
    cursor = None
    while True:
        page = deployment.opt_outs.page(account_id, list_name, PAGE, cursor, all_=all_)
        yield from page.found
        if (cursor := page.cursor) is None:
            return


def _row(opt_out: OptOut) -> dict[str, Any]:
    entry = describe(opt_out)
    return {
        **{name: entry[name] for name in ("list", "ending", "optedOutAt", "by")},
        "reason": opt_out.reason,
        "messageId": opt_out.mid,
    }


def _named(list_name: str, account_id: str) -> str:
    return f"the list {list_name} of {account_id}" if list_name else f"the own list of {account_id}"
