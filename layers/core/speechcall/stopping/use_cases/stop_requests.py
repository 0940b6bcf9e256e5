"""POST … /cancel, /pause and /resume of a message, a list or a campaign.

Each takes the account that asks, the id or name in the path, the body and the query, and returns the body of the
answer. A body that cannot be used raises InvalidRequest, MalformedJson or PayloadTooLarge, also where it has nothing to
say; the stores raise StoreUnavailable.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.campaigns.rules.campaign_names import NAME
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.stops import Stop, StopState
from speechcall.messages.use_cases.message_ports import Brake, MessageStore
from speechcall.messages.use_cases.stop_ports import Stopped, StopStore
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.errors import CampaignCancelled, ListCancelled, NotFound
from speechcall.shared.use_cases.clock import Clock
from speechcall.status.use_cases.read_status import Lists, is_id, list_of, no_message
from speechcall.status.use_cases.status import Summary
from speechcall.stopping.rules.stop_request import hangs_up
from speechcall.stopping.use_cases.stop_answers import (
    count_of,
    describe_campaign_cancel,
    describe_campaign_stop,
    describe_list_cancel,
    describe_list_stop,
    describe_message_cancel,
)
from speechcall.stopping.use_cases.stop_many import resume_campaign, resume_list
from speechcall.stopping.use_cases.stop_message import Cancelled

if TYPE_CHECKING:
    from speechcall.api.rules import answers

Body = bytes
Query = Mapping[str, str]


class Summaries(Protocol):
    """Where messages stand."""

    def summaries(self, mids: Sequence[str], *, is_now: bool = False) -> list[Summary]: ...


@dataclass(frozen=True, slots=True)
class StopDesk:
    """What the requests work with. `cancel` cancels a message; `wake_worker` lets what was cancelled be carried out."""

    messages: MessageStore
    stops: StopStore
    turns: TurnStore
    lists: Lists
    history: Summaries
    cancel: Callable[[Message, bool], Cancelled | None]
    wake_worker: Callable[[], object]
    clock: Clock


def cancel_one(
    account: Account, mid: str, body: Body, query: Query, desk: StopDesk
) -> "tuple[answers.MessageCancelled, bool]":
    """The answer to the cancellation of a message, and whether its call is still to be ended.

    Raises NotFound, InvalidRequest, MalformedJson.
    """
    ends_call = hangs_up(body, query)
    message = desk.messages.get(mid) if is_id(mid) else None
    if message is None or message.account_id != account.account_id:
        raise no_message()
    done = desk.cancel(message, ends_call)
    if done is None:
        raise no_message()
    return describe_message_cancel(mid, done), done is Cancelled.HANGING_UP


def cancel_list(account: Account, list_id: str, body: Body, query: Query, desk: StopDesk) -> "answers.ListCancelled":
    """Cancels a list: no call of it begins after that. The answer says how its messages stand. Raises NotFound."""
    ends_calls, found = hangs_up(body, query), list_of(account, list_id, desk.lists)
    desk.stops.cancel(_list(found), desk.clock.now_msec(), found.expires_at, hangs_up=ends_calls)
    # Read after the write, strongly consistent: each claim of a line that came before the write is seen.
    counts = count_of(desk.history.summaries(found.message_ids, is_now=True))
    desk.wake_worker()
    return describe_list_cancel(list_id, counts)


def pause_list(account: Account, list_id: str, body: Body, query: Query, desk: StopDesk) -> "answers.ListStopped":
    """Pauses a list. Raises NotFound, ListCancelled."""
    hangs_up(body, query, may_hang_up=False)
    found = list_of(account, list_id, desk.lists)
    stop = desk.stops.pause(_list(found), desk.clock.now_msec(), found.expires_at)
    return _of_list(list_id, stop)


def resume_a_list(account: Account, list_id: str, body: Body, query: Query, desk: StopDesk) -> "answers.ListStopped":
    """Ends a list's pause; what was held back for it stands in its queue again. Raises NotFound, ListCancelled."""
    hangs_up(body, query, may_hang_up=False)
    found = list_of(account, list_id, desk.lists)
    held = held_messages(found, desk.history)
    stop = resume_list(_list(found), held, stops=desk.stops, messages=desk.messages, clock=desk.clock)
    return _of_list(list_id, stop)


def held_messages(found: MessageList, history: Summaries) -> Iterator[str]:
    """The ids of a list's messages that were held back for its pause, as they are when the first id is taken.

    A generator, so that `resume_list` reads them after its write.
    """
    for one in history.summaries(found.message_ids, is_now=True):
        if one.is_held:
            yield one.mid


def cancel_campaign(
    account: Account, name: str, body: Body, query: Query, desk: StopDesk
) -> "answers.CampaignCancelled":
    """Cancels a campaign: no call of it begins after that. The answer has its counts. Raises NotFound."""
    ends_calls, what = hangs_up(body, query), _campaign(account, name)
    # 0: the flag is in the campaign's own item, which expires as before.
    if desk.stops.cancel(what, desk.clock.now_msec(), 0, hangs_up=ends_calls) is None:
        raise _no_campaign()
    numbers = desk.stops.numbers(account.account_id, name)
    if numbers is None:
        raise _no_campaign()
    desk.wake_worker()
    return describe_campaign_cancel(name, numbers.stop_counts)


def pause_campaign(account: Account, name: str, body: Body, query: Query, desk: StopDesk) -> "answers.CampaignStopped":
    """Pauses a campaign. Raises NotFound, CampaignCancelled."""
    hangs_up(body, query, may_hang_up=False)
    return _of_campaign(name, desk.stops.pause(_campaign(account, name), desk.clock.now_msec(), 0))


def resume_a_campaign(
    account: Account, name: str, body: Body, query: Query, desk: StopDesk
) -> "answers.CampaignStopped":
    """Ends a campaign's pause: its queues join the order again. Raises NotFound, CampaignCancelled."""
    hangs_up(body, query, may_hang_up=False)
    stop = resume_campaign(_campaign(account, name), stops=desk.stops, turns=desk.turns, clock=desk.clock)
    return _of_campaign(name, stop)


def _of_list(list_id: str, stop: Stop | None) -> "answers.ListStopped":
    if stop is None or stop.state is StopState.CANCELLED:
        raise ListCancelled("This message list is cancelled, and that is final; send its messages in a new one.")
    return describe_list_stop(list_id, stop)


def _of_campaign(name: str, stop: Stop | None) -> "answers.CampaignStopped":
    if stop is None:
        raise _no_campaign()
    if stop.state is StopState.CANCELLED:
        raise CampaignCancelled("This campaign is cancelled, and that is final; send its messages under a new name.")
    return describe_campaign_stop(name, stop)


def _list(found: MessageList) -> Stopped:
    return Stopped(Brake.LIST, found.account_id, found.list_id)


def _campaign(account: Account, name: str) -> Stopped:
    if not NAME.fullmatch(name):
        raise _no_campaign()
    return Stopped(Brake.CAMPAIGN, account.account_id, name)


def _no_campaign() -> NotFound:
    return NotFound("There is no campaign of this name in this account; a name has 1 to 64 letters, digits, _ and -.")
