"""`speechcall list send MENU.json people.csv --map to=COLUMN`: a call for each row of a table, by the API alone.

All rows are read, then all are checked by the API, before anything is sent. What is sent goes a hundred rows at a time,
each with an Idempotency-Key of its own; so the same command again, after whatever interruption, sends nothing twice.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import FAILED, REFUSED, UNKNOWN, Api, Stopped, Url, open_api
from cli.failures import Refusal
from cli.files import read_file
from cli.people import Part, Person, Unusable, WrongCell, message_for, more_than_once, parts_of, read_menu, read_people
from cli.terminal import live_console, plain
from speechcall.shared.rules.json_text import MAX_JSON_BYTES

MOST_BYTES = 50 * 1024 * 1024
"""Of the table."""
MOST_SHOWN = 50
"""Wrong cells in words; `--json` has all."""

Menu = Annotated[
    Path, typer.Argument(metavar="MENU.json", exists=True, dir_okay=False, help="The message for everybody.")
]
Table = Annotated[Path, typer.Argument(metavar="PEOPLE.csv", exists=True, dir_okay=False, help="A row for each call.")]
Map = Annotated[
    list[str], typer.Option("--map", metavar="NAME=COLUMN", help="What a column is: to=phone, order=Order.")
]
Campaign = Annotated[str | None, typer.Option(metavar="NAME", help="The campaign under which they are counted.")]
Again = Annotated[str, typer.Option(metavar="WORD", help="To send what was sent before once more, another word.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before calling.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
opened: Callable[[str], Api] = open_api


@dataclass
class Tally:
    """What came of it."""

    rows: int = 0
    sent: int = 0
    lists: list[str] = field(default_factory=list)
    wrong: list[WrongCell] = field(default_factory=list)

    def told(self, error: str | None = None) -> dict[str, Any]:
        """For programs."""
        cells = [{"row": one.row, "column": one.column, "message": one.why} for one in self.wrong]
        told = {"rows": self.rows, "sent": self.sent, "messagelistIds": self.lists, "wrong": cells}
        return {**told, "error": error} if error else told


def send(
    menu: Menu,
    people: Table,
    url: Url,
    columns: Map,
    campaign: Campaign = None,
    again: Again = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Call everybody in a table. All rows are checked first; the same command again sends nothing twice."""
    tally = Tally()
    try:
        _send(tally, opened(url), menu, people, _mapping(columns), campaign, again, yes=yes, as_json=as_json)
    except Unusable as error:
        raise typer.BadParameter(plain(f"{error}.")) from error
    except Refusal as error:
        _end(tally, as_json, str(error), FAILED)
    except Stopped as error:
        _end(tally, as_json, str(error), error.status)
    except KeyboardInterrupt:
        _end(tally, as_json, "interrupted", UNKNOWN)
    else:
        _end(tally, as_json, None, 0)


def _send(
    tally: Tally,
    api: Api,
    menu: Path,
    people: Path,
    columns: dict[str, str],
    campaign: str | None,
    again: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    template, table = read_file(menu, MAX_JSON_BYTES), read_file(people, MOST_BYTES)
    message, envelope = read_menu(template, columns)
    everybody, tally.wrong = read_people(table, columns)
    tally.rows = len(everybody)
    if campaign:
        envelope["campaign"] = campaign
    seed = [template, table, json.dumps([sorted(columns.items()), campaign, again]).encode()]
    parts = parts_of(everybody, seed)
    moments: list[str] = []
    if not tally.wrong:
        for part, checked in _each(parts, "checked", as_json, lambda part: _check(api, part, message, envelope)):
            tally.wrong += _rejected(part, checked, columns)
            moments += [one["dialledFrom"] for one in checked["messages"] if "dialledFrom" in one]
    if tally.wrong:
        rows = len({one.row for one in tally.wrong})
        raise Stopped(f"{_counted(rows, 'row is', 'rows are')} wrong; nothing was sent", REFUSED)
    _confirm(api, everybody, message, min(moments, default=""), yes=yes)
    for part, answer in _each(parts, "sent", as_json, lambda part: _post(api, part, message, envelope)):
        tally.wrong += _rejected(part, answer, columns)
        tally.sent += sum(one["status"] == "sent" for one in answer["messages"])
        tally.lists.append(answer["messagelistId"])
    if tally.wrong:
        raise Stopped(f"{len(tally.wrong)} rows were refused when they were sent", REFUSED)


def _mapping(given: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, separator, column = one.partition("=")
        if not separator or not name or not column.strip() or name in found:
            raise typer.BadParameter(f'--map is NAME=COLUMN, each name once, and not "{one}".')
        found[name] = column.strip()
    return found


def _body(part: Part, message: Any, envelope: Any) -> bytes:
    messages = [message_for(message, person.values) for person in part.people]
    return json.dumps({**envelope, "messages": messages}, ensure_ascii=False).encode()


def _check(api: Api, part: Part, message: Any, envelope: Any) -> Any:
    query = {"strict": "true"}
    status, answer = api.ask("POST", "/bat/messagelist/check", _body(part, message, envelope), query=query)
    return _or_stopped(status, answer)


def _post(api: Api, part: Part, message: Any, envelope: Any) -> Any:
    query = {"strict": "true"}
    status, answer = api.ask("POST", "/bat/messagelist", _body(part, message, envelope), query=query, key=part.key)
    return _or_stopped(status, answer)


def _or_stopped(status: int, answer: Any) -> Any:
    """The answer. Raises Stopped where the request as a whole was refused, with its first problem."""
    if status == 200:
        return answer
    error = answer.get("error", {}) if isinstance(answer, dict) else {}
    places = [f"{one['path']} {one['message']}" for one in error.get("details", [])[:1]]
    raise Stopped(" ".join([str(error.get("message", f"the API answers {status}")), *places]), REFUSED)


def _rejected(part: Part, answer: Any, columns: dict[str, str]) -> Iterator[WrongCell]:
    for person, one in zip(part.people, answer["messages"], strict=True):
        if one["status"] != "rejected":
            continue
        for place in one["error"].get("details") or [one["error"]]:
            name = place["path"].rpartition(".")[2]
            yield WrongCell(
                person.row, columns.get(name, ""), f"{'' if name in columns else name + ' '}{place['message']}"
            )


def _confirm(api: Api, everybody: Sequence[Person], message: Any, first: str, *, yes: bool) -> None:
    status, account = api.ask("GET", "/bat/account")
    lines = [f"{len(everybody)} calls as {message.get('from', 'the table says')}, the first {first or 'at once'}."]
    if status == 200:
        limits, used = account["limits"], account["usedToday"]["calls"]
        lines.append(f"The account may make {limits['callsPerDay']} calls a day, and has made {used} today.")
    if double := more_than_once(everybody):
        lines.append(f"{double} rows have a number that another row has too: these are called again.")
    lines.append("What they cost is not known here.")
    typer.echo(plain("\n".join(lines)), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked; --yes calls without a question.")
    if not typer.confirm("Call them?", err=True):
        raise Stopped("nothing was sent", FAILED)


def _each(parts: Sequence[Part], word: str, as_json: bool, work: Callable[[Part], Any]) -> Iterator[tuple[Part, Any]]:
    """Each part with what came of it; a bar shows how far that is."""
    console = None if as_json else live_console()
    if console is None:
        yield from ((part, work(part)) for part in parts)
        return
    with Progress(BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task(word, total=sum(len(part.people) for part in parts))
        for part in parts:
            yield part, work(part)
            bar.update(task, advance=len(part.people))


def _end(tally: Tally, as_json: bool, error: str | None, status: int) -> None:
    if as_json:
        typer.echo(json.dumps(tally.told(error), indent=2, ensure_ascii=False))
    else:
        for one in tally.wrong[:MOST_SHOWN]:
            column = f', column "{one.column}"' if one.column else ""
            typer.echo(plain(f"row {one.row}{column}: {one.why}"), err=True)
        if len(tally.wrong) > MOST_SHOWN:
            typer.echo(f"… and {len(tally.wrong) - MOST_SHOWN} more: --json has all", err=True)
        if tally.sent or not error:
            typer.echo(f"{tally.sent} of {tally.rows} sent, in {_counted(len(tally.lists), 'list', 'lists')}.")
    if error:
        again = "; the same command goes on where it stopped" if status == UNKNOWN or tally.sent else ""
        if not as_json:
            typer.echo(plain(f"Error: {error[:1].upper()}{error[1:].rstrip('.')}{again}."), err=True)
        raise typer.Exit(status)


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
