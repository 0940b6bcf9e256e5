"""What calls cost, by the rates of their numbers."""

from collections.abc import Iterable

from speechcall.calls.rules.call import Call
from speechcall.money.rules.rate import Prices, Rate, price


def cost_of_call(call: Call, rate: Rate | None) -> int | None:
    """What a call has cost, in millionths: nothing before its end, or unanswered. None: its number had no rate."""
    if call.answered_msec is None or call.ended_msec is None:
        return 0
    return None if rate is None else price(rate, max(call.ended_msec - call.answered_msec, 0))


def cost_of_calls(calls: Iterable[Call], prices: Prices) -> int | None:
    """What the calls of a message have cost until now, in millionths.

    None: a call had no rate, and a sum without it would be wrong.
    """
    total = 0
    for call in calls:
        cost = cost_of_call(call, prices.rates.get(call.attempt))
        if cost is None:
            return None
        total += cost
    return total
