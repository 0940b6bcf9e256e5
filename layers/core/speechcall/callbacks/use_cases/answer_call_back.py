"""Somebody calls the caller ID back: they are told who has called them last, and may opt out."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from speechcall.accounts.rules.account import OWN_WORDS, Account, CallBack
from speechcall.callbacks.rules.call_back import (
    NOBODY,
    WITHHELD,
    Greeting,
    Heard,
    done_text,
    greeting_text,
    is_message,
    say,
    shown_number,
)
from speechcall.menus.rules.menu import OWN_LIST
from speechcall.optouts.rules.opt_out import By, OptOut, ending_of
from speechcall.shared.use_cases.clock import Clock


class LastCall(NamedTuple):
    """The message for which a number was called last: what a call back needs of it."""

    mid: str
    account_id: str
    sender: str
    digest: str
    """Of the number that was called."""


class CalledNumbers(Protocol):
    """Who has called whom."""

    def last_call(self, digest: str) -> LastCall | None:
        """The latest call to a number, by its digest; None: none is kept."""

    def call_of(self, mid: str) -> LastCall | None:
        """As `last_call`, by the message; None: it is not kept any more."""


class OptingOut(Protocol):
    """The part of the opt-outs that a call back needs."""

    def digest(self, number: str) -> str: ...
    def add(self, account_id: str, opt_out: OptOut) -> bool: ...


class Accounts(Protocol):
    """The accounts, with what they want to be said."""

    def find(self, account_id: str) -> Account | None: ...


class UploadedAudio(Protocol):
    """The introductions that accounts have uploaded."""

    def uri_of(self, account_id: str, name: str) -> str:
        """Where the telephony plays it from; empty: there is none of this name."""


@dataclass(frozen=True, slots=True)
class CallBackDesk:
    """What is needed to answer a call back."""

    called: CalledNumbers
    accounts: Accounts
    audio: UploadedAudio
    opt_outs: OptingOut
    clock: Clock


def greet(caller: str, desk: CallBackDesk) -> Greeting:
    """What a caller hears first. In: the caller's number as the provider tells it. Raises StoreUnavailable.

    Where the number is withheld, or no message that is kept has called it, the greeting names no message (`mid` is
    empty): then there is nothing to opt out of.
    """
    number = shown_number(caller)
    if not number:
        return Greeting(Heard(say(WITHHELD)))
    found = desk.called.last_call(desk.opt_outs.digest(number))
    if found is None:
        return Greeting(Heard(say(NOBODY)))
    settings = _settings(found.account_id, desk)
    said = say(greeting_text(settings), settings, found.sender)
    return Greeting(Heard(said, _uri(found.account_id, settings.audio, desk)), found.mid)


def opt_out(caller: str, mid: str, desk: CallBackDesk) -> Heard | None:
    """Stores that the caller does not want to be called by the account of a message; what they hear then.

    It is stored when this returns. A repeat changes nothing. None: the message did not call this number, or is not kept
    any more: nothing was stored. Raises StoreUnavailable.
    """
    number = shown_number(caller)
    found = desk.called.call_of(mid) if number and is_message(mid) else None
    if found is None or not found.digest or desk.opt_outs.digest(number) != found.digest:
        return None
    now = desk.clock.now_msec()
    desk.opt_outs.add(found.account_id, OptOut(OWN_LIST, found.digest, ending_of(number), now, By.CALL_BACK, mid))
    settings = _settings(found.account_id, desk)
    said = say(done_text(settings), settings, found.sender)
    return Heard(said, _uri(found.account_id, settings.done_audio, desk))


def _settings(account_id: str, desk: CallBackDesk) -> CallBack:
    account = desk.accounts.find(account_id)
    return account.call_back if account else OWN_WORDS


def _uri(account_id: str, name: str, desk: CallBackDesk) -> str:
    return desk.audio.uri_of(account_id, name) if name else ""
