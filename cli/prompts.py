"""`speechcall prompt …`: an account's audio, under the identifiers that its messages give in `introUrl`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import values
from cli.accounts import found
from cli.deployment import Deployment
from cli.table import show_table
from cli.target import on_deployment
from speechcall.adapters.clock import SystemClock
from speechcall.application.prepare_prompts import add_prompt

app = typer.Typer(no_args_is_help=True)

Owner = Annotated[str, typer.Option("--account", callback=values.account_id, help="The account it belongs to.")]


@app.command()
@on_deployment
def add(
    deployment: Deployment,
    name: Annotated[str, typer.Argument(metavar="ID", callback=values.prompt_id, help="What introUrl says.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A telephone WAV.")],
    account: Owner,
) -> None:
    """Upload a prompt: WAV, 8 kHz, mono, µ-law, at most 5 minutes. One of the same name is replaced."""
    found(deployment, account)
    prompt = add_prompt(account, name, file.read_bytes(), prompts=deployment.prompts, clock=SystemClock())
    typer.echo(f"Messages of {account} can say {name} in introUrl now ({prompt.seconds:.1f} s).")


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    account: Owner,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List an account's uploaded prompts."""
    found(deployment, account)
    rows = [
        {
            "id": name,
            "seconds": round(prompt.seconds, 1),
            "stored": datetime.fromtimestamp(stored_msec / 1000, UTC).isoformat(timespec="seconds"),
        }
        for name, prompt, stored_msec in deployment.registry.uploaded_prompts(account)
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        show_table(rows, {}, f"{account} has no prompts yet.")
