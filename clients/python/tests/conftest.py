"""The client's tests. Those that need the service on this machine are marked `long`."""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
sys.path += [str(EXAMPLES), str(Path(__file__).parent)]
pytest.register_assert_rewrite("shop_checks")

try:
    distribution("speechcall-client")
except PackageNotFoundError:  # in the repository pytest does not find the fixture by itself
    from speechcall_client.pytest_plugin import laptop, speechcall_laptop  # noqa: F401
