"""What holds for every test."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is no failure: how long one example takes says nothing about the product.
settings.register_profile("speechcall", deadline=None, max_examples=60)
# What differs from one Python to the next is seen in the first ones.
# `make unit`: a first look, of some seconds.
settings.register_profile("quick", deadline=None, max_examples=15)
settings.register_profile("few", deadline=None, max_examples=5)
settings.load_profile("speechcall")


def pytest_collection_finish() -> None:
    """What is there by now stays: the collector of garbage need not look through thousands of tests and modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _permissions_seen() -> Iterator[None]:
    """For `make permissions`: what the functions of this process asked for is kept."""
    if not os.environ.get("PERMISSIONS_SEEN"):
        yield
        return
    from tests.kit.permission_rules import Seen  # noqa: PLC0415 - the unit tests load nothing of the cloud

    seen = Seen()
    with pytest.MonkeyPatch.context() as patch:
        seen.note(patch)
        yield
    seen.write()
