"""What pydantic finds wrong with a request, as a client is told it."""

from speechcall.domain.errors import Problem

_ACTIONS = ("webhook", "hangup", "gotoMenu")
_CODES = {"to": "INVALID_RECIPIENT", "from": "INVALID_SENDER", "text": "INVALID_TEXT", "type": "INVALID_TYPE"}

_TEXTS = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "string_type": "must be a string",
    "int_type": "must be an integer",
}


def problem_of(loc: tuple[int | str, ...], kind: str, message: str, path: str) -> Problem:
    """A problem with the place written as a client would write it; pydantic's own marks left out."""
    code = _CODES.get(str(loc[0]), "INVALID_MENU") if loc else "INVALID_MESSAGE"
    for position, part in enumerate(loc):
        names_the_action = part in _ACTIONS and position > 0 and isinstance(loc[position - 1], int)
        marks_a_key = part == "[key]" and position > 1 and loc[position - 2] == "dtmfActions"
        if not names_the_action and not marks_a_key:
            path += f"[{part}]" if isinstance(part, int) else f".{part[:64]}"
    text = message.removeprefix("Value error, ")
    return Problem(code, path, _TEXTS.get(kind, text[:1].lower() + text[1:]))
