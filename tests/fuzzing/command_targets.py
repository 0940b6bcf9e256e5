"""What an operator gives to the command: files of menus, ids, numbers, durations."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from cli import menus, values
from tests.fuzzing.choices import Choices, edited
from tests.fuzzing.target import Target, holds
from tests.kit.command_line import CliRunner

ROOT = Path(__file__).parents[2]
_FILES = [json.loads(path.read_text()) for path in sorted((ROOT / "examples").glob("*.json"))]
_RUNNER = CliRunner()


def menu_file(data: bytes) -> None:
    """A file of menus is explained and drawn, or refused in a sentence; never with a traceback."""
    _look_at(data)
    choices = Choices(data)
    _look_at(json.dumps(edited(choices.one_of(_FILES), choices)).encode())


def _look_at(content: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        for command in ("explain", "draw"):
            result = _RUNNER.invoke(menus.app, [command, file.name])
            holds(result.exit_code in (0, 1, 3), f"ended with {result.exit_code}")
            refused = result.exception is None or isinstance(result.exception, SystemExit)
            holds(refused, f"a traceback: {result.exception!r}")
            holds(result.exit_code == 0 or result.stderr.startswith("Error: "), "no sentence")


def arguments(data: bytes) -> None:
    """What is given on the command line is one of ours, or refused."""
    choices = Choices(data)
    given, more = choices.text(), choices.text()
    checks: list[Any] = [values.account_id, values.prompt_id, values.webhook_id, values.message_id, values.seconds_ago]
    for check in checks:
        with suppress(typer.BadParameter):
            taken = check(given)
            holds(taken == given and taken.isascii() and taken.isprintable(), f"{check.__name__} takes {given!r}")
    for check in (values.prefixes, values.senders, values.list_ids):
        with suppress(typer.BadParameter):
            check([given, more])
    with suppress(typer.BadParameter):
        values.senders([given, more])
        holds(len(values.senders_by_name([given, more])) == 2, "a sender is lost")
    with suppress(typer.BadParameter):
        holds(values.to_seconds(values.seconds_ago(given)) > 0, "no time at all")
    with suppress(typer.BadParameter):
        limit = values.to_calls_per_number(values.calls_per_number(given))
        holds(limit is not None and 0 <= limit <= 50, "a limit that no account can have")


TARGETS = (
    Target("menu_file", menu_file, lambda: [json.dumps(one).encode() for one in _FILES], libraries=("cli",)),
    Target(
        "arguments",
        arguments,
        lambda: [b"\xff\x04acme\xff\x0aShop=+49301", b"\xff\x0324h\xff\x017"],
        most_bytes=256,
        libraries=("cli",),
    ),
)
