"""GET /bat/message/{messageId} and GET /bat/messagelist/{messagelistId}."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.messages.rules.estimates import NOTHING_LEFT, Estimate, estimate
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Capacity
from speechcall.messages.rules.stops import Held
from speechcall.messages.rules.turns import Turn
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import NotFound, Problem, RequestError
from speechcall.status.use_cases.status import (
    NOT_HELD,
    WAITING,
    History,
    Summary,
    as_of,
    describe_list,
    describe_message,
)

if TYPE_CHECKING:
    from speechcall.api.rules.answers import ListStatus, MessageStatus

MENU = "menu"
"""What `include` may name."""
MAX_PAGE = 100
MAX_ID_LENGTH = 19


class StatusStore(Protocol):
    """What is stored, as the status answers read it."""

    def read(self, mid: str) -> History | None: ...

    def summaries(self, mids: Sequence[str]) -> list[Summary]: ...

    def waiting_before(self, account_id: str, campaign: str, mid: str) -> int:
        """How many messages wait for a line up to this one, it too; counted to 1,000.

        Of the campaign's queue that is not urgent and has no calling hours: others are not counted.
        """


class Turns(Protocol):
    """Whose turn it is for a line."""

    def find(self, account_id: str, is_urgent: bool) -> Turn: ...


class Lists(Protocol):
    """Where message lists are known."""

    def find_list(self, list_id: str) -> MessageList | None: ...


class Stops(Protocol):
    """What is paused or cancelled."""

    def held(self, account_id: str, list_id: str, campaign: str, *, is_urgent: bool) -> Held: ...


def read_message(
    account: Account, mid: str, query: Mapping[str, str], now_msec: int, *, store: StatusStore, stops: Stops
) -> "MessageStatus":
    """The answer about one message. `query`: `include=menu` for its menus. Raises NotFound, RequestError."""
    with_menu = _includes_menu(query)
    history = history_of(account, mid, store)
    answer = describe_message(history, now_msec, _held(history.message, stops))
    if with_menu:
        from speechcall.menus.rules.written_menus import written_menus  # noqa: PLC0415, few ask for them

        answer["menu"] = written_menus(history.message.menus)
    return answer


def _includes_menu(query: Mapping[str, str]) -> bool:
    given = parameter(query, "include")
    if given not in (None, MENU):
        raise RequestError("The query cannot be used.", [Problem("INVALID_REQUEST", "include", f"must be {MENU}")])
    return given is not None


def _held(message: Message, stops: Stops) -> Held:
    """What may stop a message that waits; for one that does not wait the store is not asked."""
    if message.state not in WAITING:
        return NOT_HELD
    return stops.held(message.account_id, message.list_id, message.campaign, is_urgent=message.is_urgent)


def history_of(account: Account, mid: str, store: StatusStore) -> History:
    """All that is stored of an account's message. Raises NotFound if the account has none of that id."""
    history = store.read(mid) if is_id(mid) else None
    if history is None or history.message.account_id != account.account_id:
        raise no_message()
    return history


def no_message() -> NotFound:
    """The answer to an id of which the account has no message."""
    return NotFound("There is no message of this id in this account, or it has expired.")


def read_list(
    account: Account,
    list_id: str,
    query: Mapping[str, str],
    now_msec: int,
    *,
    store: StatusStore,
    lists: Lists,
    stops: Stops,
    turns: Turns,
    open_campaigns: Callable[[str], int],
    capacity: Callable[[], Capacity],
) -> "ListStatus":
    """The answer about one list. `query`: `limit` (1 to 100) and `offset` (from 0). Raises NotFound, RequestError.

    `open_campaigns`: how many campaigns of an account are unfinished. While the list is paused there is no estimate.
    """
    limit, offset = whole_number(query, "limit", 1, MAX_PAGE, MAX_PAGE), whole_number(query, "offset", 0, MAX_PAGE, 0)
    found = list_of(account, list_id, lists)
    read = store.summaries(found.message_ids)
    held = held_of(found, read, stops)
    summaries = [as_of(now_msec, one, held) for one in read]
    unfinished = sum(one.state is not State.FINISHED for one in summaries)
    left: Estimate | None = NOTHING_LEFT
    if unfinished:
        name = account.account_id
        # Within a queue the first come are the first served, so what came later does not count.
        before = store.waiting_before(name, found.campaign, found.message_ids[-1])
        # What is in no campaign shares the lines as a campaign does.
        rivals = open_campaigns(name) + (not found.campaign)
        # Messages in a call are unfinished and do not wait: the larger of the two numbers counts.
        left = estimate(max(unfinished, before), turns.find(name, False), capacity(), rivals, now_msec)
    if held.is_paused and any(one.state in WAITING for one in summaries):
        left = None
    return describe_list(found, summaries, offset, limit, left, held.state)


def list_of(account: Account, list_id: str, lists: Lists) -> MessageList:
    """An account's list. Raises NotFound if the account has none of that id."""
    found = lists.find_list(list_id) if is_id(list_id) else None
    if found is None or found.account_id != account.account_id:
        raise NotFound("There is no message list of this id in this account, or it has expired.")
    return found


def held_of(found: MessageList, summaries: Sequence[Summary | Message], stops: Stops) -> Held:
    """What may stop the messages of a list, which are all of one campaign.

    An account's urgent messages and its others are stopped together, so the first message stands for all.
    """
    is_urgent = bool(summaries) and summaries[0].is_urgent
    return stops.held(found.account_id, found.list_id, found.campaign, is_urgent=is_urgent)


def is_id(given: str) -> bool:
    """Whether a message or a list may have this id."""
    return given.isascii() and given.isdigit() and len(given) <= MAX_ID_LENGTH


def whole_number(query: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """A number in a query, from `least` to `most`; `default` where it is absent. Raises RequestError for any other."""
    given = parameter(query, name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and least <= int(given) <= most):
        problem = Problem("INVALID_REQUEST", name, f"must be a whole number from {least} to {most}{foreign(given)}")
        raise RequestError("The query cannot be used.", [problem])
    return int(given)
