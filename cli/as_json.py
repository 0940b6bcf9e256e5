"""`--json` of commands that only say something: their sentences as JSON, so that every command has it."""

import functools
import inspect
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Annotated, Any

import typer

from cli.failures import told

NAME = "as_json"
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def show_json(value: object) -> None:
    """Prints JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def sentences(as_json: bool) -> Iterator[None]:
    """What is printed in it comes out as `{"said": [...]}`, a string for each line, once it is done."""
    if not as_json:
        yield
        return
    said = io.StringIO()
    with redirect_stdout(said):
        yield
    show_json({"said": [line for line in said.getvalue().splitlines() if line.strip()]})


def without_deployment(command: Callable[..., None]) -> Callable[..., None]:
    """For a command that needs no deployment: tells what went wrong, with --json as JSON too."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        with told(as_json=given[NAME]):
            command(**given)

    signature: Any = run
    signature.__signature__ = inspect.signature(command)
    return run
