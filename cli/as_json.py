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
def sentences(as_json: bool, said: list[str] | None = None) -> Iterator[None]:
    """A context: what is printed in it comes out as `{"said": [...]}`, a string for each line, once it is done.

    Without `as_json` it comes out as it is printed. With it, if an exception ends the context, the strings are added to
    `said`, for `failures.told` to tell with the error. It tells nothing of typer.Exit: then they come out as ever.
    """
    if not as_json:
        yield
        return
    printed, lines = io.StringIO(), [] if said is None else said
    try:
        with redirect_stdout(printed):
            yield
    except typer.Exit:
        show_json({"said": _lines(printed)})
        raise
    except Exception:
        lines += _lines(printed)
        raise
    show_json({"said": _lines(printed)})


def _lines(printed: io.StringIO) -> list[str]:
    return [line for line in printed.getvalue().splitlines() if line.strip()]
