"""Menus out of a file: a request, a message, or the array of its menus."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cli.failures import Refusal
from cli.files import read_file
from speechcall.menus.rules.menu import Menu
from speechcall.messages.rules.may_ring import may_ring
from speechcall.requests.rules.placeholders import Template
from speechcall.requests.use_cases.judge_hours import wanted_hours
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.requests.use_cases.request_models import MessageModel
from speechcall.requests.use_cases.request_schema import HOURS_FIELDS
from speechcall.requests.use_cases.shared_menus import insert
from speechcall.requests.use_cases.shared_menus import read_menus as read_menus_of_list
from speechcall.shared.rules.calling_hours import Hours
from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge, Problem
from speechcall.shared.rules.json_text import MAX_JSON_BYTES, parse_json

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A request as it is sent, one message, or its menu array.")
]

PLACEHOLDERS: dict[str, Any] = {"from": "Sender", "to": "+380671234567", "text": "ivr", "type": "speechcall"}
"""What a message needs besides what is read from the file (menus, hours, silentRepeats); it is never used."""


class MessageInFile(NamedTuple):
    """What is read of one message: its path in the file, its menus, `silentRepeats`, and when its phone may ring.

    `silent_repeats`: None: the message says none. `rings`: in words; None: at any time.
    """

    path: str
    menus: tuple[Menu, ...]
    silent_repeats: int | None
    rings: str | None


def read_menus(file: Path) -> Iterator[MessageInFile]:
    """The menus of each message in the file. Raises Refusal at the first message whose menus or hours cannot be used.

    A file without a message, or that is no JSON of such a form, is refused too. Raises Failure if it cannot be opened.
    """
    try:
        given = parse_json(read_file(file, MAX_JSON_BYTES))
    except (MalformedJson, PayloadTooLarge) as error:
        raise Refusal(f"The file {file.name}: {error.message}") from error
    found = _messages(given)
    if not found:
        raise Refusal(f"The file {file.name} holds no message.")
    for path, message in found:
        given_menus: dict[str, Any] = {"menu": message.get("menu"), **_hours(message)}
        if "silentRepeats" in message:
            given_menus["silentRepeats"] = message["silentRepeats"]
        model, problems = check_message(PLACEHOLDERS | given_menus, path)
        if model is None:
            raise _unusable(problems)
        yield MessageInFile(path, to_menus(model), model.silentRepeats, _rings(model))


def _messages(given: Any) -> list[tuple[str, dict[str, Any]]]:
    """The messages in a file, each with its path. One without hours or menus of its own gets those of the request.

    What is no JSON object is taken as an empty message, which `read_menus` refuses with its path. Raises Refusal.
    """
    if isinstance(given, list):
        return [("message", {"menu": given})]
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        hours, shared = _hours(given), _shared(given)
        found = [(f"messages[{index}]", message) for index, message in enumerate(given["messages"])]
        return [
            (
                path,
                {**hours, **message, **_inserted(shared, message, path)} if isinstance(message, dict) else {},
            )
            for path, message in found
        ]
    if isinstance(given, dict) and "menu" in given:
        return [("message", given)]
    raise Refusal('The file holds neither {"messages": […]}, nor a message with "menu", nor an array of menus.')


def _shared(given: dict[str, Any]) -> Template | None:
    """The `menus` of a request, for all its messages without a `menu`; None: it has none. Raises Refusal."""
    if "menus" not in given:
        return None
    template, problems = read_menus_of_list(given["menus"], allow_loopback=False, most_bytes=MAX_JSON_BYTES)
    if problems:
        raise _unusable(problems)
    return template


def _inserted(template: Template | None, message: dict[str, Any], path: str) -> dict[str, Any]:
    """The member `menu` for a message that has none of its own, made of `template`: the menus of its request.

    Empty: the message has a `menu`, or its request has no menus. Raises Refusal for `vars` that do not fit.
    """
    if template is None or "menu" in message:
        return {}
    inserted, problems = insert(template, message, path, most_characters=MAX_JSON_BYTES)
    if problems:
        raise _unusable(problems)
    return inserted


def _unusable(problems: Sequence[Problem]) -> Refusal:
    return Refusal("\n".join(["The menus cannot be used:", *(f"  {one.path} {one.message}" for one in problems)]))


def _rings(model: MessageModel) -> str | None:
    """In words, when the phone may ring by what the file says; None: at any time.

    The account may add hours and a time zone; it is not known here.
    """
    asked = wanted_hours(model)
    has_hours = asked.windows or asked.days_off
    zones = (asked.time_zone,) if asked.time_zone else ()
    hours = (Hours(asked.windows, zones, asked.days_off),) if has_hours else ()
    return may_ring(hours, model.sendAt)


def _hours(given: dict[str, Any]) -> dict[str, Any]:
    """The members about hours: of a message, or of a request for all its messages."""
    return {name: given[name] for name in HOURS_FIELDS if name in given}
