"""The fixture `laptop`: the whole service on this machine, started once for all tests (extra `laptop`)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from speechcall_client.laptop import Laptop


@pytest.fixture(scope="session")
def speechcall_laptop() -> "Iterator[Laptop]":
    """The service itself; it starts in some seconds."""
    from speechcall_client.laptop import started  # noqa: PLC0415, every run of pytest loads this module

    with started() as laptop:
        yield laptop


@pytest.fixture
def laptop(speechcall_laptop: "Laptop") -> "Laptop":
    """The service, without what earlier tests said of receivers."""
    speechcall_laptop.forget()
    return speechcall_laptop
