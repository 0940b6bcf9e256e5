"""The template's tables on moto, for races: each order finds them empty, and each request lets the others go first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from local.cloud.account import ACCOUNT
from tests.kit.direct_dynamodb import take_the_short_way
from tests.kit.registry import dynamodb_client, make_tables


class RaceTables:
    """The tables, and a client of theirs that steps before each request while a race is run."""

    def __init__(self, *, is_direct: bool = True) -> None:
        """`is_direct`: by the short way, which takes no bytes; only that way steps."""
        self.client = dynamodb_client()
        self.names = make_tables(self.client)
        self._step: Callable[[], object] = lambda: None
        if is_direct:
            take_the_short_way(self.client, self._before_each)

    @classmethod
    @contextmanager
    def made(cls, *, is_direct: bool = True) -> Iterator["RaceTables"]:
        """They live as long as moto's AWS."""
        with mock_aws():
            yield cls(is_direct=is_direct)

    def _before_each(self) -> None:
        self._step()

    def clear(self) -> None:
        """All tables are empty."""
        for items in self._items():
            items.clear()

    def snapshot(self) -> Callable[[], None]:
        """What brings back all that the tables hold now."""
        begun = [deepcopy(dict(items)) for items in self._items()]

        def restore() -> None:
            for items, before in zip(self._items(), begun, strict=True):
                items.clear()
                items.update(deepcopy(before))  # moto changes an item in its place

        return restore

    def of_registry(self) -> dict[str, dict[str, Any]]:
        """Each item's attributes in the registry, by its sort key."""
        return {
            item.attrs["sk"].value: item.to_json()["Attributes"]
            for items in self._items()[1].values()
            for item in items.values()
        }

    def _items(self) -> list[Any]:
        tables = dynamodb_backends[ACCOUNT][self.client.meta.region_name].tables
        return [tables[name].items for name in self.names]

    @contextmanager
    def stepping(self, step: Callable[[], object]) -> Iterator[None]:
        """Meanwhile each request calls `step` first."""
        before, self._step = self._step, step
        try:
            yield
        finally:
            self._step = before
