"""What is counted of a call that has ended, and of what its keys ask for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from speechcall.menus.rules.menu import OptOutStep
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.outcome import Outcome
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.calls.use_cases.leave_call import RateAt
    from speechcall.money.adapters.rates_store import DynamoRates
    from speechcall.money.rules.rate import Rate


BROKEN = ("FAILED", "TIMED_OUT", "ABORTED")
"""How an execution ends that does not finish its call (EventBridge, "Step Functions Execution Status Change")."""


def count_execution(status: object) -> None:
    """Counts an execution that did not come to its end. Step Functions' own metrics have no sum over machines."""
    if status in BROKEN:
        count("ExecutionsFailed", status=str(status))


def count_end(outcome: Outcome) -> None:
    """Counts how a call went."""
    count("CallsEnded", outcome=outcome.outcome)
    count("CallEndReasons", reason=outcome.reason)
    count("PromptsNotPlayed", int(outcome.prompt_failed))


def owing(first: Callable[[WebhookTask], object]) -> Callable[[WebhookTask], None]:
    """Returns a function that queues a webhook to which a state machine did not come, and counts it. `first` queues the
    webhook's first attempt.
    """

    def owe(task: WebhookTask) -> None:
        first(task)
        count("WebhooksOwed")

    return owe


def pricing(client: "DynamoDBClient", table: str) -> "RateAt":
    """Returns a `RateAt`, for accounts with a limit of spend a day. Nothing is loaded before it is first used."""
    rates: list[DynamoRates] = []

    def rate_at(number: str, at_msec: int) -> "Rate | None":
        # Few accounts have this limit, and for all others finish_call should start without it.
        from speechcall.money.adapters.rates_store import DynamoRates  # noqa: PLC0415

        if not rates:
            rates.append(DynamoRates(client, table))
        return rates[0].rate_at(number, at_msec)

    return rate_at


def opting_out(client: "DynamoDBClient", table: str, clock: Clock) -> Callable[[Message, OptOutStep], None]:
    """Returns a function that writes the opt-out of a callee who has pressed the key for it, and counts it."""

    def opt_out(message: Message, step: OptOutStep) -> None:
        # Few callees opt out, and for all others finish_call should start without these.
        from speechcall.calls.use_cases.keep_opt_out import keep_opt_out  # noqa: PLC0415
        from speechcall.optouts.adapters.opt_outs_store import OptOutEntries  # noqa: PLC0415

        store = OptOutEntries(client, table)
        count("OptOutsByKey", int(keep_opt_out(message, step, store=store, now_msec=clock.now_msec())))

    return opt_out


def forgetting(client: "DynamoDBClient", table: str) -> Callable[[Message, WebhookTask], None]:
    """Returns a function that erases the sensitive digits of an entry, if none of its webhooks has yet to tell them.

    It is for the end of a call: no lookup is made any more.
    """

    def forget(message: Message, task: WebhookTask) -> None:
        # Few menus have sensitive digits, and for all others finish_call should start without these.
        from speechcall.calls.adapters.entered_digits import EnteredDigits  # noqa: PLC0415
        from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries  # noqa: PLC0415
        from speechcall.webhooks.use_cases.forget_digits import forget_digits  # noqa: PLC0415

        erase = EnteredDigits(client, table).erase
        forget_digits(message, task, DynamoDeliveries(client, table), lambda _task: True, erase)

    return forget
