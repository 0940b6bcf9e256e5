"""Choices out of a fuzzer's bytes: the same bytes always choose the same, and every byte that changes changes one."""

import copy
import json
from collections.abc import Sequence
from typing import Any

ODD_TEXTS = (
    "",
    "0",
    "-1",
    "1e400",
    "NaN",
    "null",
    "١٢",
    "\u202a+380671234567",
    "\x00",
    "\r\nX: y",
    "\ud800",
    "é" * 300,
    "../..",
    "227633266688000007",
    "9" * 40,
    "1970-01-01T00:00:00.001Z",
    "DISCONNECTED",
    "key",
    "answered",
    "#",
)
ODD_VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 1, 2**63, 10**400, 0.5, -0.0, 1e308, [], {}, [[]], {"": None})


class Choices:
    """Bytes that are used up one choice after the other; those that are not there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def is_used_up(self) -> bool:
        """Whether every further choice is the first one."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """0 to 255."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, most: int) -> int:
        """0 to `most` - 1; two bytes where one is too few."""
        return self.byte() % most if most <= 256 else (self.byte() << 8 | self.byte()) % most

    def one_of(self, those: Sequence[Any]) -> Any:
        """One of some."""
        return those[self.below(len(those))]

    def chunk(self) -> bytes:
        """Some bytes, with their number before them."""
        size = self.byte()
        begin = self._at
        self._at = begin + size
        return self._data[begin : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        left = self._data[self._at :]
        self._at = len(self._data)
        return left

    def text(self) -> str:
        """A text: one of the odd ones, or what some bytes say (in UTF-8, and else a character a byte)."""
        if self.byte() < 64:
            return str(self.one_of(ODD_TEXTS))
        given = self.chunk()
        try:
            return given.decode()
        except UnicodeDecodeError:
            return given.decode("latin-1")

    def value(self) -> Any:
        """A JSON value."""
        kind = self.below(8)
        if kind < 3:
            return self.text()
        if kind < 6:
            return copy.deepcopy(self.one_of(ODD_VALUES))  # it may be edited further
        try:
            return json.loads(self.chunk())
        except (ValueError, RecursionError):
            return {}


def edited(value: Any, choices: Choices, most: int = 6) -> Any:
    """A copy of a JSON value in which some members are others, are gone, or are where they do not belong."""
    changed = [copy.deepcopy(value)]
    for _ in range(choices.below(most)):
        where: Any = changed
        name: Any = 0
        while isinstance(where[name], dict | list) and where[name] and choices.byte() > 24:
            where = where[name]
            name = choices.one_of(list(where)) if isinstance(where, dict) else choices.below(len(where))
        kind = choices.below(6)
        if kind == 0 and where is not changed:
            del where[name]
        elif kind == 1 and isinstance(where, dict):
            where[choices.text()] = where[name]
        elif kind == 2:
            where[name] = [where[name]]
        elif kind == 3 and isinstance(where[name], str):
            at = choices.below(len(where[name]) + 1)
            where[name] = where[name][:at] + choices.text() + where[name][at:]
        else:
            where[name] = choices.value()
    return changed[0]
