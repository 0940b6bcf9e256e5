"""Rows for a terminal: aligned, one line each however long it is, so that grep and awk can read them too."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from cli.terminal import plain


def show_table(rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str], if_none: str) -> None:
    """Prints rows with the same keys. `headings`: those that differ from the key. `if_none`: said without rows."""
    if not rows:
        typer.echo(if_none)
        return
    heading = [headings.get(key, key).upper() for key in rows[0]]
    table = [heading, *([plain(_text(cell)) for cell in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(cell: Any) -> str:
    """A cell of the table as text; `-`: nothing, an empty list or an empty object."""
    if isinstance(cell, Mapping):
        return ",".join(f"{name}={value}" for name, value in cell.items()) or "-"
    if cell is None:
        return "-"
    if isinstance(cell, list):
        return ",".join(cell) or "-"
    return ("yes" if cell else "no") if isinstance(cell, bool) else str(cell)
