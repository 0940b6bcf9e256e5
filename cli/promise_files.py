"""Files of promises, and what becomes of promises, as a command shows it."""

from pathlib import Path
from typing import Any

from cli.failures import Refusal
from cli.files import read_file
from speechcall.menus.rules.promise import Promise
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.shared.rules.errors import MalformedJson
from speechcall.shared.rules.json_text import parse_json

MAX_BYTES = 64 * 1024


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
