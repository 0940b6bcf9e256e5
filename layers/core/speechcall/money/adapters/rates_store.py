"""The rates (pk `RATES`, sk `VERSIONS`, and pk `RATES#<version>`), in the table Registry.

A version never changes: each import makes a new one, which holds for the calls that are dialled from then on. So what
was read of one is kept for as long as the environment lives, and the only item that is read each time is the list of
versions. A version is written page by page before it is on that list, and nobody looks for a page of another.

import A   pages of a ──► VERSIONS: … a
import B   pages of b ─────────────────► VERSIONS ──X not as read: read again ──► VERSIONS: … a, b: both, in this order
killed     pages of c ──► killed: nobody knows c
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from speechcall.money.rules import rate_table
from speechcall.money.rules.rate import Rate
from speechcall.money.rules.rate_table import Stretch, rates_in, stretches_of
from speechcall.shared.adapters.keys import RATES, rates_index_key, rates_page_key
from speechcall.shared.adapters.table import ConditionFailed, Values, read_item, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FORM = 1
"""`v` of the items that are made here."""
PAGE_STRETCHES = 400
"""So many a page has: some 15 KB, so reading one costs four units."""
MOST_VERSIONS = 500
"""So many are kept; the oldest goes for the newest. With two a week that is five years, as a message may be kept."""
MOST_PAGES = 64
"""So many an environment keeps; with one more it forgets them all."""
TRIES = 5


class Version(NamedTuple):
    """The rates of one import."""

    version_id: str
    from_msec: int
    """They hold for the calls that are dialled from this moment on, until the next version."""
    rates: int
    """How many there are."""


class Versions(NamedTuple):
    """All imports that are kept, the oldest first."""

    currency: str = ""
    """Of the stack, an ISO 4217 code; empty: nothing was imported yet."""
    versions: tuple[Version, ...] = ()
    revision: int = 0

    def at(self, moment_msec: int) -> Version | None:
        """The rates that hold at a moment. None: none were there."""
        index = bisect_right(self.versions, moment_msec, key=lambda one: one.from_msec)
        return self.versions[index - 1] if index else None


class OtherCurrency(Exception):
    """The stack has another currency, in which amounts are stored."""


class DynamoRates:
    """The rates of a stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        self._indexes: dict[str, list[str]] = {}
        self._pages: dict[tuple[str, int], list[Stretch]] = {}

    def versions(self) -> Versions:
        """All that is kept; strongly consistent."""
        return _load_versions(read_item(self._client, self._table, RATES))

    def rate_of(self, version: Version, number: str) -> Rate | None:
        """The rate of a number (E.164) in a version. None: it has none."""
        starts = self._index(version)
        page = bisect_right(starts, number.removeprefix("+"))
        return rate_table.rate_at(self._page(version, page - 1), number) if page else None

    def rate_at(self, number: str, at_msec: int) -> Rate | None:
        """The rate of a call to a number that is dialled at a moment. None: it has none."""
        version = self.versions().at(at_msec)
        return self.rate_of(version, number) if version else None

    def all_of(self, version: Version) -> list[Rate]:
        """All rates of a version, in the order of their prefixes."""
        pages = (self._page(version, page) for page in range(len(self._index(version))))
        return [rate for stretches in pages for rate in rates_in(stretches)]

    def add(self, rates: Iterable[Rate], currency: str, version_id: str, now_msec: int) -> Version:
        """Stores rates, each of whose prefixes is there once, that hold from now on; out: their version.

        `version_id` was never used. Raises OtherCurrency, StoreUnavailable.
        """
        rates = list(rates)
        stretches = stretches_of(rates)
        pages = [stretches[at : at + PAGE_STRETCHES] for at in range(0, len(stretches), PAGE_STRETCHES)]
        self._refuse_other(self.versions(), currency)
        for number, page in enumerate(pages):
            self._put({**rates_page_key(version_id, number), "v": FORM, "stretches": [*map(_dump, page)]})
        self._put({**rates_index_key(version_id), "v": FORM, "starts": [page[0].start for page in pages]})
        for _ in range(TRIES):
            read = self.versions()
            self._refuse_other(read, currency)
            # Clocks differ: what is imported later holds later.
            latest_msec = read.versions[-1].from_msec if read.versions else 0
            version = Version(version_id, max(now_msec, latest_msec + 1), len(rates))
            if self._save(Versions(currency, (*read.versions, version)[-MOST_VERSIONS:], read.revision)):
                return version
        raise StoreUnavailable("the rates change too fast")

    def _refuse_other(self, read: Versions, currency: str) -> None:
        if read.currency not in ("", currency):
            raise OtherCurrency(read.currency)

    def _save(self, versions: Versions) -> bool:
        """Replaces the list of versions, if it is as it was read (`revision`; 0: there was none). False: it is not."""
        it_is_as_read = "attribute_not_exists(pk)" if versions.revision == 0 else "revision = :read"
        dumped = [{"id": one.version_id, "from_msec": one.from_msec, "rates": one.rates} for one in versions.versions]
        item = {**RATES, "v": FORM, "currency": versions.currency, "versions": dumped}
        read: Values = {":read": versions.revision} if versions.revision else {}
        try:
            self._put({**item, "revision": versions.revision + 1}, it_is_as_read, read)
        except ConditionFailed:
            return False
        return True

    def _put(self, item: Values, condition: str = "attribute_not_exists(pk)", values: Values | None = None) -> None:
        """Writes an item: a new one, or where `condition` holds. Raises ConditionFailed, StoreUnavailable."""
        more: Any = {"ExpressionAttributeValues": to_wire(values)} if values else {}
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire(item), ConditionExpression=condition, **more)

    def _index(self, version: Version) -> list[str]:
        """With which digits the pages of a version begin."""
        name = version.version_id
        if name not in self._indexes:
            self._indexes[name] = self._read(rates_index_key(name))["starts"]
        return self._indexes[name]

    def _page(self, version: Version, number: int) -> Sequence[Stretch]:
        name = (version.version_id, number)
        if name not in self._pages:
            if len(self._pages) >= MOST_PAGES:
                self._pages.clear()
            self._pages[name] = [*map(_load, self._read(rates_page_key(*name))["stretches"])]
        return self._pages[name]

    def _read(self, key: dict[str, str]) -> Values:
        item = read_item(self._client, self._table, key)
        if item is None:
            raise StoreUnavailable("a page of the rates is not there")
        return item


def _dump(stretch: Stretch) -> str:
    """`start`, and with a rate `start prefix firstSeconds firstPrice stepSeconds stepPrice`; prices in millionths."""
    return " ".join(map(str, (stretch.start, *(stretch.rate or ()))))


def _load(text: str) -> Stretch:
    start, *rate = text.split(" ")
    return Stretch(start, Rate(rate[0], *map(int, rate[1:])) if rate else None)


def _load_versions(item: Values | None) -> Versions:
    if item is None:
        return Versions()
    versions = tuple(Version(one["id"], one["from_msec"], one["rates"]) for one in item["versions"])
    return Versions(item["currency"], versions, item["revision"])
