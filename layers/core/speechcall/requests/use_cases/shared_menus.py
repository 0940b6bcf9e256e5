"""Menus that stand beside the messages, and are those of each message that has none of its own."""

from typing import Any

from speechcall.api.use_cases.request_problems import MAX_PROBLEMS, RIGHT
from speechcall.requests.rules.placeholders import MOST_CHARACTERS, NAME, SHORTEST, Template, read_template
from speechcall.requests.use_cases.read_messages import check_message
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.json_text import dump_json

_ANY_MESSAGE = {"from": "Sender", "to": "+380671234567", "text": "ivr", "type": "speechcall"}
"""With it the menus are looked at before any message's values are in them."""


def read_menus(
    given: Any, *, allow_loopback: bool, most_bytes: int
) -> tuple[Template, list[Problem]] | tuple[None, list[Problem]]:
    """The `menus` of an envelope, or None and what is wrong with them, whatever values their names get.

    `allow_loopback`: their URLs may lead to this machine. `most_bytes`: as JSON.
    """
    if not isinstance(given, list):
        return None, [Problem("INVALID_MENU", "menus", f"must be {RIGHT['menus']}")]
    # They are filled and checked for up to a hundred messages: what is too long for all of them is refused once, here.
    if (size := len(dump_json(given).encode())) > most_bytes:
        return None, [Problem("INVALID_MENU", "menus", f"has {size} bytes as JSON; at most {most_bytes} can be")]
    template, problems = read_template(given, "menus")
    if not problems:
        sample = template.filled(dict.fromkeys(template.names, SHORTEST))
        _, found = check_message({**_ANY_MESSAGE, "menu": sample}, "", allow_loopback=allow_loopback)
        # A path in that message (`.menu[0].say`) becomes one next to the messages (`menus[0].say`).
        problems = [one._replace(path=f"menus{one.path.removeprefix('.')[len('menu') :]}") for one in found]
    return (None, problems[:MAX_PROBLEMS]) if problems else (template, [])


def insert(
    template: Template | None, given: dict[str, Any], path: str, *, most_characters: int
) -> tuple[dict[str, Any], list[Problem]]:
    """The menus for the message `given`, as its own `menu`, and what is wrong with its `vars`.

    Asked only for a message that has `vars`, or no menu of its own. Out: the member `menu`; nothing where the message
    may have no `vars`. `template`: of the envelope's menus; None: it has none. `path`: of the message.
    `most_characters`: of all values in their places. One value may stand in 20,000 of them: what cannot be right with
    so many is never put together. A value that cannot be used counts as SHORTEST here: the message's own check reports
    it.
    """
    values = given.get("vars")
    if template is None or "menu" in given:
        text = "changes nothing: it stands in the menus beside messages, for a message without a menu of its own"
        return {}, [Problem("INVALID_VARS", f"{path}.vars", text)]
    if values is None:
        values = {}
    known: dict[str, str] = {}
    if isinstance(values, dict):
        known = {name: _usable(value) for name, value in values.items() if NAME.fullmatch(name)}
    shortest = dict.fromkeys(template.names, SHORTEST)
    if (count := template.characters(shortest | known)) > most_characters:
        text = f"has {count} characters in all its places in menus together; at most {most_characters} can be"
        return {"menu": template.filled(shortest)}, [Problem("INVALID_VARS", f"{path}.vars", text)]
    problems: list[Problem] = []
    if isinstance(values, dict):
        problems = [*template.problems(known, f"{path}.vars")]
    return {"menu": template.filled(shortest | known)}, problems[:MAX_PROBLEMS]


def _usable(value: Any) -> str:
    return value if isinstance(value, str) and 1 <= len(value) <= MOST_CHARACTERS else SHORTEST
