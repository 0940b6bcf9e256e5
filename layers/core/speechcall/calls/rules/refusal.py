"""Why a command of a call without a log was not written. To be removed with the last such call."""

from enum import StrEnum

from speechcall.calls.rules.call import Bounds, Call, Command, Ticket


class Refusal(StrEnum):
    """Why a command was not written."""

    ENDED = "ended"
    LIMIT = "limit"
    STALE = "stale"
    UNKNOWN = "unknown"


def refusal(call: Call | None, ticket: Ticket, command: Command, bounds: Bounds, now_msec: int) -> Refusal | None:
    """Why a command may not be written over `call`, or None if it may.

    In: the call as the refused write found it. The order matters: a try that a newer one has overtaken is stale, and
    answers nothing, even when the call has ended; a call that has ended is answered `ended`, even above its limit.
    """
    if call is None:
        return Refusal.UNKNOWN
    if (ticket.visit, ticket.retry) < (call.ticket.visit, call.ticket.retry):
        return Refusal.STALE
    if call.ended:
        return Refusal.ENDED
    if command.asks and ticket.visit != call.ticket.visit and over_limit(call, bounds, now_msec):
        return Refusal.LIMIT
    return None


def over_limit(call: Call, bounds: Bounds, now_msec: int) -> bool:
    """Whether no further menu may begin."""
    return call.visits >= bounds.max_visits or now_msec - call.dialled_msec >= bounds.max_seconds * 1000
