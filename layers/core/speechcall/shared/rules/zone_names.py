"""Which names of time zones there are: those of the package tzdata, the same on every machine."""

from functools import cache
from importlib import resources

_NO_PLACE = {"Factory"}
"""In the list, and no zone: what a machine has whose zone was never set."""


def is_zone(name: str) -> bool:
    """Whether a time zone has exactly this name."""
    return name in _names().values()


def similar_zone(name: str) -> str | None:
    """The zone whose name is this one but for capitals, spaces and underscores; None: there is none."""
    return _names().get(_plain(name))


@cache
def _names() -> dict[str, str]:
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {_plain(name): name for name in listed if name not in _NO_PLACE}


def _plain(name: str) -> str:
    return name.replace("_", "").replace(" ", "").casefold()
