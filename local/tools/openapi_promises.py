"""The schema of promises, for the API's description and as a file of its own (docs/promises.schema.json)."""

from typing import Any

from speechcall.menus.rules.menu import ENTRIES, LISTS
from speechcall.menus.rules.promise import MOST_PROMISES
from speechcall.menus.rules.promise_grammar import (
    BREAKABLE,
    EVERY_MENU,
    EXCUSES,
    HANGUP,
    MAX_NAME_LENGTH,
    MAX_PATTERN_LENGTH,
    MOST_IN_A_MESSAGE,
    MOST_MENUS,
    OPT_OUT,
    PACKS,
    SOME_KEY,
)

_INDEX = {"type": "integer", "minimum": 0, "maximum": MOST_IN_A_MESSAGE - 1}
_PATTERN: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_PATTERN_LENGTH,
    "pattern": r"^\S+$",
    "description": "Of URLs: `*` stands for any characters. Without a `?` in it, URLs are looked at up to their query.",
    "examples": ["*/confirmed"],
}
_KEY: dict[str, Any] = {"type": "string", "enum": [*ENTRIES, SOME_KEY]}
_TO_500 = "([1-9][0-9]?|[1-4][0-9]{2}|500)"
_TO_86400 = "([1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)"
_MEMBERS_OF_PACKS: dict[str, dict[str, Any]] = {"webhook": _PATTERN, "key": _KEY}


def _some(names: tuple[str, ...]) -> dict[str, Any]:
    one = {"type": "string", "enum": [*names]}
    return {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}


def _form(required: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": members,
        "additionalProperties": False,
    }


_NEVER = [
    _form("webhook", webhook=_PATTERN),
    _form("webhook without", webhook=_PATTERN, without=_some(ENTRIES)),
    _form("webhook by", webhook=_PATTERN, by=_some(LISTS)),
    _form("webhook twice", webhook=_PATTERN, twice={"const": True}),
    _form("both", both={"type": "array", "minItems": 2, "maxItems": 2, "items": _PATTERN}),
    _form("ends", ends={"type": "string", "enum": [one.value for one in BREAKABLE]}),
]
_ALWAYS = [
    _form(
        "webhook",
        webhook=_PATTERN,
        within=_form("menus", menus={"type": "integer", "minimum": 1, "maximum": MOST_MENUS}),
        after=_PATTERN,
        unless={"type": "array", "items": {"type": "string", "enum": [one.value for one in EXCUSES]}},
    ),
    _form(
        "key in leadsTo",
        key=_KEY,
        leadsTo={
            "anyOf": [
                {"type": "string", "enum": [HANGUP, OPT_OUT]},
                _form("menu", menu=_INDEX),
                _form("webhook", webhook=_PATTERN),
            ]
        },
        **{
            "in": {
                "anyOf": [
                    {"const": EVERY_MENU},
                    _INDEX,
                    {"type": "array", "minItems": 1, "maxItems": MOST_IN_A_MESSAGE, "items": _INDEX},
                ]
            }
        },
    ),
    _form("menus", menus={"type": "string", "pattern": f"^<= ?{_TO_500}$", "examples": ["<= 3"]}),
    _form("callSeconds", callSeconds={"type": "string", "pattern": f"^<= ?{_TO_86400}$", "examples": ["<= 90"]}),
]


def promises_schema() -> dict[str, Any]:
    """Of a list of promises."""
    name = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH, "description": "How it is called."}
    packs = [
        _form(
            "pack",
            name=name,
            pack={"const": pack, "description": f"{made.about[:1].upper()}{made.about[1:]}."},
            **{member: _MEMBERS_OF_PACKS[member] | {"default": default} for member, default in made.members.items()},
        )
        for pack, made in PACKS.items()
    ]
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_PROMISES,
        "items": {
            "anyOf": [
                _form("never", name=name, never={"anyOf": _NEVER}),
                _form("always", name=name, always={"anyOf": _ALWAYS}),
                *packs,
            ]
        },
        "description": "What every call through a message's menus has to keep to: docs/promises.md.",
    }
