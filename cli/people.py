"""A table of people, and the message that each of them gets: `list send MENU.json people.csv --map to=phone`.

Pure: from bytes to messages, and to what is wrong with them, by row and column.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from speechcall.requests.rules.placeholders import MOST_CHARACTERS, read_template

MOST_ROWS = 50_000
FIELDS = ("to", "from", "text", "customerMessageId", "sendAt", "timeZone")
"""What a column can be of a message. Any other name stands in the menus as {{name}}, and in the message's `vars`."""
DELIMITERS = (",", ";", "\t")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_RANGE = 100
"""Messages of a request."""


class Unusable(Exception):
    """The files or the options cannot be used at all; the sentence says why."""


class WrongCell(NamedTuple):
    """What is wrong in a row: the header is row 1; a record over several lines is one row. No column: the row."""

    row: int
    column: str
    why: str


class Person(NamedTuple):
    """A row of the table (the header is row 1), or a message of a file, from 1."""

    row: int
    values: Mapping[str, str]
    """What the columns of the row hold, by the names that --map gives them; empty: of a message, or a wrong row."""


class Part(NamedTuple):
    """People who are sent to in one request, and its Idempotency-Key."""

    people: Sequence[Person]
    key: str


class Request(NamedTuple):
    """What a file asks for by itself: its messages, for each a person without values, and what it says for all."""

    messages: Sequence[Any]
    people: Sequence[Person]
    envelope: dict[str, Any]


def read_people(content: bytes, columns: Mapping[str, str]) -> tuple[list[Person], list[WrongCell]]:
    """Everybody in a table of UTF-8 text, in wrong rows too, and what is wrong with cells and rows.

    `columns`: from a field's name to the column's. Raises Unusable where the table as a whole is wrong.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unusable(f"the table is not UTF-8: line {line} cannot be read; save it as CSV UTF-8") from error
    if "\0" in text:
        raise Unusable("the table holds a NUL character, so it is no CSV")
    rows = _records(text, columns)
    header = [name.strip() for name in next(rows)]
    places = _places(header, columns)
    people: list[Person] = []
    wrong: list[WrongCell] = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(people) >= MOST_ROWS:
            raise Unusable(f"the table has more than {MOST_ROWS} rows; send it in parts")
        if len(cells) != len(header):
            wrong.append(WrongCell(number, "", f"has {len(cells)} cells; the header has {len(header)}"))
            people.append(Person(number, {}))
            continue
        values = {name: cells[place].strip() for name, place in places.items()}
        wrong += [WrongCell(number, columns[name], why) for name, value in values.items() if (why := _wrong(value))]
        people.append(Person(number, values))
    if not people:
        raise Unusable("the table has no rows under its header")
    return people, wrong


def _records(text: str, columns: Mapping[str, str]) -> Iterator[list[str]]:
    """The rows, the header first. Their delimiter is the one by which the header has most of the columns asked for.

    Raises Unusable for what is no CSV, and where there is no row.
    """
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda one: sum(name in _cells(first, one) for name in columns.values()))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [*reader]
    except csv.Error as error:
        raise Unusable(f"line {reader.line_num} of the table is no CSV: {error}") from error
    if not rows:
        raise Unusable("the table is empty")
    return iter(rows)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where in a row each field stands, from 0. Raises Unusable for a column that is not there once."""
    for name in columns.values():
        if header.count(name) != 1:
            there = ", ".join(one for one in header if one) or "none"
            problem = "has no column" if name not in header else "has more than one column"
            raise Unusable(f'the table {problem} "{name}"; its columns are: {there}')
    return {field: header.index(name) for field, name in columns.items()}


def _wrong(value: str) -> str:
    """What is wrong with a cell; empty: nothing."""
    if not value:
        return "is empty"
    if len(value) > MOST_CHARACTERS:
        return f"has {len(value)} characters; at most {MOST_CHARACTERS} can be"
    return "holds a character that cannot be seen, or a line's end" if _UNSEEN.search(value) else ""


def read_menu(content: bytes, columns: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message that everybody gets, and what the request says for all: the menus stand there, once. Raises Unusable.

    `content`: a message, or a request with exactly one. `columns`: from a field's name to the column's. Each {{name}}
    in the menus has to be in `columns` or in the message's own `vars`, and each of `columns` that is none of FIELDS has
    to stand in the menus.
    """
    messages, envelope = _messages(content)
    if len(messages) != 1:
        raise Unusable("the menu's file must hold exactly one message: the one that everybody gets")
    message = {name: value for name, value in messages[0].items() if name != "menu"}
    envelope = {**envelope, "menus": messages[0].get("menu", envelope.get("menus"))}
    if "to" not in columns:
        raise Unusable("say which column has the numbers: --map to=COLUMN")
    template, problems = read_template(envelope["menus"], "menu")
    for one in problems:
        raise Unusable(f"{one.path} {one.message}")
    own = message.get("vars") or {}
    if not isinstance(own, dict):
        raise Unusable("the message's vars must be an object")
    asked, mapped = set(template.names) - set(own), set(columns) - set(FIELDS)
    if missing := asked - mapped:
        raise Unusable(f"the menus say {_shown(missing)}, and no --map says what that is")
    if unused := mapped - asked:
        fields = ", ".join(FIELDS)
        raise Unusable(f"nothing in the menus says {_shown(unused)}; besides names in the menus there are: {fields}")
    return message, envelope


def read_request(content: bytes) -> Request:
    """The messages of a file as they stand there, and what it says for all. Raises Unusable."""
    messages, envelope = _messages(content)
    if not messages:
        raise Unusable("the file holds no message")
    if len(messages) > MOST_ROWS:
        raise Unusable(f"the file has more than {MOST_ROWS} messages; send it in parts")
    if any(
        template.names or problems for template, problems in (read_template(one.get("menu"), "") for one in messages)
    ):
        raise Unusable("the menus have names such as {{order}}, which a table fills: give PEOPLE.csv and --map")
    return Request(messages, [Person(number, {}) for number in range(1, len(messages) + 1)], envelope)


def _messages(content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The messages of a file, which may be one message alone, and what stands next to them. Raises Unusable."""
    try:
        given = json.loads(content)
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # half a character, or NaN, is no text that could be sent
        raise Unusable(f"the file is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise Unusable("the file must hold a message, or a request with messages")
    if "messages" not in given:
        return [given], {}
    messages = given["messages"]
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise Unusable('"messages" must be a list of messages')
    return messages, {name: value for name, value in given.items() if name != "messages"}


def _shown(names: set[str]) -> str:
    return " and ".join(f"{{{{{name}}}}}" for name in sorted(names))


def message_for(message: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The message with a person's values: fields of its own, and the rest for the names in the menus."""
    fields = {name: value for name, value in values.items() if name in FIELDS}
    named = {name: value for name, value in values.items() if name not in FIELDS}
    return {**message, **fields, **({"vars": {**(message.get("vars") or {}), **named}} if named else {})}


def parts_of(people: Sequence[Person], seed: Sequence[bytes]) -> list[Part]:
    """Everybody a hundred at a time. The Idempotency-Keys are made of `seed` and range: the same again has the same.

    `seed`: all else that decides what is sent: the files' content, and the options.
    """
    digest = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in seed)).hexdigest()[:40]
    parts = [people[first : first + _RANGE] for first in range(0, len(people), _RANGE)]
    return [Part(part, f"list-send-{digest}-{part[0].row}-{part[-1].row}") for part in parts]


def more_than_once(people: Sequence[Person]) -> int:
    """How many rows have a number that an earlier row has."""
    return len(people) - len({person.values.get("to") for person in people})
