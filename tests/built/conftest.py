"""Tests of what `bin/sam-build` has built."""

import pytest

from local.cloud.artifact import NotBuiltError, built_template


@pytest.fixture(scope="session")
def built():
    try:
        return built_template()
    except NotBuiltError as error:
        pytest.fail(str(error))
