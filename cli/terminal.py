"""Where a command's output goes: to somebody's eyes, or into a file or another program."""

import sys

from rich.console import Console


def live_console() -> Console | None:
    """A console on which lines can be drawn over; None where there is no terminal, or one that can do nothing.

    Colour says nothing about that: FORCE_COLOR colours a file, too.
    """
    console = Console()
    return console if sys.stdout.isatty() and not console.is_dumb_terminal else None
