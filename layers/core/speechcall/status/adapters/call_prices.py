"""The rates of a message's calls."""

from collections.abc import Iterable

from speechcall.calls.rules.call import Call
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.money.rules.rate import Prices


def prices_of(rates: DynamoRates, number: str, calls: Iterable[Call], as_of_msec: int | None = None) -> Prices | None:
    """The rate of each call, by its attempt: that of the moment at which it was dialled. Raises StoreUnavailable.

    `number`: of the message, in E.164. A call for which there was no rate then has none. None: the stack has no rates.
    With `as_of_msec`, None too where it had none at that moment: what is told of that moment must not change.
    """
    versions = rates.versions()
    if not versions.versions or (as_of_msec is not None and versions.at(as_of_msec) is None):
        return None
    found = {}
    for call in calls:
        version = versions.at(call.dialled_msec)
        rate = rates.rate_of(version, number) if version else None
        if rate:
            found[call.attempt] = rate
    return Prices(versions.currency, found)
