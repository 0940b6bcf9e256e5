"""Whether a command has a terminal: somebody who reads and can be asked, or a file or another program."""

import re
import sys

from rich.console import Console

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The text without what commands a terminal, or turns its writing around: such characters as their codes."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def live_console() -> Console | None:
    """A console on which lines can be drawn over; None where there is no terminal, or one that can do nothing.

    Colour says nothing about that: FORCE_COLOR colours a file, too.
    """
    console = Console()
    return console if sys.stdout.isatty() and not console.is_dumb_terminal else None
