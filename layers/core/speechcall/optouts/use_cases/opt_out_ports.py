"""What the use cases need of the opt-outs."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from speechcall.optouts.rules.opt_out import Consent, OptOut


class OptOuts(Protocol):
    """Who has opted out, for who wants to call."""

    def digest(self, number: str) -> str:
        """The digest by which a number (E.164) is known; empty: none is kept of it, and nothing is checked."""

    def opted_out(self, account_id: str, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of `wanted` (digest, list) that may not be called. Strongly consistent."""

    def holds_until(self, account_id: str, lists: Collection[str]) -> dict[str, int]:
        """Until when those of `lists` hold that have an age, by name; the others are missing. Strongly consistent."""


class Page(NamedTuple):
    """Some opt-outs; `cursor`: where the next page begins, None: this is the last."""

    found: list[OptOut]
    cursor: str | None


class OptOutStore(OptOuts, Protocol):
    """The opt-outs of all accounts."""

    def add(self, account_id: str, opt_out: OptOut) -> bool:
        """Writes an opt-out. False: one that counts as much holds already, and stays as it is."""

    def find(self, account_id: str, list_name: str, digest: str) -> OptOut | None:
        """An entry, also one that was taken back; None: there is none. Strongly consistent."""

    def remove(self, account_id: str, read: OptOut, consent: Consent | None, now_msec: int) -> bool:
        """Takes an entry back that holds as it was read. False: it has changed since."""

    def set_holds_until(self, account_id: str, list_name: str, until_msec: int) -> None:
        """From now on the list has an age: it holds until then."""

    def page(self, account_id: str, list_name: str | None, limit: int, cursor: str | None, *, all_: bool) -> Page:
        """Entries in the order of lists and digests; `all_`: also those that were taken back.

        A page may hold fewer than `limit`. Raises ValueError for an invalid cursor.
        """


class _Nobody:
    def digest(self, _number: str) -> str:
        return ""

    def opted_out(self, _account_id: str, _wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        return set()

    def holds_until(self, _account_id: str, _lists: Collection[str]) -> dict[str, int]:
        return {}


NOBODY: OptOuts = _Nobody()
"""For who only judges a text, without a table: nobody has opted out."""
