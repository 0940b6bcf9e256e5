"""Unit tests have no network: what wants a socket fails at once."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    # asyncio needs its own socket pair.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
