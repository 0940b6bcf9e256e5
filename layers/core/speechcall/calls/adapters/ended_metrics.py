"""What is counted of a call that has ended."""

from collections.abc import Callable

from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.outcome import Outcome
from speechcall.webhooks.rules.webhook import WebhookTask


def count_end(outcome: Outcome) -> None:
    """Counts how a call went."""
    count("CallsEnded", outcome=outcome.outcome)
    count("CallEndReasons", reason=outcome.reason)
    count("PromptsNotPlayed", int(outcome.prompt_failed))


def owing(first: Callable[[WebhookTask], object]) -> Callable[[WebhookTask], None]:
    """Queues a webhook that a state machine did not come to, and counts it. `first`: queues a first attempt."""

    def owe(task: WebhookTask) -> None:
        first(task)
        count("WebhooksOwed")

    return owe
