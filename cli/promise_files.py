"""Promises that a command is given: in a file, or as the name of a pack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.failures import Refusal
from cli.files import read_file
from speechcall.menus.rules.promise import Promise
from speechcall.menus.rules.promise_grammar import CODE, PACKS, not_a_pack, read_promises
from speechcall.shared.rules.errors import MalformedJson
from speechcall.shared.rules.json_text import parse_json

MAX_BYTES = 64 * 1024


def read_packs(names: Sequence[str]) -> list[Any]:
    """Packs by their names, as JSON. Raises Refusal for a name that there is not."""
    for name in names:
        if name not in PACKS:
            raise Refusal(f"{CODE}: {name} {not_a_pack(name)}")
    return [{"pack": name} for name in dict.fromkeys(names)]


def promises_or_pack(given: str) -> list[Any]:
    """The promises of a file, or the pack of this name, as JSON. Raises Refusal if it is neither, or is wrong."""
    if given in PACKS:
        return read_packs([given])
    file = Path(given)
    if not file.is_file():
        raise Refusal(f"{CODE}: {given} is no file, and {not_a_pack(given)}")
    return read_promises_file(file)[0]


def read_promises_file(file: Path) -> tuple[list[Any], tuple[Promise, ...]]:
    """The promises of a file, as JSON and as they were read. Raises Refusal with each place that is wrong."""
    try:
        given = parse_json(read_file(file, MAX_BYTES))
    except MalformedJson as error:
        raise Refusal(f"The file {file.name}: {error.message}") from error
    if isinstance(given, dict) and set(given) == {"promises"}:
        given = given["promises"]
    promises, problems = read_promises(given)
    if problems:
        places = [f"  {one.code} {one.path} {one.message}" for one in problems]
        raise Refusal("\n".join([f"The promises of {file.name} cannot be read:", *places]))
    return given, promises
