"""What accepting messages needs of the stored lists and of what accounts have spent."""

from collections.abc import Set as AbstractSet
from typing import Protocol

from speechcall.accounts.rules.account import Account
from speechcall.requests.use_cases.check_request import Prompts
from speechcall.requests.use_cases.message_list import MessageList


class ListStore(Prompts, Protocol):
    """Where message lists are known, and what an account has spent."""

    def add_list(self, made: MessageList, key: str | None) -> MessageList | None:
        """Writes a list and, if there is one, its idempotency key, both or neither; returns what is stored.

        That is `made`; or, where a list that has not expired has the key, that one: its `list_id` is another, its
        `fingerprint` may be, and nothing is written. None: another list has the id of `made`; draw a new one.
        A list of a campaign is counted there in the same step; `made` comes back with those `funnels` alone that the
        campaign keeps apart. Raises CampaignCancelled, TooManyCampaigns, StoreUnavailable.
        """

    def keep_accepting(self, stored: MessageList, now_msec: int) -> None:
        """Says that a repeat will now write those messages of a campaign's stored list that are missing.

        The list is counted again where its counts were taken back. Raises as `add_list`.
        """

    def confirm_list(self, stored: MessageList) -> None:
        """The messages of a list of a campaign are written. Safe to repeat."""

    def find_list_by_key(self, account_id: str, key: str) -> MessageList | None:
        """The list that an idempotency key was used for, also one that has expired; None: there is none (any more)."""

    def admit_shapes(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        """Makes shapes of menus known; those that were never sent before count for the account's day.

        Raises TooManyMenuShapes, and then none of them has become known. Safe to repeat.
        """

    def spend(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        """Takes messages from the account's bucket and from its day, and `urgent` of them from its minute; or of none.

        Raises RateLimited.
        """

    def give_back(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        """Gives back what `spend` took at `now_msec`."""
