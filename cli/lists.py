"""`speechcall list watch` and `list export`: how far lists have come, and what has become of their messages."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli import list_compare, list_rehearse, list_send, values
from cli.api import Api
from cli.as_json import AsJson
from cli.deployment import Deployment
from cli.made_lists import made_list
from cli.target import on_api_or_deployment, on_deployment
from cli.terminal import live_console
from speechcall.messages.rules.estimates import estimate
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Capacity
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.use_cases.export import Format, render, row_of
from speechcall.status.use_cases.status import Summary, as_of

app = typer.Typer(no_args_is_help=True)

MOST_READ = 100
"""Messages in one request."""

ListIds = Annotated[
    list[str],
    typer.Argument(metavar="ID...", callback=values.list_ids, help="messagelistId; several are watched as one."),
]
Interval = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")]


@app.callback()
def _lists() -> None:
    """Message lists, as they go."""


app.command()(list_compare.compare)
app.command("send")(list_send.send)
app.command("rehearse")(list_rehearse.rehearse)


@app.command()
@on_deployment
def watch(deployment: Deployment, ids: ListIds, interval: Interval = 3.0, as_json: AsJson = False) -> None:
    """Show the progress of message lists until every message has ended: outcomes, and an estimate of the rest."""
    lists = _found(deployment, ids)
    clock, tally = SystemClock(), Tally([mid for made in lists for mid in made.message_ids], lists)
    if not as_json and (console := live_console()):
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=tally.total)
            while _look(deployment, tally, clock):
                bar.update(task, completed=tally.finished, description=tally.in_words)
                clock.sleep(interval)
            bar.update(task, completed=tally.finished, description=tally.in_words)
        return
    said = ""
    while _look(deployment, tally, clock):
        if (line := tally.progress(as_json=as_json)) != said:
            typer.echo(said := line)
        clock.sleep(interval)
    typer.echo(tally.progress(as_json=as_json))


@app.command()
@on_api_or_deployment
def export(
    place: Api | Deployment,
    list_id: Annotated[str, typer.Argument(metavar="ID", callback=values.list_id, help="messagelistId.")],
    form: Annotated[
        Format | None,
        typer.Option("--format", show_default=Format.CSV.value, help="For spreadsheets, or for programs."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what has become of a list's messages to the standard output, as the API's export does.

    --json is --format jsonl: a line for each message.
    """
    if as_json and form is Format.CSV:
        raise typer.BadParameter("give either --json, which is --format jsonl, or --format csv.")
    form = form or (Format.JSONL if as_json else Format.CSV)
    if isinstance(place, Api):
        text = place.text(f"/bat/messagelist/{list_id}/export", {"format": form.value})
    else:
        text = _exported(place, list_id, form)
    # In bytes: the lines of CSV end as they do, whatever the system's own end is.
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def _exported(deployment: Deployment, list_id: str, form: Format) -> str:
    """The export of a list, as text, without messages that are deleted already. A bar shows how far it is.

    Raises Refusal where there is no such list.
    """
    found = made_list(deployment, list_id)
    console = Console(stderr=True)
    with Progress(BarColumn(), MofNCompleteColumn(), console=console, disable=not console.is_terminal) as bar:
        read = map(deployment.history.read, bar.track(found.message_ids))
        histories = [history for history in read if history]
    # An account's urgent messages and its others are stopped together, so the first message stands for all.
    is_urgent = bool(histories) and histories[0].message.is_urgent
    held = deployment.stops.held(found.account_id, found.list_id, found.campaign, is_urgent=is_urgent)
    now = SystemClock().now_msec()
    return render([row_of(one, now, held) for one in histories], form, begins=True)


@dataclass
class Tally:
    """Where the messages of lists stand. Those that have ended are not looked at again."""

    unfinished: Sequence[str]
    """The ids of those that have not ended; at first all."""
    lists: Sequence[MessageList] = ()
    total: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """How many have ended how; `deleted` are those that are there no more."""
    calling: int = 0
    """How many are in calls; or just after one, until it is known how that ended."""
    left_seconds: int | None = 0
    """Until all have ended, about; None: never, for one of the lists is not dialled."""

    def __post_init__(self) -> None:
        self.total = len(self.unfinished)

    @property
    def finished(self) -> int:
        """How many have ended."""
        return self.total - len(self.unfinished)

    def progress(self, *, as_json: bool) -> str:
        """How far the messages are, in one line: for people, or (`as_json`) for programs."""
        if not as_json:
            return f"{self.finished} of {self.total} done: {self.in_words}"
        waiting = len(self.unfinished) - self.calling
        found: dict[str, Any] = {"messages": self.total, "finished": self.finished, "outcomes": dict(self.outcomes)}
        return json.dumps({**found, "waiting": waiting, "inCalls": self.calling, "secondsLeft": self.left_seconds})

    @property
    def in_words(self) -> str:
        """What the messages have come to, and how long the rest may take, in words."""
        parts = [f"{outcome} {count}" for outcome, count in sorted(self.outcomes.items())]
        if waiting := len(self.unfinished) - self.calling:
            parts.append(f"waiting {waiting}")
        if self.calling:
            parts.append(f"in calls {self.calling}")
        if self.unfinished:
            parts.append(_roughly(self.left_seconds))
        return ", ".join(parts)

    def take(self, found: Sequence[Summary]) -> None:
        """Takes in where the unfinished messages stand. Those that `found` lacks have been deleted."""
        ended = [one for one in found if one.state is State.FINISHED]
        # Every finished message has an outcome: `or "failed"` is for the type.
        self.outcomes.update(one.outcome or "failed" for one in ended)
        if gone := len(self.unfinished) - len(found):
            self.outcomes["deleted"] += gone
        self.calling = sum(one.state in (State.CALLING, State.SETTLING) for one in found)
        self.unfinished = [one.mid for one in found if one.state is not State.FINISHED]


def _found(deployment: Deployment, ids: Sequence[str]) -> list[MessageList]:
    return [made_list(deployment, list_id) for list_id in dict.fromkeys(ids)]


def _look(deployment: Deployment, tally: Tally, clock: SystemClock) -> bool:
    """Looks once where the unfinished messages stand, and tells `tally`. False: all have ended.

    The estimate (`left_seconds`) is made again each time; until a dialler has run it stays as it is, since how many
    lines the stack has is not known.
    """
    found: list[Summary] = []
    for first in range(0, len(tally.unfinished), MOST_READ):
        found += deployment.history.summaries(tally.unfinished[first : first + MOST_READ])
    tally.take([as_of(clock.now_msec(), one) for one in found])
    if not tally.unfinished:
        return False
    state = deployment.lines.read()
    if state.stack:
        tally.left_seconds = _seconds_left(deployment, tally, state.capacity(state.stack), clock.now_msec())
    return True


def _seconds_left(deployment: Deployment, tally: Tally, capacity: Capacity, now_msec: int) -> int | None:
    """In about how many seconds the last of the lists is done; None: never, for one of them is not dialled.

    Urgent messages are estimated as if they were not.
    """
    unfinished, seconds = set(tally.unfinished), 0
    for made in tally.lists:
        left = len(unfinished.intersection(made.message_ids))
        if not left:
            continue
        account_id, last = made.account_id, made.message_ids[-1]
        before = deployment.history.waiting_before(account_id, made.campaign, last)
        turn = deployment.turns.find(account_id, False)
        # What shares the account's lines: its unfinished campaigns, and apart from them a list that is in no campaign.
        rivals = deployment.lists.campaigns.count_open(account_id) + (not made.campaign)
        # Its last message is called behind all that wait before it in the queue: those of other lists as well.
        found = estimate(max(left, before), turn, capacity, rivals, now_msec)
        if found is None:
            return None
        seconds = max(seconds, found.seconds)
    return seconds


def _roughly(seconds: int | None) -> str:
    """How long the rest takes, in words; None: it is not dialled."""
    if seconds is None:
        return "no lines: paused"
    return f"about {round(seconds / 60)} min left" if seconds >= 90 else f"about {seconds} s left"
