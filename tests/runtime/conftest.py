"""Environments of Lambda's runtime."""

import pytest

from local.cloud.runtime.emulator import RuntimeMissingError, emulator_command


@pytest.fixture(scope="session", autouse=True)
def runtime():
    try:
        emulator_command()
    except RuntimeMissingError as error:
        pytest.fail(str(error))
