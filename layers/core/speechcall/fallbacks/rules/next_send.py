"""When a fallback may be sent: by the hours of its message, and by what its account may do now. Pure."""

from typing import NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.fallback import FallbackReason, FallbackStatus
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.when_to_dial import next_opening_msec

AGAIN_MSEC = 60_000
"""After which it is tried again where a pause, or the service, was in the way."""
LOST_MSEC = 300_000
"""So long after the intention to send it was written down nothing is sent any more: a function has a minute."""


class SendNow(NamedTuple):
    """The fallback may be sent."""


class SendLater(NamedTuple):
    """The fallback is not sent before this moment."""

    at_msec: int


class GiveUp(NamedTuple):
    """The fallback is never sent."""

    status: FallbackStatus
    reason: FallbackReason


def next_send(
    message: Message, account: Account | None, now_msec: int, until_msec: int
) -> SendNow | SendLater | GiveUp:
    """What is to be done about a fallback that is due. From `until_msec` on it is not sent any more.

    `account`: as it is now; it may be gone (None), or have lost the right to text messages, or to the destination,
    since its message was accepted. The hours are those of the message, in which a phone may ring.
    """
    if account is None or not account.sms_per_day or not account.may_dial(message.number):
        return GiveUp(FallbackStatus.FAILED, "notAllowed")
    opens = next_opening_msec(message.hours, now_msec)
    if opens is None or opens >= until_msec:
        # Where the hours are open now, it is too late for another reason: it could not be sent while there was time.
        return GiveUp(FallbackStatus.FAILED, "window" if opens is None or opens > now_msec else "unavailable")
    return SendNow() if opens <= now_msec else SendLater(opens)


def again(now_msec: int, until_msec: int, reason: FallbackReason) -> SendLater | GiveUp:
    """What to do where something that may pass was in the way: try again later, or give up where there is no time."""
    at_msec = now_msec + AGAIN_MSEC
    return SendLater(at_msec) if at_msec < until_msec else GiveUp(FallbackStatus.FAILED, reason)
