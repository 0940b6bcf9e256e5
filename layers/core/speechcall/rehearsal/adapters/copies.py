"""Copies of frozen dataclasses with slots, for stores in memory: `replace`, several times faster.

`dataclasses.replace` gives each field to `__init__` by its name. A message has some fifty, and is changed five times in
a call: that was most of the time of a rehearsal.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
_Setter = Callable[[object, object], None]
_Fields = tuple[Callable[[Any], tuple[Any, ...]], dict[str, _Setter]]
_KNOWN: dict[type, _Fields] = {}


def _fields(kind: Any) -> _Fields:
    """How all fields are read at once, and each is set."""
    if kind not in _KNOWN:
        names: tuple[str, ...] = kind.__slots__
        _KNOWN[kind] = attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}
    return _KNOWN[kind]


def altered(made: T, **changes: Any) -> T:
    """What was made, with other values in some fields. Raises KeyError for a field that there is not."""
    read, setters = _fields(type(made))
    copy = object.__new__(type(made))
    for write, value in zip(setters.values(), read(made), strict=True):
        write(copy, value)
    for name, value in changes.items():
        setters[name](copy, value)
    return copy


def finish_copy(copy: object, **changes: Any) -> None:
    """Sets fields of a copy that was just made, and that no reader has yet."""
    setters = _fields(type(copy))[1]
    for name, value in changes.items():
        setters[name](copy, value)
