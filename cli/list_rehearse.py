"""`speechcall list rehearse`: what would become of a list if it were sent now. Nobody is called, nothing is written.

The real dialler runs in this process, on a clock that nobody waits for, behind what waits in the deployment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import values
from cli.as_json import AsJson, show_json
from cli.deployment import Deployment, Place
from cli.failures import Refusal
from cli.files import read_file
from cli.list_send import Campaign, Job, Map, Menu, Table, Tally, mapping_of, read_job, rejected_cells
from cli.people import Unusable
from cli.target import on_place
from cli.terminal import plain
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.standing_reader import TooManyWait
from speechcall.rehearsal.adapters.virtual_stack import Standing, stores_of, uncollected
from speechcall.rehearsal.rules.callee_grammar import read_callees
from speechcall.rehearsal.rules.callees import Callees
from speechcall.rehearsal.rules.forecast import Forecast, Range, forecast
from speechcall.rehearsal.use_cases.describe_forecast import describe
from speechcall.rehearsal.use_cases.made_messages import Rules, made_messages
from speechcall.rehearsal.use_cases.rehearse import Situation
from speechcall.rehearsal.use_cases.rehearse import rehearse as rehearse_once
from speechcall.rehearsal.use_cases.virtual_time import VirtualTime
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.errors import MalformedJson, RequestError
from speechcall.shared.rules.json_text import parse_json

MAX_CALLEES_BYTES = 256 * 1024
BAR = 40
"""Characters of the longest bar."""
MOST_SHOWN = 20


@on_place
def rehearse(
    deployment: Deployment,
    place: Place,
    menu: Menu,
    callees: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Who answers, after how long, and which keys are pressed.")
    ],
    account: Annotated[str, typer.Option(callback=values.account_id, help="Whose list it is.")],
    people: Table = None,
    columns: Map = None,
    campaign: Campaign = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many rehearsals, each with other chances.")] = 10,
    lines: Annotated[int | None, typer.Option(min=0, max=300, help="With so many lines instead.")] = None,
    calls_per_second: Annotated[int | None, typer.Option(min=1, max=100, help="At this rate instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rehearse a list with the real dialler, behind what waits now: when would it be over, and how would it end?

    Nobody is called, and nothing is written. The same seeds give the same figures while nothing else changes.
    """
    drawn = _callees(callees)
    found = deployment.accounts.find(account)
    if found is None:
        raise Refusal(f"There is no account {account}.")
    now = SystemClock().now_msec()
    new = _messages(deployment, found, _job(menu, people, columns, campaign), now, allow_loopback=place.local)
    accounts = deployment.accounts.all()
    with _progress() as tell:
        try:
            standing = deployment.standing(accounts, new, lambda count: tell(f"{count} messages that wait are read"))
        except TooManyWait as error:
            raise Refusal(f"No rehearsal: {error}.") from error
    if lines is not None:
        standing = standing._replace(lines=standing.lines._replace(lines=lines))
    if calls_per_second is not None:
        standing = standing._replace(lines=standing.lines._replace(calls_per_second=calls_per_second))
    situation = Situation(
        now,
        _stack(standing),
        {one.account_id: one for one in accounts},
        [one for one in standing.messages if one.state is State.CALLING],
        [one for one in standing.messages if one.state is State.PREPARING],
    )
    told = Told(account, len(new), standing, _forecast(situation, new, drawn, standing, seeds))
    if as_json:
        show_json(told.as_json())
    else:
        typer.echo(plain("\n".join(told.lines())))


def _callees(file: Path) -> Callees:
    """The callees of a file. Raises Refusal with each place that is wrong."""
    try:
        callees, problems = read_callees(parse_json(read_file(file, MAX_CALLEES_BYTES)))
    except MalformedJson as error:
        raise Refusal(f"The file {file.name}: {error.message}") from error
    if callees is None:
        places = [f"  {one.code} {one.path} {one.message}" for one in problems]
        raise Refusal("\n".join([f"The callees of {file.name} cannot be drawn:", *places]))
    return callees


def _job(menu: Path, people: Path | None, columns: list[str] | None, campaign: str | None) -> Job:
    """What would be sent, as `list send` reads it.

    Raises Refusal for wrong cells, BadParameter for files or options that cannot be used at all.
    """
    tally = Tally("row" if people else "message")
    try:
        job = read_job(tally, menu, people, mapping_of(columns or []), campaign, "")
    except Unusable as error:
        raise typer.BadParameter(plain(f"{error}.")) from error
    if tally.wrong:
        first = tally.wrong[0]
        raise Refusal(f"{len(tally.wrong)} cells are wrong, the first in row {first.row}: {first.column} {first.why}.")
    return job


def _messages(
    deployment: Deployment, account: Account, job: Job, now_msec: int, *, allow_loopback: bool
) -> list[Message]:
    """The messages that the list would become. Raises Refusal where the API would reject any of it, or all.

    `allow_loopback`: its webhooks may go to this machine, as those of a `make run` may.
    """
    made = made_messages(
        account,
        map(job.body, job.parts),
        now_msec,
        prompts=deployment.lists,
        opt_outs=deployment.opt_outs,
        rules=Rules(allow_loopback=allow_loopback, strict=True),
    )
    new: list[Message] = []
    wrong: list[str] = []
    try:
        for part, one in zip(job.parts, made, strict=True):
            new += one.messages
            cells = rejected_cells(part, one.answer, job.columns)
            wrong += [f"  row {cell.row}: {cell.column} {cell.why}" for cell in cells]
    except RequestError as error:
        details = [f"  {one.code} {one.path} {one.message}" for one in error.problems[:MOST_SHOWN]]
        raise Refusal("\n".join([f"The API would refuse the list: {error.message}", *details])) from error
    if wrong:
        raise Refusal("\n".join(["The API would reject some of the list:", *wrong[:MOST_SHOWN]]))
    return new


def _stack(standing: Standing) -> Pool:
    """The stack's lines and rate, by its parameters, which its dialler stores when it runs.

    Before it has, what an operator has chosen, or --lines and --calls-per-second, stands for them. Raises Refusal where
    these do not say both.
    """
    pool = standing.lines
    if pool.stack is not None:
        return pool.stack
    if pool.lines is None or pool.calls_per_second is None:
        raise Refusal(
            "How many lines there are is not known: no dialler has run yet. Wait a minute, or give --lines and "
            "--calls-per-second."
        )
    return Pool(pool.lines, pool.calls_per_second)


def _forecast(situation: Situation, new: list[Message], callees: Callees, standing: Standing, seeds: int) -> Forecast:
    """What is to be expected, out of one rehearsal for each seed, 1 to `seeds`.

    Each rehearsal starts from the same `standing`, in stores in memory that it alone changes.
    """
    found = []
    with _progress() as tell, uncollected():
        for seed in range(1, seeds + 1):
            tell(f"rehearsal {seed} of {seeds}")
            clock = VirtualTime(situation.now_msec)
            found.append(rehearse_once(situation, new, callees, stores_of(standing), clock, seed))
    return forecast(found)


@contextmanager
def _progress() -> Iterator[Any]:
    console = Console(stderr=True)
    with console.status("") as status:
        yield status.update


@dataclass(frozen=True)
class Told:
    """What is said of a forecast."""

    account: str
    messages: int
    standing: Standing
    found: Forecast

    @property
    def waiting(self) -> int:
        """Messages of all accounts that wait for a line, or are prepared for one, when the list is sent.

        All but those in a call, by their own states. The lines that are held are not subtracted: they were read at
        another moment, and calls may have begun or ended since.
        """
        return sum(one.state is not State.CALLING for one in self.standing.messages)

    def as_json(self) -> dict[str, Any]:
        """The forecast as JSON."""
        found = self.found
        return {
            "account": self.account,
            "messages": self.messages,
            "waiting": self.waiting,
            "inCalls": len(self.standing.lines.held),
            **describe(found),
        }

    def lines(self) -> Iterator[str]:
        """The forecast as lines to read."""
        found, begin = self.found, self.found.begin_msec
        yield (
            f"{self.messages} messages of {self.account}, sent at {_clock(begin)} UTC behind {self.waiting} "
            f"that wait and {len(self.standing.lines.held)} calls; {found.seeds} rehearsals."
        )
        yield ""
        yield f"{'':<18}{'P50':>12}{'P95':>12}"
        yield f"{'over after':<18}{_duration(found.seconds.p50):>12}{_duration(found.seconds.p95):>12}"
        ends = (_clock(begin + one * 1000) for one in found.seconds)
        yield "".join([f"{'over at (UTC)':<18}", *(f"{one:>12}" for one in ends)])
        yield _row("calls", found.calls)
        yield _row("minutes talked", Range(*(one / 60 for one in found.talked_seconds)))
        for name, one in found.outcomes.items():
            yield _row(name, one)
        for key, one in found.keys.items():
            yield _row("no key" if key == "none" else f"first key {key}", one)
        yield ""
        yield f"Calls begun in each {_duration(found.slot_seconds)}, the mean of all rehearsals:"
        most = max((*found.begun, 1))  # 1: where no call begins, nothing is divided by 0
        for number, count in enumerate(found.begun):
            moment = _clock(begin + number * found.slot_seconds * 1000)
            yield f"{moment:>12} {'#' * round(count / most * BAR):<{BAR}} {round(count)}".rstrip()


def _row(name: str, one: Range) -> str:
    return f"{name:<18}{round(one.p50):>12}{round(one.p95):>12}"


def _clock(msec: float) -> str:
    return f"{datetime.fromtimestamp(msec // 1000, UTC):%m-%d %H:%M}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
