"""A call's journal as lines that a person reads."""

from collections.abc import Callable, Mapping
from typing import Any

Entry = Mapping[str, Any]


def timeline(entries: list[dict[str, Any]]) -> list[str]:
    """One line for each thing that happened, with the seconds since the first."""
    if not entries:
        return []
    begin = entries[0]["at"]
    lines = []
    for entry in entries:
        words = _WORDS.get(entry["kind"])
        if words:
            text = words(entry)
            head, *rest = text.splitlines()
            lines.append(f"{entry['at'] - begin:7.2f} s  {entry['kind']:<9} {head}")
            lines += [f"{'':21}{line}" for line in rest]
    return lines


def _state(entry: Entry) -> str:
    if entry["state"] != "finished":
        return str(entry["state"])
    return f"finished: {entry['outcome']}, {entry['reason']}"


def _webhook(entry: Entry) -> str:
    lines = [f"{entry['method']} {entry['url']}"]
    lines += [f"{name}: {value}" for name, value in entry["headers"]]
    lines.append(f"(signature: {entry['signature']})")
    return "\n".join([*lines, str(entry["body"])])


_WORDS: Mapping[str, Callable[[Entry], str]] = {
    "accepted": lambda entry: f"message {entry['mid']} to {entry['recipient']}",
    "state": _state,
    "dialled": lambda entry: f"{entry['number']}",
    "ringing": lambda _: "the phone rings",
    "answered": lambda _: "the callee answers",
    "menu": lambda entry: f"menu {entry['menu']} is asked",
    "prompt": lambda entry: f"{entry['seconds']:.1f} s of introduction are played",
    "key": lambda entry: f"the callee presses {entry['key']}",
    "silence": lambda _: "nothing was pressed",
    "webhook": _webhook,
    "ended": lambda entry: f"{entry['reason']}",
}
