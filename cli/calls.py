"""`speechcall call`: the signed file of a message's calls, read and run once more on this machine.

The menus of the file are checked and compiled as those of a request are. Nothing of the file is asked for over the
network, and no webhook is sent.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.as_json import AsJson, show_json
from cli.call_replay import Replayed, read_call_file, replay_calls
from cli.exit_codes import FAILED
from cli.target import without_deployment
from cli.terminal import plain

app = typer.Typer(no_args_is_help=True)
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="What GET /bat/message/{messageId}/call answered.")
]


@app.command()
@without_deployment
def show(file: File, as_json: AsJson = False) -> None:  # noqa: ARG001 - it is JSON either way
    """Show what a file holds, as JSON. Whether the signature is right is for a verifier (docs/call-files.md)."""
    show_json(read_call_file(file))


@app.command()
@without_deployment
def replay(file: File, as_json: AsJson = False) -> None:
    """Run the calls of a file once more, from their menus and what was heard alone.

    Ends with status 0 if the same follows and the same webhooks are sent, 1 if anything differs.
    """
    found = replay_calls(read_call_file(file))
    if as_json:
        show_json(_row(found))
    else:
        _show(found)
    if found.differences:
        raise typer.Exit(FAILED)


def _row(found: Replayed) -> dict[str, Any]:
    return {
        "steps": [step._asdict() for step in found.steps],
        "webhooks": list(found.webhooks),
        "differences": list(found.differences),
    }


def _show(found: Replayed) -> None:
    """Prints the calls, step by step, and what differs, or that nothing does."""
    attempt = 0
    for step in found.steps:
        if step.attempt != attempt:
            attempt = step.attempt
            typer.echo(f"call {attempt}")
        after = f"{step.seconds:8.1f} s"
        where = "" if step.menu is None else f"menu {step.menu}: "
        typer.echo(plain(f"{after}  {where}{step.heard} → {step.then}"))
        for name in step.webhooks:
            typer.echo(plain(f"{'':10}  webhook {name}"))
    for difference in found.differences:
        typer.echo(plain(f"differs: {difference}"))
    if not found.differences:
        typer.echo(f"the same: {len(found.steps)} steps, {len(found.webhooks)} webhooks")
