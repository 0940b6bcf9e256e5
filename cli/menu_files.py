"""Menus out of a file: a request, a message, or the array of its menus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cli.failures import Refusal
from cli.files import read_file
from speechcall.menus.rules.menu import Menu
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge
from speechcall.shared.rules.json_text import MAX_JSON_BYTES, parse_json

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A request as it is sent, one message, or its menu array.")
]

_COMPLETE: dict[str, Any] = {"from": "Sender", "to": "+380671234567", "text": "ivr", "type": "speechcall"}
"""Only the menus of the file are looked at: a placeholder for a number does no harm."""


class MenuFile(NamedTuple):
    """A message's place in the file, its menus, and its `silentRepeats` where it has them."""

    path: str
    menus: tuple[Menu, ...]
    silent_repeats: int | None


def read_menus(file: Path) -> Iterator[MenuFile]:
    """The menus of each message. Raises Refusal where they cannot be used."""
    try:
        given = parse_json(read_file(file, MAX_JSON_BYTES))
    except (MalformedJson, PayloadTooLarge) as error:
        raise Refusal(f"The file {file.name}: {error.message}") from error
    found = _messages(given)
    if not found:
        raise Refusal(f"The file {file.name} holds no message.")
    for path, message in found:
        given_menus: dict[str, Any] = {"menu": message.get("menu")}
        if "silentRepeats" in message:
            given_menus["silentRepeats"] = message["silentRepeats"]
        model, problems = check_message(_COMPLETE | given_menus, path)
        if model is None:
            raise Refusal(
                "\n".join(["The menus cannot be used:", *(f"  {one.path} {one.message}" for one in problems)])
            )
        yield MenuFile(path, to_menus(model), model.silentRepeats)


def _messages(given: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(given, list):
        return [("message", {"menu": given})]
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        found = [(f"messages[{index}]", message) for index, message in enumerate(given["messages"])]
        return [(path, message if isinstance(message, dict) else {}) for path, message in found]
    if isinstance(given, dict) and "menu" in given:
        return [("message", given)]
    raise Refusal('The file holds neither {"messages": […]}, nor a message with "menu", nor an array of menus.')
