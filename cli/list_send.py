"""`speechcall list send MENU.json people.csv --map to=COLUMN`: a call for each row of a table, by the API alone.

`speechcall list send FILE` sends the messages of a file as they stand there, in the same way. All are read, then all
are checked by the API, before anything is sent. What is sent goes a hundred at a time, each with an Idempotency-Key of
its own; so the same command again, after whatever interruption, sends nothing twice.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import Api, Stopped, Url, error_of, open_api
from cli.as_json import AsJson, show_json
from cli.exit_codes import FAILED, REFUSED, UNKNOWN
from cli.failures import Refusal, show_error
from cli.files import read_file
from cli.people import (
    FIELDS,
    Part,
    Unusable,
    WrongCell,
    message_for,
    more_than_once,
    parts_of,
    read_menu,
    read_people,
    read_request,
)
from cli.terminal import is_terminal, live_console, plain
from speechcall.money.rules.rate import ONE, as_text
from speechcall.shared.rules.json_text import MAX_JSON_BYTES

MOST_BYTES = 50 * 1024 * 1024
"""Of the table."""
MOST_SHOWN = 50
"""Wrong cells in words; `--json` has all."""

Menu = Annotated[
    Path,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A request; with a table: what everybody gets."),
]
Table = Annotated[
    Path | None, typer.Argument(metavar="[PEOPLE.csv]", exists=True, dir_okay=False, help="A row for each call.")
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="NAME=COLUMN", help="What a column of the table is: to=phone, order=Order."),
]
Campaign = Annotated[str | None, typer.Option(metavar="NAME", help="The campaign under which they are counted.")]
Again = Annotated[str, typer.Option(metavar="WORD", help="To send what was sent before once more, another word.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before calling.")]
opened: Callable[[str], Api] = open_api


@dataclass
class Tally:
    """What came of it so far."""

    word: str
    """What is counted: `row` of a table, or `message` of a file."""
    rows: int = 0
    """How many there are of those."""
    sent: int = 0
    """How many the API has accepted."""
    lists: list[str] = field(default_factory=list)
    """The `messagelistId` of each part that was sent."""
    wrong: list[WrongCell] = field(default_factory=list)

    def told(self, error: str | None = None) -> dict[str, Any]:
        """What came of it as JSON; `error`: why it was not done to the end."""
        cells = [{"row": one.row, "column": one.column, "message": one.why} for one in self.wrong]
        told = {"rows": self.rows, "sent": self.sent, "messagelistIds": self.lists, "wrong": cells}
        return {**told, "error": error} if error else told


def send(
    menu: Menu,
    url: Url,
    people: Table = None,
    columns: Map = None,
    campaign: Campaign = None,
    again: Again = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send the messages of a file, or one to everybody in a table.

    All are checked first; the same command again sends nothing twice.
    """
    tally, api, given = Tally("row" if people else "message"), opened(url), mapping_of(columns or [])
    try:
        job = read_job(tally, menu, people, given, campaign, again)
        _send(tally, api, job, yes=yes, as_json=as_json)
    except Unusable as error:
        raise typer.BadParameter(plain(f"{error}.")) from error
    except Refusal as error:
        _end(tally, as_json, str(error), error.status)
    except KeyboardInterrupt:
        _end(tally, as_json, "interrupted", UNKNOWN)
    else:
        _end(tally, as_json, None, 0)


@dataclass(frozen=True)
class Job:
    """What is sent: to whom, in which parts, and what a part's request is."""

    parts: Sequence[Part]
    body: Callable[[Part], bytes]
    """Makes the request of a part."""
    columns: dict[str, str]
    """From a field's name to the column's; empty: there is no table."""
    sender: str
    """As whom, in words."""
    more: int
    """Calls to a number that an earlier one has."""
    windows: Sequence[Any] = ()
    """When phones may ring, as the files write it; empty: they say nothing."""


def read_job(
    tally: Tally, menu: Path, people: Path | None, columns: dict[str, str], campaign: str | None, again: str
) -> Job:
    """What is to be sent, out of the files; `tally` is told how much that is, and what is wrong in it.

    `columns`: from a field's name to the column's. `again`: a word by which the same files get new Idempotency-Keys, so
    that they are sent once more. Raises Unusable, Refusal.
    """
    content = read_file(menu, MAX_JSON_BYTES if people else MOST_BYTES)
    choices = json.dumps([sorted(columns.items()), campaign, again]).encode()
    if people is None:
        if columns:
            raise Unusable("--map says what the columns of a table are, and no table was given")
        messages, everybody, envelope = read_request(content)
        tally.rows = len(everybody)
        envelope |= {"campaign": campaign} if campaign else {}

        def body_of(part: Part) -> bytes:
            return _body([messages[one.row - 1] for one in part.people], envelope)

        senders = {str(one.get("from")) for one in messages}
        sender = senders.pop() if len(senders) == 1 else f"{len(senders)} senders"
        double = len(messages) - len({str(one.get("to")) for one in messages})
        return Job(parts_of(everybody, [content, choices]), body_of, {}, sender, double, _windows(envelope, *messages))
    table = read_file(people, MOST_BYTES)
    message, outside = read_menu(content, columns)
    everybody, tally.wrong = read_people(table, columns)
    tally.rows = len(everybody)
    outside |= {"campaign": campaign} if campaign else {}

    def filled(part: Part) -> bytes:
        return _body([message_for(message, person.values) for person in part.people], outside)

    parts = parts_of(everybody, [content, table, choices])
    sender = str(message.get("from", "the table says"))
    return Job(parts, filled, columns, sender, more_than_once(everybody), _windows(outside, message))


def _windows(envelope: Any, *messages: Any) -> list[Any]:
    """The windows that the files give, with their time zones, each once: of each message its own, or those of all.

    They are only shown to who confirms the calls; the API obeys them. So what is ill-typed is left out here, for the
    API's check says where it is, and so is what comes behind the first MOST_SHOWN.
    """
    found: dict[str, Any] = {}
    for one in messages:
        given = one.get("windows") or envelope.get("windows")
        for window in given if isinstance(given, list) else ():
            if not isinstance(window, dict):
                continue
            shown = {**window, "timeZone": one.get("timeZone") or envelope.get("timeZone")}
            # By its text, so that a message costs the same however many came before it.
            found.setdefault(json.dumps(shown, sort_keys=True), shown)
            if len(found) == MOST_SHOWN:
                return list(found.values())
    return list(found.values())


def _send(tally: Tally, api: Api, job: Job, *, yes: bool, as_json: bool) -> None:
    """Checks all parts, asks whether to call, and sends them. `tally` is told what came of it.

    Raises Stopped: before anything is sent, where the check refuses anything or the answer is no; later, where some
    messages of a part are refused (all else is sent) or a part as a whole (those behind it are not sent).
    """
    moments: list[str] = []
    costs: list[Any] = []
    if not tally.wrong:
        for part, checked in _each(job.parts, "checked", as_json, lambda part: _check(api, part, job)):
            tally.wrong += rejected_cells(part, checked, job.columns)
            moments += [one["dialledFrom"] for one in checked["messages"] if "dialledFrom" in one]
            costs += [checked["cost"]] if "cost" in checked else []
    if tally.wrong:
        rows = len({one.row for one in tally.wrong})
        told = _counted(rows, f"{tally.word} is", f"{tally.word}s are")
        raise Stopped(f"{told} wrong; nothing was sent", REFUSED)
    _confirm(api, tally, job, min(moments, default=""), costs, yes=yes)
    for part, answer in _each(job.parts, "sent", as_json, lambda part: _post(api, part, job)):
        tally.wrong += rejected_cells(part, answer, job.columns)
        tally.sent += sum(one["status"] == "sent" for one in answer["messages"])
        tally.lists.append(answer["messagelistId"])
    if tally.wrong:
        raise Stopped(f"{len(tally.wrong)} {tally.word}s were refused when they were sent", REFUSED)


def mapping_of(given: Iterable[str]) -> dict[str, str]:
    """Names and their columns, as --map gives them. Raises BadParameter."""
    found: dict[str, str] = {}
    for one in given:
        name, separator, column = one.partition("=")
        if not separator or not name or not column.strip() or name in found:
            raise typer.BadParameter(f'--map is NAME=COLUMN, each name once, and not "{one}".')
        found[name] = column.strip()
    return found


def _body(messages: Sequence[Any], envelope: Any) -> bytes:
    return json.dumps({**envelope, "messages": messages}, ensure_ascii=False).encode()


def _check(api: Api, part: Part, job: Job) -> Any:
    return _asked(api, "/bat/messagelist/check", part, job, "")


def _post(api: Api, part: Part, job: Job) -> Any:
    return _asked(api, "/bat/messagelist", part, job, part.key)


def _asked(api: Api, path: str, part: Part, job: Job, key: str) -> Any:
    """The API's answer to a part. Raises Stopped where it refuses the part as a whole, with the first problem."""
    status, answer = api.ask("POST", path, job.body(part), has="messages", query={"strict": "true"}, key=key)
    if status == 200:
        return answer
    error = error_of(status, answer)
    places = [f"{one['path']} {one['message']}" for one in error.get("details", [])[:1]]
    range_ = f"(of {part.people[0].row} to {part.people[-1].row})"
    raise Stopped(" ".join([str(error["message"]), *places, range_]), REFUSED)


def rejected_cells(part: Part, answer: Any, columns: dict[str, str]) -> Iterator[WrongCell]:
    """What an answer says is wrong with the messages of a part. `columns`: from a field's name to the column's.

    What is in no column has its path in the message before the words, and "" as its column.
    """
    for person, one in zip(part.people, answer["messages"], strict=True):
        if one["status"] != "rejected":
            continue
        for place in one["error"].get("details") or [one["error"]]:
            # A message's own path (`messages[3].menu[0].url`) without its number, which is that of the request.
            path = place["path"].partition(".")[2]
            name = path.removeprefix("vars.")
            # What a column fills is a field of the message itself, or one of its `vars`; `fallback.text` is neither.
            filled = name in columns and (name in FIELDS) is (name == path)
            column, where = (columns[name], "") if filled else ("", f"{path} ")
            yield WrongCell(person.row, column, f"{where}{place['message']}".strip())


def _confirm(api: Api, tally: Tally, job: Job, first: str, costs: Sequence[Any], *, yes: bool) -> None:
    """Says who would be called, when and for how much, and asks whether to, unless `yes`.

    `first`: when the first phone may ring; empty: at once. `costs`: what the API says that each part costs. A key that
    may not read the account (403) is told less. Raises Stopped where the answer is no, BadParameter where nobody is
    there to be asked.
    """
    status, account = api.ask("GET", "/bat/account", has="limits")
    lines = [f"{tally.rows} calls as {job.sender}, the first {first or 'at once'}."]
    if status == 200:
        limits, used = account["limits"], account["usedToday"]
        own = [{**one, "timeZone": account.get("timeZone")} for one in account.get("windows") or ()]
        lines.append(f"Phones ring {_hours(job.windows or own)}.")
        lines.append(f"The account may make {limits['callsPerDay']} calls a day, and has made {used['calls']} today.")
        if used.get("spend") is not None:
            spent = (
                f"{_amount([used['spend']])} of {_amount([limits['spendPerDay']])} {account.get('costCurrency', '')}"
            )
            lines.append(f"It has spent {spent.rstrip()} today, with what calls that are up may cost.")
        if used.get("minutes") is not None:
            lines.append(
                f"It may talk for {limits['minutesPerDay']} minutes a day, and has for {used['minutes']} today."
            )
    if job.more:
        lines.append(
            f"{job.more} {tally.word}s have a number that another {tally.word} has too: these are called again."
        )
    lines.append(_told_costs(costs))
    typer.echo(plain("\n".join(lines)), err=True)
    if yes:
        return
    if not is_terminal():
        raise typer.BadParameter("nobody is there to be asked; --yes calls without a question.")
    if not typer.confirm("Call them?", err=True):
        raise Stopped("nothing was sent", FAILED)


def _told_costs(costs: Sequence[Any]) -> str:
    """What the parts cost by the API, all together, in a sentence. `costs`: empty: it has said nothing of that."""
    if not costs:
        return "What they cost is not known here."
    least, most = (_amount([one[name] for one in costs]) for name in ("ifAnswered", "atMost"))
    told = f"They cost {least} {costs[0]['currency']} if each is answered for a moment, and {most} at most"
    unpriced = sum(one.get("unpriced", 0) for one in costs)
    return f"{told}; {_counted(unpriced, 'call', 'calls')} without a price not counted." if unpriced else f"{told}."


def _amount(given: Iterable[float]) -> str:
    """The sum of amounts of the API, which are exact to the millionth, as text."""
    return as_text(sum(round(one * ONE) for one in given))


def _each(parts: Sequence[Part], word: str, as_json: bool, work: Callable[[Part], Any]) -> Iterator[tuple[Part, Any]]:
    """Each part with what `work` gives for it, done when the part is asked for; a bar shows how far that is.

    `word`: what is being done, behind the bar. With `as_json`, or without a terminal, there is no bar.
    """
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
    """Says what came of it. Raises Exit with `status` if it was not done to the end: `error` says why; None: it was."""
    if as_json:
        show_json(tally.told(error))
    else:
        for one in tally.wrong[:MOST_SHOWN]:
            column = f', column "{one.column}"' if one.column else ""
            typer.echo(plain(f"{tally.word} {one.row}{column}: {one.why}"), err=True)
        if len(tally.wrong) > MOST_SHOWN:
            typer.echo(f"… and {len(tally.wrong) - MOST_SHOWN} more: --json has all", err=True)
        if tally.sent or not error:
            typer.echo(f"{tally.sent} of {tally.rows} sent, in {_counted(len(tally.lists), 'list', 'lists')}.")
    if error:
        again = "; the same command goes on where it stopped" if status == UNKNOWN or tally.sent else ""
        if not as_json:
            show_error(f"{error.rstrip('.')}{again}.")
        raise typer.Exit(status)


def _hours(windows: Sequence[Any]) -> str:
    """When phones ring, in words; empty: at every hour. The API has looked at the windows before."""
    told = [
        " ".join(filter(None, [",".join(one.get("days") or ()), f"{one['from']}-{one['to']}", one.get("timeZone")]))
        for one in windows
    ]
    return " and ".join(told) if told else "at every hour"


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
