"""What a call may cost at most, before it is begun."""

from speechcall.menus.rules.longest_call import longest_call_seconds
from speechcall.menus.rules.walk import CallLimits
from speechcall.messages.rules.message import Message
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.money.rules.rate import price


class LongestPrices:
    """Prices of whole calls, by the rates that hold now and the bounds of their messages."""

    def __init__(self, rates: DynamoRates, limits: CallLimits) -> None:
        self._rates, self._limits = rates, limits

    def __call__(self, message: Message, now_msec: int) -> int | None:
        """What the next call of a prepared message may cost, in millionths; None: its number has no rate now.

        Raises StoreUnavailable.
        """
        rate = self._rates.rate_at(message.number, now_msec)
        if rate is None:
            return None
        waits = [ask.wait_seconds for ask in message.asks]
        return price(rate, longest_call_seconds(message.menus, waits, self._limits) * 1000)
