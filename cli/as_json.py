"""`--json`, which every command has: what it says as JSON; of one that only says something, its sentences."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Annotated

import typer

from cli.terminal import plain

NAME = "as_json"
"""What a command's parameter for it is called."""
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def show_json(value: object) -> None:
    """Prints JSON. All of it is in ASCII where the output's encoding lacks a character."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    typer.echo(plain(text))  # the codes that `plain` writes (\u001b) are JSON's own


@contextmanager
def sentences(as_json: bool) -> Iterator[None]:
    """A context: what is printed in it comes out as `{"said": [...]}`, a string for each line, once it is done.

    Without `as_json` it comes out as it is printed. With it, if an exception ends the context, nothing of it comes out.
    """
    if not as_json:
        yield
        return
    said = io.StringIO()
    with redirect_stdout(said):
        yield
    show_json({"said": [line for line in said.getvalue().splitlines() if line.strip()]})
