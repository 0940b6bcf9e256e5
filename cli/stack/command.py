"""`speechcall stack …`: what is done with a whole stack."""

from datetime import datetime
from typing import Annotated

import typer

from cli.as_json import sentences, show_json
from cli.changes import changing
from cli.deployment import Deployment, Place
from cli.failures import Refusal
from cli.stack.identity import identify
from cli.stack.parts import pause_for
from cli.stack.removal import Removal
from cli.stack.restoring import Restoring, check_window, copies_of, make_copy, told
from cli.target import on_place
from cli.terminal import is_terminal

app = typer.Typer(no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would be done; nothing is changed.")]
Confirm = Annotated[
    str | None, typer.Option(help="The stack's name, in place of typing it when asked.", metavar="NAME")
]
KeyDays = Annotated[int, typer.Option(min=7, max=30, help="Days until KMS deletes the key; until then it can be kept.")]
DropUnfinished = Annotated[
    bool, typer.Option("--drop-unfinished", help="Remove it though messages or webhooks are unfinished.")
]
At = Annotated[
    str, typer.Option(help="The moment of the copy, with offset: 2026-11-30T11:55:00+01:00.", metavar="TIME")
]
CopyName = Annotated[str | None, typer.Option(help="A copy of that table which is there already.", metavar="TABLE")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; with the ids of all messages that are reported.")]


@app.callback()
def _stack() -> None:
    """A whole stack."""


def named(place: Place) -> str:
    """The stack that is meant. Raises BadParameter with --local: CloudFormation knows nothing of `make run`."""
    if place.stack is None:
        raise typer.BadParameter("this is about a stack of CloudFormation: --stack NAME.")
    return place.stack


def confirmed(name: str, given: str | None, what: str) -> None:
    """Has the stack's name typed, unless it was `given` (--confirm). `what`: what will happen, as the question says it.

    Raises BadParameter where nobody can be asked, Refusal where another name is typed or given.
    """
    if given is None and not is_terminal():
        raise typer.BadParameter(f"nobody can be asked: --confirm {name} says that {what}.")
    said = given if given is not None else str(typer.prompt(f"Type the stack's name, and {what}", err=True))
    if said.strip() != name:
        raise Refusal(f"The stack is {name}, and {said.strip()} was typed: nothing was done")


@app.command()
@on_place
def remove(
    deployment: Deployment,
    place: Place,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    drop_unfinished: DropUnfinished = False,
    key_days: KeyDays = 30,
) -> None:
    """Remove a stack and all that it leaves behind: tables, bucket, state machines, log group; the key after days."""
    stack = identify(deployment, named(place))
    removal = Removal(deployment.client, stack, key_days)
    there = removal.listed()
    for other in stack.others:
        typer.echo(f"Another stack of this name was deleted, and is not looked at: {other}")
    if not there:
        typer.echo(f"Nothing of {stack.stack_id} is left.")
        return
    typer.echo(f"Of {stack.stack_id} there are:")
    for one in there:
        typer.echo(f"  {one}")
    obstacle = removal.in_the_way(drop_unfinished=drop_unfinished)
    if obstacle:
        raise Refusal(obstacle)
    if dry_run:
        typer.echo("Nothing was changed. Without --dry-run it could not be undone, but for the key.")
        return
    confirmed(stack.name, confirm, "all of this is removed for good")
    obstacle = removal.in_the_way(drop_unfinished=drop_unfinished)  # while it was asked, more may have been sent
    if obstacle:
        raise Refusal(obstacle)
    removal.carry_out(typer.echo, pause_for)
    typer.echo(f"Nothing of it is left, but for the key, which KMS deletes after {key_days} days.")
    typer.echo("DynamoDB keeps a backup of tables with point-in-time recovery for 35 days, at no cost.")


@app.command()
@on_place
@changing("stack restore", "at")
def restore(
    deployment: Deployment,
    place: Place,
    at: At,
    messages_from: CopyName = None,
    registry_from: CopyName = None,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Put back what the tables have lost: restores both to a moment, as copies, and copies what is missing."""
    moment = _moment(at)
    stack = identify(deployment, named(place))
    given = {"MessagesTable": messages_from, "RegistryTable": registry_from}
    sources = copies_of(stack, moment, given)
    # A copy that was named is there already.
    to_make = [source for source in sources if source.copy not in given.values()]
    for source in to_make:
        check_window(deployment, source, moment)

    def tell(text: str) -> None:
        # The report alone is JSON; a dry run, which has none, tells its sentences as JSON.
        typer.echo(text, err=as_json and not dry_run)

    with sentences(as_json and dry_run):
        for source in sources:
            how = f"restored to {at} as" if source in to_make else "compared with"
            tell(f"{source.live} is {how} {source.copy}; what it lacks is copied back, and nothing else is changed.")
        if dry_run:
            tell("Nothing was changed.")
            return
    confirmed(stack.name, confirm, "calls stop until it is done")
    for source in to_make:
        tell(f"Restoring {source.copy}: this takes twenty minutes or more.")
        make_copy(deployment, source, moment, pause_for)
    report = Restoring(deployment, stack, sources, moment).carry_out(tell)
    if as_json:
        show_json(report._asdict())
        return
    for line in told(report):
        typer.echo(line)
    typer.echo(f"The copies stay: {', '.join(source.copy for source in sources)}. Delete them when you are content.")


def _moment(given: str) -> datetime:
    """The moment of --at. Raises BadParameter for a text that is no moment or has no offset."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - it has no offset, which is what is refused
    if found.tzinfo is None:
        raise typer.BadParameter(f"--at {given}: a moment with its offset, such as 2026-11-30T11:55:00+01:00.")
    return found
