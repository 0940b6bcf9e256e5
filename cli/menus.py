"""`speechcall menu …`: what the menus in a file will do to the person who answers. Nobody is called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.failures import Refusal, told
from cli.files import read_file
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.menu_picture import draw as draw_menus
from speechcall.menus.rules.menu_picture import explain as explain_menus
from speechcall.menus.rules.menu_report import call_bounds, report
from speechcall.messages.rules.may_ring import may_ring
from speechcall.requests.use_cases.hours_model import HOURS_FIELDS
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.requests.use_cases.request_models import MessageModel
from speechcall.shared.rules.calling_hours import Hours
from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge
from speechcall.shared.rules.json_text import MAX_JSON_BYTES, parse_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A request as it is sent, one message, or its menu array.")
]

_COMPLETE = {"from": "Sender", "to": "+380671234567", "text": "ivr", "type": "speechcall"}
"""Only the menus of the file are looked at: a placeholder for a number does no harm."""


@app.command()
def draw(file: File) -> None:
    """Print the menus as Mermaid text, which GitHub, GitLab and mermaid.live show as a picture."""
    with told():
        for title, menus, _ in _read(file):
            typer.echo(f"%% {title}")
            typer.echo(draw_menus(menus))


@app.command()
def explain(file: File) -> None:
    """Tell in words what the callee will meet, and what is odd about it."""
    with told():
        for title, menus, rings in _read(file):
            typer.echo(f"{title}\n\n{explain_menus(menus, {})}\n")
            if rings:
                typer.echo(f"The phone {rings}. The account's own hours and limits hold too.")
            bounds = call_bounds(menus, {})
            shortest = f"the shortest call asks {bounds.shortest_menus}" if bounds.shortest_menus else "no way ends"
            typer.echo(
                f"Menus: {shortest}, the longest {bounds.longest_menus}, "
                f"with {bounds.longest_seconds} s of silence, without the introductions."
            )
            for finding in report(menus, title):
                typer.echo(f"{finding.code} {finding.path} {finding.message}")
            typer.echo("")


def _read(file: Path) -> Iterator[tuple[str, tuple[Menu, ...], str | None]]:
    """Each message's place in the file, its menus, and when its phone may ring."""
    try:
        given = parse_json(read_file(file, MAX_JSON_BYTES))
    except (MalformedJson, PayloadTooLarge) as error:
        raise Refusal(f"The file {file.name}: {error.message}") from error
    for path, menu, hours in _menu_arrays(given):
        model, problems = check_message({**_COMPLETE, **hours, "menu": menu}, path)
        if model is None:
            raise Refusal(
                "\n".join(["The menus cannot be used:", *(f"  {one.path} {one.message}" for one in problems)])
            )
        yield path, to_menus(model), _rings(model)


def _rings(model: MessageModel) -> str | None:
    """When the phone of a message may ring, by what the file says: in which zones a number is, its account decides."""
    asked = model.asked()
    has_hours = asked.windows or asked.days_off
    zones = (asked.time_zone,) if asked.time_zone else ()
    hours = (Hours(asked.windows, zones, asked.days_off),) if has_hours else ()
    return may_ring(hours, model.sendAt)


def _menu_arrays(given: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Each message's place, its menus, and its hours; what stands beside the messages holds for each of them."""
    if isinstance(given, list):
        return [("message", given, {})]
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        places = [(f"messages[{index}]", message) for index, message in enumerate(given["messages"])]
        found = [(path, message if isinstance(message, dict) else {}) for path, message in places]
        return [(path, message.get("menu"), _hours({**_hours(given), **message})) for path, message in found]
    if isinstance(given, dict) and "menu" in given:
        return [("message", given["menu"], _hours(given))]
    raise Refusal('The file holds neither {"messages": […]}, nor a message with "menu", nor an array of menus.')


def _hours(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in HOURS_FIELDS if name in given}
