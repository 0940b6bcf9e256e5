"""The command `speechcall` in this process: Typer's runner, which builds the commands once and not at each call."""

from functools import cache

import typer
from typer import testing
from typer.testing import CliRunner

__all__ = ["CliRunner"]

# A command keeps nothing from one call to the next; making all of them takes ten times as long as most calls.
testing._get_command = cache(typer.main.get_command)  # type: ignore[attr-defined]
