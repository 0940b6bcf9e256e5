"""The messages that requests would become, by the use case that accepts them. Nothing is stored or spent."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.messages.rules.message import Message
from speechcall.optouts.use_cases.opt_out_ports import OptOuts
from speechcall.prompts.rules.prompt import Prompt
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.requests.use_cases.check_request import Prompts
from speechcall.requests.use_cases.message_list import MessageList

if TYPE_CHECKING:
    from speechcall.api.rules.answers import Accepted


class Made(NamedTuple):
    """What came of one request: messages that are not stored, and the answer."""

    messages: Sequence[Message]
    answer: "Accepted"


class Rules(NamedTuple):
    """How a stack judges a list, as `accept_messages` says."""

    allow_loopback: bool = False
    ring_time_kept: bool = True
    strict: bool = False
    sends_sms: bool = True
    limits: CallLimits = AS_DEPLOYED


def made_messages(
    account: Account,
    bodies: Iterable[bytes],
    now_msec: int,
    *,
    prompts: Prompts,
    opt_outs: OptOuts,
    rules: Rules = Rules(),  # noqa: B008 - immutable
) -> Iterable[Made]:
    """For each request what it would become if it were sent now; how much the account may send is not looked at.

    Each is taken to be sent a millisecond after the one before: ids come from the millisecond, without chance here, so
    two of the same one would have the same ids. While they are read, raises the leaves of RequestError, as the API
    would answer them, and StoreUnavailable.
    """
    for number, body in enumerate(bodies):
        collected = _Collected()
        answer = accept_messages(
            account,
            body,
            messages=collected,
            lists=_Nowhere(prompts),
            clock=_At(now_msec + number),
            opt_outs=opt_outs,
            random_bits=lambda _bits: 0,
            allow_loopback=rules.allow_loopback,
            ring_time_kept=rules.ring_time_kept,
            strict=rules.strict,
            sends_sms=rules.sends_sms,
            limits=rules.limits,
        )
        yield Made(collected.found, answer)


class _At:
    """A clock that stands."""

    def __init__(self, now_msec: int) -> None:
        self._now_msec = now_msec

    def now_msec(self) -> int:
        return self._now_msec

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class _Collected:
    """`NewMessages` of one request."""

    def __init__(self) -> None:
        self.found: list[Message] = []

    def get(self, mid: str) -> Message | None:
        return next((one for one in self.found if one.mid == mid), None)

    def add(self, messages: Sequence[Message]) -> None:
        self.found += messages


class _Nowhere:
    """A `ListStore` that keeps nothing."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    def find_prompt(self, account_id: str, identifier: str) -> Prompt | None:
        return self._prompts.find_prompt(account_id, identifier)

    def add_list(self, made: MessageList, key: str | None) -> MessageList | None:  # noqa: ARG002 - no key is given
        return made

    def find_list_by_key(self, account_id: str, key: str) -> MessageList | None:
        raise NotImplementedError

    def keep_accepting(self, stored: MessageList, now_msec: int) -> None:
        """No list is there before."""

    def confirm_list(self, stored: MessageList) -> None:
        """Nothing is to be confirmed."""

    def admit_shapes(self, account: Account, shapes: AbstractSet[str], now_msec: int) -> None:
        """All are admitted."""

    def spend(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        """Nothing is spent."""

    def give_back(self, account: Account, messages: int, now_msec: int, urgent: int = 0) -> None:
        """Nothing was spent."""
