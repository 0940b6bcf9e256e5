"""`speechcall deadletter …`: what could not be handled, and another try for it."""

from typing import Annotated

import typer

from cli.as_json import AsJson, show_json
from cli.changes import changing, record_alone
from cli.dead_letters import QUEUES, DeadLetters, Letter, NotRedriven
from cli.deployment import Deployment
from cli.failures import Failure, Refusal
from cli.table import show_table
from cli.target import on_deployment

app = typer.Typer(no_args_is_help=True)


def _queue(name: str | None) -> str | None:
    if name is not None and name not in QUEUES:
        raise typer.BadParameter(f"one of {', '.join(QUEUES)}.")
    return name


Queue = Annotated[
    str | None, typer.Option("--queue", metavar="QUEUE", callback=_queue, help=f"Only of one: {', '.join(QUEUES)}.")
]


@app.command("list")
@on_deployment
def list_(deployment: Deployment, queue: Queue = None, as_json: AsJson = False) -> None:
    """List what is in the dead-letter queues; it stays there."""
    letters = _read(deployment.dead_letters, queue)
    deployment.dead_letters.show_again(letters)  # to read them has hidden them from other readers
    rows = [one.row() for one in letters]
    if as_json:
        show_json(rows)
    else:
        show_table(rows, {}, "There are none.")


@app.command()
@on_deployment
@changing("deadletter redrive", "queue", "all_", "forget")
def redrive(
    deployment: Deployment,
    letter: Annotated[str | None, typer.Argument(metavar="ID", help="One, by its id.")] = None,
    queue: Queue = None,
    all_: Annotated[bool, typer.Option("--all", help="All, or all of --queue.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove without another try.")] = False,
) -> None:
    """Give one or all of them another try; what fails again stays."""
    if (letter is None) == (not all_):
        raise typer.BadParameter("say which: an ID, or --all.")
    letters = _read(deployment.dead_letters, queue)
    chosen = [one for one in letters if letter in (None, one.id)]  # None: all of them
    stay = [one for one in letters if one not in chosen]
    done = 0
    if chosen:
        record_alone(deployment)
    for one in chosen:
        try:
            (deployment.dead_letters.forget if forget else deployment.dead_letters.redrive)(one)
        except NotRedriven as error:
            typer.echo(f"{one.id} stays: {error}.", err=True)
            stay.append(one)
        else:
            typer.echo(one.id)
            done += 1
    deployment.dead_letters.show_again(stay)
    if letter is not None and not chosen:
        raise Refusal(f"There is no {letter} in the dead-letter queues (or somebody else is reading it).")
    count = f"{done} {'removed' if forget else 'redriven'}, {len(chosen) - done} failed."
    if done < len(chosen):
        raise Failure(count)
    typer.echo(count, err=True)


def _read(dead_letters: DeadLetters, queue: str | None) -> list[Letter]:
    return [one for name in ([queue] if queue else QUEUES) for one in dead_letters.read(name)]
