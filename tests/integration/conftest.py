"""The HTTP API over moto: one for each module that asks for it, empty for each test."""

from collections.abc import Iterator

import pytest

from tests.kit.http_api import HttpApi, running_api


@pytest.fixture(scope="module")
def made() -> Iterator[HttpApi]:
    with running_api() as api:
        yield api


@pytest.fixture
def api(made: HttpApi) -> HttpApi:
    made.reset()
    return made
