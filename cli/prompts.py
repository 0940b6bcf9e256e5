"""`speechcall prompt …`: an account's audio, under the identifiers that its messages give in `introUrl`."""

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import values
from cli.accounts import found
from cli.as_json import AsJson, show_json
from cli.changes import changing
from cli.deployment import Deployment
from cli.failures import Failure, Refusal
from cli.files import read_file, write_file
from cli.table import show_table
from cli.target import on_deployment
from speechcall.prompts.adapters.audio_sandbox import MAX_BYTES, decode_audio
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.prompts.use_cases.prompts import Retire, Workshop, add_prompt, remove_prompt
from speechcall.shared.adapters.clock import SystemClock

app = typer.Typer(no_args_is_help=True)

PLAYERS = (["ffplay", "-autoexit", "-nodisp", "-loglevel", "error"], ["mpv", "--no-video"], ["play", "-q"], ["afplay"])
"""Programs that play a µ-law WAV file; the first that is there is used."""

Name = Annotated[str, typer.Argument(metavar="ID", callback=values.prompt_id, help="What introUrl says.")]
Owner = Annotated[str, typer.Option("--account", callback=values.account_id, help="The account it belongs to.")]


@app.command()
@on_deployment
@changing("prompt add", "name")
def add(
    deployment: Deployment,
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="An audio file.")],
    account: Owner,
) -> None:
    """Upload a prompt: WAV, MP3, OGG, FLAC, M4A …, less than 5 minutes. One of the same name is replaced."""
    found(deployment, account)
    workshop = Workshop(decode_audio, deployment.prompt_encoding, deployment.audio.put)
    content = read_file(file, MAX_BYTES)
    known = add_prompt(
        account,
        name,
        content,
        prompts=deployment.prompts,
        workshop=workshop,
        clock=SystemClock(),
        retire=_retire(deployment),
    )
    prompt = _prompt(known)
    typer.echo(f"Messages of {account} can say {name} in introUrl now ({prompt.seconds:.1f} s).")
    for warning in prompt.warnings:
        typer.echo(f"Warning: {warning.message} ({warning.code}).")


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    account: Owner,
    as_json: AsJson = False,
) -> None:
    """List an account's uploaded prompts."""
    found(deployment, account)
    rows = [
        {
            "id": known.name,
            "seconds": round(_prompt(known).seconds, 1),
            "bytes": _prompt(known).size,
            "stored": _moment(known.stored_msec),
            "used": _moment(known.used_msec) if known.used_msec else "-",
            "warnings": [warning.code for warning in _prompt(known).warnings],
        }
        for known in deployment.prompts.uploaded(account)
    ]
    if as_json:
        show_json(rows)
    else:
        show_table(rows, {}, f"{account} has no prompts yet.")


@app.command()
@on_deployment
def play(
    deployment: Deployment,
    name: Name,
    account: Owner,
    save: Annotated[Path | None, typer.Option(help="Write it to this file (WAV) instead.")] = None,
) -> None:
    """Play a prompt on this machine, as a telephone will: 8 kHz, mono."""
    content = deployment.audio.get(_prompt(_found(deployment, account, name)).uri)
    if save:
        write_file(save, content)
        typer.echo(f"{save} has {len(content)} bytes.")
        return
    player = next((command for command in PLAYERS if shutil.which(command[0])), None)
    if player is None:
        names = ", ".join(command[0] for command in PLAYERS)
        raise Failure(f"There is no program here that plays it ({names}); --save FILE.wav writes it to a file.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.wav"
        path.write_bytes(content)
        if subprocess.run([*player, str(path)], check=False).returncode:
            raise Failure(f"{player[0]} could not play it; --save FILE.wav writes it to a file.")


@app.command()
@on_deployment
@changing("prompt remove", "name")
def remove(deployment: Deployment, name: Name, account: Owner) -> None:
    """Remove a prompt. New messages cannot name it; those that are queued already still play it."""
    found(deployment, account)
    if not remove_prompt(account, name, prompts=deployment.prompts, retire=_retire(deployment)):
        raise _no_prompt(account, name)
    typer.echo(f"Messages of {account} cannot say {name} in introUrl any more.")


def _retire(deployment: Deployment) -> Retire:
    """A function that has the audio at a URI go when no queued message can still play it.

    Where that cannot be, it says so on the error output, and the command continues.
    """

    def retire(uri: str) -> None:
        if not deployment.audio.retire(uri):
            typer.echo(f"Its audio is gone already, or may not be changed with these credentials: {uri}", err=True)

    return retire


def _found(deployment: Deployment, account: str, name: str) -> KnownPrompt:
    """The prompt of this name. Raises Refusal where there is none, or no such account."""
    found(deployment, account)
    known = deployment.prompts.find(account, name)
    if known is None:
        raise _no_prompt(account, name)
    return known


def _no_prompt(account: str, name: str) -> Refusal:
    return Refusal(f"{account} has no prompt {name}; `prompt list` shows those there are.")


def _prompt(known: KnownPrompt) -> Prompt:
    """The audio of a prompt that was uploaded. Raises Refusal where it has none."""
    if known.prompt is None:
        raise Refusal(f"{known.name} has no audio.")
    return known.prompt


def _moment(msec: int) -> str:
    return datetime.fromtimestamp(msec / 1000, UTC).isoformat(timespec="seconds")
