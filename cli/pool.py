"""`speechcall pool …`: how many calls at once, and how many a second."""

from typing import Annotated, Any

import typer

from cli.as_json import AsJson, show_json
from cli.changes import changing
from cli.deployment import Deployment
from cli.table import show_table
from cli.target import on_deployment
from speechcall.messages.use_cases.lines import PoolSetting, PoolState
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.adapters.history_store import Backlog

app = typer.Typer(no_args_is_help=True)


@app.command()
@on_deployment
def show(deployment: Deployment, as_json: AsJson = False) -> None:
    """Show the lines and the rate, how many lines are in use, and how many messages wait for one."""
    state = deployment.lines.read()
    found = _described(state, deployment.history.backlog(), SystemClock().now_msec())
    if as_json:
        show_json(found)
        return
    _show_settings(state)
    # At the lowest rate, one call a second, the next is no further ahead; after a refusal it is.
    paused = " (paused: the telephony asked for fewer)" if found["nextCallInMsec"] > 1000 else ""
    waiting = f"{found['waiting']}{' or more' if found['waitingOrMore'] else ''}"
    typer.echo(f"\nIn calls: {found['inCalls']}{paused}. Waiting for a line: {waiting}.")


@app.command("set")
@on_deployment
@changing("pool set", "as_deployed")
def set_(
    deployment: Deployment,
    lines: Annotated[int | None, typer.Option(min=0, max=300, help="Calls at once; 0: begin none.")] = None,
    calls_per_second: Annotated[int | None, typer.Option(min=1, max=1000, help="Calls begun a second.")] = None,
    as_deployed: Annotated[bool, typer.Option("--as-deployed", help="Go by the stack's parameters again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change the lines or the rate from now on; the next deployment does not change them back."""
    if as_deployed and lines is not None and calls_per_second is not None:
        raise typer.BadParameter("with both --lines and --calls-per-second nothing is left for --as-deployed.")
    changes: dict[PoolSetting, int | None] = {}
    if as_deployed:
        changes = {"lines": None, "calls_per_second": None}  # None: what was chosen is forgotten
    if lines is not None:
        changes["lines"] = lines
    if calls_per_second is not None:
        changes["calls_per_second"] = calls_per_second
    if not changes:
        raise typer.BadParameter("say what to change: --lines, --calls-per-second, or --as-deployed.")
    deployment.lines.choose(changes)
    if as_json:
        show_json(_described(deployment.lines.read(), deployment.history.backlog(), SystemClock().now_msec()))
        return
    _show_settings(deployment.lines.read())
    if lines == 0:
        typer.echo("\nNo call is begun until there are lines again; calls that are live go on.")
    else:
        typer.echo("\nIt holds from the next call that ends, or within a minute. More than the telephony's quotas")
        typer.echo("allow does no harm: what it refuses is dialled again later.")


def _show_settings(state: PoolState) -> None:
    rows = [
        {"setting": name, "in effect": _shown(now), "deployed": _shown(deployed), "chosen": _shown(chosen)}
        for name, now, deployed, chosen in _settings(state)
    ]
    show_table(rows, {}, "")


def _settings(state: PoolState) -> list[tuple[str, int | None, int | None, int | None]]:
    """Each setting: its name, the value in effect, the stack's, and the operator's.

    None: the operator has chosen none; of the stack's, no dialler has run yet.
    """
    stack = state.stack
    deployed = (stack.lines, stack.calls_per_second) if stack else (None, None)
    chosen = (state.lines, state.calls_per_second)
    return [
        (name, said if own is None else own, said, own)
        for name, said, own in zip(("lines", "callsPerSecond"), deployed, chosen, strict=True)
    ]


def _described(state: PoolState, backlog: Backlog, now_msec: int) -> dict[str, Any]:
    """The pool as JSON: the settings in effect, those deployed and chosen, and what is in calls and waits.

    `waitingOrMore`: they were not counted to the end. `nextCallInMsec`: for how long the rate lets no call begin.
    """
    settings = _settings(state)
    return {
        **{name: now for name, now, _, _ in settings},
        "deployed": {name: deployed for name, _, deployed, _ in settings},
        "chosen": {name: chosen for name, _, _, chosen in settings},
        "inCalls": len(state.held),
        "waiting": backlog.counted,
        "waitingOrMore": not backlog.is_all,
        "nextCallInMsec": max(0, state.next_msec - now_msec),
    }


def _shown(number: int | None) -> str:
    return "-" if number is None else str(number)
